//! Variants of a region: alleles in normal form, and the two haplotypes that carry them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::region::Region;
use cnnfilter_core::genome::normalize::normalize_together;

/// Attempts for each drawn variant before crowded sequence is left with fewer.
const ATTEMPTS: usize = 20;

/// Alleles in place of a stretch of the reference. Positions count from the region's first base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// First base of `reference`, 0-based.
    pub start: usize,
    /// The bases that stand in the reference.
    pub reference: Vec<u8>,
    /// The alleles that may stand there instead; one or two.
    pub alternates: Vec<Vec<u8>>,
}

impl Change {
    /// The stretch of the reference that it replaces.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.reference.len()
    }

    /// Returns true if any allele has another length than the reference.
    pub fn is_indel(&self) -> bool {
        self.alternates
            .iter()
            .any(|allele| allele.len() != self.reference.len())
    }

    /// Trimmed and left-aligned over all alleles at once ([`normalize_together`]). `None` where an
    /// alternate equals the reference or another alternate, or where the first base of `bases` is
    /// reached, so that it is not known how far left it belongs.
    pub fn normalised(mut self, bases: &[u8]) -> Option<Self> {
        let twice = |(at, allele): (usize, &Vec<u8>)| {
            *allele == self.reference || self.alternates[..at].contains(allele)
        };
        if self.alternates.is_empty() || self.alternates.iter().enumerate().any(twice) {
            return None;
        }
        let mut alleles = vec![self.reference];
        alleles.append(&mut self.alternates);
        let (start, mut alleles) = normalize_together(self.start as u64, alleles, bases)?;
        if start == 0 {
            return None;
        }
        self.start = start as usize;
        self.reference = alleles.remove(0);
        self.alternates = alleles;
        Some(self)
    }

    /// The stretch in which an aligner may place it: its own, and for an indel also as far to the
    /// right as it can be moved without another sequence.
    pub fn extent(&self, bases: &[u8]) -> Range<usize> {
        let mut end = self.range().end;
        for allele in &self.alternates {
            let (longer, shorter) = if allele.len() > self.reference.len() {
                (allele, &self.reference)
            } else {
                (&self.reference, allele)
            };
            if longer.len() == shorter.len() || !longer.starts_with(shorter) {
                continue;
            }
            let moved = &longer[shorter.len()..];
            let first = self.start + shorter.len();
            let shifts = (0..)
                .take_while(|shift| bases.get(first + shift) == Some(&moved[shift % moved.len()]))
                .count();
            end = end.max(first + shifts);
        }
        self.start..end
    }
}

/// Where a variant comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the VCF that was given.
    Given,
    /// Drawn at random.
    Drawn,
}

/// A variant of a sample: alleles and a phased genotype.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The alleles.
    pub change: Change,
    /// The allele of haplotype 1 and of haplotype 2: 0 the reference, 1 the first alternate.
    pub genotype: [u8; 2],
    /// Where it comes from.
    pub origin: Origin,
}

impl Record {
    /// The bases of its allele on a haplotype (0 or 1); `None` for the reference.
    pub fn allele(&self, haplotype: usize) -> Option<&[u8]> {
        let number = usize::from(self.genotype[haplotype]).checked_sub(1)?;
        self.change.alternates.get(number).map(Vec::as_slice)
    }

    /// Its line in a VCF, without line end: POS from one, QUAL and FILTER `.` and `PASS`,
    /// INFO/ORIGIN and the phased GT.
    pub fn vcf_line(&self, region: &Region) -> String {
        let text = |allele: &[u8]| String::from_utf8_lossy(allele).into_owned();
        let alternates: Vec<String> = self.change.alternates.iter().map(|a| text(a)).collect();
        let origin = match self.origin {
            Origin::Given => "given",
            Origin::Drawn => "drawn",
        };
        format!(
            "{}\t{}\t.\t{}\t{}\t.\tPASS\tORIGIN={origin}\tGT\t{}|{}",
            region.contig,
            region.start + self.change.start as u64 + 1,
            text(&self.change.reference),
            alternates.join(","),
            self.genotype[0],
            self.genotype[1],
        )
    }
}

