//! Which reads are looked at, as users of samtools say it.

use std::str::FromStr;

use super::read::ReadFlags;

/// A condition on flags and mapping quality that every read must meet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadFilter {
    /// Lowest mapping quality, as `samtools view -q` has it.
    pub min_mapping_quality: u8,
    /// Flags of which a read must have all, as `samtools view -f` has it.
    pub required: FlagSet,
    /// Flags of which a read must have none, as `samtools view -F` has it.
    pub excluded: FlagSet,
}

impl ReadFilter {
    /// Returns true if a read with these flags and this mapping quality is looked at.
    pub fn passes(&self, flags: ReadFlags, mapping_quality: u8) -> bool {
        mapping_quality >= self.min_mapping_quality
            && flags.0 & self.required.0 == self.required.0
            && flags.0 & self.excluded.0 == 0
    }

    /// The first reason why a read is not looked at; `None` for one that passes.
    pub fn refusal(&self, flags: ReadFlags, mapping_quality: u8) -> Option<Refusal> {
        let excluded = FlagSet(flags.0 & self.excluded.0);
        if excluded.0 != 0 {
            let mut named = Refusal::OF_FLAGS.into_iter();
            let found = named.find(|(bit, _)| excluded.0 & bit != 0);
            Some(found.map_or(Refusal::OtherFlag, |(_, refusal)| refusal))
        } else if flags.0 & self.required.0 != self.required.0 {
            Some(Refusal::LacksFlag)
        } else {
            (mapping_quality < self.min_mapping_quality).then_some(Refusal::MappingQuality)
        }
    }
}

/// Why a read is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// It is unmapped.
    Unmapped,
    /// Another alignment of it is the primary one.
    Secondary,
    /// A part of it that aligns elsewhere.
    Supplementary,
    /// It fails the sequencer's quality checks.
    QualityChecks,
    /// It repeats another read.
    Duplicate,
    /// It has another flag that is excluded.
    OtherFlag,
    /// It lacks a flag that is required.
    LacksFlag,
    /// Its mapping quality is too low.
    MappingQuality,
}

impl Refusal {
    /// The refusals that a flag stands for, by its bit.
    const OF_FLAGS: [(u16, Self); 5] = [
        (0x4, Self::Unmapped),
        (0x100, Self::Secondary),
        (0x800, Self::Supplementary),
        (0x200, Self::QualityChecks),
        (0x400, Self::Duplicate),
    ];

    /// The reason as an adjective.
    pub fn text(self) -> &'static str {
        match self {
            Self::Unmapped => "unmapped",
            Self::Secondary => "secondary",
            Self::Supplementary => "supplementary",
            Self::QualityChecks => "failing quality checks",
            Self::Duplicate => "duplicate",
            Self::OtherFlag => "with an excluded flag",
            Self::LacksFlag => "without a required flag",
            Self::MappingQuality => "of low MAPQ",
        }
    }
}

/// SAM flag bits. Read from text as samtools reads them: a number (decimal, `0x` hexadecimal, `0`
/// octal) or names with commas between them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlagSet(pub u16);

impl FlagSet {
    /// Unmapped, secondary, QC-fail, duplicate and supplementary: what callers leave out.
    pub const UNUSABLE: Self = Self(0xf04);
}

/// The names of samtools, lowest bit first.
const NAMES: [&str; 12] = [
    "PAIRED",
    "PROPER_PAIR",
    "UNMAP",
    "MUNMAP",
    "REVERSE",
    "MREVERSE",
    "READ1",
    "READ2",
    "SECONDARY",
    "QCFAIL",
    "DUP",
    "SUPPLEMENTARY",
];

/// Text that names no flags.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{found}` is no flag: expected a number below 4096 (0x404) or names out of {}", NAMES.join(","))]
pub struct FlagError {
    /// The part that is not understood.
    found: String,
}

impl FromStr for FlagSet {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        let fail = |found: &str| FlagError {
            found: found.to_owned(),
        };
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let (digits, radix) = match text.as_bytes() {
                [b'0', b'x' | b'X', ..] => (&text[2..], 16),
                [b'0', _, ..] => (&text[1..], 8),
                _ => (text, 10),
            };
            return u16::from_str_radix(digits, radix)
                .ok()
                .filter(|bits| *bits < 1 << NAMES.len())
                .map(Self)
                .ok_or_else(|| fail(text));
        }
        text.split(',').try_fold(Self(0), |flags, name| {
            let at = NAMES
                .iter()
                .position(|known| known.eq_ignore_ascii_case(name))
                .ok_or_else(|| fail(name))?;
            Ok(Self(flags.0 | 1 << at))
        })
    }
}

impl std::fmt::Display for FlagSet {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_spelled_as_samtools_spells_them() {
        for (text, bits) in [
            ("0", 0),
            ("1024", 0x400),
            ("0x704", 0x704),
            ("02000", 0x400),
            ("DUP", 0x400),
            ("unmap,SECONDARY,qcfail,dup", 0x704),
        ] {
            assert_eq!(text.parse(), Ok(FlagSet(bits)), "{text}");
        }
        for text in ["", "4096", "0x", "-1", "DUPE", "DUP,", "1,2", "08"] {
            assert!(text.parse::<FlagSet>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_refusal_names_its_reason() {
        let filter = ReadFilter {
            min_mapping_quality: 20,
            required: FlagSet(0x2),
            excluded: FlagSet(FlagSet::UNUSABLE.0 | 0x8),
        };
        for (flags, mapping_quality, refusal) in [
            (0x402, 0, Refusal::Duplicate),
            (0x502, 60, Refusal::Secondary),
            (0x802, 60, Refusal::Supplementary),
            (0xa, 60, Refusal::OtherFlag),
            (0x1, 0, Refusal::LacksFlag),
            (0x2, 19, Refusal::MappingQuality),
        ] {
            let found = filter.refusal(ReadFlags(flags), mapping_quality);
            assert_eq!(found, Some(refusal));
        }
    }

    #[test]
    fn all_required_and_none_excluded() {
        let filter = ReadFilter {
            min_mapping_quality: 20,
            required: FlagSet(0x3),
            excluded: FlagSet::UNUSABLE,
        };
        for (flags, mapping_quality, passes) in [
            (0x3, 20, true),
            (0x53, 60, true),
            (0x3, 19, false),
            (0x1, 60, false),
            (0x403, 60, false),
        ] {
            assert_eq!(
                filter.passes(ReadFlags(flags), mapping_quality),
                passes,
                "{flags:#x} {mapping_quality}"
            );
            let refusal = filter.refusal(ReadFlags(flags), mapping_quality);
            assert_eq!(refusal.is_none(), passes, "{refusal:?}");
        }
        assert!(ReadFilter::default().passes(ReadFlags(0xfff), 0));
    }
}
