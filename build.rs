//! Finds the commit that is built, for `cnnfilter --version`, and the page that `cnnfilter serve` shows. A build without git
//! and without word of a commit is a build like any other, of an unknown commit; one without `CNNFILTER_PAGE` has no page inside.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What `cargo package` leaves in a package.
const PACKAGED: &str = ".cargo_vcs_info.json";
/// The file into which `git archive` writes the commit.
const ARCHIVED: &str = "packaging/commit";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let commit = packaged()
        .or_else(archived)
        .or_else(checked_out)
        .unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=CNNFILTER_COMMIT={commit}");
    write_page();
}

/// Puts the page that the environment names (`web/build.sh` makes it) into the program. By a copy, so that nothing of the
/// program depends on where the page lay.
fn write_page() {
    println!("cargo:rerun-if-env-changed=CNNFILTER_PAGE");
    let folder = env::var("OUT_DIR").unwrap_or_default();
    let folder = Path::new(&folder);
    let code = match env::var("CNNFILTER_PAGE") {
        Ok(page) => {
            println!("cargo:rerun-if-changed={page}");
            let copied = fs::read(&page).and_then(|page| fs::write(folder.join("page.html"), page));
            copied.unwrap_or_else(|error| panic!("CNNFILTER_PAGE={page}: {error}"));
            r#"Some(include_bytes!(concat!(env!("OUT_DIR"), "/page.html")))"#
        }
        Err(_) => "None",
    };
    let written = fs::write(folder.join("page.rs"), code);
    written.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
}

/// The commit that a package was made from: `"sha1": "COMMIT"`.
fn packaged() -> Option<String> {
    let text = read(PACKAGED)?;
    let behind = text.split("\"sha1\"").nth(1)?;
    name_of_commit(behind.split('"').nth(1)?)
}

/// The commit that an archive was made from.
fn archived() -> Option<String> {
    name_of_commit(&read(ARCHIVED)?)
}

/// The commit of the checkout that this folder is the top of.
fn checked_out() -> Option<String> {
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let here = fs::canonicalize(".").ok()?;
    if fs::canonicalize(top).ok()? != here {
        return None;
    }
    // Grows with every commit and checkout.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo:rerun-if-changed={log}");
    }
    name_of_commit(&git(&["rev-parse", "HEAD"])?)
}

/// The text of a file, if it is there. Cargo runs this again when it changes.
fn read(name: &str) -> Option<String> {
    let text = fs::read_to_string(name).ok()?;
    println!("cargo:rerun-if-changed={name}");
    Some(text)
}

/// One line that git says.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}

/// The text without white space around it, if it is a commit's name.
fn name_of_commit(text: &str) -> Option<String> {
    let text = text.trim();
    let is_name = text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_name.then(|| text.to_owned())
}
