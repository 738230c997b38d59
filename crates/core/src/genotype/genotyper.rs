//! Genotypes of the samples of a record, written beside the caller's or in their place.

use super::phase::PHASE_SET;
use super::posterior::phred;
use super::{AlleleCopies, PloidyTable, Posterior};
use crate::score::keys::ALLELE_KEY;
use crate::vcf::genotype::{Genotype, GenotypeAllele};
use crate::vcf::{VcfHeader, VcfRecord};

/// FILTER of a record of which no sample has an ALT any more, as DeepVariant names it.
pub const REF_CALL: &str = "RefCall";

/// Probability of an allele that reads do not show, `<NON_REF>` of a GVCF.
const ANY_OTHER: f64 = 1e-3;

/// Highest QUAL that is written.
const HIGHEST_QUAL: f64 = 99.0;

/// Keys of genotypes beside the caller's.
const BESIDE: [&str; 3] = ["CNN_GT", "CNN_GQ", "CNN_GP"];

/// Keys that say how a caller phased a genotype: of no use for another genotype.
const PHASE: [&str; 3] = ["PS", "PGT", "PID"];

/// Where genotypes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// FORMAT `CNN_GT`, `CNN_GQ`, `CNN_GP`; the caller's stay.
    Beside,
    /// FORMAT `GT`, `GQ`, `PL`, `GP`; the caller's become `OGT` and `OGQ`, counts in INFO follow.
    Replace,
    /// The same of candidates that no caller has judged: QUAL and FILTER follow from the genotypes.
    Call,
}

/// What a network says of an ALT in a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlleleEvidence {
    /// Index of the ALT.
    pub alternate: usize,
    /// Probability that the sample has it.
    pub real: f64,
    /// Probability of two copies if it is real and the sample is diploid.
    pub two: f64,
}

/// What a network says of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleEvidence {
    /// Column among the samples of the file, from 0.
    pub column: usize,
    /// Its ALTs, those that were scored.
    pub alleles: Vec<AlleleEvidence>,
    /// False where there was no read to look at.
    pub has_reads: bool,
}

/// Counts of samples' genotypes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct GenotypeCounts {
    /// Genotypes written.
    pub written: u64,
    /// Of these, others than the caller's.
    pub changed: u64,
    /// Left as the caller has them: an allele in them cannot be scored, no aligned read is there, or there are too
    /// many genotypes.
    pub kept: u64,
    /// Not called: no reads, or ploidy 0.
    pub missing: u64,
    /// Records in which no sample has an ALT ([`REF_CALL`]).
    pub ref_calls: u64,
}

impl GenotypeCounts {
    /// Adds the counts of other records.
    pub fn add(&mut self, other: &Self) {
        self.written += other.written;
        self.changed += other.changed;
        self.kept += other.kept;
        self.missing += other.missing;
        self.ref_calls += other.ref_calls;
    }
}

/// Writes genotypes.
#[derive(Debug, Clone, PartialEq)]
pub struct Genotyper {
    placement: Placement,
    /// Ploidies, and the sex of each sample of the file; without, the caller's genotypes say.
    ploidies: Option<(PloidyTable, Vec<String>)>,
    /// Lists have an ALT more than the record: any other allele.
    with_any_other: bool,
}

/// A field of a genotype as it is written.
type Value = fn(&Written) -> String;

/// The genotype of one sample as it is written.
struct Written {
    genotype: Genotype,
    quality: String,
    likelihoods: String,
    probabilities: String,
    /// Probability that the sample has no ALT.
    reference: f64,
    is_changed: bool,
}

impl Genotyper {
    /// A genotyper of a file; `ploidies` are a table and the sex of each of the file's samples.
    pub fn new(placement: Placement, ploidies: Option<(PloidyTable, Vec<String>)>) -> Self {
        Self {
            placement,
            ploidies,
            with_any_other: false,
        }
    }

    /// The same with lists for one ALT more than a record has, as [`append_any_other`] adds it then.
    #[must_use]
    pub fn with_any_other(mut self, with: bool) -> Self {
        self.with_any_other = with;
        self
    }

