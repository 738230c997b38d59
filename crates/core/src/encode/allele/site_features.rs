//! One call as numbers: what its reads say together, what surrounds it, and its own shape.

use super::landscape::Surroundings;
use super::read_features::ReadFeatures;
use super::support::{DECISIVE, Side};
use crate::genome::Edit;
use crate::genome::ReferenceBlock;
use crate::genome::repeat::tandem_repeat;

/// Bases on either side in which repeats and the share of G and C are looked at.
const CONTEXT: u64 = 60;

/// Shares of the reads that an allele below a half may have: mosaics, contamination, paralogues.
const LOW_FRACTIONS: [f64; 5] = [0.05, 0.1, 0.17, 0.25, 0.33];

/// Named numbers in the order of their making.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Named {
    /// Names; the same for every call.
    pub names: Vec<&'static str>,
    /// Values, unscaled but of moderate size.
    pub values: Vec<f32>,
}

impl Named {
    fn put(&mut self, name: &'static str, value: f64) {
        self.names.push(name);
        self.values
            .push(if value.is_finite() { value as f32 } else { 0.0 });
    }

    fn bit(&mut self, name: &'static str, is: bool) {
        self.put(name, f64::from(u8::from(is)));
    }
}

/// The shape of an allele: what reference and alleles say without reads. `alternates` is the number
/// of ALTs of the record.
pub fn shape(edit: &Edit, block: &ReferenceBlock, alternates: usize) -> Named {
    let mut found = Named::default();
    let (deleted, inserted) = (edit.deleted as i64, edit.inserted.len() as i64);
    let grown = inserted - deleted;
    found.bit("is_snp", deleted == 1 && inserted == 1);
    found.bit("is_mnp", deleted == inserted && deleted > 1);
    found.bit("is_insertion", grown > 0);
    found.bit("is_deletion", grown < 0);
    found.bit("is_complex", grown != 0 && deleted.min(inserted) > 0);
    found.put("length", (grown.unsigned_abs() as f64).ln_1p());
    found.put("alternates", (alternates as f64).ln());

    let from = edit.start.saturating_sub(CONTEXT).max(block.start());
    let around = block.slice(from..edit.end() + CONTEXT);
    let at = (edit.start - from) as usize;
    let replaced = around.get(at..at + deleted as usize).unwrap_or(&[]);
    let is_transition = matches!(
        (replaced, edit.inserted.as_slice()),
        ([b'A'], [b'G']) | ([b'G'], [b'A']) | ([b'C'], [b'T']) | ([b'T'], [b'C'])
    );
    found.bit("is_transition", is_transition);
    let is_cpg = match replaced {
        [b'C'] => around.get(at + 1) == Some(&b'G'),
        [b'G'] => at > 0 && around[at - 1] == b'C',
        _ => false,
    };
    found.bit("is_cpg", is_cpg);

    let repeat = tandem_repeat(around, at.saturating_sub(1));
    let (unit, copies, span) = repeat.map_or((0, 0, 0), |repeat| {
        (repeat.unit, repeat.copies(), repeat.span.len())
    });
    found.put("repeat_unit", unit as f64 / 3.0);
    found.put("repeat_copies", (copies as f64).ln_1p());
    found.put("repeat_length", (span as f64).ln_1p());
    let whole_units =
        unit > 0 && grown != 0 && (grown.unsigned_abs() as usize).is_multiple_of(unit);
    found.bit("changes_whole_units", whole_units && span > 0);
    found.bit("homopolymer", unit == 1);
    let run = |step: &dyn Fn(usize) -> Option<usize>| {
        let (mut place, mut length) = (step(0), 0);
        let first = place.and_then(|at| around.get(at)).copied();
        while let Some(at) = place
            && around.get(at).copied() == first
            && first.is_some()
        {
            length += 1;
            place = step(length);
        }
        length
    };
    let before = run(&|n| at.checked_sub(1 + n));
    let after = run(&|n| Some(at + deleted as usize + n));
    found.put("run_before", (before as f64).ln_1p());
    found.put("run_after", (after as f64).ln_1p());
    // Two bases of evidence that a substitution may have slipped from a neighbouring run.
    let takes_neighbour = matches!(edit.inserted.as_slice(), [base] if deleted == 1
        && (at.checked_sub(1).and_then(|b| around.get(b)) == Some(base)
            || around.get(at + 1) == Some(base)));
    found.bit("takes_neighbour", takes_neighbour);
    let gc = |reach: u64| {
        let from = edit.start.saturating_sub(reach).max(block.start());
        let bases = block.slice(from..edit.end() + reach);
        let count = bases
            .iter()
            .filter(|base| matches!(base, b'G' | b'C'))
            .count();
        count as f64 / bases.len().max(1) as f64
    };
    found.put("gc_20", gc(20));
    found.put("gc_60", gc(CONTEXT));
    found.put("entropy", three_mer_entropy(around));
    found
}

