//! Sites per second and thread of the two reference networks' convolutions, per instruction
//! set, and of the fully connected head.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot run should stop"
)]

use std::hint::black_box;

use cnnfilter_nn::kernel::{Conv, ConvShape, Dense, Isa, Rows, RowsShape, max_pool_rows};
use cnnfilter_nn::testing::noise;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A layer of a network.
enum Layer {
    Conv(Box<Conv>),
    PoolRows(usize),
}

/// A convolution with weights small enough to keep the values of deep layers in range.
fn conv(cin: usize, cout: usize, kh: usize, kw: usize) -> Layer {
    let inputs = cin * kh * kw;
    let scale = 3.0 / (inputs as f32).sqrt();
    let weight: Vec<f32> = noise(cout * inputs, 1).iter().map(|w| w * scale).collect();
    let shape = ConvShape { cin, cout, kh, kw };
    let conv = Conv::new(shape, &weight, &noise(cout, 2), true).unwrap();
    Layer::Conv(Box::new(conv))
}

/// GATK's 2-D network (small_2d): its convolutions and pools, input 128 x 128 x 15.
fn small_2d() -> Vec<Layer> {
    vec![
        conv(15, 64, 25, 1),
        conv(64, 48, 1, 25),
        conv(48, 32, 25, 1),
        Layer::PoolRows(3),
        conv(32, 24, 1, 25),
        Layer::PoolRows(3),
    ]
}

/// The convolutions of the 1-D network, input 128 x 4.
fn reference_1d() -> Vec<Layer> {
    vec![
        conv(4, 256, 1, 12),
        conv(256, 256, 1, 12),
        conv(256, 128, 1, 12),
    ]
}

/// One site through the network; the result is in the first buffer.
fn forward(isa: Isa, layers: &[Layer], x: Rows<'_>, cin: usize, buffers: &mut [Vec<f32>; 2]) {
    let [current, next] = buffers;
    current.clear();
    current.extend_from_slice(x.data);
    let mut shape = RowsShape {
        stored: x.stored,
        logical: x.logical,
        width: x.width,
        channels: cin,
    };
    for layer in layers {
        let x = shape.rows(current);
        shape = match layer {
            Layer::Conv(conv) => conv.forward_with(isa, x, next),
            Layer::PoolRows(k) => max_pool_rows(x, shape.channels, *k, next),
        }
        .unwrap();
        std::mem::swap(current, next);
    }
}

fn sites(c: &mut Criterion) {
    let cases = [
        ("small_2d/40_reads", small_2d(), 15, 41, 128),
        ("small_2d/128_rows", small_2d(), 15, 128, 128),
        ("reference_1d", reference_1d(), 4, 1, 1),
    ];
    for (name, layers, cin, stored, logical) in cases {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(1)).sample_size(20);
        let data = noise(stored * 128 * cin, 3);
        let x = Rows {
            data: &data,
            stored,
            logical,
            width: 128,
        };
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let mut buffers = [Vec::new(), Vec::new()];
            group.bench_function(isa.to_string(), |b| {
                b.iter(|| forward(isa, &layers, black_box(x), cin, &mut buffers));
            });
        }
        group.finish();
    }
}

/// Each layer of the networks at its place, so that Gelem/s are 10^9 multiply-adds a second.
fn layers(c: &mut Criterion) {
    let cases = [
        ("15>64_25x1", 15, 64, 25, 1, 41, 128, 128),
        ("64>48_1x25", 64, 48, 1, 25, 41, 104, 128),
        ("48>32_25x1", 48, 32, 25, 1, 41, 104, 104),
        ("32>24_1x25", 32, 24, 1, 25, 15, 26, 104),
        ("4>256_1x12", 4, 256, 1, 12, 1, 1, 128),
        ("256>256_1x12", 256, 256, 1, 12, 1, 1, 117),
        ("256>128_1x12", 256, 128, 1, 12, 1, 1, 106),
    ];
    for (name, cin, cout, kh, kw, stored, logical, width) in cases {
        let Layer::Conv(conv) = conv(cin, cout, kh, kw) else {
            continue;
        };
        let data = noise(stored * width * cin, 3);
        let x = Rows {
            data: &data,
            stored,
            logical,
            width,
        };
        let shape = conv.output_shape(stored, logical, width).unwrap();
        let products = shape.stored * shape.width * cout * cin * kh * kw;
        let mut group = c.benchmark_group(format!("layer/{name}"));
        group
            .throughput(Throughput::Elements(products as u64))
            .sample_size(20);
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let mut out = Vec::new();
            group.bench_function(isa.to_string(), |b| {
                b.iter(|| conv.forward_with(isa, black_box(x), &mut out).unwrap());
            });
        }
        group.finish();
    }
}

fn head(c: &mut Criterion) {
    let dense = Dense::new(15_424, 24, &noise(15_424 * 24, 1), &noise(24, 2), true).unwrap();
    let x = noise(15_424, 3);
    let mut group = c.benchmark_group("dense/15424>24");
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        let mut out = Vec::new();
        group.bench_function(isa.to_string(), |b| {
            b.iter(|| dense.forward_with(isa, black_box(&x), &mut out).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, sites, layers, head);
criterion_main!(benches);
