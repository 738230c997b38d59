//! The clock by which work is timed; the page of `web`, which times nothing, has one that stands still.

pub(crate) use std::time::Instant;
