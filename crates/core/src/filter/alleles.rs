//! Takes ALT alleles out of a record, with everything in it that is counted by allele.

use std::collections::BTreeMap;

use super::genotypes::{key_at, recount};
use crate::vcf::genotype::count_genotypes;
use crate::vcf::{Genotype, VcfHeader, VcfRecord};

/// Number of values of a key (VCF specification, section 1.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    /// One an ALT.
    A,
    /// One an allele, REF first.
    R,
    /// One a genotype, in VCF's order.
    G,
}

impl Number {
    fn parse(text: Option<&str>) -> Option<Self> {
        match text? {
            "A" => Some(Self::A),
            "R" => Some(Self::R),
            "G" => Some(Self::G),
            _ => None,
        }
    }
}

/// The keys that are counted by allele, from a header and the keys that the specification reserves.
#[derive(Debug, Clone)]
pub struct AlleleFields {
    info: BTreeMap<Vec<u8>, Number>,
    format: BTreeMap<Vec<u8>, Number>,
}

/// Why a record's alleles stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotTrimmed {
    /// FORMAT has `LAA`: the samples' values are counted by alleles of their own.
    #[error("its samples have local alleles (LAA)")]
    LocalAlleles,
    /// No ALT would be left.
    #[error("no ALT would be left")]
    NothingLeft,
}

impl AlleleFields {
    /// Reads the definitions of a header.
    pub fn of_header(header: &VcfHeader) -> Self {
        let mut fields = Self {
            info: BTreeMap::new(),
            format: BTreeMap::new(),
        };
        for (key, number) in [
            ("AC", Number::A),
            ("AF", Number::A),
            ("AD", Number::R),
            // Of GATK, whose likelihoods they come from.
            ("MLEAC", Number::A),
            ("MLEAF", Number::A),
        ] {
            fields.info.insert(key.into(), number);
        }
        for (key, number) in [("AD", Number::R), ("PL", Number::G), ("GL", Number::G)] {
            fields.format.insert(key.into(), number);
        }
        for (kind, target) in [("INFO", &mut fields.info), ("FORMAT", &mut fields.format)] {
            for body in header.structured(kind) {
                let field = |name| crate::vcf::header::field(body, name);
                let Some(key) = field("ID") else { continue };
                match Number::parse(field("Number")) {
                    Some(number) => target.insert(key.into(), number),
                    // Older headers say `.` for AD and PL; what the specification reserves stands.
                    None => continue,
                };
            }
        }
        fields
    }
}

