//! The scores of a record out of those of its ALTs and samples.

use super::log_odds::format_score;
use crate::genome::VariantKind;

/// Log odds of one ALT, or of a whole record, in one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlleleScore {
    /// Index of the sample.
    pub sample: usize,
    /// Index of the ALT; nothing where the network looks at the record as a whole.
    pub alternate: Option<usize>,
    /// Kind of the ALT, or of the whole record.
    pub kind: VariantKind,
    /// Natural-log odds.
    pub score: f64,
}

/// The scores of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordScores {
    /// The best score of any ALT and sample.
    pub best: f64,
    /// Kind of the best ALT ([`best_alternate`]): it calibrates the score and chooses the threshold.
    pub kind: VariantKind,
    /// The best score of each ALT; nothing for one that was not scored.
    pub alternates: Vec<Option<f64>>,
    /// The best score of each sample.
    pub samples: Vec<Option<f64>>,
}

impl RecordScores {
    /// Joins the scores of a record with so many ALTs and samples; nothing where there is no score.
    pub fn join(scores: &[AlleleScore], alternates: usize, samples: usize) -> Option<Self> {
        let mut best: Option<f64> = None;
        let mut of_alternates = vec![None; alternates];
        let mut of_samples = vec![None; samples];
        for allele in scores {
            let place = of_alternates.get_mut(allele.alternate.unwrap_or(usize::MAX));
            raise(place, allele.score);
            raise(of_samples.get_mut(allele.sample), allele.score);
            raise(Some(&mut best), allele.score);
        }
        // Nothing for networks that look at the record as a whole, as their scores have it.
        let at = best_alternate(&of_alternates);
        let kind = scores.iter().find(|allele| allele.alternate == at)?.kind;
        Some(Self {
            best: best?,
            kind,
            alternates: of_alternates,
            samples: of_samples,
        })
    }
}

fn raise(place: Option<&mut Option<f64>>, score: f64) {
    if let Some(place) = place {
        *place = Some(place.map_or(score, |highest| highest.max(score)));
    }
}

/// Index of the best ALT: the one with the highest score as it is written ([`format_score`]), the
/// first of equal ones. So it is the same for the one who has the scores and for the one who reads
/// them from a file.
pub fn best_alternate(scores: &[Option<f64>]) -> Option<usize> {
    if let [only] = scores {
        return only.is_some().then_some(0);
    }
    let mut best: Option<(usize, f64)> = None;
    for (at, score) in scores.iter().enumerate() {
        let Some(score) = score.and_then(|score| format_score(score).parse::<f64>().ok()) else {
            continue;
        };
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((at, score));
        }
    }
    best.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::VariantKind::{Indel, Snp};

    fn allele(sample: usize, alternate: usize, kind: VariantKind, score: f64) -> AlleleScore {
        AlleleScore {
            sample,
            alternate: Some(alternate),
            kind,
            score,
        }
    }

    #[test]
    fn the_best_alt_gives_a_mixed_record_its_kind() {
        for (snp, indel, kind) in [(2.0, 1.0, Snp), (1.0, 2.0, Indel)] {
            let scores = [allele(0, 0, Snp, snp), allele(0, 2, Indel, indel)];
            let found = RecordScores::join(&scores, 3, 1).unwrap();
            assert_eq!((found.best, found.kind), (2.0, kind));
            assert_eq!(found.alternates, [Some(snp), None, Some(indel)]);
        }
        // Of two that are written alike the first, whichever is higher in digits that are not written.
        let scores = [allele(0, 0, Indel, 1.000_1), allele(0, 1, Snp, 1.000_2)];
        let found = RecordScores::join(&scores, 2, 1).unwrap();
        assert_eq!((found.best, found.kind), (1.000_2, Indel));
    }

    #[test]
    fn each_alt_and_sample_has_its_best_score() {
        let scores = [
            allele(0, 0, Snp, -1.0),
            allele(0, 1, Snp, 0.5),
            allele(2, 0, Snp, 3.0),
            allele(2, 1, Snp, 0.25),
        ];
        let found = RecordScores::join(&scores, 2, 3).unwrap();
        assert_eq!(found.best, 3.0);
        assert_eq!(found.alternates, [Some(3.0), Some(0.5)]);
        assert_eq!(found.samples, [Some(0.5), None, Some(3.0)]);
    }

    #[test]
    fn a_record_scored_as_a_whole_has_the_kind_of_the_whole() {
        let whole = AlleleScore {
            alternate: None,
            ..allele(0, 0, VariantKind::Other, 1.5)
        };
        let found = RecordScores::join(&[whole], 2, 1).unwrap();
        assert_eq!((found.best, found.kind), (1.5, VariantKind::Other));
        assert_eq!(found.alternates, [None, None]);
        assert_eq!(RecordScores::join(&[], 2, 1), None);
    }
}
