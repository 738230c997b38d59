//! SNP, INDEL or other, as GATK's networks were told.

use crate::genome::{Variant, VariantKind};

/// The kind of a record by GATK's rule: each ALT is a SNP (one base for one), an MNP (equal
/// lengths) or an INDEL; a record whose ALTs differ in that is mixed. MNPs, mixed records and
/// records without ALT are [`VariantKind::Other`]. Lengths are those of the allele's text, so `*`
/// is a SNP beside a REF of one base and an INDEL beside a longer one, and a symbolic allele is
/// an INDEL.
///
/// Follows `determine_polymorphic_type` of GATK's `scorevariants/readers.py` (2c15b15f38).
pub fn gatk_kind(variant: &Variant) -> VariantKind {
    let reference = variant.reference.len();
    let mut kinds = variant
        .alternates
        .iter()
        .filter(|alternate| **alternate != variant.reference)
        .map(
            |alternate| match (alternate.len() == reference, reference) {
                (true, 1) => VariantKind::Snp,
                (true, _) => VariantKind::Other,
                (false, _) => VariantKind::Indel,
            },
        );
    match kinds.next() {
        Some(first) if kinds.all(|kind| kind == first) => first,
        _ => VariantKind::Other,
    }
}

/// Returns true if reads are sorted by the base at POS (rather than by what follows it): REF is one base
/// and every ALT one of `A C G T N *`.
///
/// Follows `variant_is_snp` of GATK's `scorevariants/utilities.py` (6afe33ed44).
pub fn gatk_sorts_by_base(variant: &Variant) -> bool {
    variant.reference.len() == 1
        && !variant.alternates.is_empty()
        && variant.alternates.iter().all(|alternate| {
            matches!(
                alternate.as_slice(),
                [b'A' | b'C' | b'G' | b'T' | b'N' | b'*']
            )
        })
}

/// Why a call gets no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// ALT is `.`.
    NoAlternate,
    /// No ALT is spelled in bases: all are symbolic (`<DEL>`, `<NON_REF>`), breakends or `*`.
    NoSequence,
    /// POS is 0, the telomere.
    Telomere,
    /// The contig is not in the reference.
    ContigNotInReference,
    /// The contig is not in the reads' header.
    ContigNotInReads,
}

impl Skip {
    /// The reason as the summary prints it.
    pub fn reason(self) -> &'static str {
        match self {
            Skip::NoAlternate => "no ALT allele",
            Skip::NoSequence => "no ALT spelled in bases (symbolic, breakend or `*` only)",
            Skip::Telomere => "POS is 0",
            Skip::ContigNotInReference => "contig not in the reference",
            Skip::ContigNotInReads => "contig not in the reads",
        }
    }
}

/// Returns true if the alleles of a record can be scored at all.
pub fn scorable(variant: &Variant) -> Result<(), Skip> {
    if variant.alternates.is_empty() {
        Err(Skip::NoAlternate)
    } else if !variant.alternates.iter().any(|a| Variant::is_sequence(a)) {
        Err(Skip::NoSequence)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(reference: &str, alternates: &[&str]) -> Variant {
        Variant {
            contig: "1".into(),
            start: 9,
            end: 9 + reference.len() as u64,
            reference: reference.into(),
            alternates: alternates.iter().map(|a| a.as_bytes().to_vec()).collect(),
        }
    }

    #[test]
    fn kinds_are_gatks() {
        use VariantKind::*;
        for (reference, alternates, kind) in [
            ("A", &["C"][..], Snp),
            ("A", &["C", "G"], Snp),
            ("A", &["C", "*"], Snp),
            ("A", &["AT"], Indel),
            ("AT", &["A", "*"], Indel),
            ("AT", &["A", "ATT"], Indel),
            ("AT", &["GC"], Other),
            ("A", &["C", "AT"], Other),
            ("A", &["C", "<NON_REF>"], Other),
            ("A", &[], Other),
        ] {
            assert_eq!(
                gatk_kind(&variant(reference, alternates)),
                kind,
                "{reference} {alternates:?}"
            );
        }
    }

    #[test]
    fn only_plain_bases_sort_by_base() {
        assert!(gatk_sorts_by_base(&variant("A", &["C", "*"])));
        assert!(!gatk_sorts_by_base(&variant("A", &["C", "AT"])));
        assert!(!gatk_sorts_by_base(&variant("A", &["R"])));
        assert!(!gatk_sorts_by_base(&variant("A", &[])));
    }

    #[test]
    fn a_record_without_bases_is_left_alone() {
        assert_eq!(scorable(&variant("A", &[])), Err(Skip::NoAlternate));
        for alternate in ["*", "<DEL>", "<NON_REF>", "<*>", "G]17:198982]", "."] {
            assert_eq!(
                scorable(&variant("A", &[alternate])),
                Err(Skip::NoSequence),
                "{alternate}"
            );
        }
        assert_eq!(scorable(&variant("A", &["<NON_REF>", "C"])), Ok(()));
    }
}
