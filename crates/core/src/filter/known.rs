//! A resource of known sites, matched with the scored calls record by record.

use super::resources::ScoredCalls;
use crate::genome::ContigTable;
use crate::vcf::VcfRecord;

/// Counts of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownSites {
    /// Records of the resource.
    pub records: u64,
    /// Calls that share an ALT with one of them.
    pub shared: u64,
    /// Records on contigs with scored calls.
    on_contigs: u64,
    /// Calls with another REF of the same length at the same position, and the first such record.
    other_reference: u64,
    example: Option<String>,
    /// Contig of the first record on one without scored calls.
    foreign: Option<String>,
}

impl KnownSites {
    /// Marks the calls that a record of the resource knows.
    pub fn add(&mut self, record: &VcfRecord, calls: &mut ScoredCalls) {
        self.records += 1;
        let contig = String::from_utf8_lossy(record.contig());
        if !calls.has_contig(&contig) {
            self.foreign.get_or_insert_with(|| contig.into_owned());
            return;
        }
        self.on_contigs += 1;
        let start = record.position().checked_sub(1);
        if !start.is_some_and(|start| calls.has_call_at(&contig, start)) {
            return;
        }
        if let Some(known) = record.variant() {
            let (shared, other_reference) = calls.mark(&known);
            self.shared += shared;
            self.other_reference += other_reference;
            if other_reference > 0 {
                self.example.get_or_insert_with(|| known.to_string());
            }
        }
    }

    /// Warnings about the resource, after its last record; `of_calls` are the contigs of the calls.
    pub fn warnings(&self, calls: &ScoredCalls, of_calls: &ContigTable) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(example) = &self.example {
            warnings.push(format!(
                "{} calls have another REF of the same length at the same position (first at {example}); GATK stops here; they do not count as known",
                self.other_reference
            ));
        }
        if let Some(foreign) = &self.foreign
            && self.on_contigs == 0
            && !calls.is_empty()
        {
            let hint = match of_calls.other_spelling(foreign) {
                Some(spelling) => format!("the calls say `{spelling}`"),
                None => "the calls have others".to_owned(),
            };
            warnings.push(format!(
                "no record lies on a contig with scored calls (the first is on `{foreign}`; {hint})"
            ));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::Contig;

    fn record(line: &str) -> VcfRecord {
        let line = line.replace(' ', "\t");
        VcfRecord::parse(line.into_bytes(), 8).unwrap()
    }

    fn calls() -> ScoredCalls {
        let mut calls = ScoredCalls::default();
        for line in ["chr1 5 . A C . . .", "chr1 9 . AT A . . ."] {
            calls.add(&record(line).variant().unwrap(), 1.0);
        }
        calls
    }

    fn contigs() -> ContigTable {
        let contigs = ["chr1", "chr2"].map(|name| Contig {
            name: name.into(),
            length: Some(100),
        });
        ContigTable::new(contigs)
    }

    fn matched(lines: &[&str]) -> (KnownSites, ScoredCalls) {
        let (mut known, mut calls) = (KnownSites::default(), calls());
        for line in lines {
            known.add(&record(line), &mut calls);
        }
        (known, calls)
    }

    #[test]
    fn calls_at_known_sites_are_marked_and_counted() {
        let (known, calls) = matched(&[
            "chr1 5 . A C,G . . .",
            "chr1 6 . A C . . .",
            "chr1 9 . ATT AT . . .",
            "chr2 5 . A C . . .",
        ]);
        assert_eq!((known.records, known.shared), (4, 2));
        assert_eq!(calls.known_scores(true).len(), 1);
        assert_eq!(calls.known_scores(false).len(), 1);
        assert!(known.warnings(&calls, &contigs()).is_empty());
    }

    #[test]
    fn another_reference_and_other_contigs_are_told() {
        let (known, calls) = matched(&["chr1 5 . T C . . .", "chr1 5 . G C . . ."]);
        let warnings = known.warnings(&calls, &contigs());
        assert_eq!(warnings.len(), 1);
        assert!(
            warnings[0].starts_with("2 calls have another REF")
                && warnings[0].contains("first at chr1:5 T>C"),
            "{warnings:?}"
        );
        for (contig, hint) in [
            ("1", "the calls say `chr1`"),
            ("X9", "the calls have others"),
        ] {
            let (known, calls) = matched(&[&format!("{contig} 5 . A C . . .")]);
            let warnings = known.warnings(&calls, &contigs());
            assert!(warnings[0].contains(hint), "{warnings:?}");
            assert!(
                known
                    .warnings(&ScoredCalls::default(), &contigs())
                    .is_empty()
            );
        }
    }
}
