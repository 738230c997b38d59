//! Judgement on the inputs of a run before it is made: do the files fit each other, and is the data
//! like what the model was trained on?
//!
//! Pure values: what was found in files comes in, a [`Finding`] a fact goes out.

mod annotations;
mod caller;
mod contigs;
mod genotypes;
mod reads;

use serde::Serialize;

pub use annotations::{AnnotationSurvey, judge_annotations};
pub use caller::{Caller, judge_caller};
pub use contigs::{NamedContigs, judge_contigs, spelling_advice};
pub use genotypes::{Ploidies, judge_genotypes};
pub use reads::{ReadSurvey, judge_depth, judge_flags, judge_lengths};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// The run goes on, but its scores may be less good than they could be, or of fewer calls.
    Warning,
    /// The run fails.
    Fault,
}

impl Status {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

/// The thing that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The model, and the options that depend on it.
    Model,
    /// The reference with its indexes.
    Reference,
    /// The calls with their index.
    Calls,
    /// The program that made the calls.
    Caller,
    /// Numbers that the caller wrote.
    Annotations,
    /// Ploidy.
    Genotypes,
    /// Files of reads with their indexes.
    Reads,
    /// Names, lengths and bases of contigs.
    Contigs,
    /// Samples of calls and reads.
    Samples,
    /// Read groups of headers and reads.
    ReadGroups,
    /// Depth of the samples.
    Depth,
    /// Length of the reads.
    ReadLength,
    /// Reads that are left out.
    Flags,
    /// Regions of the run.
    Regions,
    /// The place of the output.
    Output,
    /// Some calls, scored.
    Trial,
}

impl Check {
    /// Its name on the screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Reference => "reference",
            Self::Calls => "calls",
            Self::Caller => "caller",
            Self::Annotations => "annotations",
            Self::Genotypes => "genotypes",
            Self::Reads => "reads",
            Self::Contigs => "contigs",
            Self::Samples => "samples",
            Self::ReadGroups => "read groups",
            Self::Depth => "depth",
            Self::ReadLength => "read length",
            Self::Flags => "flags",
            Self::Regions => "regions",
            Self::Output => "output",
            Self::Trial => "trial",
        }
    }
}

/// One fact about the inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The thing that was looked at.
    pub check: Check,
    /// How much it matters.
    pub status: Status,
    /// What was found, in a sentence without a full stop.
    pub found: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Finding {
    /// Something as it should be.
    pub fn ok(check: Check, found: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, found)
    }

    /// Something that makes the scores less good, or fewer.
    pub fn warning(check: Check, found: impl Into<String>) -> Self {
        Self::new(check, Status::Warning, found)
    }

    /// Something that makes the run fail.
    pub fn fault(check: Check, found: impl Into<String>) -> Self {
        Self::new(check, Status::Fault, found)
    }

    /// The same with what to do about it.
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    fn new(check: Check, status: Status, found: impl Into<String>) -> Self {
        Self {
            check,
            status,
            found: found.into(),
            advice: None,
        }
    }
}

/// A number with commas between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and its noun, which takes an `s` where there is not one.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// The first names of a list, quoted, and how many more there are.
pub fn some_names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 4;
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.iter().take(SHOWN);
    let mut text: Vec<String> = shown.map(|name| format!("`{name}`")).collect();
    if names.len() > SHOWN {
        text.push(format!("{} more", names.len() - SHOWN));
    }
    text.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(counted(1, "call"), "1 call");
        assert_eq!(counted(2_000, "call"), "2,000 calls");
        assert_eq!(
            some_names(["a", "b", "c", "d", "e", "f"]),
            "`a`, `b`, `c`, `d`, 2 more"
        );
    }

    #[test]
    fn a_fault_outweighs_a_warning() {
        assert!(Status::Fault > Status::Warning && Status::Warning > Status::Ok);
    }
}
