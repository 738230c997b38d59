//! Real variants that a sample is to carry, from the lines of a VCF.

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

/// The real variants, by contig in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct GivenVariants {
    by_contig: BTreeMap<String, Vec<Given>>,
    lines: u64,
}

/// What became of the real variants of a region.
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
    /// Takes in the next line of a VCF. Headers, records that fail a filter, symbolic alleles,
    /// alleles of more than 200 bases and genotypes that are missing or without an alternate are
    /// passed over; a genotype of one allele counts as homozygous.
    ///
    /// # Errors
    /// Where the line is no VCF record with a sample.
    pub fn push_line(&mut self, line: &str) -> Result<(), SimulateError> {
        self.lines += 1;
        let line = line.trim_end_matches(['\n', '\r']);
        if line.starts_with('#') || line.is_empty() {
            return Ok(());
        }
        let wrong = |expected, found: &str| SimulateError::Vcf {
            line: self.lines,
            expected,
            found: found.chars().take(80).collect(),
        };
        let columns: Vec<&str> = line.split('\t').collect();
        let [
            contig,
            position,
            _,
            reference,
            alternates,
            _,
            filter,
            _,
            format,
            sample,
            ..,
        ] = columns[..]
        else {
            return Err(wrong("ten columns or more, one of them a sample's", line));
        };
        let start = position
            .parse::<u64>()
            .ok()
            .and_then(|position| position.checked_sub(1))
            .ok_or_else(|| wrong("POS, a number from 1", position))?;
        let place = format.split(':').position(|key| key == "GT");
        let genotype = place
            .and_then(|place| sample.split(':').nth(place))
            .ok_or_else(|| wrong("a genotype (GT) of the first sample", sample))?;
        if !matches!(filter, "PASS" | ".") {
            return Ok(());
        }
        let alternates: Vec<&str> = alternates.split(',').collect();
        let Some(numbers) = allele_numbers(genotype, alternates.len()) else {
            return Ok(());
        };
        // Only alleles that the sample carries stay.
        let mut kept: Vec<u8> = numbers.iter().copied().filter(|n| *n > 0).collect();
        kept.sort_unstable();
        kept.dedup();
        let sequence = |text: &str| {
            let upper = text.to_ascii_uppercase().into_bytes();
            let is_plain = upper.iter().all(|b| matches!(b, b'A' | b'C' | b'G' | b'T'));
            (is_plain && upper.len() <= MAX_ALLELE).then_some(upper)
        };
        let carried = kept
            .iter()
            .map(|n| sequence(alternates[usize::from(*n) - 1]));
        let (Some(reference), Some(carried)) =
            (sequence(reference), carried.collect::<Option<Vec<_>>>())
        else {
            return Ok(());
        };
        let number = |allele: u8| match kept.iter().position(|n| *n == allele) {
            Some(index) => index as u8 + 1,
            None => 0,
        };
        if carried.is_empty() {
            return Ok(());
        }
        let given = Given {
            start,
            reference,
            alternates: carried,
            genotype: numbers.map(number),
            is_phased: genotype.contains('|'),
        };
        let contig = self.by_contig.entry(contig.to_owned()).or_default();
        contig.push(given);
        Ok(())
    }

    /// Records on the way to a sample.
    pub fn len(&self) -> usize {
        self.by_contig.values().map(Vec::len).sum()
    }

    /// Whether there are none.
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

/// The two allele numbers of a genotype; `None` where it is missing, of three or more alleles, or
/// names an allele that is not there.
fn allele_numbers(genotype: &str, alternates: usize) -> Option<[u8; 2]> {
    let numbers: Option<Vec<u8>> = genotype
        .split(['|', '/'])
        .map(|number| number.parse::<u8>().ok())
        .collect();
    let numbers = match numbers?[..] {
        [both] => [both, both],
        [first, second] => [first, second],
        _ => return None,
    };
    numbers
        .iter()
        .all(|number| usize::from(*number) <= alternates)
        .then_some(numbers)
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

    fn placed(lines: &[&str]) -> (Vec<String>, GivenTally) {
        let mut given = GivenVariants::default();
        for line in lines {
            given.push_line(line).unwrap();
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
            "##fileformat=VCFv4.2\n",
            // One G of four lost, given at the right end.
            "20\t114\t.\tGG\tG\t9\tPASS\t.\tDP:GT\t3:0|1\n",
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
    fn a_broken_line_is_named() {
        let mut given = GivenVariants::default();
        for (line, expected) in [
            ("20\t1\t.\tA\tC\t.\t.\t.", "ten columns"),
            ("20\t0\t.\tA\tC\t.\t.\t.\tGT\t0|1", "POS"),
            ("20\tx\t.\tA\tC\t.\t.\t.\tGT\t0|1", "POS"),
            ("20\t1\t.\tA\tC\t.\t.\t.\tDP\t3", "genotype"),
        ] {
            let message = given.push_line(line).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        assert!(given.is_empty());
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
