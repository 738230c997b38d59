//! Prints the figures that this machine's own code makes: a name, a tab and the value on each line.

use std::error::Error;
use std::io::{self, Write};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut out = io::stdout().lock();
    for figure in cnnfilter_wasm_check::figures()? {
        writeln!(out, "{}\t{:?}", figure.name, figure.value)?;
    }
    Ok(())
}
