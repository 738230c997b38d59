//! Annotations: the numbers that a caller wrote about a call, as a vector.

use std::fmt;
use std::str::FromStr;

use super::topic::Topic;
use crate::vcf::record::parse_float;
use crate::vcf::{Genotype, VcfRecord};

/// The seven annotations of GATK's networks, in their order (`BEST_PRACTICES` of
/// `scorevariants/encoders.py`): RMS mapping quality, depth, strand odds ratio, Fisher strand
/// (phred), quality by depth, and two rank-sum Z scores.
pub const BEST_PRACTICES: [&str; 7] =
    ["MQ", "DP", "SOR", "FS", "QD", "MQRankSum", "ReadPosRankSum"];

/// The values of `names` in a record's INFO column, in that order and unscaled (the network's
/// batch normalisation does that). A key that is absent, `.` or no finite number is 0; of several
/// values the first counts. Returns how many were absent as well.
pub fn encode(record: &VcfRecord, names: &[String]) -> (Vec<f32>, usize) {
    let mut missing = 0;
    let values = names
        .iter()
        .map(|name| {
            record.info_float(name.as_bytes()).unwrap_or_else(|| {
                missing += 1;
                0.0
            })
        })
        .collect();
    (values, missing)
}

/// One number that a caller wrote about an allele: where it stands, as a model's card names it.
///
/// | name | value |
/// |---|---|
/// | `QUAL` | the column |
/// | `QUAL/depth` | QUAL over the reads of FORMAT/AD or FORMAT/DP (INFO/DP without) |
/// | `GT/copies` | share of the genotype's alleles that are this ALT, 0 to 1 |
/// | `GT/others` | share of them that are another ALT |
/// | `AD/share` | reads of this ALT over the reads of all alleles, from FORMAT/AD, AO and RO, or INFO/DP4 |
/// | `AD/depth` | the reads of all alleles |
/// | `PL/reference` | phred likelihood of the genotype without ALT (first value of FORMAT/PL) |
/// | `INFO/KEY`, `FORMAT/KEY` | the key's value; with as many values as ALTs this ALT's, with one more the one behind REF's, else the first |
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnnotationSource {
    /// QUAL.
    Quality,
    /// QUAL by depth.
    QualityByDepth,
    /// The ALT's share of the genotype.
    GenotypeCopies,
    /// Other ALTs' share of the genotype.
    GenotypeOthers,
    /// The ALT's share of the reads.
    AlleleShare,
    /// Reads of all alleles.
    AlleleDepth,
    /// Likelihood of the genotype without ALT.
    ReferenceLikelihood,
    /// An INFO key.
    Info(String),
    /// A FORMAT key.
    Format(String),
}

/// A name that is no annotation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no annotation; expected QUAL, QUAL/depth, GT/copies, GT/others, AD/share, AD/depth, PL/reference, INFO/KEY or FORMAT/KEY"
)]
pub struct UnknownAnnotation(pub String);

impl FromStr for AnnotationSource {
    type Err = UnknownAnnotation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "QUAL" => Self::Quality,
            "QUAL/depth" => Self::QualityByDepth,
            "GT/copies" => Self::GenotypeCopies,
            "GT/others" => Self::GenotypeOthers,
            "AD/share" => Self::AlleleShare,
            "AD/depth" => Self::AlleleDepth,
            "PL/reference" => Self::ReferenceLikelihood,
            _ => match text.split_once('/') {
                Some(("INFO", key)) if is_key(key) => Self::Info(key.to_owned()),
                Some(("FORMAT", key)) if is_key(key) => Self::Format(key.to_owned()),
                _ => return Err(UnknownAnnotation(text.to_owned())),
            },
        })
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
}

impl fmt::Display for AnnotationSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quality => f.write_str("QUAL"),
            Self::QualityByDepth => f.write_str("QUAL/depth"),
            Self::GenotypeCopies => f.write_str("GT/copies"),
            Self::GenotypeOthers => f.write_str("GT/others"),
            Self::AlleleShare => f.write_str("AD/share"),
            Self::AlleleDepth => f.write_str("AD/depth"),
            Self::ReferenceLikelihood => f.write_str("PL/reference"),
            Self::Info(key) => write!(f, "INFO/{key}"),
            Self::Format(key) => write!(f, "FORMAT/{key}"),
        }
    }
}

/// Effect on an annotation in training when reads of its call are taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinning {
    /// It stays: a share or a mean, which fewer reads leave about as it is.
    Keeps,
    /// It becomes missing: it follows the depth, and the caller would have written another value.
    Missing,
}

/// Annotations that a caller writes or leaves out together; training drops them out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnotationGroup {
    /// QUAL and what is made of it.
    Quality,
    /// The sample's genotype, its likelihoods and its reads.
    Sample,
    /// INFO keys.
    Site,
}

