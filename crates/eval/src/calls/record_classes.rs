//! The classes of a record: kind, size, zygosity, depth and the like.

use cnnfilter_core::genome::{Edit, Variant, record_kind};
use cnnfilter_core::label::{RecordLabel, Site};
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_core::vcf::record::parse_float;

use crate::classes::{
    Classes, FilterState, Kind, Label, RangeClass, SizeClass, Substitution, Zygosity,
};

/// The classes of a call; `None` where it is neither SNP nor indel.
pub(super) fn call_classes(
    record: &VcfRecord,
    variant: &Variant,
    label: RecordLabel,
    sample: usize,
) -> Option<Classes> {
    let (reference, alternates) = (&variant.reference, &variant.alternates);
    let genotype = record.sample_value(sample, b"GT").map(Site::parse_genotype);
    Some(Classes {
        kind: Kind::from_variant(record_kind(reference, alternates))?,
        label: label.into(),
        filter: match record.filter() {
            b"." => FilterState::Unfiltered,
            b"PASS" => FilterState::Pass,
            _ => FilterState::Filtered,
        },
        size: size(variant.start, reference, alternates),
        alt_fraction: alt_fraction(record, sample)
            .map_or(RangeClass::UNKNOWN, RangeClass::alt_fraction),
        depth: depth(record, sample).map_or(RangeClass::UNKNOWN, RangeClass::depth),
        zygosity: zygosity(&genotype.unwrap_or_default()),
        substitution: substitution(reference, alternates),
    })
}

/// The classes of a truth allele that no call gives; `None` where it is neither SNP nor indel.
pub(super) fn missed_classes(site: &Site, alternate: usize) -> Option<Classes> {
    let alternates = std::slice::from_ref(&site.alternates[alternate]);
    Some(Classes {
        kind: Kind::from_variant(record_kind(&site.reference, alternates))?,
        label: Label::True,
        filter: FilterState::Unfiltered,
        size: size(site.start, &site.reference, alternates),
        alt_fraction: RangeClass::UNKNOWN,
        depth: RangeClass::UNKNOWN,
        zygosity: zygosity(&site.genotype),
        substitution: substitution(&site.reference, alternates),
    })
}

/// FORMAT/DP, else INFO/DP.
pub(super) fn depth(record: &VcfRecord, sample: usize) -> Option<f32> {
    record
        .sample_value(sample, b"DP")
        .and_then(parse_float)
        .or_else(|| record.info_float(b"DP"))
}

/// The share of the reads in FORMAT/AD that have an ALT allele, 0 to 1.
pub(super) fn alt_fraction(record: &VcfRecord, sample: usize) -> Option<f32> {
    let counts: Vec<f32> = record
        .sample_value(sample, b"AD")?
        .split(|byte| *byte == b',')
        .map(parse_float)
        .collect::<Option<_>>()?;
    let total: f32 = counts.iter().sum();
    (counts.len() > 1 && total > 0.0).then(|| (total - counts[0]) / total)
}

/// The class of the longest change of an indel; SNPs have none.
fn size(start: u64, reference: &[u8], alternates: &[Vec<u8>]) -> SizeClass {
    if Kind::from_variant(record_kind(reference, alternates)) != Some(Kind::Indel) {
        return SizeClass::None;
    }
    alternates
        .iter()
        .filter_map(|alternate| Edit::trimmed(start, reference, alternate))
        .max_by_key(|edit| edit.deleted.max(edit.inserted.len() as u64))
        .map_or(SizeClass::None, |edit| {
            SizeClass::from_trimmed(edit.inserted.len(), edit.deleted as usize)
        })
}

fn substitution(reference: &[u8], alternates: &[Vec<u8>]) -> Substitution {
    match (reference, alternates) {
        ([from], [to]) if to.len() == 1 => Substitution::from_bases(*from, to[0]),
        _ => Substitution::None,
    }
}

fn zygosity(genotype: &[Option<u16>]) -> Zygosity {
    let is_alternate = |allele: &Option<u16>| allele.is_some_and(|allele| allele > 0);
    if !genotype.iter().any(is_alternate) {
        Zygosity::Unknown
    } else if genotype.iter().all(|allele| *allele == genotype[0]) {
        Zygosity::HomAlt
    } else {
        Zygosity::Het
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::record;
    use super::*;

    fn classes(line: &str) -> Option<Classes> {
        let record = record(line);
        call_classes(&record, &record.variant()?, RecordLabel::True, 0)
    }

    #[test]
    fn a_snps_classes_come_from_its_columns() {
        let snp = classes("1 5 . A G 9 . DP=50 GT:AD:DP 0/1:15,5:20").unwrap();
        assert_eq!(
            snp,
            Classes {
                kind: Kind::Snp,
                label: Label::True,
                filter: FilterState::Unfiltered,
                size: SizeClass::None,
                alt_fraction: RangeClass::alt_fraction(0.25),
                depth: RangeClass::depth(20.0),
                zygosity: Zygosity::Het,
                substitution: Substitution::Transition,
            }
        );
    }

    #[test]
    fn the_longest_change_gives_an_indels_size() {
        let indel = classes("1 5 . ACCCCCCC A,ACCCCCCCG 9 low DP=50 GT 1/1").unwrap();
        assert_eq!((indel.kind, indel.size), (Kind::Indel, SizeClass::D6To15));
        assert_eq!(indel.filter, FilterState::Filtered);
        assert_eq!(indel.zygosity, Zygosity::HomAlt);
        assert_eq!(indel.depth, RangeClass::depth(50.0));
        assert_eq!(indel.alt_fraction, RangeClass::UNKNOWN);
        assert_eq!(indel.substitution, Substitution::None);
    }

    #[test]
    fn other_records_have_no_classes() {
        assert_eq!(classes("1 5 . A <DEL> 9 . . GT 0/1"), None);
        assert_eq!(classes("1 0 . A C 9 . . GT 0/1"), None);
    }

    #[test]
    fn genotypes_without_alt_are_unknown() {
        for (genotype, expected) in [
            ("0/0", Zygosity::Unknown),
            ("./.", Zygosity::Unknown),
            ("1", Zygosity::HomAlt),
            ("1/2", Zygosity::Het),
            ("./1", Zygosity::Het),
        ] {
            let alleles = Site::parse_genotype(genotype.as_bytes());
            assert_eq!(zygosity(&alleles), expected, "{genotype}");
        }
    }

    #[test]
    fn reads_without_counts_have_no_fraction() {
        for (counts, expected) in [
            ("15,5", Some(0.25)),
            ("10,5,5", Some(0.5)),
            ("0,0", None),
            ("9", None),
            (".,5", None),
        ] {
            let record = record(&format!("1 5 . A C 9 . . GT:AD 0/1:{counts}"));
            assert_eq!(alt_fraction(&record, 0), expected, "{counts}");
        }
    }

    #[test]
    fn missed_alleles_are_classed_one_by_one() {
        let site = Site {
            start: 4,
            reference: b"AT".to_vec(),
            alternates: vec![b"A".to_vec(), b"GT".to_vec(), b"<DEL>".to_vec()],
            genotype: vec![Some(1), Some(2)],
        };
        let kinds = [0, 1, 2].map(|at| missed_classes(&site, at).map(|c| (c.kind, c.size)));
        assert_eq!(
            kinds,
            [
                Some((Kind::Indel, SizeClass::D1To5)),
                Some((Kind::Snp, SizeClass::None)),
                None
            ]
        );
    }
}