/// The header of a truth VCF, every line with its end: contigs by name and length, one sample.
pub fn vcf_header<'a>(
    contigs: impl IntoIterator<Item = (&'a str, u64)>,
    seed: u64,
    sample: &str,
) -> String {
    let mut header = format!(
        "##fileformat=VCFv4.2\n##source=cnnfilter simulate genome\n##simulation_seed={seed}\n"
    );
    header.push_str("##FILTER=<ID=PASS,Description=\"All filters passed\">\n");
    header.push_str(
        "##INFO=<ID=ORIGIN,Number=1,Type=String,Description=\"given: from the VCF of real variants; drawn: at random\">\n",
    );
    header.push_str("##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n");
    for (name, length) in contigs {
        header.push_str(&format!("##contig=<ID={name},length={length}>\n"));
    }
    header.push_str(&format!(
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}\n"
    ));
    header
}

/// The variants of a diploid sample in a region: no two overlap on one haplotype, no two begin at
/// the same position.
#[derive(Debug, Clone, Default)]
pub struct Diploid {
    records: BTreeMap<usize, Record>,
    /// Of each haplotype the stretches that variants replace, end by start.
    taken: [BTreeMap<usize, usize>; 2],
}

impl Diploid {
    /// Adds a variant; false, and nothing changes, where it does not go with those that are there
    /// or where neither haplotype carries it.
    pub fn add(&mut self, record: Record) -> bool {
        let range = record.change.range();
        let carries = [0, 1].map(|haplotype| record.allele(haplotype).is_some());
        let is_free = |taken: &BTreeMap<usize, usize>| {
            taken
                .range(..range.end)
                .next_back()
                .is_none_or(|(_, end)| *end <= range.start)
        };
        if !(carries[0] || carries[1])
            || self.records.contains_key(&range.start)
            || (carries[0] && !is_free(&self.taken[0]))
            || (carries[1] && !is_free(&self.taken[1]))
        {
            return false;
        }
        for (taken, _) in self.taken.iter_mut().zip(carries).filter(|(_, c)| *c) {
            taken.insert(range.start, range.end);
        }
        self.records.insert(range.start, record);
        true
    }

    /// Adds `wanted` variants of one genotype out of those that `draw` gives; fewer where there is no
    /// room for them.
    pub fn add_drawn(
        &mut self,
        wanted: usize,
        genotype: [u8; 2],
        mut draw: impl FnMut() -> Option<Change>,
    ) {
        let mut left = wanted;
        for _ in 0..wanted * ATTEMPTS {
            if left == 0 {
                break;
            }
            let Some(change) = draw() else { continue };
            left -= usize::from(self.add(Record {
                change,
                genotype,
                origin: Origin::Drawn,
            }));
        }
    }

    /// The variants by position.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns true if there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The variants that begin inside `window`.
    pub fn within(&self, window: &Range<usize>) -> Self {
        let mut part = Self::default();
        for record in self.records.range(window.clone()).map(|(_, record)| record) {
            part.add(record.clone());
        }
        part
    }

