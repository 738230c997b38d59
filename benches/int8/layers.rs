//! The layers that are compared, their check and the clock.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot run should stop"
)]

use std::hint::black_box;
use std::time::Instant;

use cnnfilter::model::kernel::{Conv, ConvShape, Rows, pool};

use super::kernel::{ByteConv, ByteRows, max_and_sum, padded};
use super::noise::noise;

/// Rounds of each layer; in each, f32, 8 bits and quantising take turns.
const ROUNDS: usize = 101;

/// Nanoseconds that a turn lasts at least: short, so that some are not interrupted.
const TURN: u128 = 300_000;

/// One step of an input, which is 0 to 1, and of an output.
const X_STEP: f32 = 1.0 / 255.0;
const Y_STEP: f32 = 4.0 / 255.0;

/// A convolution with ReLU at its place in a network.
#[derive(Clone, Copy)]
struct Layer {
    name: &'static str,
    /// Channels in, channels out, rows and positions of the kernel.
    conv: [usize; 4],
    /// Rows kept, rows they stand for, positions.
    input: [usize; 3],
    /// How often a call needs it: once for each of 40 reads, or once.
    times: usize,
    /// Whether numbers for each position and channel are added before the ReLU: the haplotypes'
    /// part of the first layer, in f32 by `pool::add_and_rectify`.
    adds: bool,
}

const fn layer(
    name: &'static str,
    conv: [usize; 4],
    input: [usize; 3],
    times: usize,
    adds: bool,
) -> Layer {
    Layer {
        name,
        conv,
        input,
        times,
        adds,
    }
}

/// `cnnfilter_reads`, read by read, then behind the pools; GATK's `small_2d`.
const NETWORKS: [(&str, &[Layer]); 2] = [
    (
        "cnnfilter_reads",
        &[
            layer("bases", [8, 24, 1, 5], [1, 1, 64], 40, true),
            layer("read", [24, 24, 1, 5], [1, 1, 60], 40, false),
            layer("haplotype", [11, 24, 1, 5], [1, 1, 64], 1, false),
            layer("site1", [96, 28, 1, 5], [1, 1, 56], 1, false),
            layer("site2", [28, 28, 1, 5], [1, 1, 52], 1, false),
        ],
    ),
    (
        "gatk_small_2d",
        &[
            layer("conv1", [15, 64, 25, 1], [41, 128, 128], 1, false),
            layer("conv2", [64, 48, 1, 25], [41, 104, 128], 1, false),
            layer("conv3", [48, 32, 25, 1], [41, 104, 104], 1, false),
            layer("conv4", [32, 24, 1, 25], [15, 26, 104], 1, false),
        ],
    ),
];

/// Sizes that no network has: channels that fill no vector, kernels over both axes, rows left out.
const ODD: [Layer; 6] = [
    layer("", [1, 1, 1, 1], [1, 1, 1], 1, true),
    layer("", [5, 17, 2, 3], [4, 9, 13], 1, true),
    layer("", [8, 40, 3, 1], [7, 7, 29], 1, true),
    layer("", [3, 80, 1, 2], [3, 3, 31], 1, true),
    layer("", [12, 33, 4, 4], [2, 6, 14], 1, true),
    layer("", [4, 130, 2, 1], [11, 12, 5], 1, true),
];

/// Outputs of a read that are pooled: 56 columns of 24 channels.
const POOLED: usize = 56 * 24;

/// A layer in f32 and in 8 bits, with the same input in both forms.
struct Pair {
    layer: Layer,
    float: Conv,
    byte: ByteConv,
    floats: Vec<f32>,
    bytes: Vec<u8>,
    /// What is added, `[position][channel]`, where anything is.
    more_floats: Vec<f32>,
    more_sums: Vec<i32>,
}