    /// Defines the keys that it writes.
    pub fn extend_header(&self, header: &mut VcfHeader) {
        let mut define = |key: &str, number: &str, kind: &str, text: &str| {
            let line =
                format!("##FORMAT=<ID={key},Number={number},Type={kind},Description=\"{text}\">");
            header.put_format(key, line);
        };
        match self.placement {
            Placement::Beside => {
                define("CNN_GT", "1", "String", "Genotype by the network");
                define(
                    "CNN_GQ",
                    "1",
                    "Integer",
                    "Phred of the probability that CNN_GT is wrong",
                );
                define(
                    "CNN_GP",
                    "G",
                    "Float",
                    "Probability of each genotype by the network",
                );
            }
            Placement::Replace | Placement::Call => {
                define("GT", "1", "String", "Genotype");
                define(
                    "GQ",
                    "1",
                    "Integer",
                    "Phred of the probability that the genotype is wrong",
                );
                define(
                    "PL",
                    "G",
                    "Integer",
                    "Phred-scaled genotype likelihoods rounded to the closest integer",
                );
                define("GP", "G", "Float", "Probability of each genotype");
                if self.placement == Placement::Call {
                    define(
                        PHASE_SET,
                        "1",
                        "Integer",
                        "Phase set: POS of its first site",
                    );
                }
                if self.placement == Placement::Replace {
                    define("OGT", "1", "String", "Genotype of the caller");
                    define("OGQ", "1", "Integer", "Genotype quality of the caller");
                }
                let line = format!(
                    "##FILTER=<ID={REF_CALL},Description=\"Genotyping model thinks this site is reference\">"
                );
                header.put_filter(REF_CALL, line);
            }
        }
    }

    /// Takes genotypes of an earlier run out, where they stand beside the caller's.
    pub fn clear(&self, record: &mut VcfRecord) {
        if self.placement == Placement::Beside {
            for key in BESIDE {
                record.set_sample_values(key.as_bytes(), None);
            }
        }
    }

    /// Writes the genotypes of a record with so many sample columns.
    pub fn write(
        &self,
        record: &mut VcfRecord,
        samples: &[SampleEvidence],
        columns: usize,
        counts: &mut GenotypeCounts,
    ) {
        let mut written: Vec<Option<Written>> = (0..columns).map(|_| None).collect();
        for sample in samples {
            let Some(place) = written.get_mut(sample.column) else {
                continue;
            };
            match self.genotype(record, sample) {
                Some(genotype) => {
                    counts.written += u64::from(!genotype.genotype.is_missing());
                    counts.missing += u64::from(genotype.genotype.is_missing());
                    counts.changed += u64::from(genotype.is_changed);
                    *place = Some(genotype);
                }
                None => counts.kept += 1,
            }
        }
        match self.placement {
            Placement::Beside => write_beside(record, &written),
            Placement::Replace => replace(record, &written),
            Placement::Call => {
                replace(record, &written);
                let references = written.iter().flatten().map(|one| one.reference);
                let quality = phred(references.product(), HIGHEST_QUAL);
                record.set_quality(format!("{quality:.1}").as_bytes());
                record.set_filter(b"PASS");
            }
        }
        counts.ref_calls += u64::from(self.mark_ref_call(record, columns));
    }

    /// Sets [`REF_CALL`] where no sample of so many has an ALT, and takes it out where one has; not where genotypes stand
    /// beside the caller's. Returns true where it stands. To be said again once another filter has filled FILTER.
    pub fn mark_ref_call(&self, record: &mut VcfRecord, columns: usize) -> bool {
        self.placement != Placement::Beside && mark_ref_call(record, columns)
    }

