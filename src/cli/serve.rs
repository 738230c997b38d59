//! `cnnfilter serve`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::Args;

use super::files::Files;
use crate::commands::serve::ServePlan;

/// Show the page that scores in a browser, to this machine alone.
///
/// The page computes in the browser: files that are chosen there are read by the browser and are sent nowhere, to this
/// program neither. It opens from disk as well; `serve` is for browsers that do not let it. Ctrl-C ends it.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The page, as `web/build.sh` makes it, or a page of `view` or `eval`; left out, the one inside the program.
    #[arg(value_name = "PAGE")]
    page: Option<PathBuf>,

    /// The port; 0 takes one that is free.
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,

    /// The address that is listened at. Any other than this machine's own shows the page to a network, which `serve`
    /// warns of.
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,

    /// Let the page read files from addresses that are typed into it. Without this its own policy forbids it every
    /// connection. Whoever runs such a server sees which parts of a file are asked for; the server must allow it (CORS)
    /// and know ranges.
    #[arg(long)]
    remote: bool,

    /// Open no browser, say only where the page is.
    #[arg(long)]
    no_open: bool,
}

impl ServeArgs {
    /// The settings, defaults filled in.
    pub(super) fn resolve(self, files: &mut Files) -> ServePlan {
        if let Some(page) = &self.page {
            files.input("the page", page);
        }
        ServePlan {
            page: self.page,
            address: (self.address, self.port).into(),
            remote: self.remote,
            opens: !self.no_open,
        }
    }
}
