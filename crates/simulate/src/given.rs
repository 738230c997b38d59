//! Real variants that a sample is to carry, from the records of a VCF.

use std::collections::BTreeMap;

use super::error::SimulateError;
use super::random::{Random, chance};
use super::record::{Change, Diploid, Origin, Record};
use super::region::Region;
use super::variants::is_inside;

/// Longest allele that is taken, in bases.
const MAX_ALLELE: usize = 200;

/// A variant of a VCF with the genotype of its first sample.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    /// POS less one.
    start: u64,
    reference: Vec<u8>,
    alternates: Vec<Vec<u8>>,
    genotype: [u8; 2],
    is_phased: bool,
}

/// A record of a VCF, with the genotype of one sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenRecord<'a> {
    /// The contig's name.
    pub contig: &'a str,
    /// POS, 1-based; 0 is the telomere.
    pub position: u64,
    /// REF, in either case.
    pub reference: &'a [u8],
    /// The ALTs, as they stand.
    pub alternates: Vec<&'a [u8]>,
    /// True if FILTER lets it through.
    pub passes: bool,
    /// The alleles of the genotype: 0 for REF, 1 and up for the ALTs, nothing for a missing one. A
    /// single one counts as homozygous.
    pub genotype: Vec<Option<usize>>,
    /// True if their order says which haplotype each lies on.
    pub is_phased: bool,
}

/// The real variants, by contig in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct GivenVariants {
    by_contig: BTreeMap<String, Vec<Given>>,
    read: u64,
    left_out: BTreeMap<LeftOut, u64>,
}

/// Why a given variant cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LeftOut {
    /// FILTER says so.
    #[error("filtered")]
    Filtered,
    /// Missing, wholly or in part, or it names an ALT that is not there.
    #[error("genotype missing")]
    NoGenotype,
    /// More than two alleles.
    #[error("more than two alleles in the genotype")]
    Polyploid,
    /// The sample carries no ALT.
    #[error("genotype without ALT (0/0)")]
    NoAlternate,
    /// `<DEL>`, `*`, breakends, letters other than A, C, G and T.
    #[error("an allele that is not spelled in A, C, G, T")]
    NotInBases,
    /// Longer than 200 bases.
    #[error("an allele of more than {MAX_ALLELE} bases")]
    Long,
    /// POS 0.
    #[error("POS is 0")]
    NoBase,
}

/// Fate of the real variants of a region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenTally {
    /// Records that lie in the region.
    pub inside: usize,
    /// Records taken into the sample.
    pub taken: usize,
    /// Records whose REF is not what the reference has.
    pub mismatches: usize,
    /// The first of these: `contig:position REF`.
    pub first_mismatch: Option<String>,
}

impl GivenTally {
    /// Adds another region's numbers.
    pub fn add(&mut self, other: Self) {
        self.inside += other.inside;
        self.taken += other.taken;
        self.mismatches += other.mismatches;
        if self.first_mismatch.is_none() {
            self.first_mismatch = other.first_mismatch;
        }
    }

    /// Checks that the variants belong to the reference: up to one in a hundred may not match.
    ///
    /// # Errors
    /// Where more do not.
    pub fn check(&self) -> Result<(), SimulateError> {
        match &self.first_mismatch {
            Some(first) if self.mismatches * 100 > self.inside => {
                Err(SimulateError::OtherReference {
                    mismatches: self.mismatches,
                    checked: self.inside,
                    first: first.clone(),
                })
            }
            _ => Ok(()),
        }
    }
}

impl GivenVariants {
    /// Takes in the next record. One that cannot be taken is counted ([`Self::left_out`]).
    pub fn push(&mut self, record: &GivenRecord<'_>) {
        self.read += 1;
        match Given::of_record(record) {
            Ok(given) => {
                let contig = self.by_contig.entry(record.contig.to_owned()).or_default();
                contig.push(given);
            }
            Err(why) => *self.left_out.entry(why).or_default() += 1,
        }
    }

    /// Records read.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Counts the variants that the sample does not carry, by reason, in the order of the checks.
    /// `tally` is that of all regions.
    pub fn left_out(&self, tally: &GivenTally) -> Vec<(String, u64)> {
        let outside = self.len().saturating_sub(tally.inside);
        let apart = tally.inside - tally.taken - tally.mismatches;
        let mut reasons: Vec<(String, u64)> = self
            .left_out
            .iter()
            .map(|(why, count)| (why.to_string(), *count))
            .collect();
        for (count, why) in [
            (outside, "outside the regions"),
            (tally.mismatches, "with another REF than the reference"),
            (apart, "at the end of a region or over another variant"),
        ] {
            if count > 0 {
                reasons.push((why.to_owned(), count as u64));
            }
        }
        reasons
    }

    /// [`Self::left_out`] as a line for people; nothing where the sample carries all.
    pub fn left_out_text(&self, tally: &GivenTally) -> Option<String> {
        let parts: Vec<String> = self
            .left_out(tally)
            .iter()
            .map(|(why, count)| format!("{count} {why}"))
            .collect();
        let (read, parts) = (self.read, parts.join(", "));
        (!parts.is_empty()).then(|| format!("given variants left out, of {read} read: {parts}"))
    }

