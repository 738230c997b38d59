//! What Python imports as `cnnfilter._cnnfilter`; the package `cnnfilter` beside it is what users see.
//!
//! Everything is done by the crates of cnnfilter. Here are the conversions: examples to NumPy
//! arrays, errors to exceptions, and runs that Python may interrupt.

mod batch;
mod encode;
mod errors;
mod examples;
mod labels;
mod model;
mod network;
mod run;

use pyo3::prelude::*;

/// Fills the module.
#[pymodule]
fn _cnnfilter(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Who embeds this module may have a logger already; then that one is told.
    let logger = pyo3_log::Logger::new(module.py(), pyo3_log::Caching::Nothing)?;
    let _ = logger.filter(log::LevelFilter::Warn).install();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<batch::Batch>()?;
    module.add_class::<encode::Batches>()?;
    module.add_class::<examples::ExampleFile>()?;
    module.add_class::<model::Model>()?;
    module.add_class::<network::Network>()?;
    module.add_function(wrap_pyfunction!(encode::encode, module)?)?;
    module.add_function(wrap_pyfunction!(labels::label, module)?)?;
    module.add_function(wrap_pyfunction!(labels::evaluate, module)?)
}
