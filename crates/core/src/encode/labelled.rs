//! Labelled examples of encoded records, and the records that give none.

use std::collections::BTreeMap;

use super::Outcome;
use super::store::LabelledExample;
use crate::genome::VariantKind;
use crate::label::AltState;
use crate::vcf::VcfRecord;

/// Counts of a set of examples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExampleCounts {
    /// Examples of each class: NOT_SNP, NOT_INDEL, SNP, INDEL ([`LabelledExample::class`]).
    pub classes: [u64; 4],
    /// Records, and ALTs of judged records, that gave no example, by reason.
    pub left_out: BTreeMap<String, u64>,
}

impl ExampleCounts {
    /// Counts records or ALTs that give no example.
    pub fn leave_out(&mut self, reason: &str, count: u64) {
        if count > 0 {
            *self.left_out.entry(reason.to_owned()).or_default() += count;
        }
    }

    /// True where the labels judge an ALT of the record, so that it is worth encoding; else it is
    /// counted as left out.
    pub fn takes(&mut self, states: &[AltState]) -> bool {
        if states.iter().any(|state| state.is_real().is_some()) {
            return true;
        }
        let reason = match states.first() {
            Some(AltState::Unjudged(reason)) => reason.text(),
            _ => "no call",
        };
        self.leave_out(reason, 1);
        false
    }

    /// The examples of an encoded record, one an ALT that is judged: `states` has the verdict on
    /// each ALT, `copies` how many of it the truth has where that is known. What gives no example is counted.
    pub fn label(
        &mut self,
        record: &VcfRecord,
        outcome: Outcome,
        states: &[AltState],
        copies: &[Option<u8>],
    ) -> Vec<LabelledExample> {
        let site = match outcome {
            Outcome::Encoded(site) => site,
            Outcome::Skipped(skip) => {
                self.leave_out(skip.reason(), 1);
                return Vec::new();
            }
        };
        let Some(variant) = record.variant() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for allele in site.alleles {
            let Some(alternate) = allele.alternate else {
                continue;
            };
            let state = states.get(alternate).copied();
            let Some(is_real) = state.and_then(AltState::is_real) else {
                self.leave_out("ALT not judged", 1);
                continue;
            };
            let example = LabelledExample {
                example: allele.example,
                is_indel: allele.kind == VariantKind::Indel,
                is_real,
                is_genotype_right: state == Some(AltState::AlleleAndGenotype),
                copies: copies.get(alternate).copied().flatten(),
                contig: variant.contig.clone(),
                start: variant.start,
                reference: variant.reference.clone(),
                alternate: variant.alternates[alternate].clone(),
            };
            self.classes[example.class()] += 1;
            found.push(example);
        }
        found
    }

    /// Examples of all classes.
    pub fn examples(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// The records left out, in words: `3 no call, 1 outside the regions`.
    pub fn left_out_text(&self) -> String {
        let parts: Vec<String> = self
            .left_out
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        if parts.is_empty() {
            "there is none".to_owned()
        } else {
            parts.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::kind::Skip;
    use crate::encode::{EncodedAllele, EncodedSite};
    use crate::label::Reason;
    use crate::testing::examples;

    fn record() -> VcfRecord {
        let line = "c\t7\t.\tA\tC,AT,<DEL>\t.\t.\t.\tGT\t1/2";
        VcfRecord::parse(line.as_bytes().to_vec(), 10).unwrap()
    }

    /// The two ALTs of the record that are spelled in bases.
    fn encoded() -> Outcome {
        let kinds = [VariantKind::Snp, VariantKind::Indel];
        let alleles = kinds
            .into_iter()
            .enumerate()
            .map(|(at, kind)| EncodedAllele {
                sample: 0,
                alternate: Some(at),
                kind,
                example: examples(&[2])[0].clone(),
                reads: None,
            });
        Outcome::Encoded(Box::new(EncodedSite {
            alleles: alleles.collect(),
            alternates: 3,
            reads: Some(2),
            without_annotations: false,
            is_sampled: false,
            kind: VariantKind::Indel,
        }))
    }

    #[test]
    fn each_judged_alt_is_an_example_of_its_class() {
        let mut counts = ExampleCounts::default();
        let states = [
            AltState::False,
            AltState::AlleleAndGenotype,
            AltState::False,
        ];
        let copies = [Some(0), None, Some(0)];
        let found = counts.label(&record(), encoded(), &states, &copies);
        assert_eq!((found[0].copies, found[1].copies), (Some(0), None));
        assert_eq!(counts.classes, [1, 0, 0, 1]);
        assert_eq!(counts.examples(), 2);
        let alleles: Vec<&[u8]> = found.iter().map(|found| &found.alternate[..]).collect();
        assert_eq!(alleles, [&b"C"[..], b"AT"]);
        assert!(!found[0].is_genotype_right && found[1].is_genotype_right);
        assert_eq!((found[1].start, found[1].contig.as_str()), (6, "c"));
        assert_eq!(counts.left_out_text(), "there is none");
    }

    #[test]
    fn whatever_gives_no_example_is_counted() {
        let mut counts = ExampleCounts::default();
        let unjudged = AltState::Unjudged(Reason::OutsideConfident);
        assert!(counts.takes(&[unjudged, AltState::AlleleOnly]));
        let states = [unjudged, AltState::AlleleOnly];
        let found = counts.label(&record(), encoded(), &states, &[None, Some(2)]);
        assert_eq!(found[0].copies, Some(2));
        assert_eq!(found.len(), 1);
        assert!(found[0].is_indel && found[0].is_real && !found[0].is_genotype_right);
        assert!(!counts.takes(&[unjudged, unjudged]));
        assert!(!counts.takes(&[]));
        let skipped = Outcome::Skipped(Skip::NoSequence);
        assert!(
            counts
                .label(&record(), skipped, &[AltState::False], &[])
                .is_empty()
        );
        counts.leave_out("outside the regions", 0);
        assert_eq!(
            counts.left_out_text(),
            format!(
                "1 ALT not judged, 1 {}, 1 no call, 1 {}",
                Skip::NoSequence.reason(),
                Reason::OutsideConfident
            )
        );
    }
}