    /// Records on the way to a sample.
    pub fn len(&self) -> usize {
        self.by_contig.values().map(Vec::len).sum()
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.by_contig.is_empty()
    }

    /// Adds those inside a region to a sample, in normal form; unphased ones are phased at random.
    /// Those that overlap an earlier one on the same haplotype are left out.
    pub fn place(&self, random: &mut Random, region: &Region, sample: &mut Diploid) -> GivenTally {
        let mut tally = GivenTally::default();
        for given in self.by_contig.get(&region.contig).into_iter().flatten() {
            let end = given.start + given.reference.len() as u64;
            if given.start < region.start || end > region.end() {
                continue;
            }
            tally.inside += 1;
            let start = (given.start - region.start) as usize;
            let span = start..start + given.reference.len();
            if region.bases[span] != given.reference {
                tally.mismatches += 1;
                tally.first_mismatch.get_or_insert_with(|| {
                    let reference = String::from_utf8_lossy(&given.reference);
                    format!("{}:{} {reference}", region.contig, given.start + 1)
                });
                continue;
            }
            let mut genotype = given.genotype;
            if !given.is_phased && chance(random, 0.5) {
                genotype.reverse();
            }
            let change = Change {
                start,
                reference: given.reference.clone(),
                alternates: given.alternates.clone(),
            };
            let Some(change) = change.normalised(&region.bases) else {
                continue;
            };
            let is_added = is_inside(&change, region.bases.len())
                && sample.add(Record {
                    change,
                    genotype,
                    origin: Origin::Given,
                });
            tally.taken += usize::from(is_added);
        }
        tally
    }
}

impl Given {
    fn of_record(record: &GivenRecord<'_>) -> Result<Self, LeftOut> {
        if !record.passes {
            return Err(LeftOut::Filtered);
        }
        let start = record.position.checked_sub(1).ok_or(LeftOut::NoBase)?;
        let numbers = allele_numbers(&record.genotype, record.alternates.len())?;
        // Only alleles that the sample carries stay.
        let mut kept: Vec<usize> = numbers.iter().copied().filter(|n| *n > 0).collect();
        kept.sort_unstable();
        kept.dedup();
        if kept.is_empty() {
            return Err(LeftOut::NoAlternate);
        }
        let reference = sequence(record.reference)?;
        let carried: Vec<Vec<u8>> = kept
            .iter()
            .map(|n| sequence(record.alternates[n - 1]))
            .collect::<Result<_, _>>()?;
        let number = |allele: usize| match kept.iter().position(|n| *n == allele) {
            Some(index) => index as u8 + 1,
            None => 0,
        };
        Ok(Self {
            start,
            reference,
            alternates: carried,
            genotype: numbers.map(number),
            is_phased: record.is_phased,
        })
    }
}

/// An allele in capitals, where it can be taken.
fn sequence(allele: &[u8]) -> Result<Vec<u8>, LeftOut> {
    let upper = allele.to_ascii_uppercase();
    if !upper.iter().all(|b| matches!(b, b'A' | b'C' | b'G' | b'T')) {
        return Err(LeftOut::NotInBases);
    }
    if upper.len() > MAX_ALLELE {
        return Err(LeftOut::Long);
    }
    Ok(upper)
}

