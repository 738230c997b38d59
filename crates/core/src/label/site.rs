//! One record as the comparison takes it.

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
    /// Reads a GT value (`0/1`, `1|2`, `./.`, `1`, `.`); what is no number counts as missing.
    pub fn parse_genotype(text: &[u8]) -> Vec<Option<u16>> {
        text.split(|byte| matches!(byte, b'/' | b'|'))
            .map(|allele| std::str::from_utf8(allele).ok()?.parse().ok())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genotypes() {
        for (text, expected) in [
            ("0/1", &[Some(0), Some(1)][..]),
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
