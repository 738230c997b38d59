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

/// Length of the made-up contig, and 0-based position of the call in its middle.
const CONTIG: usize = 4000;
const CALL: usize = 2000;
const READ_LENGTH: usize = 100;
const SAMPLE_DEPTH: f32 = 30.0;

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
    Ok(figures)
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
        "made_up\t{}\t.\t{reference}\t{alternate}\t412.6\t.\tDP=30;FS=1.2;MQ=60.00;QD=13.75;SOR=0.7\t\
         GT:AD:DP:GQ:PL\t0/1:15,15:30:99:420,0,430",
        CALL + 1
    )
}

/// Reads along the contig, one every three or four bases (30x), every other one with the ALT.
fn reads(contig: &[u8], deletion: bool) -> Vec<AlignedRead> {
    (0..)
        .map(|number| (number, number * 10 / 3))
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