impl Pair {
    fn new(layer: Layer) -> Self {
        let [cin, cout, kh, kw] = layer.conv;
        let [stored, _, width] = layer.input;
        let shape = ConvShape { cin, cout, kh, kw };
        let inputs = cin * kh * kw;
        let scale = 3.0 / (inputs as f32).sqrt();
        let weight: Vec<f32> = noise(cout * inputs, 1).iter().map(|w| w * scale).collect();
        let bias = noise(cout, 2);
        let floats = noise(stored * width * cin, 3);
        let floats: Vec<f32> = floats.iter().map(|x| x + 0.5).collect();
        let mut bytes = vec![0; stored * width * padded(cin)];
        quantise(&floats, cin, &mut bytes);
        let byte = ByteConv::new(shape, &weight, &bias, X_STEP, &vec![Y_STEP; cout]);
        let positions = if layer.adds { width - kw + 1 } else { 0 };
        let more_floats = noise(positions * cout, 4);
        let mut more_sums = vec![0; positions * byte.more_columns()];
        let rows = more_sums.chunks_exact_mut(byte.more_columns());
        for (sums, floats) in rows.zip(more_floats.chunks_exact(cout)) {
            for ((sum, float), scale) in sums.iter_mut().zip(floats).zip(byte.scale()) {
                *sum = (float / (scale * Y_STEP)).round_ties_even() as i32;
            }
        }
        Self {
            layer,
            float: Conv::new(shape, &weight, &bias, !layer.adds).unwrap(),
            byte,
            floats,
            bytes,
            more_floats,
            more_sums,
        }
    }

    fn float_rows(&self) -> Rows<'_> {
        let [stored, logical, width] = self.layer.input;
        Rows {
            data: &self.floats,
            stored,
            logical,
            width,
        }
    }

    fn byte_rows(&self) -> ByteRows<'_> {
        let [stored, logical, width] = self.layer.input;
        ByteRows {
            data: &self.bytes,
            stored,
            logical,
            width,
        }
    }

    fn more(&self) -> Option<&[i32]> {
        self.layer.adds.then_some(&self.more_sums[..])
    }

    /// Rows and positions of the output.
    fn positions(&self) -> [usize; 2] {
        let shape = self.byte.output_shape(self.byte_rows());
        [shape.stored, shape.width]
    }

    fn run_float(&self, nothing: &[f32], out: &mut [f32]) {
        self.float
            .forward_into(black_box(self.float_rows()), out)
            .unwrap();
        if self.layer.adds {
            for row in out.chunks_exact_mut(self.more_floats.len()) {
                pool::add_and_rectify(row, &self.more_floats, nothing).unwrap();
            }
        }
    }

    fn run_byte(&self, out: &mut [u8]) {
        self.byte
            .forward(black_box(self.byte_rows()), self.more(), out);
    }
}

/// Numbers of 0 to 1 as bytes, channels padded.
fn quantise(floats: &[f32], channels: usize, bytes: &mut [u8]) {
    let byte = |float: &f32| (float / X_STEP + 0.5) as u8;
    if channels == padded(channels) {
        bytes
            .iter_mut()
            .zip(floats)
            .for_each(|(to, float)| *to = byte(float));
        return;
    }
    let rows = bytes.chunks_exact_mut(padded(channels));
    for (to, floats) in rows.zip(floats.chunks_exact(channels)) {
        to.iter_mut()
            .zip(floats)
            .for_each(|(to, float)| *to = byte(float));
    }
}

/// The 8-bit kernel gives what plain loops give, and what the f32 kernel gives up to rounding.
pub fn check() {
    let layers = NETWORKS.iter().flat_map(|(_, layers)| *layers);
    for layer in layers.chain(&ODD) {
        let pair = Pair::new(*layer);
        let channels = layer.conv[1];
        let [rows, width] = pair.positions();
        let mut bytes = vec![0; rows * width * padded(channels)];
        pair.run_byte(&mut bytes);
        let expected = pair.byte.reference(pair.byte_rows(), pair.more());
        assert_eq!(bytes, expected, "{:?} {:?}", layer.conv, layer.input);
        let mut floats = vec![0.0; rows * width * channels];
        pair.run_float(&vec![0.0; channels], &mut floats);
        let pairs = bytes
            .chunks_exact(padded(channels))
            .zip(floats.chunks_exact(channels));
        for (byte, float) in pairs.flat_map(|(bytes, floats)| bytes.iter().zip(floats)) {
            let (byte, float) = (f32::from(*byte) * Y_STEP, float.min(255.0 * Y_STEP));
            assert!(
                (byte - float).abs() < 0.1,
                "{:?}: {byte}, {float}",
                layer.conv
            );
        }
    }
}

/// Maximum and sum of bytes are those of numbers.
pub fn check_pool() {
    let (mut max, mut sum) = (vec![0; POOLED], vec![0; POOLED]);
    let rows: Vec<Vec<u8>> = (0..40)
        .map(|seed| {
            noise(POOLED, seed)
                .iter()
                .map(|x| ((x + 0.5) * 255.0) as u8)
                .collect()
        })
        .collect();
    for row in &rows {
        max_and_sum(row, &mut max, &mut sum);
    }
    for at in 0..POOLED {
        assert_eq!(Some(max[at]), rows.iter().map(|row| row[at]).max());
        let expected: u16 = rows.iter().map(|row| u16::from(row[at])).sum();
        assert_eq!(sum[at], expected);
    }
}

