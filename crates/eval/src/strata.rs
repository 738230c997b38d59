//! The strata that figures are given for: BEDs and their complements, all difficult regions together, and
//! classes of size, ALT fraction, depth and genotype.

use rayon::prelude::*;

use super::classes::{
    ALT_FRACTION_NAMES, DEPTH_NAMES, FALSE_BIT, Kind, RangeClass, SizeClass, TRUE_BIT, Zygosity,
    alt_fraction_bits, depth_bits, kind_bits, size_bits, zygosity_bits,
};
use super::table::JudgedTable;

/// A subset of the records of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stratum {
    /// All records.
    All,
    /// Inside BED i.
    Bed(u8),
    /// Outside BED i.
    OutsideBed(u8),
    /// Inside at least one of the BEDs of the mask.
    Difficult(u32),
    /// Inside none of the BEDs of the mask.
    NotDifficult(u32),
    /// One length class; indels only.
    Size(SizeClass),
    /// One class of the fraction of reads with the ALT allele, 0 to 4.
    AltFraction(u8),
    /// One class of depth, 0 to 4.
    Depth(u8),
    /// Heterozygous or homozygous ALT.
    Genotype(Zygosity),
}

/// A branch-free test of membership: `((strata & mask) != 0) == inside && (bits & class_mask) == class_value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    mask: u32,
    inside: bool,
    class_mask: u32,
    class_value: u32,
}

impl Membership {
    #[inline(always)]
    pub(crate) fn contains(self, strata: u32, bits: u32) -> bool {
        (((strata & self.mask) != 0) == self.inside)
            & ((bits & self.class_mask) == self.class_value)
    }
}

impl Stratum {
    /// Every stratum that the table can have for `kind`, in the order of every output.
    ///
    /// `difficult` are the BEDs (bits) whose union is "difficult"; with fewer than two of them the union
    /// says nothing new and is left out.
    pub(crate) fn enumerate(table: &JudgedTable, kind: Kind, difficult: u32) -> Vec<Stratum> {
        let mut strata = vec![Stratum::All];
        let difficult = difficult & Self::every_bed(table);
        if difficult.count_ones() > 1 {
            strata.push(Stratum::Difficult(difficult));
            strata.push(Stratum::NotDifficult(difficult));
        }
        for (bed, _) in (0_u8..).zip(table.strata_names()) {
            strata.push(Stratum::Bed(bed));
            strata.push(Stratum::OutsideBed(bed));
        }
        if kind == Kind::Indel {
            strata.extend(SizeClass::INDELS.map(Stratum::Size));
        }
        strata.extend((0..5).map(Stratum::AltFraction));
        strata.extend((0..5).map(Stratum::Depth));
        strata.extend([Zygosity::Het, Zygosity::HomAlt].map(Stratum::Genotype));
        strata
    }

    /// The mask of all BEDs of the table.
    pub(crate) fn every_bed(table: &JudgedTable) -> u32 {
        match table.strata_names().len() {
            0 => 0,
            n => u32::MAX >> (32 - n),
        }
    }

    /// Name in every output: `all`, `difficult`, `not:difficult`, the BED's name, `not:NAME`, `size:I1_5`,
    /// `alt_fraction:0.20-0.35`, `depth:10-19`, `genotype:het`.
    pub(crate) fn name(self, table: &JudgedTable) -> String {
        let bed = |i: u8| table.strata_names()[usize::from(i)].clone();
        match self {
            Stratum::All => "all".to_owned(),
            Stratum::Bed(i) => bed(i),
            Stratum::OutsideBed(i) => format!("not:{}", bed(i)),
            Stratum::Difficult(_) => "difficult".to_owned(),
            Stratum::NotDifficult(_) => "not:difficult".to_owned(),
            Stratum::Size(size) => format!("size:{}", size.name()),
            Stratum::AltFraction(i) => {
                format!("alt_fraction:{}", ALT_FRACTION_NAMES[usize::from(i)])
            }
            Stratum::Depth(i) => format!("depth:{}", DEPTH_NAMES[usize::from(i)]),
            Stratum::Genotype(Zygosity::Het) => "genotype:het".to_owned(),
            Stratum::Genotype(Zygosity::HomAlt) => "genotype:hom_alt".to_owned(),
            Stratum::Genotype(Zygosity::Unknown) => "genotype:unknown".to_owned(),
        }
    }

    /// True where the property exists for a truth variant that was never called: place, size and
    /// genotype do, depth and ALT fraction do not.
    pub(crate) fn is_known_for_missed(self) -> bool {
        !matches!(self, Stratum::AltFraction(_) | Stratum::Depth(_))
    }

    /// The test for records of any kind.
    pub(crate) fn membership(self) -> Membership {
        let inside = |mask: u32, inside: bool| Membership {
            mask,
            inside,
            class_mask: 0,
            class_value: 0,
        };
        let class = |(class_mask, class_value): (u32, u32)| Membership {
            mask: 0,
            inside: false,
            class_mask,
            class_value,
        };
        match self {
            Stratum::All => class((0, 0)),
            Stratum::Bed(i) => inside(1 << i, true),
            Stratum::OutsideBed(i) => inside(1 << i, false),
            Stratum::Difficult(mask) => inside(mask, true),
            Stratum::NotDifficult(mask) => inside(mask, false),
            Stratum::Size(size) => class(size_bits(size)),
            Stratum::AltFraction(i) => class(alt_fraction_bits(RangeClass::known(i))),
            Stratum::Depth(i) => class(depth_bits(RangeClass::known(i))),
            Stratum::Genotype(zygosity) => class(zygosity_bits(zygosity)),
        }
    }

    /// The test for records of `kind`.
    pub(crate) fn membership_of(self, kind: Kind) -> Membership {
        let (mask, value) = kind_bits(kind);
        let mut test = self.membership();
        test.class_mask |= mask;
        test.class_value |= value;
        test
    }
}

/// Numbers of judged calls and of missed truth variants in a stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    /// Calls that are true.
    pub n_true: u64,
    /// Calls that are false.
    pub n_false: u64,
    /// Truth variants that were never called; `None` where the stratum is not a property of the truth.
    pub missed: Option<u64>,
}

/// Counts the records of `kind` in each of `strata`.
pub(crate) fn count(table: &JudgedTable, kind: Kind, strata: &[Stratum]) -> Vec<Totals> {
    strata
        .par_iter()
        .map(|stratum| {
            let test = stratum.membership_of(kind);
            let (mut n_true, mut n_false) = (0, 0);
            for (&bits, &beds) in table.bits.iter().zip(&table.strata) {
                let member = test.contains(beds, bits);
                n_true += u64::from(member & (bits & TRUE_BIT != 0));
                n_false += u64::from(member & (bits & FALSE_BIT != 0));
            }
            let knows_missed = stratum.is_known_for_missed() && table.knows_missed;
            let missed = knows_missed.then(|| {
                table
                    .missed
                    .iter()
                    .filter(|&&(bits, beds)| test.contains(beds, bits))
                    .count() as u64
            });
            Totals {
                n_true,
                n_false,
                missed,
            }
        })
        .collect()
}
