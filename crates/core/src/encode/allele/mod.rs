//! Our own tensors: what is known of one allele.
//!
//! * [`support`]: which allele each read supports, by realignment.
//! * [`columns`]: the reads side by side in padded columns.
//! * [`read_features`], [`site_features`]: each read, and the call, as numbers, by name.
//! * [`layout`]: which of these numbers a model takes.
//! * [`landscape`]: depth, differences and clips along kilobases around the call.
//! * [`read_set`]: all of it together, as the network takes it.
//!
//! One function, [`AlleleTensor::encode`], serves training and scoring.

pub mod columns;
pub mod landscape;
pub mod layout;
pub mod read_features;
pub mod read_set;
pub mod site_features;
pub mod support;

pub use landscape::{LocalContext, ReadCollector};
pub use layout::{AlleleLayout, CannotThin, LayoutError, Thinner};
pub use read_set::{AlleleTensor, READ_LIMIT, SAMPLE_LIMIT, SampleEvidence};
pub use support::{Haplotypes, Side, Supports};