    /// The genotype of a sample; nothing where the caller's stays.
    fn genotype(&self, record: &VcfRecord, sample: &SampleEvidence) -> Option<Written> {
        let callers = record
            .sample_value(sample.column, b"GT")
            .map(Genotype::parse);
        let callers = callers.unwrap_or_default();
        let scored = |allele: usize| {
            sample
                .alleles
                .iter()
                .find(|one| one.alternate + 1 == allele)
        };
        if callers
            .numbers()
            .flatten()
            .any(|allele| allele > 0 && scored(allele).is_none())
        {
            return None;
        }
        // A caller that assembles reads may have seen what their alignments do not show.
        if !sample.has_reads && !callers.is_missing() {
            return None;
        }
        let ploidy = self.ploidy(record, sample.column, &callers);
        let (_, alternates) = record.alleles();
        let alternates: Vec<&[u8]> = alternates.split(|byte| *byte == b',').collect();
        if ploidy == 0 || !sample.has_reads {
            return Some(Written {
                is_changed: !callers.is_missing(),
                genotype: unphased((0..ploidy.max(1)).map(|_| None)),
                quality: ".".to_owned(),
                likelihoods: ".".to_owned(),
                probabilities: ".".to_owned(),
                reference: 1.0,
            });
        }
        let depths = depths(record, sample.column);
        let all: u32 = depths.iter().sum();
        let any_other = || AlleleCopies::new(ANY_OTHER, 0.5, ploidy, None);
        let copies: Vec<AlleleCopies> = (1..)
            .zip(alternates)
            .map(|(allele, text)| match scored(allele) {
                None if matches!(text, b"<NON_REF>" | b"<*>") => any_other(),
                Some(one) => {
                    let depths = depths.get(allele).map(|depth| (*depth, all));
                    AlleleCopies::new(one.real, one.two, ploidy, depths)
                }
                None => AlleleCopies::none(ploidy),
            })
            .chain(self.with_any_other.then(any_other))
            .collect();
        let posterior = Posterior::new(&copies, ploidy)?;
        let mut before: Vec<Option<usize>> = callers.numbers().collect();
        before.sort_unstable();
        let is_same = before
            .iter()
            .copied()
            .eq(posterior.genotype().iter().copied().map(Some));
        let comma = |list: Vec<String>| list.join(",");
        Some(Written {
            is_changed: !is_same && !callers.is_missing(),
            genotype: match is_same {
                true => callers,
                false => unphased(posterior.genotype().iter().copied().map(Some)),
            },
            quality: posterior.quality().to_string(),
            likelihoods: comma(posterior.likelihoods().iter().map(u32::to_string).collect()),
            probabilities: comma(
                posterior
                    .probabilities()
                    .iter()
                    .map(|p| share(*p))
                    .collect(),
            ),
            reference: posterior.reference(),
        })
    }

    /// The ploidy of a sample, from 0, at a position, 0-based: the table's, else 2.
    pub fn ploidy_at(&self, contig: &str, position: u64, column: usize) -> usize {
        self.ploidies.as_ref().map_or(2, |(table, sexes)| {
            let sex = sexes.get(column).map_or("", String::as_str);
            table.ploidy(contig, position, sex)
        })
    }

    /// The ploidy of a sample: the table's, else the caller's, else 2.
    fn ploidy(&self, record: &VcfRecord, column: usize, callers: &Genotype) -> usize {
        match callers.ploidy() {
            // A lone `.` is how a genotype of any ploidy may be left out.
            1 if !callers.is_missing() && self.ploidies.is_none() => 1,
            ploidy if ploidy > 1 && self.ploidies.is_none() => ploidy,
            _ => {
                let contig = String::from_utf8_lossy(record.contig());
                self.ploidy_at(&contig, record.position().saturating_sub(1), column)
            }
        }
    }
}

/// Adds `<NON_REF>` to the ALTs of a record, which no read shows: `AD`, `VAF` and INFO `CNN_AS` get an entry more.
pub fn append_any_other(record: &mut VcfRecord) {
    let (_, alternates) = record.alleles();
    let alternates = [alternates, b",<NON_REF>"].concat();
    record.set_alternates(&alternates);
    if let Some(scores) = record.info(ALLELE_KEY.as_bytes()) {
        let scores = [scores, b",."].concat();
        record.set_info(ALLELE_KEY.as_bytes(), Some(&scores));
    }
    for (key, none) in [("AD", "0"), ("VAF", "0.0000")] {
        let values = record.sample_values(key.as_bytes()).into_iter();
        let values: Vec<String> = values.map(|value| format!("{value},{none}")).collect();
        record.set_sample_values(key.as_bytes(), Some(&values));
    }
}

/// Reads of REF and the ALTs; empty where AD says nothing.
fn depths(record: &VcfRecord, column: usize) -> Vec<u32> {
    let text = record.sample_value(column, b"AD").unwrap_or_default();
    let numbers = text.split(|byte| *byte == b',');
    let numbers = numbers.map(|number| std::str::from_utf8(number).ok()?.parse().ok());
    numbers.collect::<Option<_>>().unwrap_or_default()
}

fn unphased(numbers: impl Iterator<Item = Option<usize>>) -> Genotype {
    let alleles = numbers.enumerate().map(|(at, number)| GenotypeAllele {
        separator: (at > 0).then_some(b'/'),
        number,
    });
    Genotype {
        alleles: alleles.collect(),
    }
}

