//! Labels: the one definition of a right call, which training and evaluation share.
//!
//! * [`mod@normalize`]: an allele in its shortest, leftmost spelling.
//! * [`site`]: a record as the comparison takes it.
//! * [`matching`]: calls against a truth set, by allele and by haplotype.
//! * [`duplicates`]: truth records that say the same twice.
//! * [`labelled`]: labels that another tool has given (hap.py, vcfeval, a table).
//! * [`state`]: the states of an ALT, and the rule that gives a record its label and its kind.
//!
//! Values in, values out: nothing here opens a file. One contig at a time.

pub mod duplicates;
pub mod labelled;
pub mod matching;
pub mod site;
pub mod state;

pub use labelled::{
    GivenLabel, LabelLineError, TableColumns, TableLabel, happy_label, vcfeval_label,
};
pub use matching::{ContigJudgement, Judgement, MatchOptions, TruthCounts, judge};
pub use site::Site;
pub use state::{
    AltState, GenotypeState, LabelCounts, MatchRule, Reason, RecordLabel, record_label,
};
