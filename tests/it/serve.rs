//! `cnnfilter serve`. `tests/web_page.py` opens the page in a browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::support::*;

/// A running server, which ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the server answers to a request.
fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_answers_this_machine_with_one_page() {
    let lab = Lab::new();
    let page = lab.path("page.html");
    std::fs::write(&page, "<!DOCTYPE html>\nhere").unwrap();
    let mut run = program(&["serve", "--no-open"]);
    let mut server = Server(run.arg(&page).stderr(Stdio::piped()).spawn().unwrap());
    let mut said = BufReader::new(server.0.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("http://127.0.0.1:"));
    let address = url
        .unwrap()
        .trim_start_matches("http://")
        .trim_end_matches("/;");
    let answer = ask(address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n<!DOCTYPE html>\nhere")
    );
    let answer = ask(address, "GET /../page.html HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[test]
fn it_shows_nothing_but_pages() {
    for (page, expected) in [
        (
            demo("calls.vcf"),
            "expected a page (HTML), which begins with `<!DOCTYPE`, found `##filefor`",
        ),
        (demo("none.html"), "cannot open"),
    ] {
        let output = program(&["serve", "--no-open"])
            .arg(&page)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && said.contains(expected),
            "{said}"
        );
    }
    let output = program(&["serve", "--no-open"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("no page is inside this build") && said.contains("web/build.sh"),
        "{said}"
    );
}
