//! The classes by which records are split: kind, label, size, ALT fraction, depth, zygosity.
//!
//! Each class is a few bits of one `u32` per record ([`ClassBits`]), so that five million records with all
//! their classes take 20 MB.

use cnnfilter_core::genome::VariantKind;
use cnnfilter_core::label::RecordLabel;
use serde::Serialize;

/// SNP or indel; every figure is given for the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Every ALT has the length of REF (MNPs are counted here, as hap.py does).
    Snp,
    /// An ALT has another length.
    Indel,
}

impl Kind {
    /// Both kinds, in the order of every output.
    pub const ALL: [Kind; 2] = [Kind::Snp, Kind::Indel];

    /// The kind of a record that has figures; `None` for one that is neither SNP nor indel.
    pub fn from_variant(kind: VariantKind) -> Option<Self> {
        match kind {
            VariantKind::Snp => Some(Kind::Snp),
            VariantKind::Indel => Some(Kind::Indel),
            VariantKind::Other => None,
        }
    }

    /// `SNP` or `INDEL`.
    pub fn name(self) -> &'static str {
        VariantKind::from(self).name()
    }
}

impl From<Kind> for VariantKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Snp => VariantKind::Snp,
            Kind::Indel => VariantKind::Indel,
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The truth's verdict on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Outside the confident regions, or no truth at hand.
    Unjudged,
    /// Real, under the match rule of the evaluation.
    True,
    /// Not real, under the match rule of the evaluation.
    False,
}

impl From<RecordLabel> for Label {
    fn from(label: RecordLabel) -> Self {
        match label {
            RecordLabel::True => Label::True,
            RecordLabel::False => Label::False,
            RecordLabel::Unjudged(_) => Label::Unjudged,
        }
    }
}

/// The state of a call's FILTER column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterState {
    /// No filter was applied (`.`); counted as passing, as hap.py does.
    Unfiltered,
    /// `PASS`.
    Pass,
    /// Any other name.
    Filtered,
}

/// Length class of an allele with hap.py's names: insertion (I), deletion (D) or complex (C); 1–5, 6–15,
/// 16 and more bases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SizeClass {
    /// Not an indel.
    None,
    /// Insertion of 1–5 bases.
    I1To5,
    /// Insertion of 6–15 bases.
    I6To15,
    /// Insertion of 16 bases or more.
    I16Plus,
    /// Deletion of 1–5 bases.
    D1To5,
    /// Deletion of 6–15 bases.
    D6To15,
    /// Deletion of 16 bases or more.
    D16Plus,
    /// Insertion and deletion, or a multi-base substitution, whose longer side has 1–5 bases.
    C1To5,
    /// As `C1To5`, 6–15 bases.
    C6To15,
    /// As `C1To5`, 16 bases or more.
    C16Plus,
}

impl SizeClass {
    /// The nine classes of indels, in the order of every output.
    pub const INDELS: [SizeClass; 9] = [
        SizeClass::I1To5,
        SizeClass::I6To15,
        SizeClass::I16Plus,
        SizeClass::D1To5,
        SizeClass::D6To15,
        SizeClass::D16Plus,
        SizeClass::C1To5,
        SizeClass::C6To15,
        SizeClass::C16Plus,
    ];

    /// Class of an allele from the numbers of bases it inserts and deletes once the prefix and suffix
    /// common to REF and ALT are trimmed. `(1, 1)` is a SNP and has no class.
    pub fn from_trimmed(inserted: usize, deleted: usize) -> Self {
        use SizeClass::*;
        let by_length = |classes: [SizeClass; 3]| match inserted.max(deleted) {
            0..=5 => classes[0],
            6..=15 => classes[1],
            _ => classes[2],
        };
        match (inserted, deleted) {
            (0, 0) | (1, 1) => None,
            (_, 0) => by_length([I1To5, I6To15, I16Plus]),
            (0, _) => by_length([D1To5, D6To15, D16Plus]),
            _ => by_length([C1To5, C6To15, C16Plus]),
        }
    }

    /// hap.py's name of the subtype, `.` for a SNP.
    pub fn name(self) -> &'static str {
        match self {
            SizeClass::None => ".",
            SizeClass::I1To5 => "I1_5",
            SizeClass::I6To15 => "I6_15",
            SizeClass::I16Plus => "I16_PLUS",
            SizeClass::D1To5 => "D1_5",
            SizeClass::D6To15 => "D6_15",
            SizeClass::D16Plus => "D16_PLUS",
            SizeClass::C1To5 => "C1_5",
            SizeClass::C6To15 => "C6_15",
            SizeClass::C16Plus => "C16_PLUS",
        }
    }
}

/// Lower edges of the ALT fraction classes: [0, .2), [.2, .35), [.35, .65), [.65, .9), [.9, 1].
pub const ALT_FRACTION_EDGES: [f32; 5] = [0.0, 0.2, 0.35, 0.65, 0.9];
/// Names of the ALT fraction classes.
pub const ALT_FRACTION_NAMES: [&str; 5] =
    ["0-0.20", "0.20-0.35", "0.35-0.65", "0.65-0.90", "0.90-1"];