/// A probability with up to five decimals.
fn share(probability: f64) -> String {
    let text = format!("{probability:.5}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn text(genotype: &Genotype) -> String {
    String::from_utf8_lossy(&genotype.to_bytes()).into_owned()
}

fn write_beside(record: &mut VcfRecord, written: &[Option<Written>]) {
    let values = |of: Value| -> Vec<String> {
        let one = |written: &Option<Written>| written.as_ref().map_or(".".to_owned(), of);
        written.iter().map(one).collect()
    };
    let of: [Value; 3] = [
        |one| text(&one.genotype),
        |one| one.quality.clone(),
        |one| one.probabilities.clone(),
    ];
    for (key, of) in BESIDE.iter().zip(of) {
        record.set_sample_values(key.as_bytes(), Some(&values(of)));
    }
}

/// Puts the genotypes in the place of the caller's.
fn replace(record: &mut VcfRecord, written: &[Option<Written>]) {
    let columns = written.len();
    let old = |record: &VcfRecord, key: &str| record.sample_values(key.as_bytes());
    let has = |record: &VcfRecord, key: &str| {
        let mut keys = record.format().split(|byte| *byte == b':');
        keys.any(|name| name == key.as_bytes())
    };
    // Of a file that went through here before, these are the caller's still.
    if !has(record, "OGT") {
        let genotypes = old(record, "GT");
        let qualities = old(record, "GQ");
        if genotypes
            .iter()
            .any(|one| !Genotype::parse(one.as_bytes()).is_missing())
        {
            record.set_sample_values(b"OGT", Some(&genotypes));
            if has(record, "GQ") {
                record.set_sample_values(b"OGQ", Some(&qualities));
            }
        }
    }
    let of: [(&str, Value); 4] = [
        ("GT", |one| text(&one.genotype)),
        ("GQ", |one| one.quality.clone()),
        ("PL", |one| one.likelihoods.clone()),
        ("GP", |one| one.probabilities.clone()),
    ];
    for (key, of) in of {
        let kept = old(record, key).into_iter().zip(written);
        let values: Vec<String> = kept
            .map(|(old, new)| new.as_ref().map_or(old, of))
            .collect();
        record.set_sample_values(key.as_bytes(), Some(&values));
    }
    // The caller's likelihoods under another name would speak against the genotype.
    record.set_sample_values(b"GL", None);
    for key in PHASE
        .iter()
        .filter(|key| has(record, key))
        .copied()
        .collect::<Vec<_>>()
    {
        let values: Vec<String> = (old(record, key).into_iter().zip(written))
            .map(|(old, new)| match new {
                Some(new) if new.is_changed => ".".to_owned(),
                _ => old,
            })
            .collect();
        record.set_sample_values(key.as_bytes(), Some(&values));
    }
    count_alleles(record, columns);
}

/// AC, AN and AF follow the genotypes, where the record has them.
fn count_alleles(record: &mut VcfRecord, columns: usize) {
    let alternates = record.alleles().1.split(|byte| *byte == b',').count();
    let mut counts = vec![0u32; alternates + 1];
    for column in 0..columns {
        let genotype = record.sample_value(column, b"GT").map(Genotype::parse);
        for number in genotype.unwrap_or_default().numbers().flatten() {
            if let Some(count) = counts.get_mut(number) {
                *count += 1;
            }
        }
    }
    let all: u32 = counts.iter().sum();
    let list = |of: &dyn Fn(u32) -> String| -> String {
        let of_alternates = counts[1..].iter().map(|count| of(*count));
        of_alternates.collect::<Vec<_>>().join(",")
    };
    let frequency = |count: u32| match all {
        0 => ".".to_owned(),
        all => format!("{:.3}", f64::from(count) / f64::from(all)),
    };
    let values = [
        ("AC", list(&|count| count.to_string())),
        ("AN", all.to_string()),
        ("AF", list(&frequency)),
    ];
    for (key, value) in values {
        if record.info(key.as_bytes()).is_some() {
            record.set_info(key.as_bytes(), Some(value.as_bytes()));
        }
    }
}

fn mark_ref_call(record: &mut VcfRecord, columns: usize) -> bool {
    let carries = (0..columns).any(|column| {
        let genotype = record.sample_value(column, b"GT").map(Genotype::parse);
        genotype.is_some_and(|genotype| genotype.carries_alternate())
    });
    let names = record.filter().split(|byte| *byte == b';');
    let others = names.filter(|name| *name != REF_CALL.as_bytes());
    let mut names: Vec<Vec<u8>> = others.map(<[u8]>::to_vec).collect();
    if !carries {
        names.retain(|name| !matches!(&name[..], b"PASS" | b"."));
        names.push(REF_CALL.as_bytes().to_vec());
    }
    let filter = if names.is_empty() {
        b"PASS".to_vec()
    } else {
        names.join(&b';')
    };
    record.set_filter(&filter);
    !carries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> VcfRecord {
        let line = line.replace(' ', "\t");
        VcfRecord::parse(line.clone().into_bytes(), line.split('\t').count()).unwrap()
    }

    fn line(record: &VcfRecord) -> String {
        let mut out = Vec::new();
        record.write_to(&mut out);
        String::from_utf8(out)
            .unwrap()
            .trim_end()
            .replace('\t', " ")
    }

    fn sample(column: usize, alleles: &[(f64, f64)]) -> SampleEvidence {
        let alleles = alleles.iter().enumerate();
        SampleEvidence {
            column,
            alleles: alleles
                .map(|(alternate, (real, two))| AlleleEvidence {
                    alternate,
                    real: *real,
                    two: *two,
                })
                .collect(),
            has_reads: true,
        }
    }

    fn written(
        placement: Placement,
        text: &str,
        samples: &[SampleEvidence],
        columns: usize,
    ) -> (String, GenotypeCounts) {
        let mut record = record(text);
        let mut counts = GenotypeCounts::default();
        Genotyper::new(placement, None).write(&mut record, samples, columns, &mut counts);
        (line(&record), counts)
    }

    #[test]
    fn genotypes_stand_beside_the_callers() {
        let (found, counts) = written(
            Placement::Beside,
            "c 5 . A G 30 PASS AC=1 GT:GQ 0/1:40 ./.:.",
            &[sample(0, &[(0.99, 0.9)])],
            2,
        );
        assert_eq!(
            found,
            "c 5 . A G 30 PASS AC=1 GT:GQ:CNN_GT:CNN_GQ:CNN_GP 0/1:40:1/1:10:0.01,0.099,0.891 ./.:."
        );
        assert_eq!((counts.written, counts.changed), (1, 1));
    }

    #[test]
    fn genotypes_in_the_callers_place_keep_them_and_counts_follow() {
        let (found, counts) = written(
            Placement::Replace,
            "c 5 . A G 30 PASS AC=3;AF=0.75;AN=4;MLEAC=3 GT:AD:GQ:PGT:PL:PS 0|1:9,9:40:0|1:40,0,40:5 1|1:0,9:20:1|1:90,20,0:5",
            &[sample(0, &[(0.999, 0.01)]), sample(1, &[(0.999, 0.01)])],
            2,
        );
        assert_eq!(
            found,
            "c 5 . A G 30 PASS AC=2;AF=0.500;AN=4;MLEAC=3 GT:AD:GQ:PGT:PL:PS:OGT:OGQ:GP \
             0|1:9,9:20:0|1:30,0,20:5:0|1:40:0.001,0.98901,0.00999 \
             0/1:0,9:20:.:30,0,20:.:1|1:20:0.001,0.98901,0.00999"
        );
        assert_eq!(
            (counts.written, counts.changed, counts.ref_calls),
            (2, 1, 0)
        );
    }

    #[test]
    fn a_second_run_keeps_the_callers_genotypes() {
        let first = "c 5 . A G 30 PASS . GT:GQ 1/1:40";
        let evidence = [sample(0, &[(0.999, 0.01)])];
        let (once, _) = written(Placement::Replace, first, &evidence, 1);
        let (twice, counts) = written(Placement::Replace, &once, &evidence, 1);
        assert_eq!(once, twice);
        assert!(twice.contains(":1/1:40:"), "{twice}");
        assert_eq!(counts.changed, 0);
    }

    #[test]
    fn a_record_without_an_alt_is_a_ref_call_and_stays() {
        let text = "c 5 . A G 30 PASS AC=1;AN=2 GT 0/1";
        let (found, counts) = written(Placement::Replace, text, &[sample(0, &[(0.1, 0.5)])], 1);
        assert!(
            found.starts_with("c 5 . A G 30 RefCall AC=0;AN=2 GT:OGT:GQ:PL:GP 0/0:0/1:10:0,"),
            "{found}"
        );
        assert_eq!(counts.ref_calls, 1);
        // And back, where the reads say otherwise.
        let (found, _) = written(Placement::Replace, &found, &[sample(0, &[(0.9, 0.1)])], 1);
        assert!(
            found.starts_with("c 5 . A G 30 PASS AC=1;AN=2 GT:OGT:GQ:PL:GP 0/1:0/1:"),
            "{found}"
        );
        let (found, _) = written(
            Placement::Replace,
            "c 5 . A G 30 LowQD . GT 0/1",
            &[sample(0, &[(0.1, 0.5)])],
            1,
        );
        assert!(found.contains(" LowQD;RefCall "), "{found}");
    }

    #[test]
    fn a_candidate_gets_quality_and_filter() {
        let text = "c 5 . A G . . DP=9 GT:DP ./.:9";
        let (found, counts) = written(Placement::Call, text, &[sample(0, &[(0.999, 0.001)])], 1);
        assert_eq!(
            found,
            "c 5 . A G 30.0 PASS DP=9 GT:DP:GQ:PL:GP 0/1:9:27:30,0,30:0.001,0.998,0.001"
        );
        assert_eq!((counts.changed, counts.ref_calls), (0, 0));
        let (found, _) = written(Placement::Call, text, &[sample(0, &[(0.2, 0.001)])], 1);
        assert!(found.starts_with("c 5 . A G 1.0 RefCall "), "{found}");
    }

    #[test]
    fn a_record_of_a_gvcf_has_an_alt_for_any_other_allele() {
        let mut record = record("c 5 . A G . . CNN_AS=3.000 GT:AD:VAF ./.:4,5:0.5556");
        let mut counts = GenotypeCounts::default();
        let genotyper = Genotyper::new(Placement::Call, None).with_any_other(true);
        genotyper.write(&mut record, &[sample(0, &[(0.999, 0.001)])], 1, &mut counts);
        append_any_other(&mut record);
        let found = line(&record);
        assert!(
            found.starts_with("c 5 . A G,<NON_REF> 30.0 PASS CNN_AS=3.000,. GT:AD:VAF:GQ:PL:GP 0/1:4,5,0:0.5556,0.0000:"),
            "{found}"
        );
        let likelihoods = record.sample_value(0, b"PL").unwrap();
        assert_eq!(likelihoods.split(|byte| *byte == b',').count(), 6);
    }

    #[test]
    fn what_cannot_be_scored_keeps_its_genotype() {
        let text = "c 5 . A G,* 30 PASS . GT:GQ 1/2:40";
        let (found, counts) = written(Placement::Replace, text, &[sample(0, &[(0.9, 0.1)])], 1);
        assert!(found.contains(" 1/2:40:1/2:40"), "{found}");
        assert_eq!((counts.written, counts.kept), (0, 1));
    }

    #[test]
    fn without_reads_a_genotype_stays_and_none_is_made() {
        let mut none = sample(0, &[(0.9, 0.1)]);
        none.has_reads = false;
        let text = "c 5 . A G 30 PASS . GT:GQ 0/1:40";
        let (found, counts) = written(Placement::Replace, text, &[none.clone()], 1);
        assert!(found.contains(" 0/1:40:0/1:40"), "{found}");
        assert_eq!((counts.written, counts.kept), (0, 1));
        let text = "c 5 . A G 30 PASS . GT:GQ ./.:.";
        let (found, counts) = written(Placement::Replace, text, &[none], 1);
        assert!(
            found.contains(" RefCall . GT:GQ") && found.contains(" ./.:."),
            "{found}"
        );
        assert_eq!((counts.written, counts.missing), (0, 1));
    }

    #[test]
    fn ploidies_come_from_the_table_the_caller_or_are_two() {
        let ploidy = |genotyper: &Genotyper, genotype: &str| {
            let mut record = record(&format!("X 50 . A G 30 PASS . GT {genotype}"));
            let mut counts = GenotypeCounts::default();
            genotyper.write(&mut record, &[sample(0, &[(0.999, 0.9)])], 1, &mut counts);
            String::from_utf8_lossy(record.sample_value(0, b"GT").unwrap()).into_owned()
        };
        let callers = Genotyper::new(Placement::Replace, None);
        let found = ["0/1", "1", ".", "./.", "0/0/1"].map(|genotype| ploidy(&callers, genotype));
        assert_eq!(found[..4], ["1/1", "1", "1/1", "1/1"]);
        assert_eq!(found[4].split('/').count(), 3);
        let table = PloidyTable::parse("X 1 100 M 1\nX 1 100 F 0").unwrap();
        let of = |sex: &str| {
            let ploidies = Some((table.clone(), vec![sex.to_owned()]));
            Genotyper::new(Placement::Replace, ploidies)
        };
        assert_eq!(ploidy(&of("M"), "0/1"), "1");
        assert_eq!(ploidy(&of("F"), "0/1"), ".");
    }
}
