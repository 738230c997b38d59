//! One call as a page shows it.

use serde::Serialize;

use cnnfilter_core::encode::Example;
use cnnfilter_core::genome::VariantKind;
use cnnfilter_core::label::GivenLabel;
use cnnfilter_core::why::Why;

/// One ALT of a record (of GATK's networks: the record), in one sample.
#[derive(Debug, Clone)]
pub struct Call {
    /// Contig.
    pub contig: String,
    /// 0-based position of the record.
    pub start: u64,
    /// ID column; `.` for none.
    pub id: String,
    /// REF.
    pub reference: String,
    /// The ALT shown; all of them, with commas, for a network that scores records.
    pub alternate: String,
    /// The ALT column, as the VCF has it.
    pub alternates: String,
    /// The sample's name, where the calls have one.
    pub sample: Option<String>,
    /// SNP or INDEL.
    pub kind: VariantKind,
    /// QUAL.
    pub quality: Option<f32>,
    /// FILTER as written.
    pub filter: String,
    /// Scores that the file has, by key.
    pub in_file: Vec<(String, f64)>,
    /// Outputs of the network and what follows from them.
    pub scored: ScoredWith,
    /// A label that was given.
    pub label: Option<GivenLabel>,
    /// Reads over the call, before any limit; `None` for a network without reads.
    pub reads_seen: Option<u64>,
    /// The name of each row's read.
    pub names: Vec<String>,
    /// Reads over the call that have no row, by reason.
    pub left_out: Vec<(String, u64)>,
    /// The network's input.
    pub example: Example,
    /// Contributions to the score, where they were asked for.
    pub why: Option<Why>,
}

/// A network's outputs for one call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoredWith {
    /// NOT_SNP, NOT_INDEL, SNP, INDEL before softmax.
    pub logits: [f32; 4],
    /// Natural-log odds of real against false.
    pub score: f64,
    /// Calibrated probability, where the model has a calibration.
    pub probability: Option<f64>,
    /// The probability from which on a call of this kind passes.
    pub threshold: Option<f64>,
}
