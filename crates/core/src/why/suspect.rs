//! Names for kinds of error that a call looks like.
//!
//! A suspicion is a rule over the numbers and rows of a call, not an output of the network. It is told for calls that
//! the network doubts, where a topic of the rule speaks against the call.

use super::words::CallNumbers;
use crate::encode::allele::columns::{EVENT_COLUMN, symbol};
use crate::encode::topic::Topic;
use crate::encode::{Encoder, Example, SiteTensor};

/// A kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspect {
    /// Reads of a copy that the reference lacks, or of another place.
    Paralogue,
    /// A tandem repeat that lost or gained units in amplification or sequencing.
    Slippage,
    /// An oxidised guanine: G>T in first reads, C>A in second ones.
    Oxidation,
}

/// Copies from which on a repeat of one base slips, and one of longer units.
const SLIPPING_RUN: f32 = 5.0;
const SLIPPING_REPEAT: f32 = 3.0;
/// Largest share of the reads that show a damaged base; a heterozygous variant has a half.
const LOW_SHARE: f32 = 0.4;
/// Reads on the damaged strand: at least so many, and this share of the ALT reads.
const DAMAGED_READS: usize = 2;
const DAMAGED_SHARE: f32 = 0.8;
/// Depth of a place with a third copy beside two, in log2 of the sample's, less what chance does.
const DEEP: f32 = 0.3;
/// Places of 100 that differ from the reference: two individuals differ at 0.1.
const MANY_PLACES: f32 = 0.7;
/// Mismatches of the ALT reads beside the call.
const MANY_MISMATCHES: f32 = 1.5;
/// MAPQ / 60 of reads that fit several places.
const UNSURE_MAPPING: f32 = 0.6;

impl Suspect {
    /// The word for it in `CNN_WHY`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Paralogue => "paralogue",
            Self::Slippage => "slippage",
            Self::Oxidation => "oxidation",
        }
    }

    /// A line about it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Paralogue => "looks like reads of another copy",
            Self::Slippage => "looks like a slip of a repeat",
            Self::Oxidation => "looks like an oxidised base",
        }
    }

    /// Topics of which one must speak against the call.
    fn topics(self) -> &'static [Topic] {
        match self {
            Self::Paralogue => &[
                Topic::Depth,
                Topic::Neighbours,
                Topic::Mismatches,
                Topic::Mapping,
                Topic::Pileup,
            ],
            Self::Slippage => &[Topic::Repeat, Topic::Support, Topic::Allele, Topic::Pileup],
            Self::Oxidation => &[
                Topic::Support,
                Topic::Strand,
                Topic::Quality,
                Topic::Allele,
                Topic::Pileup,
            ],
        }
    }

    /// The first kind of error whose rule a call of one of our own encoders meets; `against` are the topics that
    /// speak against it.
    pub(super) fn of(encoder: &Encoder, example: &Example, against: &[Topic]) -> Option<Self> {
        let (Encoder::Allele { layout, .. }, SiteTensor::Allele(tensor)) =
            (encoder, &example.tensor)
        else {
            return None;
        };
        let numbers = CallNumbers { layout, tensor };
        let meets = |suspect: &Self| match suspect {
            Self::Slippage => slips(&numbers),
            Self::Oxidation => is_oxidised(&numbers),
            Self::Paralogue => is_elsewhere(&numbers),
        };
        [Self::Slippage, Self::Oxidation, Self::Paralogue]
            .into_iter()
            .find(|suspect| {
                meets(suspect) && suspect.topics().iter().any(|topic| against.contains(topic))
            })
    }
}

/// An indel of whole units of a repeat.
fn slips(numbers: &CallNumbers<'_>) -> bool {
    let is_indel =
        (["is_insertion", "is_deletion"].iter()).any(|name| numbers.value(name) == Some(1.0));
    let copies = numbers.count("repeat_copies").unwrap_or(0.0);
    let fewest = match numbers.value("homopolymer") {
        Some(1.0) => SLIPPING_RUN,
        _ => SLIPPING_REPEAT,
    };
    is_indel
        && numbers.value("changes_whole_units") == Some(1.0)
        && copies >= fewest
        && numbers
            .value("alt_share")
            .is_none_or(|share| share < LOW_SHARE)
}