/// Takes the ALTs of `failing` (from 0) out of a record. Values counted by ALT, allele or genotype lose
/// their parts, PL is shifted so that its smallest value is 0, and AC, AN and AF are counted again
/// where there are genotypes ([`recount`]). An allele of a genotype that is taken out becomes `.` (it is not known
/// what stands there instead), and the GQ of such a genotype as well. REF and POS stay.
///
/// A list whose length does not fit its definition stays as it is.
///
/// # Errors
/// [`NotTrimmed`]; then the record is unchanged.
pub fn trim(
    record: &mut VcfRecord,
    failing: &[usize],
    fields: &AlleleFields,
) -> Result<(), NotTrimmed> {
    let mut columns = record.genotype_columns();
    if key_at(&columns, "LAA").is_some() {
        return Err(NotTrimmed::LocalAlleles);
    }
    let alternates: Vec<Vec<u8>> = record
        .alleles()
        .1
        .split(|byte| *byte == b',')
        .map(<[u8]>::to_vec)
        .collect();
    // By number of the allele, REF first.
    let stays: Vec<bool> = (0..=alternates.len())
        .map(|allele| allele == 0 || !failing.contains(&(allele - 1)))
        .collect();
    if !stays[1..].contains(&true) {
        return Err(NotTrimmed::NothingLeft);
    }
    let plan = Plan::new(stays);
    record.set_alternates(&plan.by_alt(&alternates).join(&b','));

    let info: Vec<(Vec<u8>, Vec<u8>)> = record
        .info_entries()
        .filter_map(|(key, value)| {
            let value = value?;
            let edited = match fields.info.get(key) {
                Some(number) => plan.subset(value, *number, 2)?,
                // GATK's raw annotations are one text with a part an allele.
                None if key.starts_with(b"AS_") => plan.subset_bars(value)?,
                None => return None,
            };
            Some((key.to_vec(), edited))
        })
        .collect();
    for (key, value) in info {
        record.set_info(&key, Some(&value));
    }

    let Some((keys, samples)) = columns.split_first_mut() else {
        return Ok(());
    };
    let at = |name: &[u8]| keys.iter().position(|key| key == name);
    let (gt, gq) = (at(b"GT"), at(b"GQ"));
    for sample in samples {
        let ploidy = gt
            .and_then(|at| sample.get(at))
            .map_or(2, |value| Genotype::parse(value).ploidy().max(1));
        for (key, value) in keys.iter().zip(sample.iter_mut()) {
            let Some(number) = fields.format.get(key) else {
                continue;
            };
            if let Some(edited) = plan.subset(value, *number, ploidy) {
                *value = if key == b"PL" {
                    from_zero(edited)
                } else {
                    edited
                };
            }
        }
        let Some(value) = gt.and_then(|at| sample.get_mut(at)) else {
            continue;
        };
        let (edited, lost) = plan.genotype(value);
        *value = edited;
        if lost && let Some(quality) = gq.and_then(|at| sample.get_mut(at)) {
            *quality = b".".to_vec();
        }
    }
    record.set_genotype_columns(&columns);
    recount(record);
    Ok(())
}

/// The alleles that stay.
struct Plan {
    /// By number of the allele, REF first.
    stays: Vec<bool>,
    /// New numbers of those that stay.
    numbers: Vec<usize>,
}

impl Plan {
    fn new(stays: Vec<bool>) -> Self {
        let mut next = 0;
        let numbers = stays
            .iter()
            .map(|stays| {
                let number = next;
                next += usize::from(*stays);
                number
            })
            .collect();
        Self { stays, numbers }
    }

    fn by_alt(&self, values: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let kept = values.iter().zip(&self.stays[1..]);
        kept.filter(|(_, stays)| **stays)
            .map(|(value, _)| value.clone())
            .collect()
    }

    /// The part of a comma-separated list that stays; nothing where its length does not fit.
    fn subset(&self, value: &[u8], number: Number, ploidy: usize) -> Option<Vec<u8>> {
        let values: Vec<&[u8]> = value.split(|byte| *byte == b',').collect();
        let stays: Vec<bool> = match number {
            Number::A => self.stays[1..].to_vec(),
            Number::R => self.stays.clone(),
            Number::G => self.genotypes_that_stay(ploidy, values.len())?,
        };
        if values.len() != stays.len() {
            return None;
        }
        let kept = values.iter().zip(stays).filter(|(_, stays)| *stays);
        Some(
            kept.map(|(value, _)| *value)
                .collect::<Vec<_>>()
                .join(&b','),
        )
    }

    /// The same for parts between bars, one an allele or one an ALT.
    fn subset_bars(&self, value: &[u8]) -> Option<Vec<u8>> {
        let values: Vec<&[u8]> = value.split(|byte| *byte == b'|').collect();
        let stays = match self.stays.len() {
            alleles if values.len() == alleles => &self.stays[..],
            alleles if values.len() + 1 == alleles && values.len() > 1 => &self.stays[1..],
            _ => return None,
        };
        let kept = values.iter().zip(stays).filter(|(_, stays)| **stays);
        Some(
            kept.map(|(value, _)| *value)
                .collect::<Vec<_>>()
                .join(&b'|'),
        )
    }

