//! Mosaic variants: in a part of the cells only. Each is on a stretch of one haplotype that is
//! sequenced besides the whole haplotypes, at the depth that gives the fraction.

use std::ops::Range;

use rand::RngExt;

use super::fasta::FastaRecord;
use super::random::{Random, poisson};
use super::record::{Diploid, Origin, Record};
use super::region::Region;
use super::variants::VariantModel;

/// Fractions of the reads that carry a mosaic variant, in percent.
pub const LEVELS: [u8; 7] = [5, 10, 15, 20, 25, 30, 35];
/// Sequence on each side of the variant, in bases.
pub const REACH: usize = 1_000;
/// Bases around a mosaic variant in which nothing is judged.
pub const GUARD: usize = 10;
/// Part of the mosaic variants that are indels.
const INDELS: f64 = 0.12;

/// A mosaic variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mosaic {
    /// Percent of the reads that carry it; one of [`LEVELS`].
    pub level: u8,
    /// Where it may be seen, with [`GUARD`] bases on each side; 0-based half-open in the region.
    pub guarded: Range<usize>,
    /// The stretch with the variant.
    pub sequence: FastaRecord,
}

/// Depth of the stretches of a level, as a share of the nominal depth: where everything else is at
/// depth 1, `share / (1 + share)` is the fraction.
pub fn share(level: u8) -> f64 {
    let fraction = f64::from(level) / 100.0;
    fraction / (1.0 - fraction)
}

/// Mosaic variants beside those of a sample, on average `per_megabase` a million bases.
pub fn mosaics(
    random: &mut Random,
    region: &Region,
    model: &VariantModel<'_>,
    sample: &Diploid,
    per_megabase: f64,
) -> Vec<Mosaic> {
    let length = region.bases.len();
    let wanted = poisson(random, per_megabase * length as f64 / 1e6);
    let mut mosaics: Vec<Mosaic> = Vec::new();
    for _ in 0..wanted * 10 {
        if mosaics.len() == wanted {
            break;
        }
        let Some(change) = model.single(random, INDELS) else {
            continue;
        };
        let level = LEVELS[random.random_range(0..LEVELS.len())];
        let haplotype = random.random_range(0..2usize);
        let extent = change.extent(&region.bases);
        let guarded = extent.start.saturating_sub(GUARD)..(extent.end + GUARD).min(length);
        let window = extent.start.saturating_sub(REACH)..(extent.end + REACH).min(length);
        let mut genotype = [0; 2];
        genotype[haplotype] = 1;
        let mut carrier = sample.within(&window);
        let added = carrier.add(Record {
            change,
            genotype,
            origin: Origin::Drawn,
        });
        if added {
            let number = mosaics.len() + 1;
            mosaics.push(Mosaic {
                level,
                guarded,
                sequence: FastaRecord {
                    name: format!("mosaic{number}_{}", region.span_name(&window)),
                    description: format!("percent={level} haplotype={}", haplotype + 1),
                    bases: carrier.haplotype(&region.bases, haplotype, window),
                },
            });
        }
    }
    mosaics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{base, stream};
    use crate::variants::Counts;

    #[test]
    fn a_share_gives_its_fraction() {
        for level in LEVELS {
            let share = share(level);
            let fraction = share / (1.0 + share);
            assert!((fraction - f64::from(level) / 100.0).abs() < 1e-12);
        }
    }

    #[test]
    fn stretches_differ_from_the_haplotype_inside_their_guard_only() {
        let mut random = stream(1, 0);
        let region = Region {
            contig: "20".into(),
            start: 500,
            bases: (0..400_000).map(|_| base(&mut random)).collect(),
        };
        let model = VariantModel::new(&region.bases);
        let mut sample = Diploid::default();
        let counts = Counts {
            snps: 300,
            indels: 60,
            multi: 5,
        };
        model.fill(&mut random, counts, &mut sample);
        let mosaics = mosaics(&mut random, &region, &model, &sample, 200.0);
        assert!((50..110).contains(&mosaics.len()), "{}", mosaics.len());
        for mosaic in &mosaics {
            assert!(LEVELS.contains(&mosaic.level));
            let guarded = &mosaic.guarded;
            assert!(guarded.len() > 2 * GUARD && guarded.end <= region.bases.len());
            let window = guarded.start.saturating_sub(REACH - GUARD)
                ..(guarded.end + REACH - GUARD).min(region.bases.len());
            let name = format!("_{}", region.span_name(&window));
            assert!(
                mosaic.sequence.name.ends_with(&name),
                "{} {name}",
                mosaic.sequence.name
            );
            let haplotype = usize::from(mosaic.sequence.description.ends_with('2'));
            let plain = sample.haplotype(&region.bases, haplotype, window);
            let with = &mosaic.sequence.bases;
            assert_ne!(*with, plain);
            // The same up to just before the guarded stretch and from just behind it.
            let reach = REACH - 200;
            assert_eq!(
                with[..reach.min(guarded.start)],
                plain[..reach.min(guarded.start)]
            );
            let tail = reach.min(region.bases.len() - guarded.end);
            assert_eq!(with[with.len() - tail..], plain[plain.len() - tail..]);
        }
    }
}
