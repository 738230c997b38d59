//! The end of `doctor`: one screen about the files of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::Summary;
use cnnfilter_core::doctor::{Caller, Check, Finding, Status};

/// Width of the words before a finding.
const STATUS: usize = 9;
const TITLES: usize = 13;
/// Letters of a line.
const WIDTH: usize = 100;
/// Findings of one check and one status that are shown; the JSON has all.
const SHOWN: usize = 3;

/// Numbers that were found; empty where a fault was in the way.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DoctorFacts {
    /// Name of the model.
    pub(crate) model: Option<String>,
    /// SHA-256 of its weights.
    pub(crate) weights_sha256: Option<String>,
    /// The program that made the calls.
    pub(crate) caller: Option<Caller>,
    /// Samples that get a score.
    pub(crate) samples: Option<usize>,
    /// Records of the calls, where their index counts them.
    pub(crate) records: Option<u64>,
    /// Records that were looked at.
    pub(crate) calls_sampled: usize,
    /// Genotypes of them by ploidy.
    pub(crate) ploidies: BTreeMap<usize, u64>,
    /// The model's annotations that a call has, on average.
    pub(crate) annotations_per_call: Option<f64>,
    /// Those that an example of the training had.
    pub(crate) annotations_in_training: Option<f64>,
    /// Sampled depth by sample; of many samples some.
    pub(crate) depths: BTreeMap<String, f32>,
    /// Reads that were looked at.
    pub(crate) reads_sampled: u64,
    /// Their length in the middle.
    pub(crate) read_length_median: Option<usize>,
    /// The longest of them.
    pub(crate) read_length_longest: Option<usize>,
    /// Share of them that are duplicates, 0 to 1.
    pub(crate) duplicates: f64,
    /// Share that are secondary.
    pub(crate) secondary: f64,
    /// Share that are supplementary.
    pub(crate) supplementary: f64,
    /// Sampled calls that got a score, by kind.
    pub(crate) scored: BTreeMap<&'static str, u64>,
    /// Sampled calls that got none, by reason.
    pub(crate) not_scored: BTreeMap<&'static str, u64>,
}

/// The findings about a run.
#[derive(Debug, Serialize)]
pub(crate) struct DoctorSummary {
    /// The worst status.
    verdict: Status,
    faults: usize,
    warnings: usize,
    checks: Vec<Finding>,
    facts: DoctorFacts,
    /// Names of the files.
    #[serde(skip)]
    files: Vec<String>,
    /// With ANSI colours.
    #[serde(skip)]
    colour: bool,
}

impl DoctorSummary {
    /// The findings, in the order in which they are shown.
    pub(crate) fn new(
        files: Vec<String>,
        checks: Vec<Finding>,
        facts: DoctorFacts,
        colour: bool,
    ) -> Self {
        let count = |status| checks.iter().filter(|one| one.status == status).count();
        let worst = checks.iter().map(|finding| finding.status).max();
        Self {
            verdict: worst.unwrap_or(Status::Ok),
            faults: count(Status::Fault),
            warnings: count(Status::Warning),
            checks,
            facts,
            files,
            colour,
        }
    }

    /// The message of a run that would fail.
    pub(crate) fn failure(&self) -> Option<String> {
        (self.faults > 0).then(|| format!("score would fail: {}", numbered(self.faults, "fault")))
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Adds a finding; title and advice are not said again behind one of the same check.
    fn line(&self, finding: &Finding, last: Option<&Finding>, text: &mut String) {
        let style = match finding.status {
            Status::Ok => "32",
            Status::Warning => "33",
            Status::Fault => "31",
        };
        let word = format!("{:STATUS$}", finding.status.word());
        let last = last.filter(|last| last.check == finding.check);
        let title = last.map_or(finding.check.title(), |_| "");
        let is_said = last.is_some_and(|last| last.advice == finding.advice);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}{title:TITLES$}{}",
            self.styled(style, &word),
            wrapped(&finding.found)
        );
        if let Some(advice) = finding.advice.as_ref().filter(|_| !is_said) {
            let advice = wrapped(&format!("-> {advice}"));
            let _ = writeln!(text, "{:indent$}{advice}", "", indent = STATUS + TITLES);
        }
    }

    fn verdict(&self) -> String {
        let warnings = numbered(self.warnings, "warning");
        let (style, text) = match self.verdict {
            Status::Ok => ("32", "score can run: no fault, no warning".to_owned()),
            Status::Warning => ("33", format!("score can run: no fault, {warnings}")),
            Status::Fault => {
                let faults = numbered(self.faults, "fault");
                ("31", format!("score would fail: {faults}, {warnings}"))
            }
        };
        self.styled(style, &text)
    }
}

