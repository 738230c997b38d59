//! The recipes of the program that open inputs and encode calls, compiled over [`crate::io`].

#![allow(
    dead_code,
    unused_imports,
    reason = "the modules are the program's; the page uses a part of each"
)]

#[path = "../../../src/commands/another_reference.rs"]
mod another_reference;
#[path = "../../../src/commands/candidates/mod.rs"]
pub(crate) mod candidates;
#[path = "../../../src/commands/encoding/mod.rs"]
pub(crate) mod encoding;
#[path = "../../../src/commands/view/reads.rs"]
pub(crate) mod reads;

pub(crate) use another_reference::another_reference;