    /// For the genotypes in VCF's order whether all their alleles stay. The number of values tells a
    /// haploid sample from a diploid one where GT does not.
    fn genotypes_that_stay(&self, ploidy: usize, values: usize) -> Option<Vec<bool>> {
        let alleles = self.stays.len();
        let fitting = [ploidy, 2, 1]
            .into_iter()
            .find(|ploidy| count_genotypes(alleles, *ploidy) == Some(values))?;
        let mut stays = Vec::with_capacity(values);
        self.push_genotypes(alleles, fitting, true, &mut stays);
        Some(stays)
    }

    /// VCF specification, section 1.6.2, GL: the last allele grows slowest.
    fn push_genotypes(&self, alleles: usize, ploidy: usize, so_far: bool, stays: &mut Vec<bool>) {
        if ploidy == 0 {
            stays.push(so_far);
            return;
        }
        for last in 0..alleles {
            self.push_genotypes(last + 1, ploidy - 1, so_far && self.stays[last], stays);
        }
    }

    /// A genotype in new numbers, and whether an allele of it was taken out.
    fn genotype(&self, value: &[u8]) -> (Vec<u8>, bool) {
        let mut lost = false;
        let mut genotype = Genotype::parse(value);
        for allele in &mut genotype.alleles {
            let Some(number) = allele.number else {
                continue;
            };
            if self.stays.get(number).copied().unwrap_or(false) {
                allele.number = Some(self.numbers[number]);
            } else {
                allele.number = None;
                lost = true;
            }
        }
        (genotype.to_bytes(), lost)
    }
}