fn numbered(count: usize, noun: &str) -> String {
    match count {
        0 => format!("no {noun}"),
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// The words in lines of at most [`WIDTH`] letters, those behind the first indented.
fn wrapped(words: &str) -> String {
    let indent = STATUS + TITLES;
    let (mut text, mut length) = (String::new(), indent);
    for word in words.split(' ') {
        let letters = word.chars().count();
        if length > indent && length + 1 + letters > WIDTH {
            text += &format!("\n{:indent$}", "");
            length = indent;
        } else if length > indent {
            text.push(' ');
            length += 1;
        }
        text += word;
        length += letters;
    }
    text
}

impl Summary for DoctorSummary {
    const COMMAND: &'static str = "doctor";

    fn to_text(&self) -> String {
        let mut text = format!("{}\n\n", self.styled("1", &self.files.join(", ")));
        let mut shown: BTreeMap<(Check, Status), usize> = BTreeMap::new();
        let mut last = None;
        for finding in &self.checks {
            let count = shown.entry((finding.check, finding.status)).or_default();
            *count += 1;
            if *count <= SHOWN {
                self.line(finding, last, &mut text);
                last = Some(finding);
            }
        }
        let hidden: usize = shown
            .values()
            .map(|count| count.saturating_sub(SHOWN))
            .sum();
        if hidden > 0 {
            let _ = writeln!(
                text,
                "and {hidden} more like these (--summary-json has them all)"
            );
        }
        let _ = writeln!(text, "\n{}", self.verdict());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(checks: Vec<Finding>, colour: bool) -> DoctorSummary {
        DoctorSummary::new(vec!["a.vcf".into()], checks, DoctorFacts::default(), colour)
    }

    #[test]
    fn the_worst_finding_decides() {
        let ok = || Finding::ok(Check::Model, "fine");
        let warning = || Finding::warning(Check::Depth, "low").advise("more reads");
        let fault = || Finding::fault(Check::Reads, "gone");
        let all_well = summary(vec![ok()], false);
        assert_eq!(
            all_well.to_text(),
            "a.vcf\n\nok       model        fine\n\nscore can run: no fault, no warning\n"
        );
        assert_eq!(all_well.failure(), None);
        let text = summary(vec![ok(), warning()], false).to_text();
        assert!(
            text.contains("warning  depth        low\n                      -> more reads\n"),
            "{text}"
        );
        assert!(
            text.ends_with("\nscore can run: no fault, 1 warning\n"),
            "{text}"
        );
        let found = summary(vec![warning(), fault(), fault()], true);
        assert_eq!(found.failure().unwrap(), "score would fail: 2 faults");
        assert!(
            found.to_text().contains("\x1b[31mfault    \x1b[0mreads"),
            "{}",
            found.to_text()
        );
    }

    #[test]
    fn long_lines_are_wrapped_and_many_alike_cut() {
        let fault = Finding::fault(Check::Reads, "word ".repeat(40).trim());
        let text = summary(vec![fault; 5], false).to_text();
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(text.contains("and 2 more like these"), "{text}");
        assert_eq!(text.matches("fault    ").count(), SHOWN, "{text}");
    }
}
