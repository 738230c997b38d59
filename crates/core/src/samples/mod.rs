//! The samples of the calls, and whose reads belong to which of them.
//!
//! Pure values: headers and maps are read elsewhere, and paths only name files.

mod assign;
mod map;
mod route;

pub use assign::{AssignError, Assignment, NamedReads, Sample, SampleChoice, assign};
pub use map::{MapError, SampleMap, TwiceInMap};
pub use route::{ReadGroup, ReadRoute, RoutedFile};