/// Lower edges of the depth classes, in reads.
pub const DEPTH_EDGES: [f32; 5] = [0.0, 10.0, 20.0, 40.0, 80.0];
/// Names of the depth classes.
pub const DEPTH_NAMES: [&str; 5] = ["0-9", "10-19", "20-39", "40-79", "80+"];

/// Class of a value among five half-open ranges; `None` where the record does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RangeClass(u8);

impl RangeClass {
    /// The record does not carry the value.
    pub const UNKNOWN: RangeClass = RangeClass(0);

    /// Class `index` (0 to 4) of the ranges.
    pub(crate) fn known(index: u8) -> Self {
        RangeClass(index + 1)
    }

    /// Class of the fraction of reads with the ALT allele, 0 to 1; NaN or a negative value is unknown.
    pub fn alt_fraction(fraction: f32) -> Self {
        Self::from_edges(fraction, &ALT_FRACTION_EDGES)
    }

    /// Class of the read depth; NaN or a negative value is unknown.
    pub fn depth(reads: f32) -> Self {
        Self::from_edges(reads, &DEPTH_EDGES)
    }

    fn from_edges(value: f32, edges: &[f32; 5]) -> Self {
        let mut class = 0;
        for (rank, &edge) in (1_u8..).zip(edges) {
            if value >= edge {
                class = rank;
            }
        }
        RangeClass(class)
    }
}

/// Genotype class of a call in its sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zygosity {
    /// No genotype, or homozygous reference.
    Unknown,
    /// Two different alleles, at least one of them ALT.
    Het,
    /// Two or more copies of one ALT allele, or a haploid call.
    HomAlt,
}

/// Transition or transversion, for SNPs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substitution {
    /// Not a single-base substitution between A, C, G and T.
    None,
    /// A↔G or C↔T.
    Transition,
    /// Any other.
    Transversion,
}

impl Substitution {
    /// Class of a substitution of `reference` by `alternate`, ASCII bases of either case.
    pub fn from_bases(reference: u8, alternate: u8) -> Self {
        let purine = |base: u8| match base.to_ascii_uppercase() {
            b'A' | b'G' => Some(true),
            b'C' | b'T' => Some(false),
            _ => None,
        };
        match (purine(reference), purine(alternate)) {
            (Some(_), Some(_)) if reference.eq_ignore_ascii_case(&alternate) => Self::None,
            (Some(a), Some(b)) if a == b => Self::Transition,
            (Some(_), Some(_)) => Self::Transversion,
            _ => Self::None,
        }
    }
}

/// The classes of one record in the bits of a `u32`:
/// 0 kind, 1–2 label, 3–4 filter, 5–8 size, 9–11 ALT fraction, 12–14 depth, 15–16 zygosity,
/// 17–18 substitution. Bit 31 belongs to `ranking`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassBits(pub(crate) u32);

/// The classes of one record, spelled out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Classes {
    /// SNP or indel.
    pub kind: Kind,
    /// The truth's verdict.
    pub label: Label,
    /// The state of the FILTER column.
    pub filter: FilterState,
    /// Length class.
    pub size: SizeClass,
    /// Class of the fraction of reads with the ALT allele.
    pub alt_fraction: RangeClass,
    /// Class of the depth.
    pub depth: RangeClass,
    /// Genotype class.
    pub zygosity: Zygosity,
    /// Transition or transversion.
    pub substitution: Substitution,
}

pub(crate) const KIND_MASK: u32 = 1;
pub(crate) const LABEL_MASK: u32 = 0b11 << 1;
pub(crate) const TRUE_BIT: u32 = 1 << 1;
pub(crate) const FALSE_BIT: u32 = 1 << 2;
const FILTER_SHIFT: u32 = 3;
const SIZE_SHIFT: u32 = 5;
const ALT_FRACTION_SHIFT: u32 = 9;
const DEPTH_SHIFT: u32 = 12;
const ZYGOSITY_SHIFT: u32 = 15;
const SUBSTITUTION_SHIFT: u32 = 17;

/// Mask and value of [`ClassBits`] for one class.
pub(crate) type BitTest = (u32, u32);

pub(crate) fn kind_bits(kind: Kind) -> BitTest {
    (KIND_MASK, kind as u32)
}
pub(crate) fn size_bits(size: SizeClass) -> BitTest {
    (0b1111 << SIZE_SHIFT, (size as u32) << SIZE_SHIFT)
}
pub(crate) fn alt_fraction_bits(class: RangeClass) -> BitTest {
    (
        0b111 << ALT_FRACTION_SHIFT,
        u32::from(class.0) << ALT_FRACTION_SHIFT,
    )
}
pub(crate) fn depth_bits(class: RangeClass) -> BitTest {
    (0b111 << DEPTH_SHIFT, u32::from(class.0) << DEPTH_SHIFT)
}
pub(crate) fn zygosity_bits(zygosity: Zygosity) -> BitTest {
    (0b11 << ZYGOSITY_SHIFT, (zygosity as u32) << ZYGOSITY_SHIFT)
}

