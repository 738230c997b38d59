//! The one definition of a right call, which training and evaluation share.
//!
//! * [`mod@contig`]: the labels of one contig's records, from a truth set or from another tool.
//! * [`matching`]: calls against a truth set, by allele and by haplotype.
//! * [`labelled`] and [`table`]: labels that hap.py, vcfeval or a table gives.
//! * [`duplicates`] and [`truth_records`]: truth records that count for nothing, and notes of them.
//! * [`site`]: a record as the comparison takes it.
//! * [`state`]: the states of an ALT, and the rule that gives a record its label.
//!
//! Values in, values out: nothing here opens a file. One contig at a time.
//!
//! # Labelling calls by a truth set
//!
//! The deleted `CA` is spelled at two places of the repeat `CACACA`, and both spellings agree; the
//! second call is not in the truth.
//!
//! ```
//! use cnnfilter_core::label::{ContigLabels, ContigTruth, MatchRule, RecordLabel, SampleRecords};
//! use cnnfilter_core::vcf::VcfRecord;
//!
//! // Columns: CHROM POS ID REF ALT QUAL FILTER INFO FORMAT sample; POS counts from 1.
//! let record = |line: &str| VcfRecord::parse(line.replace(' ', "\t").into_bytes(), 10);
//! let calls = [record("1 7 . ACA A 50 . . GT 0/1")?, record("1 12 . G C 40 . . GT 0/1")?];
//! let truth = [record("1 3 . TCA T . PASS . GT 0/1")?];
//! let labels = ContigLabels::by_truth(
//!     "1",
//!     SampleRecords { records: &calls, sample: 0 },
//!     ContigTruth {
//!         records: SampleRecords { records: &truth, sample: 0 },
//!         confident: None, // The truth is complete everywhere.
//!         regions: None,   // All of it counts.
//!     },
//!     b"GGTCACACATTGAC",
//!     MatchRule::Genotype,
//! );
//! assert_eq!(labels.labels, [Some(RecordLabel::True), Some(RecordLabel::False)]);
//! assert!(labels.missed.is_empty());
//! # Ok::<(), cnnfilter_core::vcf::VcfError>(())
//! ```

pub mod contig;
pub mod duplicates;
pub mod labelled;
pub mod matching;
pub mod site;
pub mod state;
pub mod table;
pub mod truth_records;

pub use contig::{
    ContigLabels, ContigTruth, HappySamples, MissedAllele, RecordLabelError, SampleRecords,
    TruthSampleError, truth_sample,
};
pub use labelled::{GivenLabel, LabelLineError, happy_label, vcfeval_label};
pub use matching::{ContigJudgement, Judgement, MatchOptions, TruthCounts, judge};
pub use site::Site;
pub use state::{
    AltState, GenotypeState, LabelCounts, MatchRule, Reason, RecordLabel, record_label,
};
pub use table::{LabelTable, TableColumns, TableLabel};
pub use truth_records::TruthRecords;