/// The two allele numbers of a genotype.
fn allele_numbers(genotype: &[Option<usize>], alternates: usize) -> Result<[usize; 2], LeftOut> {
    let numbers: Vec<usize> = genotype
        .iter()
        .copied()
        .collect::<Option<_>>()
        .ok_or(LeftOut::NoGenotype)?;
    let numbers = match numbers[..] {
        [both] => [both, both],
        [first, second] => [first, second],
        [] => return Err(LeftOut::NoGenotype),
        _ => return Err(LeftOut::Polyploid),
    };
    if numbers.iter().all(|number| *number <= alternates) {
        Ok(numbers)
    } else {
        Err(LeftOut::NoGenotype)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    fn region() -> Region {
        Region {
            contig: "20".into(),
            start: 100,
            // Positions (from one) 101..=160.
            bases: b"ACGTTGCATCAGGGGCATTACGACTTTTTACGATCGACTACGACTCAGCATCAGCATCAG".to_vec(),
        }
    }

    /// A record of a line of VCF, of whose FORMAT the genotype is the last key.
    fn record(line: &str) -> GivenRecord<'_> {
        let columns: Vec<&str> = line.split('\t').collect();
        let genotype = columns[9].rsplit(':').next().unwrap();
        GivenRecord {
            contig: columns[0],
            position: columns[1].parse().unwrap(),
            reference: columns[3].as_bytes(),
            alternates: columns[4].split(',').map(str::as_bytes).collect(),
            passes: matches!(columns[6], "PASS" | "."),
            genotype: genotype
                .split(['/', '|'])
                .map(|number| number.parse().ok())
                .collect(),
            is_phased: genotype.contains('|'),
        }
    }

    fn placed(lines: &[&str]) -> (Vec<String>, GivenTally) {
        let mut given = GivenVariants::default();
        for line in lines {
            given.push(&record(line));
        }
        let mut sample = Diploid::default();
        let tally = given.place(&mut stream(1, 0), &region(), &mut sample);
        let lines = sample.records().map(|r| r.vcf_line(&region()));
        let shown = lines
            .map(|line| {
                let columns: Vec<&str> = line.split('\t').collect();
                [columns[1], columns[3], columns[4], columns[9]].join(" ")
            })
            .collect();
        (shown, tally)
    }

    #[test]
    fn variants_come_in_normal_form() {
        let (lines, tally) = placed(&[
            // One G of four lost, given at the right end.
            "20\t114\t.\tGG\tG\t9\tPASS\t.\tDP:GT\t3:0|1",
            // Two insertions of which the sample carries the second.
            "20\t125\t.\tT\tTA,TT\t9\t.\t.\tGT\t2|2",
            "20\t140\t.\tT\tG\t9\tLowQual\t.\tGT\t1|1",
            "20\t141\t.\tA\t<DEL>\t9\tPASS\t.\tGT\t1|1",
            "20\t142\t.\tC\tG\t9\tPASS\t.\tGT\t./.",
            "20\t143\t.\tG\tA\t9\tPASS\t.\tGT\t0/0",
            "20\t161\t.\tG\tA\t9\tPASS\t.\tGT\t0/1",
            "21\t141\t.\tG\tA\t9\tPASS\t.\tGT\t0/1",
        ]);
        assert_eq!(lines, ["111 AG A 0|1", "124 C CT 1|1"]);
        assert_eq!((tally.inside, tally.taken, tally.mismatches), (2, 2, 0));
        tally.check().unwrap();
    }

    #[test]
    fn a_foreign_reference_is_named() {
        let (lines, tally) = placed(&["20\t114\t.\tC\tG\t9\tPASS\t.\tGT\t1|1"]);
        assert!(lines.is_empty());
        let message = tally.check().unwrap_err().to_string();
        assert!(
            message.contains("1 of 1") && message.contains("20:114 C"),
            "{message}"
        );
    }

    #[test]
    fn what_cannot_be_taken_is_counted() {
        let mut given = GivenVariants::default();
        for (variant, why) in [
            ("1\t.\tA\tC\t.\tq10\t.\tGT\t0|1", LeftOut::Filtered),
            ("1\t.\tA\tC\t.\t.\t.\tGT\t./1", LeftOut::NoGenotype),
            ("1\t.\tA\tC\t.\t.\t.\tGT\t0/2", LeftOut::NoGenotype),
            ("1\t.\tA\tC\t.\t.\t.\tGT\t0/1/1", LeftOut::Polyploid),
            ("1\t.\tA\tC\t.\t.\t.\tGT\t0/0", LeftOut::NoAlternate),
            ("1\t.\tA\t<DEL>\t.\t.\t.\tGT\t0/1", LeftOut::NotInBases),
            ("0\t.\tA\tC\t.\t.\t.\tGT\t0/1", LeftOut::NoBase),
        ] {
            let before = given.left_out.get(&why).copied().unwrap_or(0);
            given.push(&record(&format!("20\t{variant}")));
            assert_eq!(given.left_out[&why], before + 1, "{variant}");
        }
        assert_eq!((given.read, given.len()), (7, 0));
    }

    #[test]
    fn every_one_that_the_sample_does_not_carry_is_in_the_summary() {
        let mut given = GivenVariants::default();
        for line in [
            "20\t104\t.\tT\tA\t.\tPASS\t.\tGT\t0|1",
            "20\t9000\t.\tT\tA\t.\tPASS\t.\tGT\t0|1",
            "20\t106\t.\tT\tA\t.\tLOW\t.\tGT\t0|1",
        ] {
            given.push(&record(line));
        }
        let tally = |taken, mismatches| GivenTally {
            inside: 1,
            taken,
            mismatches,
            first_mismatch: None,
        };
        let text = |taken, mismatches| given.left_out_text(&tally(taken, mismatches)).unwrap();
        assert_eq!(
            text(1, 0),
            "given variants left out, of 3 read: 1 filtered, 1 outside the regions"
        );
        assert!(
            text(0, 1).ends_with("1 outside the regions, 1 with another REF than the reference")
        );
        assert!(text(0, 0).ends_with(", 1 at the end of a region or over another variant"));
        let none = GivenVariants::default();
        assert_eq!(none.left_out_text(&GivenTally::default()), None);
    }

    #[test]
    fn overlapping_ones_on_one_haplotype_are_left_out() {
        let (lines, tally) = placed(&[
            "20\t130\t.\tACGA\tA\t9\tPASS\t.\tGT\t0|1",
            "20\t132\t.\tG\tT\t9\tPASS\t.\tGT\t1|1",
            "20\t133\t.\tA\tT\t9\tPASS\t.\tGT\t1|0",
        ]);
        assert_eq!(lines, ["129 TACG T 0|1", "133 A T 1|0"]);
        assert_eq!((tally.inside, tally.taken), (3, 2));
    }
}
