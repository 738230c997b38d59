//! The program that made the calls, by the header of their file.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Check, Finding};
use crate::networks::ModelCard;
use crate::vcf::VcfHeader;
use crate::vcf::header::field;

/// A caller, and how headers and sets of examples name it.
#[derive(Debug)]
struct KnownCaller {
    name: &'static str,
    /// Beginnings of `##source=`, in small letters.
    sources: &'static [&'static str],
    /// Beginnings of other meta lines, behind which the version stands.
    lines: &'static [&'static str],
    /// Words in the names of sets of examples.
    words: &'static [&'static str],
    is_somatic: bool,
}

const fn known(
    name: &'static str,
    sources: &'static [&'static str],
    lines: &'static [&'static str],
    words: &'static [&'static str],
) -> KnownCaller {
    KnownCaller {
        name,
        sources,
        lines,
        words,
        is_somatic: false,
    }
}

/// Callers by what they write into headers; the first that fits counts.
const CALLERS: [KnownCaller; 14] = [
    KnownCaller {
        is_somatic: true,
        ..known("Mutect2", &["mutect2"], &[], &["mutect2", "mutect"])
    },
    known(
        "HaplotypeCaller",
        &["haplotypecaller"],
        &[],
        &["hc", "haplotypecaller", "gatk"],
    ),
    known(
        "UnifiedGenotyper",
        &["unifiedgenotyper"],
        &[],
        &["unifiedgenotyper"],
    ),
    known("freebayes", &["freebayes"], &[], &["freebayes"]),
    known(
        "DeepVariant",
        &["deepvariant"],
        &["##DeepVariant_version="],
        &["deepvariant"],
    ),
    known(
        "DRAGEN",
        &["dragen"],
        &["##DRAGENVersion=", "##DRAGENCommandLine="],
        &["dragen"],
    ),
    known("Strelka", &["strelka"], &[], &["strelka"]),
    known("Octopus", &["octopus"], &["##octopus="], &["octopus"]),
    known("Clair3", &["clair"], &[], &["clair3"]),
    known("Platypus", &["platypus"], &[], &["platypus"]),
    KnownCaller {
        is_somatic: true,
        ..known("LoFreq", &["lofreq"], &[], &["lofreq"])
    },
    known("VarScan", &["varscan"], &[], &["varscan"]),
    known(
        "GLnexus",
        &["glnexus"],
        &["##GLnexusVersion="],
        &["glnexus"],
    ),
    // Last: bcftools edits the files of all others.
    known(
        "bcftools call",
        &[],
        &["##bcftools_callVersion="],
        &["bcftools"],
    ),
];

/// The caller that a header names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// Its name.
    pub name: &'static str,
    /// Its version, where the header tells.
    pub version: Option<String>,
    /// True where it looks for the mutations of a tumour.
    pub is_somatic: bool,
}

impl Caller {
    /// The caller of a file; nothing where its header names none that is known.
    pub fn of(header: &VcfHeader) -> Option<Self> {
        let meta = header.meta();
        CALLERS.iter().find_map(|known| {
            let version = meta.iter().find_map(|line| known.version_in(line))?;
            Some(Self {
                name: known.name,
                is_somatic: known.is_somatic || header.defines_info("SOMATIC"),
                version: version
                    .filter(|version| !version.is_empty())
                    .or_else(|| other_version(meta)),
            })
        })
    }
}

impl std::fmt::Display for Caller {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            Some(version) => write!(out, "{} {version}", self.name),
            None => out.write_str(self.name),
        }
    }
}

impl KnownCaller {
    /// Where a line names the caller, its version if that stands there too.
    fn version_in(&self, line: &str) -> Option<Option<String>> {
        if let Some(source) = line.strip_prefix("##source=") {
            let lower = source.to_ascii_lowercase();
            let rest = self
                .sources
                .iter()
                .find_map(|start| lower.strip_prefix(start))?;
            return Some(first_number(rest));
        }
        if let Some(rest) = line.strip_prefix("##GATKCommandLine") {
            let body = rest.split_once("=<")?.1.strip_suffix('>')?;
            let tool = field(body, "ID")?.to_ascii_lowercase();
            let is_meant = self.sources.contains(&tool.as_str());
            return is_meant.then(|| field(body, "Version").map(String::from));
        }
        let rest = self
            .lines
            .iter()
            .find_map(|start| line.strip_prefix(start))?;
        Some(first_number(rest))
    }
}

/// The version of a line of its own (`##source_version=`, GATK's command line).
fn other_version(meta: &[String]) -> Option<String> {
    meta.iter().find_map(|line| {
        if let Some(version) = line.strip_prefix("##source_version=") {
            return Some(version.to_owned());
        }
        let rest = line.strip_prefix("##GATKCommandLine")?;
        let body = rest.split_once("=<")?.1.strip_suffix('>')?;
        field(body, "Version").map(String::from)
    })
}

/// The first word with a digit and a dot: `v1.3.6`, `SW: 07.021.624.3.10.4`.
fn first_number(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_'))
        .find(|word| word.contains('.') && word.contains(|c: char| c.is_ascii_digit()))
        .map(|word| word.strip_prefix('v').unwrap_or(word).to_owned())
}