/// An annotation that networks are trained with.
struct UsualAnnotation {
    name: &'static str,
    thinning: Thinning,
    topic: Topic,
}

impl UsualAnnotation {
    const fn new(name: &'static str, thinning: Thinning, topic: Topic) -> Self {
        Self {
            name,
            thinning,
            topic,
        }
    }
}

/// The aspect of a call that an annotation tells of, by its name in a card; [`Topic::Other`] for one that is
/// none of [`DEFAULT`]. GATK's networks name INFO keys without `INFO/`.
pub fn topic(name: &str) -> Topic {
    let usual = usual(name).or_else(|| usual(&format!("INFO/{name}")));
    usual.map_or(Topic::Other, |usual| usual.topic)
}

/// The annotations that our own networks are trained with: what HaplotypeCaller, freebayes and
/// bcftools write. Whatever a file lacks is missing, which the networks are trained to bear.
const USUAL: [UsualAnnotation; 36] = [
    UsualAnnotation::new("QUAL", Thinning::Missing, Topic::Support),
    UsualAnnotation::new("QUAL/depth", Thinning::Missing, Topic::Support),
    UsualAnnotation::new("GT/copies", Thinning::Keeps, Topic::Support),
    UsualAnnotation::new("GT/others", Thinning::Keeps, Topic::Support),
    UsualAnnotation::new("AD/share", Thinning::Keeps, Topic::Support),
    UsualAnnotation::new("AD/depth", Thinning::Missing, Topic::Depth),
    UsualAnnotation::new("PL/reference", Thinning::Missing, Topic::Support),
    UsualAnnotation::new("FORMAT/DP", Thinning::Missing, Topic::Depth),
    UsualAnnotation::new("FORMAT/GQ", Thinning::Missing, Topic::Support),
    UsualAnnotation::new("INFO/DP", Thinning::Missing, Topic::Depth),
    UsualAnnotation::new("INFO/QD", Thinning::Missing, Topic::Support),
    UsualAnnotation::new("INFO/FS", Thinning::Missing, Topic::Strand),
    UsualAnnotation::new("INFO/SOR", Thinning::Missing, Topic::Strand),
    UsualAnnotation::new("INFO/MQ", Thinning::Keeps, Topic::Mapping),
    UsualAnnotation::new("INFO/MQRankSum", Thinning::Missing, Topic::Mapping),
    UsualAnnotation::new("INFO/ReadPosRankSum", Thinning::Missing, Topic::Position),
    UsualAnnotation::new("INFO/BaseQRankSum", Thinning::Missing, Topic::Quality),
    UsualAnnotation::new("INFO/ClippingRankSum", Thinning::Missing, Topic::Mismatches),
    UsualAnnotation::new("INFO/ODDS", Thinning::Missing, Topic::Support),
    UsualAnnotation::new("INFO/QA", Thinning::Missing, Topic::Support),
    UsualAnnotation::new("INFO/SAP", Thinning::Missing, Topic::Strand),
    UsualAnnotation::new("INFO/SRP", Thinning::Missing, Topic::Strand),
    UsualAnnotation::new("INFO/RPP", Thinning::Missing, Topic::Position),
    UsualAnnotation::new("INFO/EPP", Thinning::Missing, Topic::Position),
    UsualAnnotation::new("INFO/MQM", Thinning::Keeps, Topic::Mapping),
    UsualAnnotation::new("INFO/MQMR", Thinning::Keeps, Topic::Mapping),
    UsualAnnotation::new("INFO/PAIRED", Thinning::Missing, Topic::Mapping),
    UsualAnnotation::new("INFO/VDB", Thinning::Missing, Topic::Position),
    UsualAnnotation::new("INFO/SGB", Thinning::Missing, Topic::Support),
    UsualAnnotation::new("INFO/RPBZ", Thinning::Missing, Topic::Position),
    UsualAnnotation::new("INFO/MQBZ", Thinning::Missing, Topic::Mapping),
    UsualAnnotation::new("INFO/BQBZ", Thinning::Missing, Topic::Quality),
    UsualAnnotation::new("INFO/MQSBZ", Thinning::Missing, Topic::Mapping),
    UsualAnnotation::new("INFO/SCBZ", Thinning::Missing, Topic::Mismatches),
    UsualAnnotation::new("INFO/MQ0F", Thinning::Missing, Topic::Mapping),
    UsualAnnotation::new("INFO/IMF", Thinning::Missing, Topic::Support),
];

fn usual(name: &str) -> Option<&'static UsualAnnotation> {
    const { &USUAL }.iter().find(|usual| usual.name == name)
}

