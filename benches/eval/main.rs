//! Evaluation of generated records.
#![allow(
    missing_docs,
    reason = "criterion_group makes an undocumented function"
)]

mod generated;

use cnnfilter_eval::{EvalConfig, evaluate};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("evaluate");
    group.sample_size(10);
    let small = generated::table(12_000, 8, 5);
    group.bench_function("12k records, 8 strata, 5 scores", |b| {
        b.iter(|| evaluate(black_box(&small), &EvalConfig::default()));
    });
    let large = generated::table(5_000_000, 20, 5);
    group.bench_function("5M records, 20 strata, 5 scores", |b| {
        b.iter(|| evaluate(black_box(&large), &EvalConfig::default()));
    });
    let exact_only = EvalConfig {
        resamples: 0,
        ..EvalConfig::default()
    };
    group.bench_function("5M records, 20 strata, 5 scores, no intervals", |b| {
        b.iter(|| evaluate(black_box(&large), &exact_only));
    });
    group.finish();
}

criterion_group!(eval, benches);
criterion_main!(eval);
