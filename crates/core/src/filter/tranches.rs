//! Tranches as GATK 4.6.2.0's FilterVariantTranches makes them: cut-offs at stated sensitivities to
//! known sites, and the FILTER names between them.
//!
//! Compared with GATK itself by `benches/compare/filter_variant_tranches.sh`.

use crate::genome::VariantKind;

/// Tranche of SNPs where none is given, in percent (GATK's default).
pub const DEFAULT_SNP_TRANCHE: f64 = 99.95;
/// Tranche of indels where none is given, in percent (GATK's default).
pub const DEFAULT_INDEL_TRANCHE: f64 = 99.4;

/// Sensitivities in percent, each at least 0 and below 100, ascending and distinct; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Tranches(Vec<f64>);

/// A list that is no list of tranches.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TranchesError {
    /// No value.
    #[error("expected at least one tranche")]
    Empty,
    /// A value outside its range.
    #[error("a tranche is a percentage of at least 0 and below 100, found {0}")]
    OutOfRange(f64),
}

impl Tranches {
    /// Sorts the values and drops repeated ones.
    ///
    /// # Errors
    /// No value, or one that is not in [0, 100).
    pub fn new(values: &[f64]) -> Result<Self, TranchesError> {
        if let Some(wrong) = values.iter().find(|value| !(0.0..100.0).contains(*value)) {
            return Err(TranchesError::OutOfRange(*wrong));
        }
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values.dedup();
        if values.is_empty() {
            return Err(TranchesError::Empty);
        }
        Ok(Self(values))
    }

    /// The values, ascending, in percent.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// One cut-off a tranche: of the `n` scores of known calls, descending, the one at index
    /// `trunc(t / 100 * (n - 1))`. Nothing where there is no known call.
    pub fn cutoffs(&self, descending: &[f64]) -> Option<Vec<f64>> {
        let last = descending.len().checked_sub(1)?;
        let index = |percent: &f64| ((percent / 100.0) * last as f64) as usize;
        let at = |percent| descending.get(index(percent)).copied();
        self.0.iter().map(at).collect()
    }

    /// The band of a score: nothing where it is above the first cut-off (it passes), else `i` from 1
    /// for a score between the cut-offs of tranches `i - 1` and `i`, and the number of tranches for
    /// one at or below the last.
    pub fn band(&self, score: f64, cutoffs: &[f64]) -> Option<usize> {
        let above = cutoffs.iter().position(|cutoff| score > *cutoff);
        match above {
            Some(0) => None,
            Some(band) => Some(band),
            // NaN is above nothing and below nothing.
            None if cutoffs.first().is_some_and(|cutoff| score <= *cutoff) => Some(self.0.len()),
            None => None,
        }
    }

    /// The bands, as [`Self::band`] numbers them, in the order of the header.
    pub fn bands(&self) -> std::ops::RangeInclusive<usize> {
        1..=self.0.len()
    }

    /// Percentages at both ends of a band.
    fn ends(&self, band: usize) -> (f64, f64) {
        let upper = self.0.get(band).copied().unwrap_or(100.0);
        let lower = band.checked_sub(1).and_then(|at| self.0.get(at)).copied();
        (lower.unwrap_or(0.0), upper)
    }

    /// The FILTER name of a band, `CNN_2D_SNP_Tranche_99.95_100.00` for example.
    pub fn filter_name(&self, info_key: &str, kind: VariantKind, band: usize) -> String {
        let (lower, upper) = self.ends(band);
        format!(
            "{info_key}_{}_Tranche_{}_{}",
            kind.name(),
            two_decimals(lower),
            two_decimals(upper)
        )
    }

    /// Names and definition lines of all bands.
    pub fn header_lines(&self, info_key: &str, kind: VariantKind) -> Vec<(String, String)> {
        self.bands()
            .map(|band| {
                let (lower, upper) = self.ends(band);
                let name = self.filter_name(info_key, kind, band);
                let line = format!(
                    "##FILTER=<ID={name},Description=\"{} truth resource sensitivity between {} and {} for info key {info_key}\">",
                    kind.name(),
                    two_decimals(lower),
                    two_decimals(upper)
                );
                (name, line)
            })
            .collect()
    }
}

