//! Scored calls, and those among them that stand at known sites.

use std::collections::BTreeMap;

use super::tranches::{is_symbolic, tranche_kind};
use crate::genome::{Variant, VariantKind};

/// Comparison of a call with a record of a resource at the same POS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    /// An ALT of the call is an ALT of the resource.
    Shared,
    /// They have no ALT in common.
    Different,
    /// Their REFs have one length and other bases: they are about different references.
    OtherReference,
}

/// Compares the ALTs of two records at the same POS, REFs of different lengths considered: ALTs
/// beside the shorter REF are extended by what the longer one has more. `*` stands for itself;
/// symbolic ALTs are shared beside equal REFs only. Alleles are in upper case.
///
/// Follows `isAlleleInList`, `determineReferenceAllele` and `createAlleleMapping` of GATK 4.6.2.0's
/// `GATKVariantContextUtils`.
fn compare(
    (reference, alternates): (&[u8], &[Vec<u8>]),
    (known_reference, known_alternates): (&[u8], &[Vec<u8>]),
) -> Match {
    if reference.len() == known_reference.len() {
        if reference != known_reference {
            return Match::OtherReference;
        }
        let shared = alternates.iter().any(|alt| known_alternates.contains(alt));
        return if shared {
            Match::Shared
        } else {
            Match::Different
        };
    }
    let (short, long, surplus) = if reference.len() > known_reference.len() {
        let surplus = &reference[known_reference.len()..];
        (known_alternates, alternates, surplus)
    } else {
        let surplus = &known_reference[reference.len()..];
        (alternates, known_alternates, surplus)
    };
    let shared = short.iter().any(|allele| {
        if allele.as_slice() == b"*" {
            return long.contains(allele);
        }
        !is_symbolic(allele)
            && long
                .iter()
                .any(|other| other.strip_prefix(allele.as_slice()) == Some(surplus))
    });
    if shared {
        Match::Shared
    } else {
        Match::Different
    }
}

/// A scored call, kept small: a genome has five million.
#[derive(Debug, Clone, Copy)]
struct ScoredCall {
    /// 0-based.
    start: u64,
    score: f64,
    /// Where its alleles begin in the arena of its contig, and how many bytes they take.
    alleles: (usize, u32),
    kind: VariantKind,
    is_known: bool,
}

#[derive(Debug, Clone, Default)]
struct ContigCalls {
    calls: Vec<ScoredCall>,
    /// `REF TAB ALT,ALT` of all calls, end to end.
    alleles: Vec<u8>,
}

/// The scored calls of a file, and which of them stand at known sites. About 40 bytes a call.
#[derive(Debug, Clone, Default)]
pub struct ScoredCalls {
    contigs: BTreeMap<String, ContigCalls>,
    /// Scored SNPs, indels and others.
    counts: BTreeMap<VariantKind, u64>,
}

impl ScoredCalls {
    /// Adds a call with its score. Calls of one contig come in order of their position, or
    /// [`Self::sort`] follows.
    pub fn add(&mut self, variant: &Variant, score: f64) {
        let kind = tranche_kind(&variant.reference, &variant.alternates);
        *self.counts.entry(kind).or_default() += 1;
        let contig = match self.contigs.get_mut(&variant.contig) {
            Some(contig) => contig,
            None => self.contigs.entry(variant.contig.clone()).or_default(),
        };
        let begin = contig.alleles.len();
        contig.alleles.extend_from_slice(&variant.reference);
        contig.alleles.push(b'\t');
        contig.alleles.extend(variant.alternates.join(&b','));
        contig.calls.push(ScoredCall {
            start: variant.start,
            score,
            // A line of a VCF is far shorter than 4 GB.
            alleles: (begin, (contig.alleles.len() - begin) as u32),
            kind,
            is_known: false,
        });
    }

    /// Puts calls that came in any order into that of their positions.
    pub fn sort(&mut self) {
        for contig in self.contigs.values_mut() {
            contig.calls.sort_by_key(|call| call.start);
        }
    }

