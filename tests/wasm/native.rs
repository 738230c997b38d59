//! Prints the figures that this machine's own code makes: a name, a tab and the value on each line. With `-- speed`,
//! how many sites a second the network of reads scores in one thread, by instruction set, as `compare.mjs` measures it.

use std::error::Error;
use std::io::{self, Write};
use std::time::Instant;

use cnnfilter_nn::kernel::Isa;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut out = io::stdout().lock();
    if std::env::args().any(|argument| argument == "speed") {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let sites =
                isa.computing_with(|| (0..6).map(|_| sites_a_second(200)).fold(0.0, f64::max));
            writeln!(
                out,
                "{sites:.0} sites/s over 40 reads, the network alone, in one thread, {isa}"
            )?;
        }
        return Ok(());
    }
    for figure in cnnfilter_wasm_check::figures()? {
        writeln!(out, "{}\t{:?}", figure.name, figure.value)?;
    }
    Ok(())
}

fn sites_a_second(sites: u32) -> f64 {
    let begun = Instant::now();
    cnnfilter_wasm_check::score_times(sites);
    f64::from(sites) / begun.elapsed().as_secs_f64()
}
