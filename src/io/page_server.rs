//! One page over HTTP, to browsers on this machine.
//!
//! The page is the only thing that is ever answered with: no path is looked up, nothing is read from disk once the page is
//! in memory, and what a browser sends beyond the first line of a request is thrown away.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::error::{IoError, Problem};
use super::file::{self, File};

/// Largest page that is believed, in bytes.
const LARGEST: u64 = 1 << 30;
/// Longest request, in bytes.
const LONGEST: u64 = 1 << 14;
/// How long a browser may take to ask, and to take the next bytes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Browsers that are answered at a time; others are turned away.
const MOST: usize = 32;

/// Headers of every answer: the page is kept nowhere, and no other page may show it or read it.
const HEADERS: &str = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
     Referrer-Policy: no-referrer\r\nX-Frame-Options: DENY\r\n\
     Cross-Origin-Resource-Policy: same-origin\r\nCross-Origin-Opener-Policy: same-origin\r\n\
     Connection: close\r\n";

/// Reads a page.
///
/// # Errors
/// Where it cannot be read, or is none.
pub fn read_page(path: &Path) -> Result<Vec<u8>, IoError> {
    let fail = |error| IoError::system(path, "read", error);
    let mut page = Vec::new();
    let file = File::open(path).map_err(|error| IoError::system(path, "open", error))?;
    if file::is_folder(path) {
        let (expected, found) = ("a page (HTML)", "a folder".to_owned());
        return Err(IoError::new(path, Problem::Format { expected, found }));
    }
    file.take(LARGEST).read_to_end(&mut page).map_err(fail)?;
    let start = page.trim_ascii_start().get(..9).unwrap_or_default();
    if !start.eq_ignore_ascii_case(b"<!doctype") {
        let text: String = String::from_utf8_lossy(start).into_owned();
        let (expected, found) = (
            "a page (HTML), which begins with `<!DOCTYPE`",
            format!("`{text}`"),
        );
        return Err(IoError::new(path, Problem::Format { expected, found }));
    }
    Ok(page)
}

/// The beginning of the policy of the page that scores in a browser, and the same where it may connect.
const POLICIES: [&str; 2] = [
    "content=\"default-src 'none'; script-src ",
    "content=\"default-src 'none'; connect-src http: https:; script-src ",
];
/// The element that stands for the page, and the same where the page is to offer addresses.
const ROOTS: [&str; 2] = [
    "<html lang=\"en\">",
    "<html lang=\"en\" data-remote=\"true\">",
];
/// What offers them.
const ADDRESSES: &str = "<form id=\"remote\"";

/// The page that scores in a browser, allowed to read from addresses; nothing for another page.
pub fn with_connections(page: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(page).ok()?;
    let fits = [POLICIES[0], ROOTS[0], ADDRESSES];
    let fits = fits.iter().all(|part| text.contains(part));
    fits.then(|| {
        let text = text.replacen(POLICIES[0], POLICIES[1], 1);
        text.replacen(ROOTS[0], ROOTS[1], 1).into_bytes()
    })
}

/// A page and the address where it is found.
#[derive(Debug)]
pub struct PageServer {
    listener: TcpListener,
    address: SocketAddr,
    page: Arc<Vec<u8>>,
}

impl PageServer {
    /// Begins to listen; port 0 takes one that is free.
    ///
    /// # Errors
    /// Where the address is none of this machine's, or its port is taken.
    pub fn bind(address: SocketAddr, page: Vec<u8>) -> Result<Self, IoError> {
        let fail = |error| IoError::system(address.to_string(), "listen at", error);
        let listener = TcpListener::bind(address).map_err(fail)?;
        Ok(Self {
            address: listener.local_addr().map_err(fail)?,
            listener,
            page: Arc::new(page),
        })
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Answers until the program ends; returns how many were answered where listening ends first.
    ///
    /// # Errors
    /// Where the system lets nobody in any more.
    pub fn answer_all(self) -> Result<u64, IoError> {
        let busy = Arc::new(AtomicUsize::new(0));
        let mut answered = 0;
        for stream in self.listener.incoming() {
            let stream = match stream {
                Ok(stream) => stream,
                // The browser has left again.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    return Err(IoError::system(
                        self.address.to_string(),
                        "listen at",
                        error,
                    ));
                }
            };
            if busy.fetch_add(1, Ordering::Relaxed) >= MOST {
                busy.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            answered += 1;
            let (page, busy) = (Arc::clone(&self.page), Arc::clone(&busy));
            std::thread::spawn(move || {
                // A browser that leaves early harms nobody.
                let _ = answer(&stream, &page);
                busy.fetch_sub(1, Ordering::Relaxed);
            });
        }
        Ok(answered)
    }
}