/// Nanoseconds of one call, `repeats` of them in a row.
fn time(repeats: u32, run: &mut dyn FnMut()) -> f64 {
    let begun = Instant::now();
    for _ in 0..repeats {
        run();
    }
    begun.elapsed().as_nanos() as f64 / f64::from(repeats)
}

/// Quickest, middle and slowest turn of each, in nanoseconds a call.
fn take_turns<const N: usize>(mut runs: [&mut dyn FnMut(); N]) -> [[f64; 3]; N] {
    let repeats = runs.each_mut().map(|run| {
        run();
        let begun = Instant::now();
        run();
        let repeats = TURN / begun.elapsed().as_nanos().max(1);
        u32::try_from(repeats).unwrap_or(1).max(1)
    });
    let mut found = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for at in 0..N {
            found[at].push(time(repeats[at], runs[at]));
        }
    }
    found.map(|mut times| {
        times.sort_by(f64::total_cmp);
        [times[0], times[ROUNDS / 2], times[ROUNDS - 1]]
    })
}

/// A line of the table: quickest, middle, slowest of each, and how often f32's time is 8 bits'.
fn line(
    network: &str,
    name: &str,
    million_products: f64,
    [float, byte]: [[f64; 3]; 2],
    inputs: &str,
) {
    let text = |times: [f64; 3]| times.map(|time| format!("{time:.0}")).join("\t");
    println!(
        "{network}\t{name}\t{million_products:.2}\t{}\t{}\t{:.2}\t{:.2}\t{inputs}",
        text(float),
        text(byte),
        float[0] / byte[0],
        float[1] / byte[1]
    );
}

/// Times every layer and prints the table; `all` is a call of 40 reads.
pub fn compare() {
    println!(
        "network\tlayer\tmillion_products\tf32_min\tf32_median\tf32_max\tint8_min\tint8_median\tint8_max\tratio_of_minima\tratio_of_medians\tquantise_input_min"
    );
    for (network, layers) in NETWORKS {
        let (mut sums, mut products) = ([[0f64; 3]; 2], 0.0);
        let mut add = |of_layer: [[f64; 3]; 2], times: usize| {
            for (sum, time) in sums.iter_mut().flatten().zip(of_layer.iter().flatten()) {
                *sum += time * times as f64;
            }
        };
        for layer in layers {
            let pair = Pair::new(*layer);
            let [rows, width] = pair.positions();
            let channels = layer.conv[1];
            let nothing = vec![0.0; channels];
            let mut floats = vec![0f32; rows * width * channels];
            let mut bytes = vec![0u8; rows * width * padded(channels)];
            let mut inputs = pair.bytes.clone();
            let [float, byte, quantised] = take_turns([
                &mut || pair.run_float(&nothing, black_box(&mut floats)),
                &mut || pair.run_byte(black_box(&mut bytes)),
                &mut || {
                    quantise(
                        black_box(&pair.floats),
                        layer.conv[0],
                        black_box(&mut inputs),
                    )
                },
            ]);
            let millions = (rows * width * layer.conv.iter().product::<usize>()) as f64 / 1e6;
            products += millions * layer.times as f64;
            add([float, byte], layer.times);
            let name = format!("{} x {}", layer.name, layer.times);
            line(
                network,
                &name,
                millions,
                [float, byte],
                &format!("{:.0}", quantised[0]),
            );
        }
        if network == "cnnfilter_reads" {
            let row = noise(POOLED, 5);
            let byte_row = vec![7u8; POOLED];
            let (mut max, mut sum) = (vec![0f32; POOLED], vec![0f32; POOLED]);
            let (mut byte_max, mut byte_sum) = (vec![0u8; POOLED], vec![0u16; POOLED]);
            let times = take_turns([
                &mut || pool::max_and_sum(black_box(&row), &mut max, &mut sum).unwrap(),
                &mut || {
                    // The sums of one call stay below 2^16.
                    byte_sum.fill(0);
                    max_and_sum(black_box(&byte_row), &mut byte_max, &mut byte_sum);
                },
            ]);
            add(times, 40);
            line(network, "pool x 40", 0.0, times, "");
        }
        line(network, "all", products, sums, "");
    }
}
