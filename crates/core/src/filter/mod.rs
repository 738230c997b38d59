//! From scores to FILTER: what a record's score means for it.
//!
//! Two ways, both pure. **Tranches** ([`tranches`], [`resources`], [`sensitivity`]) are GATK's
//! FilterVariantTranches: cut-offs are quantiles of the file's own scores at known sites, so two
//! passes are needed and the same call may get another filter in another file. **Thresholds**
//! ([`crate::score::thresholds`], [`decision`]) are fixed: chosen once on held-out data for a stated aim, carried
//! by the model's card and by the header of what it scored ([`model_line`]), applied to a calibrated
//! probability; a record's filter depends on the record alone.
//!
//! Around them: [`filter_column`] edits FILTER, [`alleles`] takes failed ALTs out, [`genotypes`] filters
//! and blanks genotypes, [`summary`] counts.

pub mod alleles;
pub mod decision;
pub mod filter_column;
pub mod genotypes;
pub mod model_line;
pub mod resources;
pub mod sensitivity;
pub mod summary;
pub mod tranches;

pub use decision::{Decision, NotJudged, ThresholdFilter};
pub use model_line::ModelLine;
pub use summary::FilterSummary;
