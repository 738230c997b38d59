//! Alleles of more than [`LENGTH`]'s start bases: deletions, insertions of new sequence, copies of another place,
//! tandem duplications and replacements, each as often.

use std::ops::Range;

use rand::RngExt;

use super::random::{Random, base, log_uniform, poisson};
use super::record::{Change, Diploid, Origin, Record};
use super::variants::{VariantModel, genotype};

/// Bases that an allele deletes, inserts or replaces; drawn log-uniformly.
pub const LENGTH: Range<f64> = 31.0..1_001.0;

/// Adds long alleles to a sample over `bases` (A, C, G, T), on average `per_megabase` a million bases.
pub fn long_alleles(
    random: &mut Random,
    model: &VariantModel<'_>,
    bases: &[u8],
    per_megabase: f64,
    sample: &mut Diploid,
) {
    let wanted = poisson(random, per_megabase * bases.len() as f64 / 1e6);
    for _ in 0..wanted {
        let Some(change) = change(random, bases).and_then(|change| model.placed(change)) else {
            continue;
        };
        let genotype = genotype(random, &change);
        sample.add(Record {
            change,
            genotype,
            origin: Origin::Drawn,
        });
    }
}

/// A long allele at a random place; none where it does not fit.
fn change(random: &mut Random, bases: &[u8]) -> Option<Change> {
    let length = |random: &mut Random| log_uniform(random, LENGTH.start, LENGTH.end) as usize;
    let span = length(random);
    let at = random.random_range(0..bases.len().max(1));
    let stretch = |at: usize| bases.get(at..at + span).map(<[u8]>::to_vec);
    let (reference, alternate) = match random.random_range(0..5) {
        0 => (stretch(at)?, Vec::new()),
        1 => (Vec::new(), new_bases(random, span)),
        2 => {
            let other = random.random_range(0..bases.len().max(1));
            (Vec::new(), stretch(other)?)
        }
        3 => (Vec::new(), stretch(at)?),
        _ => {
            let new = length(random);
            (stretch(at)?, new_bases(random, new))
        }
    };
    Some(Change {
        start: at,
        reference,
        alternates: vec![alternate],
    })
}

fn new_bases(random: &mut Random, count: usize) -> Vec<u8> {
    (0..count).map(|_| base(random)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    fn drawn(length: usize, per_megabase: f64) -> (Vec<u8>, Diploid) {
        let mut random = stream(9, 0);
        let bases = new_bases(&mut random, length);
        let mut sample = Diploid::default();
        let model = VariantModel::new(&bases);
        long_alleles(&mut random, &model, &bases, per_megabase, &mut sample);
        (bases, sample)
    }

    #[test]
    fn alleles_are_long_and_of_every_kind() {
        let (_, sample) = drawn(1_000_000, 400.0);
        let records: Vec<_> = sample.records().collect();
        assert!((200..=460).contains(&records.len()), "{}", records.len());
        let (mut deleted, mut inserted, mut replaced) = (0, 0, 0);
        for record in &records {
            let change = &record.change;
            let sizes = (change.reference.len(), change.alternates[0].len());
            assert!(sizes.0.max(sizes.1) <= 1_001, "{sizes:?}");
            match sizes {
                (old, new) if old > 20 && new > 20 => replaced += 1,
                (old, new) if old > new + 20 => deleted += 1,
                (old, new) if new > old + 20 => inserted += 1,
                _ => panic!("{sizes:?} is not long"),
            }
        }
        assert!(deleted > 20 && replaced > 20 && inserted > 2 * deleted);
    }

    #[test]
    fn none_are_drawn_where_none_are_asked_for_or_there_is_no_room() {
        assert_eq!(drawn(100_000, 0.0).1.len(), 0);
        assert_eq!(drawn(20, 1_000_000.0).1.len(), 0);
    }
}