/// G>T or C>A in few of the reads, which are those of one strand of the fragments.
fn is_oxidised(numbers: &CallNumbers<'_>) -> bool {
    let haplotype = &numbers.tensor.haplotype;
    let change = (
        haplotype.reference[EVENT_COLUMN],
        haplotype.alternate[EVENT_COLUMN],
    );
    let of = |from, to| (symbol::of(from), symbol::of(to));
    let from_g = change == of(b'G', b'T');
    let is_damage = from_g || change == of(b'C', b'A');
    let is_low = (numbers.value("alt_share")).is_some_and(|share| share < LOW_SHARE);
    if numbers.value("is_snp") != Some(1.0) || !is_damage || !is_low {
        return false;
    }
    // The damaged strand is that of a first read: as the reference shows it, G>T where that is forward.
    let is_damaged = |read: &Strand| (read.reverse == read.second_of_pair) == from_g;
    let reads = alt_strands(numbers);
    let damaged = reads.iter().filter(|read| is_damaged(read)).count();
    damaged >= DAMAGED_READS && damaged as f32 >= DAMAGED_SHARE * reads.len() as f32
}

/// The strand of a read, and of its fragment.
struct Strand {
    reverse: bool,
    second_of_pair: bool,
}

/// Of the rows that show ALT; none for a network that does not take these numbers.
fn alt_strands(numbers: &CallNumbers<'_>) -> Vec<Strand> {
    let place = |name: &str| numbers.layout.read_names().position(|known| known == name);
    let (Some(reverse), Some(second)) = (place("reverse"), place("second_of_pair")) else {
        return Vec::new();
    };
    let tensor = numbers.tensor;
    let width = numbers.layout.read().len();
    let reads = tensor.reads.chunks_exact(width).zip(&tensor.supports);
    let alternate = reads.filter(|(_, supports)| supports.alternate);
    alternate
        .map(|(read, _)| Strand {
            reverse: read[reverse] > 0.5,
            second_of_pair: read[second] > 0.5,
        })
        .collect()
}

/// Too deep, among many other differences, or with ALT reads that fit elsewhere.
fn is_elsewhere(numbers: &CallNumbers<'_>) -> bool {
    let is_over = |value: Option<f32>, least: f32| value.is_some_and(|value| value >= least);
    let is_unsure = || {
        let quality = numbers.value("alt_mapping_quality");
        quality.is_some_and(|quality| quality < UNSURE_MAPPING)
    };
    is_over(numbers.value("depth_100"), DEEP)
        || is_over(numbers.places(), MANY_PLACES)
        || numbers.has_alternate()
            && (is_over(numbers.count("alt_mismatches"), MANY_MISMATCHES) || is_unsure())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::Builtin;

    #[test]
    fn without_an_alt_read_none_maps_badly() {
        let builtin = Builtin::named("cnnfilter_reads").unwrap();
        let model = builtin.load("cpu".parse().unwrap()).unwrap();
        let mut example = model.architecture().made_up(5, 12);
        let Encoder::Allele { layout, .. } = model.encoder() else {
            panic!("our own encoder");
        };
        let mut suspect = |alt_reads: f32| {
            let SiteTensor::Allele(tensor) = &mut example.tensor else {
                panic!("our own tensor");
            };
            tensor.site.fill(0.0);
            let at = layout.site_names().position(|name| name == "alt_reads");
            tensor.site[at.unwrap()] = alt_reads.ln_1p();
            Suspect::of(model.encoder(), &example, &[Topic::Mapping])
        };
        assert_eq!(suspect(3.0), Some(Suspect::Paralogue));
        assert_eq!(suspect(0.0), None);
    }
}
