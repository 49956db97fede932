//! Media behind an address: only as much of a file is fetched as its header takes.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use serde::Deserialize;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, BodyReader, Error};

use crate::fault::MediaFault;

const CONNECT: Duration = Duration::from_secs(10);
/// For one file, redirects included.
const WHOLE: Duration = Duration::from_secs(60);
const REDIRECTS: u32 = 5;

/// Which addresses may be fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Setting")]
pub enum Remote {
    /// None.
    #[default]
    Never,
    /// Those of hosts in the public internet: data that somebody else wrote cannot reach into one's own network.
    Public,
    /// Those of these hosts (`images.example.org`, `127.0.0.1:8080`), wherever they are.
    Hosts(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Setting {
    Public(bool),
    Hosts(Vec<String>),
}

impl From<Setting> for Remote {
    fn from(setting: Setting) -> Self {
        match setting {
            Setting::Public(false) => Remote::Never,
            Setting::Public(true) => Remote::Public,
            Setting::Hosts(hosts) => Remote::Hosts(hosts),
        }
    }
}

impl Remote {
    /// What fetches; `None` when nothing may be.
    pub(crate) fn agent(&self) -> Option<Agent> {
        if *self == Remote::Never {
            return None;
        }
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(WHOLE))
            .max_redirects(REDIRECTS)
            // A proxy would find the host by itself, where nobody asks whether it may be reached.
            .proxy(None)
            .user_agent(concat!("lossmask/", env!("CARGO_PKG_VERSION")))
            .build();
        let guard = Guard { remote: self.clone(), resolver: DefaultResolver::default() };
        Some(Agent::with_parts(config, DefaultConnector::default(), guard))
    }

    /// Whether a host may be reached at an address. Asked for every redirect too.
    fn allows(&self, uri: &Uri, address: IpAddr) -> bool {
        match self {
            Remote::Never => false,
            Remote::Public => is_public(address),
            Remote::Hosts(hosts) => {
                let host = uri.host().unwrap_or_default();
                let authority = uri.authority().map_or("", |authority| authority.as_str());
                hosts
                    .iter()
                    .any(|allowed| allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(authority))
            }
        }
    }
}

/// Finds the addresses of a host and leaves out those that may not be reached.
struct Guard {
    remote: Remote,
    resolver: DefaultResolver,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.remote.fmt(f)
    }
}

impl Resolver for Guard {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| self.remote.allows(uri, address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            let what = match self.remote {
                Remote::Hosts(_) => "is not among the hosts of media.allow_remote",
                _ => "is in a private network: name it in media.allow_remote to allow it",
            };
            let message = format!("{} {what}", uri.host().unwrap_or("the host"));
            return Err(Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, message)));
        }
        Ok(allowed)
    }
}

/// Whether an address is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_documentation()
                || a == 0
                || a >= 224
                || (a == 100 && b & 0xC0 == 64)
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && b & 0xFE == 18))
        }
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_public(v4),
            None => {
                !(v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || v6.is_unique_local()
                    || v6.is_unicast_link_local())
            }
        },
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, or translated (64:ff9b::/96).
fn embedded(v6: Ipv6Addr) -> Option<IpAddr> {
    let translated = match v6.segments() {
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => Some((u32::from(high) << 16 | u32::from(low)).into()),
        _ => None,
    };
    v6.to_ipv4_mapped().or(translated).map(IpAddr::V4)
}

/// Opens what stands behind an address.
pub(crate) fn open(agent: &Agent, url: &str) -> Result<Download, MediaFault> {
    let response = agent.get(url).call().map_err(|error| failed(url, &error))?;
    let body = response.into_body();
    let length = body.content_length();
    Ok(Download { body: body.into_reader(), held: Vec::new(), position: 0, length })
}

fn failed(url: &str, error: &Error) -> MediaFault {
    let shown: String = url.chars().take(200).collect();
    MediaFault::new("media-remote", format!("{shown} cannot be fetched: {error}"))
        .hint("fetch the file first and name it by path, or state its size in the data")
}

/// A file that is fetched as far as it is read. The connection ends with it.
pub(crate) struct Download {
    body: BodyReader<'static>,
    /// What is here so far.
    held: Vec<u8>,
    position: u64,
    length: Option<u64>,
}

/// Fetched at once.
const BLOCK: u64 = 16 << 10;
/// What is fetched of one file at most: jumps cost what they pass.
const MOST_BYTES: u64 = 4 << 20;

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.held.len() as u64 <= self.position {
            if self.position >= MOST_BYTES {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "no header within the first four megabytes"));
            }
            if Read::by_ref(&mut self.body).take(BLOCK).read_to_end(&mut self.held)? == 0 {
                return Ok(0);
            }
        }
        let read = (&self.held[self.position as usize..]).read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Download {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, offset) = match to {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::Current(offset) => (self.position, offset),
            SeekFrom::End(offset) => {
                let length =
                    self.length.ok_or_else(|| io::Error::other("the server does not tell the file's length"))?;
                (length, offset)
            }
        };
        self.position = base.checked_add_signed(offset).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_networks_are_not_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn settings_are_a_flag_or_hosts() {
        let read = |text: &str| serde_json::from_str::<Remote>(text).ok();
        assert_eq!(read("false"), Some(Remote::Never));
        assert_eq!(read("true"), Some(Remote::Public));
        assert_eq!(read(r#"["a.org"]"#), Some(Remote::Hosts(vec!["a.org".to_owned()])));
        assert_eq!(read(r#""a.org""#), None);
    }
}