/// The callers that the sets of a model's training are named after, in the order of the table.
fn trained_on(card: &ModelCard) -> Vec<&'static str> {
    let sets = card.training.iter().flat_map(|training| &training.sets);
    let words: BTreeSet<String> = sets
        .flat_map(|set| set.set.split(|c: char| !c.is_ascii_alphanumeric()))
        .map(|word| {
            let word = word.to_ascii_lowercase();
            word.trim_end_matches(|c: char| c.is_ascii_digit())
                .to_owned()
        })
        .collect();
    let is_named = |known: &&KnownCaller| {
        let stem = |word: &&str| {
            word.trim_end_matches(|c: char| c.is_ascii_digit())
                .to_owned()
        };
        known.words.iter().any(|word| words.contains(&stem(word)))
    };
    let named = CALLERS.iter().filter(is_named);
    named.map(|known| known.name).collect()
}

/// Is the caller one whose calls the model was trained on, as far as the names of its sets tell?
pub fn judge_caller(caller: Option<&Caller>, card: &ModelCard) -> Finding {
    const CHECK: Check = Check::Caller;
    let trained = trained_on(card);
    let measure = "measure with a truth (`cnnfilter eval`) before you rely on the scores";
    let Some(caller) = caller else {
        let found = "the header names no caller that is known here";
        return Finding::warning(CHECK, found).advise(measure);
    };
    if caller.is_somatic {
        let found =
            format!("{caller}: somatic calls; models learn to call low fractions of reads false");
        return Finding::warning(CHECK, found).advise("take a filter for somatic calls");
    }
    if trained.is_empty() {
        let found =
            format!("{caller}; the model's card does not say whose calls it was trained on");
        return Finding::ok(CHECK, found);
    }
    if trained.contains(&caller.name) {
        return Finding::ok(
            CHECK,
            format!("{caller}, one of those that the model was trained on"),
        );
    }
    let found = format!(
        "{caller}; the model was trained on calls of {}",
        trained.join(", ")
    );
    Finding::warning(CHECK, found).advise(measure)
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    fn header(lines: &[&str]) -> VcfHeader {
        let first = ["##fileformat=VCFv4.2"];
        let last = ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"];
        let lines = first.iter().chain(lines).chain(&last);
        VcfHeader::parse(lines.map(ToString::to_string).collect()).unwrap()
    }

    #[test]
    fn headers_name_their_caller() {
        for (lines, expected) in [
            (
                &[
                    "##GATKCommandLine=<ID=HaplotypeCaller,CommandLine=\"x, Version=9\",Version=\"4.6.1.0\",Date=\"d\">",
                    "##source=HaplotypeCaller",
                ][..],
                "HaplotypeCaller 4.6.1.0",
            ),
            (
                &[
                    "##GATKCommandLine.HaplotypeCaller=<ID=HaplotypeCaller,Version=3.8-1-0,Date=\"d\">",
                ],
                "HaplotypeCaller 3.8-1-0",
            ),
            (
                &[
                    "##source=HaplotypeCaller",
                    "##GATKCommandLine=<ID=GenotypeGVCFs,Version=\"4.1\">",
                ],
                "HaplotypeCaller 4.1",
            ),
            (
                &["##source=freeBayes v1.3.6", "##bcftools_viewVersion=1.16"],
                "freebayes 1.3.6",
            ),
            (
                &[
                    "##bcftoolsVersion=1.1",
                    "##bcftools_callVersion=1.16+htslib-1.16",
                ],
                "bcftools call 1.16",
            ),
            (&["##DeepVariant_version=1.6.1"], "DeepVariant 1.6.1"),
            (
                &["##DRAGENVersion=<ID=dragen,Version=\"SW: 07.021.624, HW: 7\">"],
                "DRAGEN 07.021.624",
            ),
            (
                &["##source=strelka", "##source_version=2.9.10"],
                "Strelka 2.9.10",
            ),
            (&["##octopus=<version=0.7.4>"], "Octopus 0.7.4"),
            (&["##source=Mutect2"], "Mutect2"),
        ] {
            let found = Caller::of(&header(lines)).unwrap();
            assert_eq!(found.to_string(), expected);
        }
        for lines in [&[][..], &["##source=me", "##bcftools_viewVersion=1.16"]] {
            assert_eq!(Caller::of(&header(lines)), None);
        }
    }

    #[test]
    #[cfg(feature = "builtin")]
    fn the_names_of_sets_tell_whose_calls_a_model_knows() {
        let card = crate::networks::builtin::READS.0.card;
        let mut card = ModelCard::parse(card).unwrap().0;
        assert_eq!(
            trained_on(&card),
            ["HaplotypeCaller", "freebayes", "bcftools call"]
        );
        let judge = |lines: &[&str], card: &ModelCard| {
            judge_caller(Caller::of(&header(lines)).as_ref(), card).status
        };
        assert_eq!(judge(&["##source=HaplotypeCaller"], &card), Status::Ok);
        for line in [
            "##source=Mutect2",
            "##DeepVariant_version=1.6.1",
            "##source=me",
        ] {
            assert_eq!(judge(&[line], &card), Status::Warning, "{line}");
        }
        let somatic = ["##source=HaplotypeCaller", "##INFO=<ID=SOMATIC,Number=0>"];
        assert_eq!(judge(&somatic, &card), Status::Warning);
        card.training = None;
        assert_eq!(judge(&["##DeepVariant_version=1.6.1"], &card), Status::Ok);
    }
}
