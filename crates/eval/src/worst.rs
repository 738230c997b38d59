//! The records that a score gets most wrong.

use super::classes::{Kind, Label};
use super::table::JudgedTable;

/// Indices of the worst records of one kind under one score.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Worst {
    /// False calls with the highest scores, worst first.
    pub false_positives: Vec<usize>,
    /// True calls with the lowest scores, worst first; one without the score is the worst of all.
    pub false_negatives: Vec<usize>,
}

/// Finds up to `limit` records of each sort among `records`, indices of the table; ties are in file
/// order. False calls without the score are not listed: nothing ranks them high. The worst of the
/// worst of parts are the worst of all.
pub(crate) fn worst_among(
    table: &JudgedTable,
    kind: Kind,
    score: usize,
    limit: usize,
    records: impl Iterator<Item = usize> + Clone,
) -> Worst {
    let column = table.column(score);
    let of_label = |label: Label| {
        records
            .clone()
            .filter(|&i| {
                let classes = table.classes(i);
                classes.kind() == kind && classes.label() == label
            })
            .collect::<Vec<usize>>()
    };
    let mut false_positives = of_label(Label::False);
    false_positives.retain(|&i| !column[i].is_nan());
    let mut false_negatives = of_label(Label::True);
    keep_first(&mut false_positives, limit, |&a, &b| {
        column[b].total_cmp(&column[a]).then(a.cmp(&b))
    });
    keep_first(&mut false_negatives, limit, |&a, &b| {
        column[b]
            .is_nan()
            .cmp(&column[a].is_nan())
            .then_with(|| column[a].total_cmp(&column[b]))
            .then(a.cmp(&b))
    });
    Worst {
        false_positives,
        false_negatives,
    }
}

/// The first `limit` indices of a total order, sorted, without sorting the rest.
fn keep_first(
    indices: &mut Vec<usize>,
    limit: usize,
    mut order: impl FnMut(&usize, &usize) -> std::cmp::Ordering,
) {
    if limit < indices.len() {
        indices.select_nth_unstable_by(limit, &mut order);
        indices.truncate(limit);
    }
    indices.sort_unstable_by(order);
}