/// Phred-scaled likelihoods shifted so that the smallest is 0; as they are where one is no number.
fn from_zero(value: Vec<u8>) -> Vec<u8> {
    let numbers: Option<Vec<u64>> = value
        .split(|byte| *byte == b',')
        .map(|text| std::str::from_utf8(text).ok()?.parse().ok())
        .collect();
    let Some(numbers) = numbers else { return value };
    let least = numbers.iter().copied().min().unwrap_or(0);
    let texts: Vec<String> = numbers
        .iter()
        .map(|number| (number - least).to_string())
        .collect();
    texts.join(",").into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields() -> AlleleFields {
        let lines = [
            "##fileformat=VCFv4.2",
            "##INFO=<ID=MLEAC,Number=A,Type=Integer,Description=\"x\">",
            "##FORMAT=<ID=AD,Number=.,Type=Integer,Description=\"x\">",
            "##FORMAT=<ID=AF,Number=A,Type=Float,Description=\"x\">",
            "##INFO=<ID=CNN_AS,Number=A,Type=Float,Description=\"x\">",
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
        ];
        let header = VcfHeader::parse(lines.map(String::from).to_vec()).unwrap();
        AlleleFields::of_header(&header)
    }

    fn record(line: &str) -> VcfRecord {
        VcfRecord::parse(line.as_bytes().to_vec(), line.split('\t').count()).unwrap()
    }

    fn trimmed(line: &str, failing: &[usize]) -> String {
        let mut record = record(line);
        trim(&mut record, failing, &fields()).unwrap();
        let mut out = Vec::new();
        record.write_to(&mut out);
        String::from_utf8(out).unwrap().trim_end().to_owned()
    }

    #[test]
    fn everything_counted_by_allele_follows() {
        // Genotypes of three alleles: 00 01 11 02 12 22.
        assert_eq!(
            trimmed(
                "1\t5\t.\tA\tC,AT\t.\t.\tAC=1,2;AF=0.250,0.500;AN=4;CNN_AS=1.5,-2;MLEAC=1,2;AS_SB_TABLE=1,2|3,4|5,6;AS_QD=.|7;DP=9\tGT:AD:GQ:PL:AF\t0/2:5,0,4:50:40,50,90,0,60,80:0,.4\t1|2:0,3,2:9:70,30,20,40,10,60:.6,.4\t./.",
                &[1]
            ),
            "1\t5\t.\tA\tC\t.\t.\tAC=1;AF=0.5;AN=2;CNN_AS=1.5;MLEAC=1;AS_SB_TABLE=1,2|3,4;AS_QD=.;DP=9\tGT:AD:GQ:PL:AF\t0/.:5,0:.:0,10,50:0\t1|.:0,3:.:50,10,0:.6\t./."
        );
        // The first goes: the second is number 1 now.
        assert_eq!(
            trimmed(
                "1\t5\t.\tA\tC,AT\t.\t.\tAC=0,2\tGT:AD:GQ:PL\t0/2:5,0,4:50:40,50,90,0,60,80\t2:0,0,5:9:60,50,0",
                &[0]
            ),
            "1\t5\t.\tA\tAT\t.\t.\tAC=2\tGT:AD:GQ:PL\t0/1:5,4:50:40,0,80\t1:0,5:9:60,0"
        );
    }

    #[test]
    fn sites_without_samples_and_odd_lists() {
        assert_eq!(
            trimmed(
                "1\t5\t.\tA\tC,G,T\t.\t.\tAC=3,2,1;AF=.;AN=9;MLEAC=1,2",
                &[0, 2]
            ),
            "1\t5\t.\tA\tG\t.\t.\tAC=2;AF=.;AN=9;MLEAC=1,2"
        );
        let mut local = record("1\t5\t.\tA\tC,G\t.\t.\t.\tGT:LAA\t0/1:2");
        assert_eq!(
            trim(&mut local, &[0], &fields()),
            Err(NotTrimmed::LocalAlleles)
        );
        let mut all = record("1\t5\t.\tA\tC,G\t.\t.\t.");
        assert_eq!(
            trim(&mut all, &[0, 1], &fields()),
            Err(NotTrimmed::NothingLeft)
        );
    }

    #[test]
    fn likelihoods_follow_at_any_ploidy() {
        // Triploid, two alleles, ALT goes: only 000 stays of 000 001 011 111.
        assert_eq!(
            trimmed(
                "1\t5\t.\tA\tC,G\t.\t.\t.\tGT:PL\t0/1/1:9,8,7,6,5,4,3,2,1,0",
                &[1]
            ),
            "1\t5\t.\tA\tC\t.\t.\t.\tGT:PL\t0/1/1:3,2,1,0"
        );
    }

    proptest! {
        /// A likelihood named after its genotype is found under the new numbers of its alleles.
        #[test]
        fn likelihoods_keep_their_genotypes(
            alternates in 1usize..5,
            ploidy in 1usize..4,
            mask in 0u8..16,
        ) {
            let failing: Vec<usize> = (0..alternates).filter(|at| mask >> at & 1 == 1).collect();
            prop_assume!(failing.len() < alternates);
            fn all(alleles: usize, ploidy: usize) -> Vec<Vec<usize>> {
                if ploidy == 0 {
                    return vec![Vec::new()];
                }
                let genotypes = (0..alleles).flat_map(|last| {
                    all(last + 1, ploidy - 1).into_iter().map(move |mut rest| {
                        rest.push(last);
                        rest
                    })
                });
                genotypes.collect()
            }
            let plan = Plan::new((0..=alternates).map(|a| a == 0 || !failing.contains(&(a - 1))).collect());
            let names: Vec<String> = all(alternates + 1, ploidy)
                .iter()
                .map(|genotype| genotype.iter().map(usize::to_string).collect::<Vec<_>>().join("/"))
                .collect();
            let kept = plan.subset(names.join(",").as_bytes(), Number::G, ploidy).unwrap();
            let renamed: Vec<String> = String::from_utf8(kept)
                .unwrap()
                .split(',')
                .map(|name| {
                    let (text, lost) = plan.genotype(name.as_bytes());
                    assert!(!lost);
                    String::from_utf8(text).unwrap()
                })
                .collect();
            let expected: Vec<String> = all(alternates + 1 - failing.len(), ploidy)
                .iter()
                .map(|genotype| genotype.iter().map(usize::to_string).collect::<Vec<_>>().join("/"))
                .collect();
            prop_assert_eq!(renamed, expected);
        }
    }
}