/// Names of the annotations that our own networks are trained with, in order.
pub const DEFAULT: [&str; USUAL.len()] = {
    let mut names = [""; USUAL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = USUAL[at].name;
        at += 1;
    }
    names
};

impl AnnotationSource {
    /// The group that it is written or left out with.
    pub fn group(&self) -> AnnotationGroup {
        match self {
            Self::Quality | Self::QualityByDepth => AnnotationGroup::Quality,
            Self::Info(_) => AnnotationGroup::Site,
            _ => AnnotationGroup::Sample,
        }
    }

    /// Effect on it when reads are taken away; of an annotation that is none of [`DEFAULT`]
    /// nothing is known, so it becomes missing.
    pub fn thinning(&self) -> Thinning {
        usual(&self.to_string()).map_or(Thinning::Missing, |usual| usual.thinning)
    }
}

impl AnnotationSource {
    /// The value for ALT `alternate` (from 0) of `alternates`, of one sample (from 0); nothing where
    /// the record lacks it or it is no finite number.
    pub fn value(
        &self,
        record: &VcfRecord,
        alternate: usize,
        alternates: usize,
        sample: usize,
    ) -> Option<f32> {
        let of_list = |list: &[u8]| {
            let values = list.split(|byte| *byte == b',');
            let count = values.clone().count();
            let at = if count == alternates {
                alternate
            } else if count == alternates + 1 {
                alternate + 1
            } else {
                0
            };
            values.clone().nth(at).and_then(parse_float)
        };
        match self {
            Self::Quality => record.quality(),
            Self::QualityByDepth => {
                let depth = allele_reads(record, alternates, sample)
                    .map(|reads| reads.iter().sum())
                    .or_else(|| record.sample_value(sample, b"DP").and_then(parse_float))
                    .or_else(|| record.info_float(b"DP"))?;
                (depth > 0.0).then_some(record.quality()? / depth)
            }
            Self::GenotypeCopies => genotype_share(record, sample, |index| index == alternate + 1),
            Self::GenotypeOthers => {
                genotype_share(record, sample, |index| index > 0 && index != alternate + 1)
            }
            Self::AlleleShare => {
                let reads = allele_reads(record, alternates, sample)?;
                let all: f32 = reads.iter().sum();
                (all > 0.0).then_some(*reads.get(alternate + 1)? / all)
            }
            Self::AlleleDepth => Some(allele_reads(record, alternates, sample)?.iter().sum()),
            Self::ReferenceLikelihood => {
                let list = record.sample_value(sample, b"PL")?;
                parse_float(list.split(|byte| *byte == b',').next()?)
            }
            Self::Info(key) => of_list(record.info(key.as_bytes())?),
            Self::Format(key) => of_list(record.sample_value(sample, key.as_bytes())?),
        }
    }
}

/// Reads of REF and of each ALT.
fn allele_reads(record: &VcfRecord, alternates: usize, sample: usize) -> Option<Vec<f32>> {
    let list = |value: &[u8]| -> Option<Vec<f32>> {
        value.split(|byte| *byte == b',').map(parse_float).collect()
    };
    let whole = |reads: &Vec<f32>| reads.len() == alternates + 1;
    let format = |key: &[u8]| record.sample_value(sample, key).and_then(list);
    format(b"AD")
        .filter(whole)
        .or_else(|| {
            let mut reads = format(b"RO")?;
            reads.extend(format(b"AO")?);
            whole(&reads).then_some(reads)
        })
        .or_else(|| {
            let strands = record.info(b"DP4").and_then(list)?;
            let [rf, rr, af, ar] = strands.try_into().ok()?;
            (alternates == 1).then(|| vec![rf + rr, af + ar])
        })
}

fn genotype_share(
    record: &VcfRecord,
    sample: usize,
    counts: impl Fn(usize) -> bool,
) -> Option<f32> {
    let genotype = record.sample_value(sample, b"GT")?;
    let (mut all, mut counted) = (0.0, 0.0);
    for index in Genotype::parse(genotype).numbers() {
        all += 1.0;
        counted += f32::from(u8::from(counts(index?)));
    }
    (all > 0.0).then_some(counted / all)
}

