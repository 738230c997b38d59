//! One record as the comparison takes it.

use crate::vcf::{Genotype, VcfRecord};

/// Place, alleles and genotype of one VCF record, of the calls or of the truth.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Site {
    /// 0-based position of the first base of REF.
    pub start: u64,
    /// REF, in either case.
    pub reference: Vec<u8>,
    /// The ALT alleles in the record's order: bases in either case, or `*`, `<...>`, breakends.
    pub alternates: Vec<Vec<u8>>,
    /// One sample's genotype as indices into REF (0) and the ALTs (1 and up), in the record's
    /// order, `None` for `.`; empty where the sample has none. One allele counts as two of it.
    /// Phase has no place here: as in hap.py and vcfeval, records may lie on the two haplotypes in
    /// any combination.
    pub genotype: Vec<Option<u16>>,
}

impl Site {
    /// Takes place, alleles and the sample's genotype from a record. POS 0 gives a site without
    /// ALT, which is not judged.
    pub fn from_record(record: &VcfRecord, sample: usize) -> Self {
        let Some(variant) = record.variant() else {
            return Self::default();
        };
        let genotype = record.sample_value(sample, b"GT").map(Self::parse_genotype);
        Self {
            start: variant.start,
            reference: variant.reference,
            alternates: variant.alternates,
            genotype: genotype.unwrap_or_default(),
        }
    }

    /// Reads a GT value ([`Genotype`]); an allele that is no number counts as missing, and so does an
    /// empty value.
    pub fn parse_genotype(text: &[u8]) -> Vec<Option<u16>> {
        let mut numbers: Vec<Option<u16>> = Genotype::parse(text)
            .numbers()
            .map(|number| number?.try_into().ok())
            .collect();
        if numbers.is_empty() {
            numbers.push(None);
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_sites() {
        let record = |line: &[u8]| VcfRecord::parse(line.to_vec(), 11).unwrap();
        let site = Site::from_record(&record(b"1\t5\t.\ta\tC,G\t.\t.\t.\tGT\t0/0\t1|2"), 1);
        assert_eq!((site.start, site.reference.as_slice()), (4, &b"A"[..]));
        assert_eq!(site.alternates, [b"C", b"G"]);
        assert_eq!(site.genotype, [Some(1), Some(2)]);
        let telomere = record(b"1\t0\t.\tN\tC\t.\t.\t.\tDP\t3\t4");
        assert_eq!(Site::from_record(&telomere, 0), Site::default());
    }

    #[test]
    fn genotypes() {
        for (text, expected) in [
            ("0/1", &[Some(0), Some(1)][..]),
            ("/0/1", &[Some(0), Some(1)]),
            ("|0|1", &[Some(0), Some(1)]),
            ("|1", &[Some(1)]),
            ("10|2", &[Some(10), Some(2)]),
            ("./1", &[None, Some(1)]),
            (".", &[None]),
            ("1", &[Some(1)]),
            ("0/1/1", &[Some(0), Some(1), Some(1)]),
            ("", &[None]),
            ("99999/x", &[None, None]),
        ] {
            assert_eq!(Site::parse_genotype(text.as_bytes()), expected, "{text}");
        }
    }
}
