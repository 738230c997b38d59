//! The end of `quantize`.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::Summary;
use cnnfilter_core::networks::card::Compared;

/// A model in 8 bits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct QuantizeSummary {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Bytes of the weights of the model that it was made of.
    pub(crate) bytes_before: usize,
    /// Bytes of its own.
    pub(crate) bytes: usize,
    /// What it changes, by file of calls.
    pub(crate) compared: Vec<Compared>,
}

impl Summary for QuantizeSummary {
    const COMMAND: &'static str = "quantize";

    fn to_text(&self) -> String {
        let mut text = format!(
            "{}: weights of {} bytes, {} before\n",
            self.folder.display(),
            self.bytes,
            self.bytes_before
        );
        for one in &self.compared {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{}: {} of {} records are decided otherwise; a probability moves by {:.5} at most, by {:.7} in the mean",
                one.calls, one.other_decisions, one.records, one.largest_shift, one.mean_shift
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::to_json;
    use super::*;

    #[test]
    fn text_and_json_say_what_changed() {
        let summary = QuantizeSummary {
            folder: "m/x_8bit".into(),
            bytes_before: 400,
            bytes: 110,
            compared: vec![Compared {
                calls: "a.vcf".into(),
                records: 7,
                other_decisions: 1,
                largest_shift: 0.0125,
                mean_shift: 0.0005,
            }],
        };
        assert_eq!(
            summary.to_text(),
            "m/x_8bit: weights of 110 bytes, 400 before\n\
             a.vcf: 1 of 7 records are decided otherwise; a probability moves by 0.01250 at most, by 0.0005000 in the mean\n"
        );
        let json: serde_json::Value = serde_json::from_slice(&to_json(&summary).unwrap()).unwrap();
        assert_eq!(json["compared"][0]["other_decisions"], 1);
    }
}
