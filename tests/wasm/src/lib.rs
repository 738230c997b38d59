//! Scores made-up calls with the built-in models, from memory alone, natively and in WebAssembly.
//!
//! `tests/wasm/run.sh` builds it for both and compares. The exports need no glue code: a host asks
//! for one number after the other.

#![expect(
    unsafe_code,
    reason = "`no_mangle` gives the exports the names that a host calls"
)]

use std::error::Error;
use std::sync::OnceLock;

use cnnfilter_core::encode::{Example, Outcome, SampleInput, encode_record};
use cnnfilter_core::genome::{AlignedRead, Cigar, CigarOp, ReadFlags, ReferenceBlock, VariantKind};
use cnnfilter_core::networks::{Model, builtin};
use cnnfilter_core::score::log_odds::log_odds;
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_nn::DeviceChoice;
use cnnfilter_nn::kernel::{Conv, ConvShape, Dense, Isa, Rows};

/// Length of the made-up contig, and 0-based position of the call in its middle.
const CONTIG: usize = 4000;
const CALL: usize = 2000;
const READ_LENGTH: usize = 100;
const SAMPLE_DEPTH: f32 = 40.0;

/// One number with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Model, call and number.
    pub name: String,
    /// The number: an output of the network, a score or a probability.
    pub value: f64,
}

/// Scores a SNP and a deletion with both built-in models.
///
/// # Errors
/// Where a model does not load or refuses an example.
pub fn figures() -> Result<Vec<Figure>, Box<dyn Error + Send + Sync>> {
    let mut figures = Vec::new();
    for built_in in builtin::ALL {
        let model = built_in.load(DeviceChoice::Cpu)?;
        for deletion in [false, true] {
            let kind = if deletion {
                VariantKind::Indel
            } else {
                VariantKind::Snp
            };
            let [logits] = <[_; 1]>::try_from(model.logits(&[example(&model, deletion)?])?)
                .map_err(|_| "one example gives one row of outputs")?;
            let score = log_odds(logits, kind);
            let probability = model
                .probability(kind, score)
                .ok_or("a built-in model has a calibration")?;
            let values = logits
                .iter()
                .enumerate()
                .map(|(at, logit)| (format!("logit {at}"), f64::from(*logit)))
                .chain([
                    ("score".to_owned(), score),
                    ("probability".to_owned(), probability),
                ]);
            figures.extend(values.map(|(what, value)| Figure {
                name: format!("{} {} {what}", built_in.0.name, kind.name()),
                value,
            }));
        }
    }
    figures.push(Figure {
        name: "outputs of kernels that differ from the portable ones".into(),
        value: differing_outputs()? as f64,
    });
    Ok(figures)
}

/// Compares the kernels that need no fused multiply-add with the portable ones, bit by bit: of
/// convolutions of all sizes that tiles are cut into, and of fully connected layers.
fn differing_outputs() -> Result<usize, Box<dyn Error + Send + Sync>> {
    let mut differing = 0;
    let mut compare = |[left, right]: [Vec<f32>; 2]| {
        let pairs = left.iter().zip(&right);
        differing += pairs.filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        differing += left.len().abs_diff(right.len());
    };
    let isas = [Isa::Portable, best_without_fusing()];
    for channels in [1, 3, 4, 5, 8, 12, 13, 16, 24, 31] {
        let shape = ConvShape {
            cin: 3,
            cout: channels,
            kh: 1,
            kw: 5,
        };
        let conv = Conv::new(shape, &noise(channels * 15), &noise(channels), true)?;
        for width in 5..17 {
            let data = noise(2 * width * 3);
            let x = Rows {
                data: &data,
                stored: 2,
                logical: 2,
                width,
            };
            let mut outputs = [Vec::new(), Vec::new()];
            for (isa, out) in isas.into_iter().zip(&mut outputs) {
                conv.forward_with(isa, x, out)?;
            }
            compare(outputs);
        }
        let dense = Dense::new(70, channels, &noise(70 * channels), &noise(channels), true)?;
        let mut outputs = [Vec::new(), Vec::new()];
        for (isa, out) in isas.into_iter().zip(&mut outputs) {
            dense.forward_with(isa, &noise(70), out)?;
        }
        compare(outputs);
    }
    Ok(differing)
}

/// The fastest kernels that round each product.
fn best_without_fusing() -> Isa {
    if Isa::Simd128.is_available() {
        Isa::Simd128
    } else {
        Isa::Portable
    }
}

/// Numbers between -1 and 1 with a few zeros.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 7_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) % 2_001) as f32 / 1_000.0 - 1.0
    };
    (0..count).map(next).collect()
}

/// The call as `model` reads it.
fn example(model: &Model, deletion: bool) -> Result<Example, Box<dyn Error + Send + Sync>> {
    let contig = contig();
    let line = record(&contig, deletion);
    let record = VcfRecord::parse(line.into_bytes(), 10)?;
    let block = ReferenceBlock::new(0, contig.clone(), CONTIG as u64);
    let sample = SampleInput {
        column: 0,
        mean_depth: SAMPLE_DEPTH,
    };
    let reads = reads(&contig, deletion);
    match encode_record(model.encoder(), &record, sample, &reads, &block)? {
        Outcome::Encoded(site) => {
            let mut alleles = site.alleles.into_iter();
            let allele = alleles.next().ok_or("the ALT changes something")?;
            Ok(allele.example)
        }
        Outcome::Skipped(skip) => Err(skip.reason().into()),
    }
}

