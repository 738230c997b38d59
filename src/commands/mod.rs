//! The recipes: open the inputs, run the stages in order, close the outputs.

pub mod encoding;
pub mod eval;
pub mod import;
pub mod labels;
pub mod score;
pub mod simulate;
pub mod tensors;
pub mod train;