    /// Number of calls of a kind that have a score.
    pub fn scored(&self, kind: VariantKind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    /// True where there is no scored call at all.
    pub fn is_empty(&self) -> bool {
        self.contigs.is_empty()
    }

    /// True where a contig has scored calls.
    pub fn has_contig(&self, contig: &str) -> bool {
        self.contigs.contains_key(contig)
    }

    /// True where a scored call begins at a position, 0-based.
    pub fn has_call_at(&self, contig: &str, start: u64) -> bool {
        self.contigs.get(contig).is_some_and(|contig| {
            contig
                .calls
                .binary_search_by_key(&start, |call| call.start)
                .is_ok()
        })
    }

    /// Marks the calls that share an ALT with a record of a resource. Returns how many they are,
    /// and how many had another REF of the same length.
    pub fn mark(&mut self, known: &Variant) -> (u64, u64) {
        let Some(contig) = self.contigs.get_mut(&known.contig) else {
            return (0, 0);
        };
        let first = contig
            .calls
            .partition_point(|call| call.start < known.start);
        let (mut shared, mut other_reference) = (0, 0);
        for at in first..contig.calls.len() {
            if contig.calls[at].start != known.start {
                break;
            }
            let (begin, length) = contig.calls[at].alleles;
            let text = &contig.alleles[begin..begin + length as usize];
            let mut columns = text.split(|byte| *byte == b'\t');
            let reference = columns.next().unwrap_or_default();
            let alternates: Vec<Vec<u8>> = columns
                .next()
                .unwrap_or_default()
                .split(|byte| *byte == b',')
                .map(<[u8]>::to_vec)
                .collect();
            let known_alleles = (known.reference.as_slice(), known.alternates.as_slice());
            match compare((reference, &alternates), known_alleles) {
                Match::Shared => {
                    contig.calls[at].is_known = true;
                    shared += 1;
                }
                Match::OtherReference => other_reference += 1,
                Match::Different => {}
            }
        }
        (shared, other_reference)
    }

    /// The scores of known calls: of SNPs, or of everything else (MNPs and mixed records count with
    /// the indels, as in GATK). In no order.
    pub fn known_scores(&self, of_snps: bool) -> Vec<f64> {
        self.contigs
            .values()
            .flat_map(|contig| &contig.calls)
            .filter(|call| call.is_known && (call.kind == VariantKind::Snp) == of_snps)
            .map(|call| call.score)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alleles(text: &str) -> (Vec<u8>, Vec<Vec<u8>>) {
        let (reference, alternates) = text.split_once('>').unwrap();
        let alternates = alternates
            .split(',')
            .map(|a| a.as_bytes().to_vec())
            .collect();
        (reference.as_bytes().to_vec(), alternates)
    }

    fn compared(call: &str, known: &str) -> Match {
        let (a, b) = (alleles(call), alleles(known));
        compare((&a.0, &a.1), (&b.0, &b.1))
    }

    #[test]
    fn alleles_are_compared_beside_refs_of_any_length() {
        for (call, known, expected) in [
            ("A>C", "A>C,G", Match::Shared),
            ("A>C", "A>G", Match::Different),
            ("A>C", "G>C", Match::OtherReference),
            ("AT>A", "ATT>AT", Match::Shared),
            ("ATT>AT", "AT>A", Match::Shared),
            ("A>C", "AT>CT,A", Match::Shared),
            ("AT>A,CT", "A>C", Match::Shared),
            ("AT>A,CT", "A>G", Match::Different),
            ("A>C,*", "AT>*", Match::Shared),
            ("A>*", "A>*", Match::Shared),
            ("A><DEL>", "A><DEL>", Match::Shared),
            ("A><DEL>", "AT><DEL>", Match::Different),
            // The longer REF is not asked whether it begins with the shorter one, as in GATK.
            ("AC>A", "AGT>AT", Match::Shared),
        ] {
            assert_eq!(compared(call, known), expected, "{call} {known}");
        }
    }

    fn variant(contig: &str, start: u64, text: &str) -> Variant {
        let (reference, alternates) = alleles(text);
        Variant {
            contig: contig.into(),
            start,
            end: start + reference.len() as u64,
            reference,
            alternates,
        }
    }

    #[test]
    fn a_known_call_counts_once_under_its_kind() {
        let mut calls = ScoredCalls::default();
        calls.add(&variant("1", 5, "A>C"), 1.0);
        calls.add(&variant("1", 5, "A>G"), 2.0);
        calls.add(&variant("1", 9, "AT>GC"), 3.0);
        calls.add(&variant("2", 9, "AT>A"), 4.0);
        assert_eq!(calls.mark(&variant("1", 5, "A>C,T")), (1, 0));
        assert_eq!(calls.mark(&variant("1", 5, "A>C")), (1, 0));
        assert_eq!(calls.mark(&variant("1", 5, "T>C")), (0, 2));
        assert_eq!(calls.mark(&variant("1", 9, "AT>GC")), (1, 0));
        assert_eq!(calls.mark(&variant("2", 8, "AT>A")), (0, 0));
        assert_eq!(calls.mark(&variant("3", 9, "AT>A")), (0, 0));
        assert_eq!(calls.known_scores(true), [1.0]);
        assert_eq!(
            calls.known_scores(false),
            [3.0],
            "an MNP counts with the indels"
        );
        assert_eq!(calls.scored(VariantKind::Snp), 2);
        assert_eq!(calls.scored(VariantKind::Other), 1);
        assert!(calls.has_contig("2") && !calls.has_contig("3"));
        assert!(calls.has_call_at("2", 9) && !calls.has_call_at("2", 8));
    }
}