/// Java's `%.2f`: the shortest decimal that is this number, rounded half up. (C and Rust round the
/// binary number, which makes 99.945 `99.94`.)
fn two_decimals(value: f64) -> String {
    let text = format!("{value}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digit = |at: usize| {
        fraction
            .as_bytes()
            .get(at)
            .map_or(0, |byte| u64::from(byte - b'0'))
    };
    let hundredths = whole.parse::<u64>().unwrap_or(0) * 100 + digit(0) * 10 + digit(1);
    let hundredths = hundredths + u64::from(digit(2) >= 5);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// SNP, INDEL or other by the rule of htsjdk, which FilterVariantTranches asks: an ALT of one base
/// (or `*`) for a REF of one is a SNP, one of REF's length an MNP, one of another length (`*` as
/// well) an indel, `<...>` and breakends are symbolic; a record is what all its ALTs are, else mixed.
/// MNPs, mixed and symbolic records and those without ALT are [`VariantKind::Other`].
///
/// Follows `VariantContext.determinePolymorphicType` of htsjdk 4.2.0.
pub fn tranche_kind(reference: &[u8], alternates: &[Vec<u8>]) -> VariantKind {
    let mut kinds = alternates.iter().map(|alternate| {
        if is_symbolic(alternate) {
            VariantKind::Other
        } else if alternate.len() != reference.len() {
            VariantKind::Indel
        } else if reference.len() == 1 {
            VariantKind::Snp
        } else {
            VariantKind::Other
        }
    });
    match kinds.next() {
        Some(first) if kinds.all(|kind| kind == first) => first,
        _ => VariantKind::Other,
    }
}

/// True for an allele that htsjdk takes for symbolic: `<...>`, or a breakend in either notation.
pub(super) fn is_symbolic(allele: &[u8]) -> bool {
    let (Some(first), Some(last)) = (allele.first(), allele.last()) else {
        return false;
    };
    allele.len() > 1
        && (*first == b'<'
            || *last == b'>'
            || *first == b'.'
            || *last == b'.'
            || allele.iter().any(|byte| b"[]".contains(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind(reference: &str, alternates: &[&str]) -> VariantKind {
        let alternates: Vec<Vec<u8>> = alternates.iter().map(|a| a.as_bytes().to_vec()).collect();
        tranche_kind(reference.as_bytes(), &alternates)
    }

    #[test]
    fn kinds_are_those_of_htsjdk() {
        assert_eq!(kind("A", &["C"]), VariantKind::Snp);
        assert_eq!(kind("A", &["C", "*"]), VariantKind::Snp);
        assert_eq!(kind("AT", &["A", "*"]), VariantKind::Indel);
        assert_eq!(kind("A", &["AT", "ATT"]), VariantKind::Indel);
        for (reference, alternates) in [
            ("AT", &["GC"][..]),
            ("A", &["C", "AT"]),
            ("A", &["<DEL>"]),
            ("A", &["C", "<NON_REF>"]),
            ("A", &["A[2:5["]),
            ("A", &[".AT"]),
            ("A", &[]),
        ] {
            assert_eq!(
                kind(reference, alternates),
                VariantKind::Other,
                "{alternates:?}"
            );
        }
    }

    #[test]
    fn names_and_lines_are_those_of_gatk() {
        let tranches = Tranches::new(&[99.9, 99.0, 99.9]).unwrap();
        assert_eq!(tranches.values(), [99.0, 99.9]);
        let lines = tranches.header_lines("CNN_1D", VariantKind::Indel);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].0, "CNN_1D_INDEL_Tranche_99.00_99.90");
        assert_eq!(
            lines[1].1,
            "##FILTER=<ID=CNN_1D_INDEL_Tranche_99.90_100.00,Description=\"INDEL truth resource sensitivity between 99.90 and 100.00 for info key CNN_1D\">"
        );
    }

    /// Java 17's String.format("%.2f", x).
    #[test]
    fn two_decimals_are_javas() {
        for (value, text) in [
            (99.945, "99.95"),
            (99.995, "100.00"),
            (0.0, "0.00"),
            (1.005, "1.01"),
            (99.0, "99.00"),
            (12.344_999, "12.34"),
        ] {
            assert_eq!(two_decimals(value), text);
        }
    }

    #[test]
    fn a_score_at_the_cutoff_is_filtered() {
        let tranches = Tranches::new(&[50.0, 90.0]).unwrap();
        let scores = [9.0, 8.0, 7.0, 6.0, 5.0];
        // Indices trunc(.5 * 4) = 2 and trunc(.9 * 4) = 3.
        let cutoffs = tranches.cutoffs(&scores).unwrap();
        assert_eq!(cutoffs, [7.0, 6.0]);
        for (score, band) in [
            (7.1, None),
            (7.0, Some(1)),
            (6.1, Some(1)),
            (6.0, Some(2)),
            (-9.0, Some(2)),
            (f64::NAN, None),
        ] {
            assert_eq!(tranches.band(score, &cutoffs), band, "{score}");
        }
        assert_eq!(tranches.cutoffs(&[]), None);
        // One known call: everything of its score or less is filtered.
        assert_eq!(tranches.cutoffs(&[3.0]), Some(vec![3.0, 3.0]));
        assert_eq!(tranches.band(3.0, &[3.0, 3.0]), Some(2));
    }

    #[test]
    fn wrong_tranches_are_refused() {
        assert_eq!(Tranches::new(&[]), Err(TranchesError::Empty));
        for wrong in [100.0, -0.1, f64::INFINITY] {
            assert_eq!(
                Tranches::new(&[99.0, wrong]),
                Err(TranchesError::OutOfRange(wrong))
            );
        }
        assert!(Tranches::new(&[f64::NAN]).is_err());
        assert!(Tranches::new(&[0.0]).is_ok());
    }

    proptest! {
        #[test]
        fn lower_scores_never_reach_a_better_band(
            mut scores in prop::collection::vec(-16.0f64..16.0, 1..60),
            values in prop::collection::vec(0.0f64..99.99, 1..5),
            a in -20.0f64..20.0,
            b in -20.0f64..20.0,
        ) {
            scores.sort_by(|x, y| y.total_cmp(x));
            let tranches = Tranches::new(&values).unwrap();
            let cutoffs = tranches.cutoffs(&scores).unwrap();
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(tranches.band(high, &cutoffs) <= tranches.band(low, &cutoffs));
            // At least the stated share of known calls scores as high as each cut-off.
            for (percent, cutoff) in tranches.values().iter().zip(&cutoffs) {
                let reached = scores.iter().filter(|score| *score >= cutoff).count() as f64;
                prop_assert!(reached >= percent / 100.0 * (scores.len() - 1) as f64);
            }
        }
    }
}
