//! `cnnfilter serve`: one page to a browser on this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::io::page_server::{self, PageServer};
use crate::terminal::browser;
use crate::terminal::summary::ServeSummary;

/// The page inside the program, which a build with `CNNFILTER_PAGE=FILE` has.
const PAGE: Option<&[u8]> = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct ServePlan {
    /// The page; nothing for the one inside the program.
    pub(crate) page: Option<PathBuf>,
    /// Where browsers find it; port 0 for any.
    pub(crate) address: SocketAddr,
    /// The page may read files from addresses.
    pub(crate) remote: bool,
    /// A browser is opened.
    pub(crate) opens: bool,
}

/// Answers browsers until the program is told to stop.
///
/// # Errors
/// Where there is no page, or the address cannot be listened at.
pub(crate) fn run(plan: &ServePlan) -> Result<ServeSummary> {
    let mut page = page(plan.page.as_deref())?;
    if plan.remote {
        let opened = page_server::with_connections(&page);
        page = opened.context(
            "--remote: this page reads no addresses; take the page that scores in a browser, as `web/build.sh` makes it",
        )?;
        log::warn!("the page may read files from the addresses that are typed into it (--remote)");
    }
    let server = PageServer::bind(plan.address, page)?;
    if !plan.address.ip().is_loopback() {
        log::warn!(
            "{} is no address of this machine alone: whoever reaches it can open the page; what they choose there stays in their browsers",
            plan.address.ip()
        );
    }
    let url = server.url();
    log::info!("the page is at {url}; Ctrl-C ends it");
    if plan.opens && !browser::open(&url) {
        log::info!("no browser could be opened: open the address yourself");
    }
    let answered = server.answer_all()?;
    Ok(ServeSummary { url, answered })
}

fn page(path: Option<&Path>) -> Result<Vec<u8>> {
    match (path, PAGE) {
        (Some(path), _) => Ok(page_server::read_page(path)?),
        (None, Some(page)) => Ok(page.to_vec()),
        (None, None) => bail!(
            "no page is inside this build of the program; name one, as `web/build.sh` makes it or a release has it (`cnnfilter serve cnnfilter.html`)"
        ),
    }
}
