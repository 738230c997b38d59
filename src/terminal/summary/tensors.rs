//! The end of an encoding run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Summary, count_line};

/// Names of the classes, in their order in a file of examples.
const CLASSES: [&str; 4] = ["false SNPs", "false INDELs", "real SNPs", "real INDELs"];

/// Examples that were written, and calls that gave none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct TensorsSummary {
    /// Name of the set.
    pub(crate) set: String,
    /// Examples by class.
    #[serde(serialize_with = "by_class")]
    pub(crate) classes: [u64; 4],
    /// Calls and ALTs that gave no example, by reason.
    #[serde(rename = "not_used")]
    pub(crate) left_out: BTreeMap<String, u64>,
    /// Mean depth of the sample; `None` without reads.
    pub(crate) sample_depth: Option<f32>,
}

fn by_class<S: Serializer>(counts: &[u64; 4], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(counts.len()))?;
    for (name, count) in CLASSES.iter().zip(counts) {
        map.serialize_entry(name, count)?;
    }
    map.end()
}

impl Summary for TensorsSummary {
    const COMMAND: &'static str = "tensors";

    fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, count) in CLASSES.iter().zip(self.classes) {
            count_line(&mut text, name, count);
        }
        for (reason, count) in &self.left_out {
            count_line(&mut text, &format!("  not used: {reason}"), *count);
        }
        if let Some(depth) = self.sample_depth {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "mean depth of the sample {depth:.1}");
        }
        text
    }
}
