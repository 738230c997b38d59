//! Genotypes (GT), read and written back; the one reader for all commands.

/// One allele of a genotype as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenotypeAllele {
    /// `/` or `|` in front of it; the first one has it since VCF 4.4 only, and need not.
    pub separator: Option<u8>,
    /// 0 for REF, 1 and up for the ALTs; nothing for `.` and for what is no number.
    pub number: Option<usize>,
}

/// A genotype of any ploidy, phased or not: `0/1`, `1|.`, `1`, `./.`, and with the leading phase of
/// VCF 4.4 (section 1.6.2) `/0/1`, `|0|1`, `|1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Genotype {
    /// The alleles, in order; none where the value is empty.
    pub alleles: Vec<GenotypeAllele>,
}

impl Genotype {
    /// Reads a GT value.
    pub fn parse(value: &[u8]) -> Self {
        let mut alleles = Vec::new();
        let mut separator = None;
        let mut start = 0;
        for (at, byte) in value.iter().enumerate().chain([(value.len(), &b'/')]) {
            if !b"/|".contains(byte) {
                continue;
            }
            // Nothing stands in front of a leading separator.
            if at > start || !alleles.is_empty() {
                let text = std::str::from_utf8(&value[start..at]).ok();
                alleles.push(GenotypeAllele {
                    separator,
                    number: text.and_then(|text| text.parse().ok()),
                });
            }
            separator = Some(*byte);
            start = at + 1;
        }
        Self { alleles }
    }

    /// The value as it is written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for allele in &self.alleles {
            text.extend(allele.separator);
            match allele.number {
                Some(number) => text.extend(number.to_string().bytes()),
                None => text.push(b'.'),
            }
        }
        text
    }

    /// The numbers of the alleles, in order.
    pub fn numbers(&self) -> impl Iterator<Item = Option<usize>> {
        self.alleles.iter().map(|allele| allele.number)
    }

    /// Number of alleles, called or not.
    pub fn ploidy(&self) -> usize {
        self.alleles.len()
    }

    /// Returns true if an allele is an ALT.
    pub fn carries_alternate(&self) -> bool {
        self.numbers().flatten().any(|number| number > 0)
    }

    /// Returns true if no allele is called.
    pub fn is_missing(&self) -> bool {
        self.numbers().all(|number| number.is_none())
    }

    /// Returns true if the order of the alleles says which haplotype each lies on: there are two or more, and
    /// every separator is `|`.
    pub fn is_phased(&self) -> bool {
        let separators = self.alleles.iter().filter_map(|allele| allele.separator);
        self.alleles.len() > 1 && separators.into_iter().all(|separator| separator == b'|')
    }
}

/// Number of genotypes of so many alleles (REF included) at a ploidy, as lists with Number=G have
/// values: `alleles + ploidy - 1` over `ploidy`; nothing where that is huge.
pub fn count_genotypes(alleles: usize, ploidy: usize) -> Option<usize> {
    let mut count = 1usize;
    for at in 1..=ploidy {
        count = count.checked_mul(alleles + at - 1)? / at;
    }
    (count <= 1 << 20).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_back() {
        for value in [
            "0/1", "1|.", "1", ".", "0/1/2", "0|1/2", "|0|1", "/0/1", "|1", "./.", "",
        ] {
            let genotype = Genotype::parse(value.as_bytes());
            assert_eq!(genotype.to_bytes(), value.as_bytes(), "{value}");
        }
    }

    #[test]
    fn numbers_are_those_of_any_spelling() {
        for (value, numbers) in [
            ("0/1", &[Some(0), Some(1)][..]),
            ("/0/1", &[Some(0), Some(1)]),
            ("|0|1", &[Some(0), Some(1)]),
            ("10|2", &[Some(10), Some(2)]),
            ("./1", &[None, Some(1)]),
            ("1", &[Some(1)]),
            ("|1", &[Some(1)]),
            (".", &[None]),
            ("0/x", &[Some(0), None]),
            ("", &[]),
        ] {
            let found: Vec<_> = Genotype::parse(value.as_bytes()).numbers().collect();
            assert_eq!(found, numbers, "{value}");
        }
    }

    #[test]
    fn phase_needs_a_bar_everywhere() {
        for (value, phased) in [
            ("0|1", true),
            ("|0|1", true),
            ("/0|1", false),
            ("0/1", false),
            ("0|1/2", false),
            ("1", false),
            ("|1", false),
        ] {
            let genotype = Genotype::parse(value.as_bytes());
            assert_eq!(genotype.is_phased(), phased, "{value}");
        }
    }

    #[test]
    fn genotypes_are_counted_at_any_ploidy() {
        for (alleles, ploidy, count) in [(2, 2, 3), (3, 2, 6), (3, 1, 3), (3, 4, 15), (4, 3, 20)] {
            assert_eq!(count_genotypes(alleles, ploidy), Some(count));
        }
    }
}