impl From<Classes> for ClassBits {
    fn from(c: Classes) -> Self {
        let label = match c.label {
            Label::Unjudged => 0,
            Label::True => TRUE_BIT,
            Label::False => FALSE_BIT,
        };
        Self(
            c.kind as u32
                | label
                | (c.filter as u32) << FILTER_SHIFT
                | size_bits(c.size).1
                | alt_fraction_bits(c.alt_fraction).1
                | depth_bits(c.depth).1
                | zygosity_bits(c.zygosity).1
                | (c.substitution as u32) << SUBSTITUTION_SHIFT,
        )
    }
}

impl ClassBits {
    /// SNP or indel.
    pub fn kind(self) -> Kind {
        Kind::ALL[(self.0 & KIND_MASK) as usize]
    }

    /// The truth's verdict.
    pub fn label(self) -> Label {
        match self.0 & LABEL_MASK {
            TRUE_BIT => Label::True,
            FALSE_BIT => Label::False,
            _ => Label::Unjudged,
        }
    }

    /// True where FILTER is `PASS` or `.`.
    pub fn passes(self) -> bool {
        (self.0 >> FILTER_SHIFT) & 0b11 != FilterState::Filtered as u32
    }

    /// Genotype class.
    pub fn zygosity(self) -> Zygosity {
        match (self.0 >> ZYGOSITY_SHIFT) & 0b11 {
            1 => Zygosity::Het,
            2 => Zygosity::HomAlt,
            _ => Zygosity::Unknown,
        }
    }

    /// Transition or transversion.
    pub fn substitution(self) -> Substitution {
        match (self.0 >> SUBSTITUTION_SHIFT) & 0b11 {
            1 => Substitution::Transition,
            2 => Substitution::Transversion,
            _ => Substitution::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_give_back_what_was_put_in() {
        for kind in Kind::ALL {
            for label in [Label::Unjudged, Label::True, Label::False] {
                for size in SizeClass::INDELS {
                    for (filter, passes) in [
                        (FilterState::Unfiltered, true),
                        (FilterState::Pass, true),
                        (FilterState::Filtered, false),
                    ] {
                        let bits = ClassBits::from(Classes {
                            kind,
                            label,
                            filter,
                            size,
                            alt_fraction: RangeClass::alt_fraction(1.0),
                            depth: RangeClass::depth(1e6),
                            zygosity: Zygosity::HomAlt,
                            substitution: Substitution::Transversion,
                        });
                        assert_eq!(bits.kind(), kind);
                        assert_eq!(bits.label(), label);
                        assert_eq!(bits.passes(), passes);
                        assert_eq!(bits.zygosity(), Zygosity::HomAlt);
                        assert_eq!(bits.substitution(), Substitution::Transversion);
                        let (mask, value) = size_bits(size);
                        assert_eq!(bits.0 & mask, value);
                    }
                }
            }
        }
    }

    #[test]
    fn sizes_follow_happy() {
        for (inserted, deleted, name) in [
            (1, 1, "."),
            (1, 0, "I1_5"),
            (5, 0, "I1_5"),
            (6, 0, "I6_15"),
            (15, 0, "I6_15"),
            (16, 0, "I16_PLUS"),
            (0, 5, "D1_5"),
            (0, 15, "D6_15"),
            (0, 16, "D16_PLUS"),
            (2, 2, "C1_5"),
            (2, 7, "C6_15"),
            (20, 1, "C16_PLUS"),
        ] {
            assert_eq!(SizeClass::from_trimmed(inserted, deleted).name(), name);
        }
    }

    #[test]
    fn ranges_are_half_open_and_nan_is_unknown() {
        assert_eq!(RangeClass::alt_fraction(f32::NAN), RangeClass::UNKNOWN);
        assert_eq!(RangeClass::alt_fraction(-1.0), RangeClass::UNKNOWN);
        assert_eq!(RangeClass::alt_fraction(0.0), RangeClass::known(0));
        assert_eq!(RangeClass::alt_fraction(0.2), RangeClass::known(1));
        assert_eq!(RangeClass::depth(9.0), RangeClass::known(0));
        assert_eq!(RangeClass::depth(80.0), RangeClass::known(4));
    }

    #[test]
    fn transitions_stay_within_purines_or_pyrimidines() {
        assert_eq!(
            Substitution::from_bases(b'a', b'G'),
            Substitution::Transition
        );
        assert_eq!(
            Substitution::from_bases(b'C', b'T'),
            Substitution::Transition
        );
        assert_eq!(
            Substitution::from_bases(b'A', b'C'),
            Substitution::Transversion
        );
        assert_eq!(Substitution::from_bases(b'A', b'a'), Substitution::None);
        assert_eq!(Substitution::from_bases(b'N', b'A'), Substitution::None);
    }
}