/// The values of `sources` for one ALT, in order; NaN stands for a missing one.
pub fn of_allele(
    record: &VcfRecord,
    sources: &[AnnotationSource],
    alternate: usize,
    alternates: usize,
    sample: usize,
) -> Vec<f32> {
    sources
        .iter()
        .map(|source| {
            source
                .value(record, alternate, alternates, sample)
                .unwrap_or(f32::NAN)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_are_zero() {
        let line = b"1\t5\t.\tA\tC\t.\t.\tDP=12;MQ=59.5;QD=.;SOR=nan;FS=1,2".to_vec();
        let record = VcfRecord::parse(line, 8).unwrap();
        let names = BEST_PRACTICES.map(String::from);
        assert_eq!(
            encode(&record, &names),
            (vec![59.5, 12.0, 0.0, 1.0, 0.0, 0.0, 0.0], 4)
        );
    }

    #[test]
    fn each_source_finds_its_value() {
        let line = "1\t5\t.\tA\tC,G\t60\t.\tDP=40;AO=7,3;R=9,8,7;X=5;BAD=x\tGT:AD:PL:GQ\t0/2:10,6,4:90,0,99:45";
        let record = VcfRecord::parse(line.as_bytes().to_vec(), 10).unwrap();
        let value = |name: &str, alternate| {
            let source: AnnotationSource = name.parse().unwrap();
            assert_eq!(source.to_string(), name);
            source.value(&record, alternate, 2, 0)
        };
        for (name, expected) in [
            ("QUAL", [Some(60.0); 2]),
            ("QUAL/depth", [Some(3.0); 2]),
            ("GT/copies", [Some(0.0), Some(0.5)]),
            ("GT/others", [Some(0.5), Some(0.0)]),
            ("AD/share", [Some(0.3), Some(0.2)]),
            ("AD/depth", [Some(20.0); 2]),
            ("PL/reference", [Some(90.0); 2]),
            ("FORMAT/GQ", [Some(45.0); 2]),
            ("INFO/AO", [Some(7.0), Some(3.0)]),
            ("INFO/R", [Some(8.0), Some(7.0)]),
            ("INFO/X", [Some(5.0); 2]),
            ("INFO/BAD", [None; 2]),
            ("INFO/MISSING", [None; 2]),
        ] {
            assert_eq!([value(name, 0), value(name, 1)], expected, "{name}");
        }
        assert!("DEPTH".parse::<AnnotationSource>().is_err());
        assert!("INFO/".parse::<AnnotationSource>().is_err());
    }

    #[test]
    fn reads_of_alleles_have_three_spellings() {
        let share = |line: &str| {
            let record =
                VcfRecord::parse(line.as_bytes().to_vec(), line.split('\t').count()).unwrap();
            AnnotationSource::AlleleShare.value(&record, 0, 1, 0)
        };
        assert_eq!(share("1\t5\t.\tA\tC\t.\t.\t.\tRO:AO\t3:1"), Some(0.25));
        assert_eq!(share("1\t5\t.\tA\tC\t.\t.\tDP4=2,1,0,1"), Some(0.25));
        assert_eq!(share("1\t5\t.\tA\tC\t.\t.\tDP4=0,0,0,0"), None);
        assert_eq!(share("1\t5\t.\tA\tC\t.\t.\tX=1"), None);
    }

    #[test]
    fn genotypes_of_any_ploidy_are_shares() {
        let share = |genotype: &str, alternate| {
            let line = format!("1\t5\t.\tA\tC,G\t.\t.\t.\tGT\t{genotype}");
            let record = VcfRecord::parse(line.into_bytes(), 10).unwrap();
            AnnotationSource::GenotypeCopies.value(&record, alternate, 2, 0)
        };
        for (genotype, shares) in [
            ("1", [Some(1.0), Some(0.0)]),
            ("0", [Some(0.0); 2]),
            ("0/1", [Some(0.5), Some(0.0)]),
            ("2|1", [Some(0.5); 2]),
            ("0/0/1/2", [Some(0.25); 2]),
            ("0|1|1|1|1|1|1|2", [Some(0.75), Some(0.125)]),
            ("/0/1", [Some(0.5), Some(0.0)]),
            ("|1", [Some(1.0), Some(0.0)]),
            (".", [None; 2]),
            ("./.", [None; 2]),
            ("./1", [None; 2]),
        ] {
            assert_eq!(
                [share(genotype, 0), share(genotype, 1)],
                shares,
                "{genotype}"
            );
        }
    }

    #[test]
    fn annotations_say_what_training_may_do_to_them() {
        for (name, group, thinning) in [
            ("QUAL", AnnotationGroup::Quality, Thinning::Missing),
            ("GT/copies", AnnotationGroup::Sample, Thinning::Keeps),
            ("FORMAT/DP", AnnotationGroup::Sample, Thinning::Missing),
            ("INFO/MQ", AnnotationGroup::Site, Thinning::Keeps),
            ("INFO/OTHER", AnnotationGroup::Site, Thinning::Missing),
        ] {
            let source: AnnotationSource = name.parse().unwrap();
            assert_eq!(
                (source.group(), source.thinning()),
                (group, thinning),
                "{name}"
            );
        }
    }

    #[test]
    fn every_default_is_an_annotation() {
        for name in DEFAULT {
            assert_eq!(
                name.parse::<AnnotationSource>().map(|s| s.to_string()),
                Ok(name.to_owned())
            );
        }
    }
}
