//! From scores to FILTER: what a record's score means for it.
//!
//! Two ways, both pure. **Tranches** ([`TrancheFilter`]) are GATK's FilterVariantTranches:
//! [`Cutoffs`] are quantiles of the file's own scores ([`ScoredCalls`]) at known sites
//! ([`KnownSites`]), so two passes are needed and the same call may get another filter in another
//! file. **Thresholds** ([`CallFilter`], [`ThresholdFilter`]) are fixed: chosen once on held-out data for a stated aim, carried
//! by the model's card and by the header of what it scored ([`model_line`]), applied to a calibrated
//! probability; a record's filter depends on the record alone.
//!
//! Around them: [`filter_column`] edits FILTER, [`alleles`] takes failed ALTs out, [`genotypes`] filters
//! and blanks genotypes, [`Failing`] settles what becomes of a record that fails, [`FilterSummary`]
//! counts.

pub mod agreement;
pub mod alleles;
mod call_filter;
pub mod cutoffs;
pub mod decision;
mod failing;
pub mod filter_column;
pub mod genotypes;
mod known;
pub mod model_line;
mod resources;
mod sensitivity;
mod summary;
mod tranche_filter;
pub mod tranches;

pub use agreement::Agreement;
pub use call_filter::CallFilter;
pub use cutoffs::{Cutoffs, OnNoResource};
pub use decision::{Decision, NotJudged, ThresholdFilter};
pub use failing::Failing;
pub use known::KnownSites;
pub use model_line::ModelLine;
pub use resources::ScoredCalls;
pub use summary::{FilterSummary, SummaryRow};
pub use tranche_filter::TrancheFilter;
pub use tranches::Tranches;
