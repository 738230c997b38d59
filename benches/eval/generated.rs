//! Generated tables for benchmarks: as many records, strata and scores as asked for.

use cnnfilter_eval::classes::{
    Classes, FilterState, Kind, Label, RangeClass, SizeClass, Substitution, Zygosity,
};
use cnnfilter_eval::{JudgedTable, Record};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A table of `n` records, four SNPs to an indel, 2 % of the SNPs and 20 % of the indels false; scores of
/// rising quality, continuous, one of them missing from a tenth of the records; strata of 1 to 20 %.
pub(crate) fn table(n: usize, n_strata: usize, n_scores: usize) -> JudgedTable {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut uniform = move || (rng.next_u32() as f32 + 0.5) / 4_294_967_296.0;
    let scores = (0..n_scores).map(|i| format!("S{i}")).collect();
    let strata = (0..n_strata).map(|i| format!("B{i}")).collect();
    let Ok(mut table) = JudgedTable::new(scores, strata) else {
        unreachable!("at most 32 strata are asked for");
    };
    let mut pos = 0;
    let mut values = vec![0.0; n_scores];
    for _ in 0..n {
        pos += 1 + (uniform() * 1_200.0) as u32;
        let snp = uniform() < 0.8;
        let is_true = uniform() > if snp { 0.02 } else { 0.2 };
        let quality = if is_true { 1.0 } else { -1.0 };
        for (i, value) in values.iter_mut().enumerate() {
            let noise = uniform() + uniform() + uniform() + uniform() - 2.0;
            *value = quality * (0.3 + 0.1 * i as f32) + 2.0 * noise;
            if i == 1 && uniform() < 0.1 {
                *value = f32::NAN;
            }
        }
        let mut bits = 0;
        for i in 0..n_strata {
            if uniform() < 0.01 * (i + 1) as f32 {
                bits |= 1 << i;
            }
        }
        let record = Record {
            classes: Classes {
                kind: if snp { Kind::Snp } else { Kind::Indel },
                label: if is_true { Label::True } else { Label::False },
                filter: FilterState::Pass,
                size: if snp {
                    SizeClass::None
                } else {
                    SizeClass::INDELS[(uniform() * 9.0) as usize % 9]
                },
                alt_fraction: RangeClass::alt_fraction(uniform()),
                depth: RangeClass::depth(uniform() * 100.0),
                zygosity: if uniform() < 0.6 {
                    Zygosity::Het
                } else {
                    Zygosity::HomAlt
                },
                substitution: Substitution::None,
            },
            strata: bits,
            contig: pos / 100_000_000,
            pos: pos % 100_000_000,
            scores: &values,
        };
        if table.push(record).is_err() {
            unreachable!("the record has the table's shape");
        }
    }
    table
}