/// Bases that a linear congruential generator draws.
fn contig() -> Vec<u8> {
    let mut state = 2_024_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"ACGT"[(state >> 30) as usize]
    };
    (0..CONTIG).map(next).collect()
}

/// The other base of the SNP.
fn changed(base: u8) -> u8 {
    if base == b'A' { b'G' } else { b'A' }
}

/// A heterozygous call as HaplotypeCaller writes it: a SNP, or the loss of three bases behind it.
fn record(contig: &[u8], deletion: bool) -> String {
    let base = contig[CALL] as char;
    let (reference, alternate) = if deletion {
        let span = String::from_utf8_lossy(&contig[CALL..CALL + 4]).into_owned();
        (span, base)
    } else {
        (base.to_string(), changed(contig[CALL]) as char)
    };
    format!(
        "made_up\t{}\t.\t{reference}\t{alternate}\t412.6\t.\tDP=40;FS=1.2;MQ=60.00;QD=13.75;SOR=0.7\t\
         GT:AD:DP:GQ:PL\t0/1:20,20:40:99:420,0,430",
        CALL + 1
    )
}

/// Reads along the contig, one every two or three bases (40x), every other one with the ALT.
fn reads(contig: &[u8], deletion: bool) -> Vec<AlignedRead> {
    (0..)
        .map(|number| (number, number * 10 / 4))
        .take_while(|(_, start)| start + READ_LENGTH + 3 <= CONTIG)
        .map(|(number, start)| read(contig, number, start, deletion && !number.is_multiple_of(2)))
        .map(|mut read| {
            let at = CALL.wrapping_sub(read.start as usize);
            if !deletion && !read.name.is_multiple_of(2) && at < READ_LENGTH {
                read.bases[at] = changed(read.bases[at]);
            }
            read
        })
        .collect()
}

/// A read that equals the contig but for the deletion.
fn read(contig: &[u8], number: usize, start: usize, deletion: bool) -> AlignedRead {
    let before = (CALL + 1).wrapping_sub(start);
    let (cigar, bases) = if deletion && (10..READ_LENGTH - 10).contains(&before) {
        let behind = READ_LENGTH - before;
        (
            vec![
                (CigarOp::Match, before as u32),
                (CigarOp::Deletion, 3),
                (CigarOp::Match, behind as u32),
            ],
            [
                &contig[start..start + before],
                &contig[CALL + 4..CALL + 4 + behind],
            ]
            .concat(),
        )
    } else {
        (
            vec![(CigarOp::Match, READ_LENGTH as u32)],
            contig[start..start + READ_LENGTH].to_vec(),
        )
    };
    AlignedRead {
        name: number as u64,
        start: start as i64,
        flags: ReadFlags(if number.is_multiple_of(3) { 0x10 } else { 0 }),
        mapping_quality: 60,
        cigar: Cigar(cigar),
        qualities: (0..READ_LENGTH)
            .map(|at| 25 + ((number + at) % 15) as u8)
            .collect(),
        bases,
        ..AlignedRead::default()
    }
}

/// The figures, made once, or the message of what failed.
fn made() -> &'static Result<Vec<Figure>, String> {
    static MADE: OnceLock<Result<Vec<Figure>, String>> = OnceLock::new();
    MADE.get_or_init(|| figures().map_err(|error| error.to_string()))
}

/// The name of figure `index`, or the message of what failed.
fn text(index: u32) -> &'static str {
    match made() {
        Ok(figures) => figures
            .get(index as usize)
            .map_or("", |figure| figure.name.as_str()),
        Err(message) => message,
    }
}

/// Scores the SNP with the built-in model of reads `times` times, over 40 reads, to take the time of it.
/// Returns the sum of the first outputs; NaN where something failed.
#[unsafe(no_mangle)]
pub extern "C" fn score_times(times: u32) -> f64 {
    static EXAMPLE: OnceLock<Result<(Model, Example), String>> = OnceLock::new();
    let made = EXAMPLE.get_or_init(|| {
        let model = builtin::READS.load(DeviceChoice::Cpu);
        let model = model.map_err(|error| error.to_string())?;
        let example = example(&model, false).map_err(|error| error.to_string())?;
        Ok((model, example))
    });
    let Ok((model, example)) = made else {
        return f64::NAN;
    };
    let one = std::slice::from_ref(example);
    let outputs = (0..times).map(|_| model.logits(one));
    let firsts = outputs.map(|rows| rows.map_or(f64::NAN, |rows| f64::from(rows[0][0])));
    firsts.sum()
}

/// Number of figures; 0 where something failed.
#[unsafe(no_mangle)]
pub extern "C" fn figure_count() -> u32 {
    made().as_ref().map_or(0, |figures| figures.len() as u32)
}

/// The value of figure `index`; NaN where there is none.
#[unsafe(no_mangle)]
pub extern "C" fn figure_value(index: u32) -> f64 {
    let figure = made().as_ref().ok().and_then(|all| all.get(index as usize));
    figure.map_or(f64::NAN, |figure| figure.value)
}

/// Address of the name of figure `index` (UTF-8), or of the message of what failed.
#[unsafe(no_mangle)]
pub extern "C" fn text_address(index: u32) -> *const u8 {
    text(index).as_ptr()
}

/// Length in bytes of the text at [`text_address`].
#[unsafe(no_mangle)]
pub extern "C" fn text_length(index: u32) -> usize {
    text(index).len()
}
