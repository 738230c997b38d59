//! A call's place and alleles.

use std::fmt;

/// The position and alleles of one VCF record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Contig name as the VCF spells it.
    pub contig: String,
    /// 0-based position of the first reference base.
    pub start: u64,
    /// One past the last reference position the record speaks of: `start` + length of REF, or
    /// INFO/END where there is one (VCF specification, section 1.6.1).
    pub end: u64,
    /// REF in upper case.
    pub reference: Vec<u8>,
    /// The ALT alleles in upper case (symbolic ones as written); empty where the VCF has `.`.
    pub alternates: Vec<Vec<u8>>,
}

/// Kind of a record or of one ALT, for scoring and filtering.
///
/// Two rules give it. Scores, labels and filters of our own networks take [`record_kind`] for a record
/// and [`super::Edit::is_indel`] for an ALT: an MNP counts with the SNPs, and a record with any ALT of
/// another length is an INDEL. GATK's networks were trained with `encode::kind::gatk_kind`,
/// for which MNPs and mixed records are [`VariantKind::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VariantKind {
    /// Bases in the place of as many others; by GATK's rule of one base only.
    Snp,
    /// Another number of bases than REF; by GATK's rule in every ALT.
    Indel,
    /// No ALT is spelled in bases; by GATK's rule also MNPs and mixtures.
    Other,
}

impl VariantKind {
    /// The kind as tables and messages name it.
    pub fn name(self) -> &'static str {
        match self {
            VariantKind::Snp => "SNP",
            VariantKind::Indel => "INDEL",
            VariantKind::Other => "other",
        }
    }
}

impl fmt::Display for VariantKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Variant {
    /// Returns true if an allele is spelled in bases (`ACGTN`, or another IUPAC letter), as opposed to
    /// symbolic (`<DEL>`), a breakend, `*` or `.`.
    pub fn is_sequence(allele: &[u8]) -> bool {
        !allele.is_empty() && allele.iter().all(u8::is_ascii_alphabetic)
    }
}

impl fmt::Display for Variant {
    /// `contig:position REF>ALT`, with the position 1-based as in the VCF.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |allele: &[u8]| String::from_utf8_lossy(allele).into_owned();
        let alternates: Vec<String> = self.alternates.iter().map(|a| text(a)).collect();
        write!(
            f,
            "{}:{} {}>{}",
            self.contig,
            self.start + 1,
            text(&self.reference),
            if alternates.is_empty() {
                ".".to_owned()
            } else {
                alternates.join(",")
            }
        )
    }
}

/// SNP or INDEL, as the figures split records: an INDEL when any ALT spelled in bases has another
/// length than REF, a SNP when all have its length (MNPs therefore count as SNPs), and
/// [`VariantKind::Other`] when no ALT is spelled in bases. Symbolic ALTs and `*` have no say.
///
/// This is hap.py's BVT for whatever a caller of diploid genomes writes.
pub fn record_kind(reference: &[u8], alternates: &[Vec<u8>]) -> VariantKind {
    let changes_length = alternates
        .iter()
        .filter(|alternate| Variant::is_sequence(alternate))
        .map(|alternate| alternate.len() != reference.len())
        .max();
    match changes_length {
        Some(true) => VariantKind::Indel,
        Some(false) => VariantKind::Snp,
        None => VariantKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (reference, alternates, kind) in [
            ("A", &["C"][..], VariantKind::Snp),
            ("AC", &["GT"], VariantKind::Snp),
            ("A", &["C", "*"], VariantKind::Snp),
            ("A", &["C", "<NON_REF>"], VariantKind::Snp),
            ("A", &["C", "AT"], VariantKind::Indel),
            ("AT", &["A"], VariantKind::Indel),
            ("AT", &["*"], VariantKind::Other),
            ("A", &[], VariantKind::Other),
        ] {
            let alternates: Vec<Vec<u8>> =
                alternates.iter().map(|a| a.as_bytes().to_vec()).collect();
            assert_eq!(
                record_kind(reference.as_bytes(), &alternates),
                kind,
                "{reference} {alternates:?}"
            );
        }
    }
}
