//! Media behind addresses, from a server of the test's own.

#[allow(dead_code)]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lossmask_media::{ExifOrientation, Locator, MediaFault, Reference, Remote, Size};

/// A server on this machine, and what it has seen.
struct Server {
    address: String,
    requests: Arc<AtomicUsize>,
    /// Bytes of bodies that it could send before the other side hung up.
    sent: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Server { address: address.clone(), requests: Arc::default(), sent: Arc::default() };
        let (requests, sent) = (Arc::clone(&server.requests), Arc::clone(&server.sent));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                requests.fetch_add(1, Ordering::SeqCst);
                let (address, sent) = (address.clone(), Arc::clone(&sent));
                std::thread::spawn(move || answer(stream, &address, &sent));
            }
        });
        server
    }

    fn size(&self, remote: &Remote, path: &str) -> Result<Size, MediaFault> {
        let locator = Locator::new(None, ExifOrientation::Apply, remote).unwrap();
        locator.image_size(Reference::Url(&format!("http://{}{path}", self.address)))
    }

    fn allowed(&self) -> Remote {
        Remote::Hosts(vec![self.address.clone()])
    }
}

fn answer(mut stream: TcpStream, address: &str, sent: &AtomicUsize) -> Option<()> {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    reader.read_line(&mut line).ok()?;
    let mut header = String::new();
    while header != "\r\n" {
        header.clear();
        reader.read_line(&mut header).ok()?;
    }
    let moved =
        |to: &str| format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let found = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let (head, body) = match line.split(' ').nth(1)? {
        "/a.png" => (found(1 << 30), support::png(640, 480, None)),
        "/turned.jpg" => (found(1 << 30), support::jpeg(640, 480, Some(6))),
        "/short.png" => (found(20), support::png(640, 480, None)[..20].to_vec()),
        "/page.html" => (found(1 << 30), b"<html>".to_vec()),
        "/endless.jpg" => (found(1 << 30), b"\xFF\xD8\xFF\xE0\0\x02".to_vec()),
        "/moved" => (moved("/a.png"), Vec::new()),
        "/round" => (moved("/round"), Vec::new()),
        // The same server by a name that is not allowed.
        "/away" => (moved(&format!("http://localhost:{}/a.png", address.split(':').nth(1)?)), Vec::new()),
        _ => ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(), Vec::new()),
    };
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()?;
    if head.contains(&(1 << 30).to_string()) {
        while stream.write_all(&[0; 4096]).is_ok() {
            sent.fetch_add(4096, Ordering::SeqCst);
        }
    }
    Some(())
}

#[test]
fn sizes_come_from_the_first_bytes() {
    let server = Server::start();
    let size = |path: &str| server.size(&server.allowed(), path);
    assert_eq!(size("/a.png"), Ok(Size { width: 640, height: 480 }));
    assert_eq!(size("/turned.jpg"), Ok(Size { width: 480, height: 640 }), "set upright as a file is");
    assert_eq!(size("/moved"), Ok(Size { width: 640, height: 480 }), "a redirect is followed");
    // Each download stops at its header; buffers of the system hold the rest.
    assert!(server.sent.load(Ordering::SeqCst) < 64 << 20);
}

#[test]
fn what_cannot_be_fetched_is_named() {
    let server = Server::start();
    let cases = [
        ("/none.png", "media-remote", "404"),
        ("/round", "media-remote", "redirect"),
        ("/away", "media-remote", "not among the hosts"),
        ("/short.png", "media-broken", "/short.png"),
        ("/page.html", "media-format", "/page.html"),
        ("/endless.jpg", "media-", "/endless.jpg"),
    ];
    for (path, code, words) in cases {
        let fault = server.size(&server.allowed(), path).unwrap_err();
        assert!(fault.code.starts_with(code) && fault.message.contains(words), "{path}: {fault:?}");
    }
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let locator = Locator::new(None, ExifOrientation::Apply, &Remote::Hosts(vec!["127.0.0.1".to_owned()])).unwrap();
    let fault = locator.image_size(Reference::Url(&format!("http://{gone}/a.png"))).unwrap_err();
    assert_eq!(fault.code, "media-remote", "nobody listens: {fault}");
    for wrong in ["http://", "http:///a.png", "http://[::1/a.png", "https://a b/c.png"] {
        assert_eq!(locator.image_size(Reference::Url(wrong)).unwrap_err().code, "media-remote", "{wrong}");
    }
}

#[test]
fn without_leave_nobody_is_asked() {
    let server = Server::start();
    for remote in [Remote::Never, Remote::Public, Remote::Hosts(vec!["example.org".to_owned()])] {
        let fault = server.size(&remote, "/a.png").unwrap_err();
        assert_eq!(fault.code, "media-remote", "{remote:?}");
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 0);
}
