//! Figures that need no truth: Ti/Tv and het/hom by score bin.
//!
//! True SNPs of a human genome have about 2.0–2.1 transitions a transversion (errors 0.5) and 1.5–2 het
//! calls a hom one, so a score that ranks well keeps both near these values at its upper end.

use serde::Serialize;

use super::classes::{ClassBits, Kind, Substitution, Zygosity};
use super::table::JudgedTable;
use super::undefined::{Figure, Undefined, ratio, serialize_figure};

/// Records of one range of a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreBin {
    /// Highest score of the bin; `None` for the bin of records without the score.
    pub high: Option<f32>,
    /// Lowest score of the bin.
    pub low: Option<f32>,
    /// Records.
    pub n: u64,
    /// Transitions among them.
    pub transitions: u64,
    /// Transversions among them.
    pub transversions: u64,
    /// Heterozygous records.
    pub het: u64,
    /// Homozygous ALT records.
    pub hom_alt: u64,
    /// Transitions per transversion; undefined for indels and without transversions.
    #[serde(serialize_with = "serialize_figure")]
    pub ti_tv: Figure,
    /// Heterozygous per homozygous ALT record.
    #[serde(serialize_with = "serialize_figure")]
    pub het_hom: Figure,
}

/// Splits all records of `kind`, judged or not, into `n_bins` bins of about equal size by descending score.
/// Tied records are never parted; records without the score make a bin of their own at the end.
///
/// # Errors
/// Undefined for no records or a score that is missing everywhere.
pub(crate) fn by_score_bin(
    table: &JudgedTable,
    kind: Kind,
    score: usize,
    n_bins: usize,
) -> Result<Vec<ScoreBin>, Undefined> {
    let column = table.column(score);
    let mut ranked: Vec<(f32, ClassBits)> = column
        .iter()
        .enumerate()
        .map(|(i, &value)| (value, table.classes(i)))
        .filter(|(_, classes)| classes.kind() == kind)
        .collect();
    if ranked.is_empty() {
        return Err(Undefined::Empty);
    }
    // Order within ties cannot reach the output: only counts are taken and ties share a bin.
    ranked.sort_unstable_by(|a, b| {
        a.0.is_nan()
            .cmp(&b.0.is_nan())
            .then_with(|| b.0.total_cmp(&a.0))
    });
    let n_present = ranked.partition_point(|(value, _)| !value.is_nan());
    if n_present == 0 {
        return Err(Undefined::AllMissing {
            n: ranked.len() as u64,
        });
    }
    let (present, missing) = ranked.split_at(n_present);
    let mut bins = Vec::new();
    let mut start = 0;
    for bin in 1..=n_bins.max(1) {
        let mut end = (n_present * bin / n_bins.max(1)).max(start);
        while end > start
            && end < n_present
            && present[end].0.total_cmp(&present[end - 1].0).is_eq()
        {
            end += 1;
        }
        if end > start {
            bins.push(ScoreBin::of(&present[start..end]));
            start = end;
        }
    }
    if !missing.is_empty() {
        bins.push(ScoreBin::of(missing));
    }
    Ok(bins)
}

impl ScoreBin {
    /// Bin of records in descending order of score; not empty.
    fn of(records: &[(f32, ClassBits)]) -> Self {
        let count = |test: &dyn Fn(ClassBits) -> bool| {
            records.iter().filter(|(_, classes)| test(*classes)).count() as u64
        };
        let transitions = count(&|c| c.substitution() == Substitution::Transition);
        let transversions = count(&|c| c.substitution() == Substitution::Transversion);
        let het = count(&|c| c.zygosity() == Zygosity::Het);
        let hom_alt = count(&|c| c.zygosity() == Zygosity::HomAlt);
        let present = |record: Option<&(f32, ClassBits)>| {
            record.map(|(value, _)| *value).filter(|v| !v.is_nan())
        };
        Self {
            high: present(records.first()),
            low: present(records.last()),
            n: records.len() as u64,
            transitions,
            transversions,
            het,
            hom_alt,
            ti_tv: ratio(transitions as f64, transversions as f64, "transversions"),
            het_hom: ratio(het as f64, hom_alt as f64, "homozygous records"),
        }
    }
}
