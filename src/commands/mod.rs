//! The recipes: open the inputs, run the stages in order, close the outputs.

pub mod eval;
pub mod import;
pub mod score;