    /// The bases of a haplotype (0 or 1) over `window` of the region's `bases`. Variants that
    /// reach over an end of the window are left out.
    pub fn haplotype(&self, bases: &[u8], haplotype: usize, window: Range<usize>) -> Vec<u8> {
        let mut sequence = Vec::with_capacity(window.len() + window.len() / 64);
        let mut at = window.start;
        for record in self.records.range(window.clone()).map(|(_, record)| record) {
            let range = record.change.range();
            let Some(allele) = record.allele(haplotype) else {
                continue;
            };
            if range.end > window.end {
                continue;
            }
            sequence.extend_from_slice(&bases[at..range.start]);
            sequence.extend_from_slice(allele);
            at = range.end;
        }
        sequence.extend_from_slice(&bases[at..window.end]);
        sequence
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn change(start: usize, reference: &[u8], alternates: &[&[u8]]) -> Change {
        Change {
            start,
            reference: reference.to_vec(),
            alternates: alternates.iter().map(|allele| allele.to_vec()).collect(),
        }
    }

    fn record(change: Change, genotype: [u8; 2]) -> Record {
        Record {
            change,
            genotype,
            origin: Origin::Drawn,
        }
    }

    /// `bases` with an allele in place.
    fn applied(bases: &[u8], change: &Change, allele: &[u8]) -> Vec<u8> {
        let range = change.range();
        [&bases[..range.start], allele, &bases[range.end..]].concat()
    }

    #[test]
    fn the_normal_form_is_that_of_bcftools() {
        let bases = b"GCATTTTTGCACACACG";
        let normal = |c: Change| c.normalised(bases).unwrap();
        // `bcftools norm` 1.16 of the left ones gives the right ones.
        let pairs = [
            (change(5, b"TT", &[b"T"]), change(2, b"AT", &[b"A"])),
            (change(8, b"", &[b"T"]), change(2, b"A", &[b"AT"])),
            (change(15, b"CG", &[b"CACG"]), change(8, b"G", &[b"GCA"])),
            (
                change(3, b"TT", &[b"", b"TTT"]),
                change(2, b"ATT", &[b"A", b"ATTT"]),
            ),
            (change(7, b"TGC", &[b"TAC"]), change(8, b"G", &[b"A"])),
        ];
        for (given, expected) in pairs {
            assert_eq!(normal(given), expected);
        }
    }

    #[test]
    fn what_is_no_change_or_reaches_the_edge_has_no_normal_form() {
        let bases = b"TTTTTGC";
        assert_eq!(change(3, b"T", &[b"T"]).normalised(bases), None);
        assert_eq!(change(5, b"G", &[b"A", b"A"]).normalised(bases), None);
        assert_eq!(change(5, b"G", &[]).normalised(bases), None);
        assert_eq!(change(3, b"T", &[b""]).normalised(bases), None, "edge");
    }

    #[test]
    fn variants_do_not_overlap_on_a_haplotype() {
        let mut sample = Diploid::default();
        assert!(sample.add(record(change(5, b"ACG", &[b"A"]), [0, 1])));
        let snp = |at| change(at, b"C", &[b"T"]);
        assert!(!sample.add(record(snp(7), [0, 1])), "same haplotype");
        assert!(!sample.add(record(snp(7), [1, 1])));
        assert!(!sample.add(record(snp(5), [1, 0])), "same position");
        assert!(!sample.add(record(snp(30), [0, 0])), "nobody has it");
        assert!(sample.add(record(snp(7), [1, 0])), "other haplotype");
        assert!(sample.add(record(snp(8), [0, 1])), "right behind");
        assert!(!sample.add(record(change(3, b"TTA", &[b"T"]), [0, 1])));
        assert_eq!(sample.len(), 3);
        assert_eq!(sample.within(&(6..8)).len(), 1);
    }

    #[test]
    fn haplotypes_of_a_window_keep_to_it() {
        let bases = b"ACGTACGTACGT";
        let mut sample = Diploid::default();
        sample.add(record(change(2, b"GTA", &[b"G", b"GGG"]), [1, 2]));
        sample.add(record(change(8, b"A", &[b"ATT"]), [0, 1]));
        assert_eq!(sample.haplotype(bases, 0, 0..12), b"ACGCGTACGT");
        assert_eq!(sample.haplotype(bases, 1, 0..12), b"ACGGGCGTATTCGT");
        assert_eq!(sample.haplotype(bases, 0, 0..4), b"ACGT", "reaches over");
        assert_eq!(sample.haplotype(bases, 1, 4..9), b"ACGTATT");
    }

    #[test]
    fn a_line_has_ten_columns() {
        let region = Region {
            contig: "20".into(),
            start: 1000,
            bases: Vec::new(),
        };
        let record = record(change(2, b"GTA", &[b"G", b"GGG"]), [2, 1]);
        assert_eq!(
            record.vcf_line(&region),
            "20\t1003\t.\tGTA\tG,GGG\t.\tPASS\tORIGIN=drawn\tGT\t2|1"
        );
        let header = vcf_header([("20", 5), ("21", 6)], 9, "me");
        assert!(header.starts_with("##fileformat=VCFv4.2\n"));
        assert!(header.contains("##contig=<ID=21,length=6>\n"));
        assert!(header.ends_with("\tFORMAT\tme\n"));
    }

    /// Sequence of few letters, so that it repeats itself.
    fn sequence(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop::sample::select(b"AAAC".to_vec()), length)
    }

