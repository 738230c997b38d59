//! Another individual, whose cells got into the sample.

use super::random::{Random, chance};
use super::record::{Diploid, Record};
use super::variants::{Counts, VariantModel, genotype};

/// Part of the sample's variants that the other individual has as well.
const SHARED: f64 = 0.5;

/// The variants of an unrelated individual: half of those of the sample, with genotypes of its
/// own, and as many others of each kind as it does not share.
pub fn contaminant(random: &mut Random, model: &VariantModel<'_>, sample: &Diploid) -> Diploid {
    let mut other = Diploid::default();
    let mut private = Vec::new();
    for record in sample.records() {
        // With another genotype it may overlap another one.
        let is_shared = chance(random, SHARED)
            && other.add(Record {
                genotype: genotype(random, &record.change),
                ..record.clone()
            });
        if !is_shared {
            private.push(record);
        }
    }
    model.fill(random, Counts::of(private), &mut other);
    other
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{base, stream};

    #[test]
    fn half_of_the_variants_are_shared() {
        let mut random = stream(1, 0);
        let bases: Vec<u8> = (0..500_000).map(|_| base(&mut random)).collect();
        let model = VariantModel::new(&bases);
        let counts = Counts {
            snps: 800,
            indels: 150,
            multi: 20,
        };
        let mut sample = Diploid::default();
        model.fill(&mut random, counts, &mut sample);
        let other = contaminant(&mut random, &model, &sample);
        assert_eq!(
            Counts::of(other.records()),
            counts,
            "as many as the sample has"
        );
        let has = |record: &&Record| sample.records().any(|r| r.change == record.change);
        let shared = other.records().filter(has).count();
        assert!((425..545).contains(&shared), "{shared}");
        let has = |record: &&Record| sample.records().any(|r| r == *record);
        let same_genotype = other.records().filter(has).count();
        assert!(same_genotype < shared, "genotypes of its own");
    }
}
