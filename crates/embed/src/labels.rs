//! Calls whose neighbours have another label: mistakes of a truth set, or the rare among the known.

use super::knn::Index;
use super::{Column, Matrix};

/// Labelled neighbours that are asked.
pub const NEIGHBOURS: usize = 15;

/// A call whose neighbours disagree with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// The call.
    pub call: usize,
    /// Share of its neighbours that have another label.
    pub share: f32,
    /// The label that most of them have.
    pub others: String,
    /// Mean distance to them.
    pub distance: f32,
}

/// Calls whose labelled neighbours have another label in at least `share` of the cases, the most doubtful first.
pub fn doubts(coordinates: &Matrix, labels: &Column, share: f32) -> Vec<Doubt> {
    let labelled: Vec<usize> = (0..coordinates.rows())
        .filter(|at| labels.word(*at).is_some())
        .collect();
    let points = coordinates.select(&labelled);
    let near = Index::new(&points).search(&points, NEIGHBOURS, true);
    let mut found: Vec<Doubt> = Vec::new();
    for (at, call) in labelled.iter().enumerate() {
        let (indices, distances) = near.of(at);
        let words: Vec<&str> = (indices.iter())
            .filter_map(|other| labels.word(labelled[*other as usize]))
            .filter(|word| Some(*word) != labels.word(*call))
            .collect();
        let of_others = words.len() as f32 / indices.len().max(1) as f32;
        let count = |word: &str| words.iter().filter(|other| **other == word).count();
        let common = words.iter().copied().max_by_key(|word| count(word));
        if let Some(common) = common.filter(|_| of_others >= share) {
            found.push(Doubt {
                call: *call,
                share: of_others,
                others: common.to_owned(),
                distance: distances.iter().sum::<f32>() / distances.len().max(1) as f32,
            });
        }
    }
    found.sort_by(|a, b| {
        (b.share.total_cmp(&a.share))
            .then(a.distance.total_cmp(&b.distance))
            .then(a.call.cmp(&b.call))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knn::tests::clouds;

    #[test]
    fn a_label_that_was_swapped_is_found() {
        let points = clouds(200, 2, 6, 0.4);
        let words: Vec<Option<&str>> = (0..200)
            .map(|at| match at {
                17 => Some("real"),
                40 => None,
                _ if at % 2 == 0 => Some("real"),
                _ => Some("false"),
            })
            .collect();
        let found = doubts(&points, &Column::of_words(words), 0.8);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].call, found[0].others.as_str()), (17, "false"));
        let none = Column::of_words(vec![None; 200]);
        assert!(doubts(&points, &none, 0.5).is_empty());
    }
}