    proptest! {
        #[test]
        fn the_normal_form_is_the_same_variant_and_cannot_be_improved(
            body in sequence(20..60),
            place in any::<prop::sample::Index>(),
            length in 0usize..6,
            alternates in prop::collection::vec(sequence(0..6), 1..3),
        ) {
            let bases = [b"GT".as_slice(), &body, b"TG"].concat();
            let start = 2 + place.index(body.len() - 6);
            let given = Change {
                start,
                reference: bases[start..start + length].to_vec(),
                alternates,
            };
            if let Some(normal) = given.clone().normalised(&bases) {
                prop_assert_eq!(&bases[normal.range()], &normal.reference[..]);
                for (before, after) in given.alternates.iter().zip(&normal.alternates) {
                    let expected = applied(&bases, &given, before);
                    prop_assert_eq!(applied(&bases, &normal, after), expected);
                }
                // Tan et al. 2015: no empty allele, ends that differ, and starts that differ
                // unless an allele has one base.
                let mut alleles = vec![&normal.reference];
                alleles.extend(&normal.alternates);
                prop_assert!(alleles.iter().all(|allele| !allele.is_empty()));
                prop_assert!(alleles.iter().any(|a| a.last() != alleles[0].last()));
                let is_short = alleles.iter().any(|allele| allele.len() == 1);
                prop_assert!(is_short || alleles.iter().any(|a| a[0] != alleles[0][0]));
                prop_assert_eq!(normal.clone().normalised(&bases), Some(normal));
            }
        }

        #[test]
        fn the_extent_holds_every_place_of_an_indel(
            body in sequence(12..40),
            place in any::<prop::sample::Index>(),
            length in 1usize..5,
            inserted in prop::option::of(sequence(1..5)),
        ) {
            let bases = [b"GT".as_slice(), &body, b"TG"].concat();
            let start = 2 + place.index(body.len() - 4);
            let is_deletion = inserted.is_none();
            let given = match inserted {
                Some(inserted) => change(start, b"", &[&inserted]),
                None => change(start, &bases[start..start + length], &[b""]),
            };
            let length = given.reference.len().max(given.alternates[0].len());
            let haplotype = applied(&bases, &given, &given.alternates[0]);
            let normal = given.normalised(&bases).unwrap();
            let extent = normal.extent(&bases);
            // All places at which an indel of this length gives the same haplotype.
            let same = |at: &usize| if is_deletion {
                at + length <= bases.len()
                    && [&bases[..*at], &bases[at + length..]].concat() == haplotype
            } else {
                [&bases[..*at], &haplotype[*at..at + length], &bases[*at..]].concat() == haplotype
            };
            let places: Vec<usize> = (1..bases.len()).filter(same).collect();
            let last = places.last().unwrap() + if is_deletion { length } else { 0 };
            prop_assert_eq!(extent, places[0] - 1..last);
        }
    }
}
