//! Where a row's media are: files below one folder, `data:` URLs, base64, and addresses where they may be fetched. No file outside of
//! that folder is ever opened.

use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use ureq::Agent;

use crate::expansion::Size;
use crate::fault::MediaFault;
use crate::probe::{ExifOrientation, audio_samples, image_size, unreadable};
use crate::remote::{self, Remote};

/// Padding or none: data sets hold both.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How a row names a piece of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A path below the root, a `file://` or `data:` URL, or an address.
    Url(&'a str),
    /// The file's bytes in base64.
    Base64(&'a str),
}

/// Finds media and tells their sizes.
#[derive(Clone, Debug)]
pub struct Locator {
    /// With every link resolved.
    root: Option<PathBuf>,
    exif: ExifOrientation,
    /// What fetches addresses, where that is allowed.
    agent: Option<Agent>,
}

/// A file or bytes in memory.
trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

impl Locator {
    /// `root`: the folder that paths are relative to and may not leave; without one only data in the row itself is read.
    ///
    /// # Errors
    /// `media-root` when the folder is not there.
    pub fn new(root: Option<&Path>, exif: ExifOrientation, remote: &Remote) -> Result<Self, MediaFault> {
        let resolved = root.map(std::fs::canonicalize).transpose().map_err(|error| {
            let shown = root.map_or_else(String::new, |root| root.display().to_string());
            MediaFault::new("media-root", format!("the media folder {shown} cannot be opened: {error}"))
        })?;
        if let Some(folder) = resolved.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(MediaFault::new("media-root", format!("{} is no folder", folder.display())));
        }
        Ok(Locator { root: resolved, exif, agent: remote.agent() })
    }

    /// The size of an image, upright where the locator applies orientations.
    ///
    /// # Errors
    /// When it is not there, not allowed, or no image.
    pub fn image_size(&self, reference: Reference<'_>) -> Result<Size, MediaFault> {
        let (source, name) = self.open(reference)?;
        image_size(source, &name, self.exif)
    }

    /// The length of a sound in samples at `rate`.
    ///
    /// # Errors
    /// When it is not there, not allowed, or no sound.
    pub fn audio_samples(&self, reference: Reference<'_>, rate: u32) -> Result<u64, MediaFault> {
        let (source, name) = self.open(reference)?;
        audio_samples(source, &name, rate)
    }

    fn open(&self, reference: Reference<'_>) -> Result<(Box<dyn Source>, String), MediaFault> {
        match reference {
            Reference::Base64(text) => Ok((Box::new(decoded(text)?), "the base64 data".to_owned())),
            Reference::Url(url) => match scheme(url) {
                Some("data") => Ok((Box::new(data_url(url)?), "the data URL".to_owned())),
                Some("http" | "https") => {
                    let agent = self.agent.as_ref().ok_or_else(|| not_fetched(url))?;
                    Ok((Box::new(remote::open(agent, url)?), url.chars().take(200).collect()))
                }
                Some("file") => self.file(&percent_decoded(url["file:".len()..].trim_start_matches("//"))),
                _ => self.file(url),
            },
        }
    }

    fn file(&self, path: &str) -> Result<(Box<dyn Source>, String), MediaFault> {
        let name: String = path.chars().take(500).collect();
        let root = self.root.as_ref().ok_or_else(|| {
            MediaFault::new("media-outside-root", format!("{name}: there is no media folder to look in"))
                .hint("set media.root")
        })?;
        let found = resolved(root, path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                MediaFault::new("media-missing", format!("{name} is not in {}", root.display()))
                    .hint("paths are relative to the data file, or to media.root")
            }
            _ => unreadable(&name, &error),
        })?;
        if !found.starts_with(root) {
            let message = format!("{name} is outside of {}", root.display());
            return Err(
                MediaFault::new("media-outside-root", message).hint("set media.root to a folder that holds all media")
            );
        }
        // Looked at before it is opened: opening a pipe would wait for its other end.
        let regular = std::fs::metadata(&found).map_err(|error| unreadable(&name, &error))?.is_file();
        if !regular {
            return Err(MediaFault::new("media-not-a-file", format!("{name} is no regular file")));
        }
        let file = File::open(&found).map_err(|error| unreadable(&name, &error))?;
        Ok((Box::new(file), name))
    }
}

fn not_fetched(url: &str) -> MediaFault {
    let shown: String = url.chars().take(200).collect();
    MediaFault::new("media-remote", format!("{shown} is not on this machine"))
        .hint("fetch the files first and name them by path, state their sizes in the data, or set media.allow_remote")
}

/// A path below the root with every link resolved. The root holds none, so where nothing below it is a link either, there is nothing to
/// resolve: half of the time that a file takes.
fn resolved(root: &Path, path: &str) -> std::io::Result<PathBuf> {
    let mut found = root.to_path_buf();
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => continue,
            Component::Normal(name) => found.push(name),
            _ => return std::fs::canonicalize(root.join(path)),
        }
        if std::fs::symlink_metadata(&found)?.is_symlink() {
            return std::fs::canonicalize(root.join(path));
        }
    }
    Ok(found)
}

/// The scheme of a URL; a drive letter is none.
fn scheme(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once(':')?;
    let plain = scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let known = matches!(scheme, "data" | "http" | "https" | "file");
    (plain && (known || rest.starts_with("//"))).then_some(scheme)
}

fn data_url(url: &str) -> Result<Cursor<Vec<u8>>, MediaFault> {
    let wrong = || MediaFault::new("media-base64", "the data URL does not hold base64".to_owned());
    let (head, body) = url.split_once(',').ok_or_else(wrong)?;
    if head.ends_with(";base64") { decoded(body) } else { Err(wrong()) }
}

fn decoded(text: &str) -> Result<Cursor<Vec<u8>>, MediaFault> {
    // Line ends within base64 are common; nothing else that is no base64 is.
    let text: std::borrow::Cow<'_, str> = if text.contains(char::is_whitespace) {
        text.split_whitespace().collect::<String>().into()
    } else {
        text.into()
    };
    let url_safe = text.contains(['-', '_']);
    let bytes = if url_safe {
        general_purpose::URL_SAFE_NO_PAD.decode(text.trim_end_matches('='))
    } else {
        BASE64.decode(text.as_ref())
    };
    bytes.map(Cursor::new).map_err(|error| MediaFault::new("media-base64", format!("the data is no base64: {error}")))
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        if let Some(byte) = hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            out.push(byte);
            rest = &tail[2..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