/// Names of the numbers of [`shape`].
pub fn shape_names() -> Vec<&'static str> {
    let edit = Edit {
        start: 0,
        deleted: 1,
        inserted: vec![b'A'],
    };
    shape(&edit, &ReferenceBlock::new(0, Vec::new(), 0), 1).names
}

/// Shannon entropy of the triplets of `bases`, in bits; low in repeats of any kind.
fn three_mer_entropy(bases: &[u8]) -> f64 {
    let mut counts = [0u32; 64];
    let code = |base: u8| b"ACGT".iter().position(|known| *known == base);
    let mut total = 0.0;
    for triplet in bases.windows(3) {
        if let (Some(a), Some(b), Some(c)) = (code(triplet[0]), code(triplet[1]), code(triplet[2]))
        {
            counts[a * 16 + b * 4 + c] += 1;
            total += 1.0;
        }
    }
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// What the reads over a call say together.
pub fn of_reads(reads: &[ReadFeatures]) -> Named {
    let mut found = Named::default();
    let sides = [Side::Alternate, Side::Reference, Side::Neither];
    let count = |side: Side| -> f64 {
        let of_side = reads.iter().filter(|read| read.support.side == side);
        of_side.map(|read| f64::from(read.weight)).sum()
    };
    let [alternate, reference, neither] = sides.map(count);
    let judged = alternate + reference;
    found.put("alt_reads", alternate.ln_1p());
    found.put("ref_reads", reference.ln_1p());
    found.put("neither_reads", neither.ln_1p());
    found.put("alt_share", (alternate + 0.5) / (judged + 1.0));
    found.put(
        "alt_share_of_all",
        (alternate + 0.5) / (judged + neither + 1.0),
    );
    let misfits = weight_of(reads, |read| {
        read.support.side == Side::Neither && read.covers && read.support.misfit > DECISIVE
    });
    found.put("misfit_share", misfits / (judged + neither + 1.0));
    found.put(
        "het_z",
        (alternate - judged / 2.0) / (judged.max(1.0) / 4.0).sqrt(),
    );

    genotype_likelihoods(&mut found, reads);

    let on_strand = |side: Side, reverse: bool| {
        weight_of(reads, |read| {
            read.support.side == side && read.is_reverse == reverse
        })
    };
    let (alt_reverse, alt_forward) = (
        on_strand(Side::Alternate, true),
        on_strand(Side::Alternate, false),
    );
    let (ref_reverse, ref_forward) = (
        on_strand(Side::Reference, true),
        on_strand(Side::Reference, false),
    );
    let least = alt_reverse.min(alt_forward);
    found.put("alt_lesser_strand", least.ln_1p());
    found.put(
        "alt_lesser_strand_share",
        (least + 0.25) / (alternate + 1.0),
    );
    let odds = ((alt_reverse + 0.5) * (ref_forward + 0.5)
        / ((alt_forward + 0.5) * (ref_reverse + 0.5)))
        .ln();
    found.put("strand_odds", odds.abs());

    // Means over the reads of a side, and how the two sides differ.
    type Measure = fn(&ReadFeatures) -> f64;
    let measures: [(&'static str, &'static str, Measure); 7] = [
        (
            "alt_mapping_quality",
            "mapping_quality_difference",
            |read| f64::from(read.mapping_quality.min(60)) / 60.0,
        ),
        ("alt_quality", "quality_difference", |read| {
            f64::from(read.quality) / 40.0
        }),
        (
            "alt_distance_to_end",
            "distance_to_end_difference",
            |read| f64::from(read.distance_to_end.min(60.0)) / 30.0,
        ),
        ("alt_mismatches", "mismatches_difference", |read| {
            f64::from(read.mismatches).ln_1p()
        }),
        ("alt_gaps", "gaps_difference", |read| {
            f64::from(read.gaps).ln_1p()
        }),
        ("alt_clipped", "clipped_difference", |read| {
            f64::from(read.clipped)
        }),
        ("alt_cycle", "cycle_difference", |read| {
            f64::from(read.cycle)
        }),
    ];
    for (name, difference, measure) in measures {
        let [of_alt, of_ref] = [Side::Alternate, Side::Reference].map(|side| {
            let (mut sum, mut total) = (0.0, 0.0);
            for read in reads.iter().filter(|read| read.support.side == side) {
                sum += measure(read) * f64::from(read.weight);
                total += f64::from(read.weight);
            }
            (total > 0.0).then_some(sum / total)
        });
        found.put(name, of_alt.unwrap_or(0.0));
        found.put(difference, of_alt.zip(of_ref).map_or(0.0, |(a, r)| a - r));
    }
    let with = |side: Side, is: fn(&ReadFeatures) -> bool| {
        weight_of(reads, |read| read.support.side == side && is(read))
    };
    found.put(
        "alt_many_mismatches",
        with(Side::Alternate, |read| read.mismatches >= 3) / (alternate + 0.5),
    );
    found.put(
        "ref_many_mismatches",
        with(Side::Reference, |read| read.mismatches >= 3) / (reference + 0.5),
    );
    found.put(
        "alt_unplaced",
        with(Side::Alternate, |read| read.mapping_quality < 10) / (alternate + 0.5),
    );
    found.put(
        "alt_inside_reads",
        with(Side::Alternate, |read| read.distance_to_end >= 10.0).ln_1p(),
    );
    found.put(
        "alt_good_reads",
        with(Side::Alternate, |read| {
            read.mapping_quality >= 20 && read.quality >= 20.0 && read.support.misfit < 10.0
        })
        .ln_1p(),
    );
    let mean_ratio = |side: Side| {
        let sum: f64 = reads
            .iter()
            .filter(|read| read.support.side == side)
            .map(|read| f64::from(read.support.log_ratio.abs() * read.weight))
            .sum();
        sum / (count(side) + 0.5) / 5.0
    };
    found.put("alt_log_ratio", mean_ratio(Side::Alternate));
    found.put("ref_log_ratio", mean_ratio(Side::Reference));
    found
}

/// What the surroundings of a call say. `sample_depth` is the sample's own mean depth, whose
/// logarithm comes first.
pub fn of_surroundings(around: &Surroundings, sample_depth: f32) -> Named {
    let mut found = Named::default();
    let sample_depth = f64::from(sample_depth).max(0.1);
    found.put("sample_depth", sample_depth.ln());
    let ratios = around
        .depth
        .map(|depth| ((f64::from(depth) + 0.5) / (sample_depth + 0.5)).log2());
    for (name, ratio) in ["depth_here", "depth_100", "depth_300", "depth_1000"]
        .into_iter()
        .zip(ratios)
    {
        found.put(name, ratio.clamp(-6.0, 6.0));
    }
    found.put("depth_step", (ratios[0] - ratios[3]).clamp(-4.0, 4.0));
    found.put("unplaced_100", f64::from(around.unplaced[0]));
    found.put("unplaced_1000", f64::from(around.unplaced[1]));
    let names = [
        ["low_places_300", "half_places_300", "whole_places_300"],
        ["low_places_1000", "half_places_1000", "whole_places_1000"],
    ];
    for (scale, names) in names.into_iter().enumerate() {
        for (class, name) in names.into_iter().enumerate() {
            found.put(name, f64::from(around.differing[scale][class]).ln_1p());
        }
    }
    found.put("gap_places_300", f64::from(around.gaps).ln_1p());
    found.put("clip_places_300", f64::from(around.clips[0]).ln_1p());
    found.put("clip_places_1000", f64::from(around.clips[1]).ln_1p());
    found.put("clipped_share", f64::from(around.clipped_share).min(4.0));
    found
}

fn weight_of(reads: &[ReadFeatures], is: impl Fn(&ReadFeatures) -> bool) -> f64 {
    let chosen = reads.iter().filter(|read| is(read));
    chosen.map(|read| f64::from(read.weight)).sum()
}

/// Log likelihoods of the genotypes and of lower fractions of the allele against its absence, from
/// each read's odds. No read is believed more than its mapping quality.
fn genotype_likelihoods(found: &mut Named, reads: &[ReadFeatures]) {
    let likelihood = |fraction: f64| -> f64 {
        reads
            .iter()
            .map(|read| {
                let believed =
                    f64::from(read.mapping_quality.min(60)) * std::f64::consts::LN_10 / 10.0;
                let ratio = f64::from(read.support.log_ratio).clamp(-believed, believed);
                let mixed = ((1.0 - fraction) + fraction * ratio.exp()).ln();
                mixed * f64::from(read.weight)
            })
            .sum()
    };
    let (het, hom) = (likelihood(0.5), likelihood(1.0));
    let best = het.max(hom);
    let low = LOW_FRACTIONS
        .map(likelihood)
        .into_iter()
        .fold(f64::NEG_INFINITY, f64::max);
    let soft = |value: f64| value.signum() * value.abs().ln_1p();
    let depth: f64 = reads.iter().map(|read| f64::from(read.weight)).sum();
    found.put("genotype_odds", soft(best));
    found.put("genotype_odds_per_read", best / (depth + 1.0));
    found.put("hom_odds", soft(hom - het));
    found.put("low_fraction_odds", soft(low - best));
    found.put("low_fraction_against_none", soft(low.max(0.0)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::allele::support::Support;

    fn block(bases: &[u8]) -> ReferenceBlock {
        ReferenceBlock::new(0, bases.to_vec(), bases.len() as u64)
    }

    fn value(named: &Named, name: &str) -> f32 {
        let at = named.names.iter().position(|known| *known == name).unwrap();
        named.values[at]
    }

    #[test]
    fn shapes() {
        let bases = b"GATTACAGGCTTCGATTTTTTTTTCAGCATCAGG";
        let deletion = Edit {
            start: 15,
            deleted: 2,
            inserted: Vec::new(),
        };
        let found = shape(&deletion, &block(bases), 1);
        assert_eq!(value(&found, "is_deletion"), 1.0);
        assert_eq!(value(&found, "homopolymer"), 1.0);
        assert_eq!(value(&found, "changes_whole_units"), 1.0);
        assert!((value(&found, "repeat_length") - 10f32.ln()).abs() < 1e-6);
        let transition = Edit {
            start: 12,
            deleted: 1,
            inserted: b"T".to_vec(),
        };
        let found = shape(&transition, &block(bases), 2);
        assert_eq!(
            (value(&found, "is_transition"), value(&found, "is_cpg")),
            (1.0, 1.0)
        );
        assert_eq!(value(&found, "takes_neighbour"), 1.0);
        assert!(value(&found, "alternates") > 0.6);
        let names: std::collections::BTreeSet<_> = found.names.iter().collect();
        assert_eq!(names.len(), found.names.len());
    }

    #[test]
    fn entropy_is_low_in_repeats() {
        assert_eq!(three_mer_entropy(b"AAAAAAAA"), 0.0);
        assert!(three_mer_entropy(b"GATTACAGGCTTCGA") > 3.0);
        assert_eq!(three_mer_entropy(b""), 0.0);
    }

    fn read(side: Side) -> ReadFeatures {
        let edit = Edit {
            start: 20,
            deleted: 1,
            inserted: b"T".to_vec(),
        };
        let block = block(&b"ACGT".repeat(20));
        let haplotypes = super::super::Haplotypes::new(&edit, &block);
        let log_ratio = match side {
            Side::Alternate => 7.0,
            Side::Reference => -7.0,
            Side::Neither => 0.0,
        };
        let blank = crate::genome::AlignedRead {
            mapping_quality: 60,
            ..Default::default()
        };
        let mut read = ReadFeatures::new(&blank, &haplotypes, &block);
        read.support = Support {
            log_ratio,
            misfit: 0.0,
            side,
        };
        read
    }

    #[test]
    fn evenly_split_reads_are_a_het_and_few_of_many_are_not() {
        let mixed = |alternate: usize, reference: usize| {
            let mut reads = vec![read(Side::Alternate); alternate];
            reads.extend(vec![read(Side::Reference); reference]);
            of_reads(&reads)
        };
        let het = mixed(15, 15);
        assert!(value(&het, "genotype_odds") > 4.0);
        assert!(value(&het, "hom_odds") < 0.0);
        assert!(value(&het, "low_fraction_odds") < 0.0);
        assert_eq!(value(&het, "het_z"), 0.0);
        let hom = mixed(30, 0);
        assert!(value(&hom, "hom_odds") > 0.0);
        let mosaic = mixed(5, 45);
        assert!(value(&mosaic, "low_fraction_odds") > 1.0);
        assert!(value(&mosaic, "het_z") < -4.0);
        let none = mixed(0, 0);
        assert_eq!(none.names, het.names);
        assert!(none.values.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn depths_are_ratios() {
        let around = Surroundings {
            depth: [60.0, 30.0, 30.0, 15.0],
            ..Surroundings::default()
        };
        let found = of_surroundings(&around, 30.0);
        assert_eq!(found.names[0], "sample_depth");
        assert!((value(&found, "depth_here") - 1.0).abs() < 0.02);
        assert!((value(&found, "depth_1000") + 1.0).abs() < 0.05);
        assert!((value(&found, "depth_step") - 2.0).abs() < 0.05);
    }
}