/// Answers one request.
fn answer(stream: &TcpStream, page: &[u8]) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.take(LONGEST));
    let mut first = String::new();
    lines.read_line(&mut first)?;
    let mut line = String::new();
    while lines.read_line(&mut line)? > 2 {
        line.clear();
    }
    let (head, body) = response(&first, page);
    let mut out = stream;
    out.write_all(head.as_bytes())?;
    out.write_all(body)?;
    out.flush()
}

/// Head and body of the answer to a request's first line.
fn response<'a>(first: &str, page: &'a [u8]) -> (String, &'a [u8]) {
    let mut words = first.split_ascii_whitespace();
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let (status, kind, body): (_, _, &[u8]) = match (method, path) {
        (Some("GET" | "HEAD"), "/" | "/index.html") => ("200 OK", "text/html; charset=utf-8", page),
        (Some("GET" | "HEAD"), _) => (
            "404 Not Found",
            "text/plain",
            b"there is one page here, at /\n",
        ),
        _ => (
            "405 Method Not Allowed",
            "text/plain",
            b"this page is only looked at\n",
        ),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{HEADERS}\r\n",
        body.len()
    );
    let body = if method == Some("HEAD") { &[] } else { body };
    (head, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_page_and_nothing_else() {
        for (first, status, body) in [
            ("GET / HTTP/1.1\r\n", "200 OK", &b"page"[..]),
            ("GET /?x=1 HTTP/1.1\r\n", "200 OK", b"page"),
            ("HEAD / HTTP/1.1\r\n", "200 OK", b""),
            ("GET /../../etc/passwd HTTP/1.1\r\n", "404", b"there is"),
            ("POST / HTTP/1.1\r\n", "405", b"this page"),
            ("", "405", b"this page"),
            ("\u{0}\u{ff} \r\n", "405", b"this page"),
        ] {
            let (head, found) = response(first, b"page");
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status}")),
                "{first}: {head}"
            );
            assert!(found.starts_with(body), "{first}");
            assert!(head.ends_with("\r\n\r\n") && head.contains("no-store"));
        }
    }

    #[test]
    fn only_the_page_with_addresses_may_connect() {
        let page = format!("{} {}{}", ROOTS[0], POLICIES[0], ADDRESSES);
        let opened = with_connections(page.as_bytes()).unwrap();
        let opened = String::from_utf8(opened).unwrap();
        assert!(opened.contains("connect-src http: https:; script-src"));
        assert!(opened.contains("data-remote"));
        for part in [ROOTS[0], POLICIES[0], ADDRESSES] {
            assert_eq!(with_connections(page.replace(part, "").as_bytes()), None);
        }
        assert_eq!(with_connections(b"<!DOCTYPE html>\xff"), None);
    }

    #[test]
    fn a_browser_gets_the_page() {
        let server = PageServer::bind(([127, 0, 0, 1], 0).into(), b"page".to_vec()).unwrap();
        let address = server.address;
        assert_eq!(server.url(), format!("http://{address}/"));
        std::thread::spawn(|| server.answer_all());
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("Content-Length: 4\r\n") && answer.ends_with("\r\n\r\npage"));
    }

    #[test]
    fn only_pages_are_pages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.html");
        for (text, is_page) in [
            ("<!doctype html>", true),
            ("\n<!DOCTYPE html>", true),
            ("BAM", false),
            ("", false),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read_page(&path).is_ok(), is_page, "{text}");
        }
        assert!(read_page(folder.path()).is_err());
    }
}
