//! Records of a run with the scores of their ALTs and samples.

use std::collections::BTreeMap;

use super::{Annotator, Outputs, info_keys};
use crate::encode::kind::Skip;
use crate::encode::{EncodedSite, Example, Outcome, SiteTensor};
use crate::genome::VariantKind;
use crate::genotype::{AlleleEvidence, GenotypeCounts, SampleEvidence};
use crate::score::keys::{ALLELE_KEY, NOVELTY_KEY, PROBABILITY_KEY, SAMPLE_KEY, WHY_KEY};
use crate::score::log_odds::{format_probability, format_score, log_odds};
use crate::score::novelty::{UNLIKE, format_novelty};
use crate::score::record_scores::{AlleleScore, RecordScores};
use crate::vcf::VcfRecord;
use crate::why::why_value;

/// Counts of records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreCounts {
    /// Records scored, by kind.
    pub scored: BTreeMap<VariantKind, u64>,
    /// Records not scored, by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// Records that lack all annotations of the model.
    pub without_annotations: u64,
    /// Records scored without a single read.
    pub without_reads: u64,
    /// Records with more reads than the model looks at.
    pub sampled: u64,
    /// Genotypes of their samples, where they are written.
    pub genotypes: GenotypeCounts,
    /// Records that are unlike anything in training ([`UNLIKE`]), where novelty is told.
    pub unlike: u64,
}

impl ScoreCounts {
    /// Adds the counts of other records.
    pub fn add(&mut self, other: &Self) {
        for (kind, count) in &other.scored {
            *self.scored.entry(*kind).or_default() += count;
        }
        for (skip, count) in &other.skipped {
            *self.skipped.entry(*skip).or_default() += count;
        }
        self.without_annotations += other.without_annotations;
        self.without_reads += other.without_reads;
        self.sampled += other.sampled;
        self.genotypes.add(&other.genotypes);
        self.unlike += other.unlike;
    }
}

/// Records whose examples are still to be computed.
#[derive(Debug, Clone)]
pub struct Unscored {
    records: Vec<VcfRecord>,
    sites: Vec<Site>,
    examples: Vec<Example>,
    counts: ScoreCounts,
}

/// An encoded record.
#[derive(Debug, Clone)]
struct Site {
    /// Its index among the records.
    record: usize,
    /// Number of its ALTs.
    alternates: usize,
    /// One of each of its examples.
    alleles: Vec<SiteAllele>,
}

/// What an example is about.
#[derive(Debug, Clone, Copy)]
struct SiteAllele {
    sample: usize,
    /// The ALT; nothing for the whole record.
    alternate: Option<usize>,
    kind: VariantKind,
    /// False where the sample has no read there.
    has_reads: bool,
}

/// Returns true if a tensor has rows of reads.
fn has_rows(example: &Example) -> bool {
    match &example.tensor {
        SiteTensor::Allele(tensor) => !tensor.rows.is_empty(),
        SiteTensor::Reads(tensor) => !tensor.rows.is_empty(),
        SiteTensor::Reference(_) => false,
    }
}

impl Annotator<'_> {
    /// Takes encoded records apart. A record that was skipped loses the scores of an earlier run.
    pub fn begin(&self, encoded: impl IntoIterator<Item = (VcfRecord, Outcome)>) -> Unscored {
        let mut unscored = Unscored {
            records: Vec::new(),
            sites: Vec::new(),
            examples: Vec::new(),
            counts: ScoreCounts::default(),
        };
        for (mut record, outcome) in encoded {
            match outcome {
                Outcome::Encoded(site) => unscored.add(*site),
                Outcome::Skipped(skip) => {
                    *unscored.counts.skipped.entry(skip).or_default() += 1;
                    self.clear(&mut record);
                }
            }
            unscored.records.push(record);
        }
        unscored
    }

    /// Takes the keys of scores out: one of an earlier run would be taken for one of this run.
    fn clear(&self, record: &mut VcfRecord) {
        for key in info_keys(self.model)
            .into_iter()
            .chain([WHY_KEY, NOVELTY_KEY])
        {
            record.set_info(key.as_bytes(), None);
        }
        if self.tells_samples_apart() {
            record.set_sample_values(SAMPLE_KEY.as_bytes(), None);
        }
        if let Some(genotyper) = &self.genotyper {
            genotyper.clear(record);
        }
    }

    /// What the outputs say of each sample of a record.
    fn evidence(
        &self,
        alleles: &[SiteAllele],
        scores: &[AlleleScore],
        two_copies: &[f32],
    ) -> Vec<SampleEvidence> {
        let mut samples: Vec<SampleEvidence> = Vec::new();
        for ((allele, score), two) in alleles.iter().zip(scores).zip(two_copies) {
            let (Some(alternate), Some(column)) =
                (allele.alternate, self.scored_columns.get(allele.sample))
            else {
                continue;
            };
            let one = AlleleEvidence {
                alternate,
                real: self.model.probability_or_odds(allele.kind, score.score),
                two: self.model.two_copies(allele.kind, *two),
            };
            match samples.last_mut() {
                Some(last) if last.column == *column => last.alleles.push(one),
                _ => samples.push(SampleEvidence {
                    column: *column,
                    alleles: vec![one],
                    has_reads: allele.has_reads,
                }),
            }
        }
        samples
    }

    /// Writes the scores of a record: the best ALT's and, where the model tells them apart, each
    /// ALT's. Of several samples each gets its own, and the record the best sample's.
    fn write(&self, record: &mut VcfRecord, scores: RecordScores) {
        let card = self.model.card();
        let text = |score: Option<f64>| score.map_or(".".to_owned(), format_score);
        record.set_info(
            card.info_key.as_bytes(),
            Some(format_score(scores.best).as_bytes()),
        );
        if self.scores_alleles() {
            let list: Vec<String> = scores.alternates.into_iter().map(text).collect();
            record.set_info(ALLELE_KEY.as_bytes(), Some(list.join(",").as_bytes()));
        }
        if card.calibration.is_some() {
            let probability = self.model.probability(scores.kind, scores.best);
            let text = probability.map(format_probability);
            record.set_info(
                PROBABILITY_KEY.as_bytes(),
                text.as_deref().map(str::as_bytes),
            );
        }
        if self.tells_samples_apart() {
            let mut values = vec![".".to_owned(); self.columns];
            for (column, score) in self.scored_columns.iter().zip(scores.samples) {
                values[*column] = text(score);
            }
            record.set_sample_values(SAMPLE_KEY.as_bytes(), Some(&values));
        }
    }

    /// The reasons for the score of the best ALT; `parts` are their contributions.
    fn why(&self, example: &Example, parts: &[f32], scores: &RecordScores) -> Option<String> {
        let explainer = self.explainer.as_ref()?;
        let is_real = self.model.believes(scores.kind, scores.best);
        let suspect = explainer.suspect(example, parts, is_real);
        why_value(suspect, &explainer.ranked(parts, is_real))
    }
}

impl Unscored {
    /// Adds the examples of the record that is added next.
    fn add(&mut self, site: EncodedSite) {
        let counts = &mut self.counts;
        *counts.scored.entry(site.kind).or_default() += 1;
        counts.without_annotations += u64::from(site.without_annotations);
        counts.without_reads += u64::from(site.reads == Some(0));
        counts.sampled += u64::from(site.is_sampled);
        let mut alleles = Vec::with_capacity(site.alleles.len());
        for allele in site.alleles {
            alleles.push(SiteAllele {
                sample: allele.sample,
                alternate: allele.alternate,
                kind: allele.kind,
                has_reads: site.reads.is_none() || has_rows(&allele.example),
            });
            self.examples.push(allele.example);
        }
        self.sites.push(Site {
            record: self.records.len(),
            alternates: site.alternates,
            alleles,
        });
    }

    /// The examples of all records, for [`crate::networks::Model::logits`].
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// The kind of each example's allele.
    pub(super) fn kinds(&self) -> Vec<VariantKind> {
        let alleles = self.sites.iter().flat_map(|site| &site.alleles);
        alleles.map(|allele| allele.kind).collect()
    }

    /// Writes the scores, and the reasons where there are some. Returns the records in the order in which
    /// they came.
    pub fn finish(
        mut self,
        annotator: &Annotator<'_>,
        outputs: Outputs,
    ) -> (Vec<VcfRecord>, ScoreCounts) {
        let mut first = 0;
        for site in &self.sites {
            let examples = first..first + site.alleles.len();
            first = examples.end;
            let of_site = site.alleles.iter().zip(&outputs.logits[examples.clone()]);
            let of_alleles: Vec<AlleleScore> = of_site
                .map(|(allele, logits)| AlleleScore {
                    sample: allele.sample,
                    alternate: allele.alternate,
                    kind: allele.kind,
                    score: log_odds(*logits, allele.kind),
                })
                .collect();
            let samples = annotator.scored_columns.len();
            if let Some(scores) = RecordScores::join(&of_alleles, site.alternates, samples) {
                let best = of_alleles.iter().position(|one| one.score == scores.best);
                let novelty = best.and_then(|at| *outputs.novelty.get(examples.start + at)?);
                self.counts.unlike += u64::from(novelty.is_some_and(|novelty| novelty > UNLIKE));
                let novelty = novelty.map(format_novelty);
                let why = best.and_then(|at| {
                    let at = examples.start + at;
                    let parts = outputs.parts.get(at)?;
                    annotator.why(&self.examples[at], parts, &scores)
                });
                let record = &mut self.records[site.record];
                annotator.write(record, scores);
                record.set_info(WHY_KEY.as_bytes(), why.as_deref().map(str::as_bytes));
                if let Some(genotyper) = &annotator.genotyper {
                    let two_copies = &outputs.two_copies[examples];
                    let evidence = annotator.evidence(&site.alleles, &of_alleles, two_copies);
                    let counts = &mut self.counts.genotypes;
                    genotyper.write(record, &evidence, annotator.columns, counts);
                }
                record.set_info(
                    NOVELTY_KEY.as_bytes(),
                    novelty.as_deref().map(str::as_bytes),
                );
            }
        }
        (self.records, self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::EncodedAllele;
    use crate::encode::topic::Topic;
    use crate::networks::{Builtin, Model};
    use crate::testing::examples;
    use crate::why::Part;
    use cnnfilter_nn::DeviceChoice;

    fn model(reads: bool) -> Model {
        Builtin::default_for(reads).load(DeviceChoice::Cpu).unwrap()
    }

    fn record(fields: &str, columns: usize) -> VcfRecord {
        VcfRecord::parse(fields.replace(' ', "\t").into_bytes(), columns).unwrap()
    }

    fn text(record: &VcfRecord) -> String {
        let mut text = Vec::new();
        record.write_to(&mut text);
        let text = String::from_utf8(text).unwrap();
        text.trim_end().replace('\t', " ")
    }

    /// A site with an example for each of these samples and ALTs; nobody looks at the tensors.
    fn site(alternates: usize, alleles: &[(usize, usize, VariantKind)]) -> Outcome {
        let alleles = alleles
            .iter()
            .map(|(sample, alternate, kind)| EncodedAllele {
                sample: *sample,
                alternate: Some(*alternate),
                kind: *kind,
                example: examples(&[1])[0].clone(),
                reads: None,
            });
        Outcome::Encoded(Box::new(EncodedSite {
            kind: VariantKind::Snp,
            alternates,
            alleles: alleles.collect(),
            without_annotations: true,
            reads: Some(0),
            is_sampled: true,
        }))
    }

    /// Outputs whose log odds are about `odds` for a SNP.
    fn outputs(odds: f32) -> [f32; 4] {
        [0.0, 0.0, odds, -30.0]
    }

    fn plain(logits: Vec<[f32; 4]>) -> Outputs {
        Outputs {
            logits,
            ..Outputs::default()
        }
    }

    #[test]
    fn reasons_are_those_of_the_best_alt_and_go_with_the_next_run() {
        let model = model(true);
        let annotator = Annotator::new(&model, vec![0], 1).with_reasons(true);
        let encoded = [(
            record("c 7 . A C,G . . DP=3 GT 0/1", 10),
            site(2, &[(0, 0, VariantKind::Snp), (0, 1, VariantKind::Snp)]),
        )];
        let unscored = annotator.begin(encoded);
        let parts = Part::of_encoder(model.encoder());
        let of = |topic, value| -> Vec<f32> {
            let one = |part: &Part| {
                if *part == Part::Topic(topic) {
                    value
                } else {
                    0.0
                }
            };
            parts.iter().map(one).collect()
        };
        let outputs = Outputs {
            logits: vec![outputs(1.0), outputs(2.0)],
            parts: vec![of(Topic::Strand, 1.5), of(Topic::Repeat, -0.25)],
            ..Outputs::default()
        };
        let (records, _) = unscored.finish(&annotator, outputs);
        assert!(
            text(&records[0]).contains(";CNN_WHY=repeat:-0.25 "),
            "{}",
            text(&records[0])
        );

        let again = Annotator::new(&model, vec![0], 1);
        let unscored = again.begin([(
            records.into_iter().next().unwrap(),
            site(2, &[(0, 0, VariantKind::Snp), (0, 1, VariantKind::Snp)]),
        )]);
        let (records, _) = unscored.finish(&again, plain(vec![[0.0; 4]; 2]));
        assert!(
            !text(&records[0]).contains("CNN_WHY"),
            "{}",
            text(&records[0])
        );
    }

    #[test]
    fn each_alt_and_sample_gets_its_score_and_the_record_the_best() {
        let model = model(true);
        let annotator = Annotator::new(&model, vec![2, 0], 3);
        let encoded = [(
            record("c 7 . A C,G . . DP=3 GT 0/1 ./. 1/2", 12),
            site(
                2,
                &[
                    (0, 0, VariantKind::Snp),
                    (0, 1, VariantKind::Snp),
                    (1, 0, VariantKind::Snp),
                ],
            ),
        )];
        let unscored = annotator.begin(encoded);
        assert_eq!(unscored.examples().len(), 3);
        let logits = vec![outputs(-1.0), outputs(2.0), outputs(1.0)];
        let expected: Vec<String> = logits
            .iter()
            .map(|logits| format_score(log_odds(*logits, VariantKind::Snp)))
            .collect();
        let (records, counts) = unscored.finish(&annotator, plain(logits));
        let [first, second, third] = [&expected[0], &expected[1], &expected[2]];
        assert_ne!(first, second);
        let found = text(&records[0]);
        assert!(
            found.contains(&format!(
                ";CNN_2D={second};CNN_AS={third},{second};CNN_PROB=0."
            )),
            "{found}"
        );
        // Column 2 is the first scored sample, column 0 the second; column 1 was not scored.
        assert!(
            found.ends_with(&format!(" GT:CNN 0/1:{third} ./. 1/2:{second}")),
            "{found}"
        );
        assert_eq!(counts.scored, BTreeMap::from([(VariantKind::Snp, 1)]));
        assert_eq!(
            (
                counts.without_annotations,
                counts.without_reads,
                counts.sampled
            ),
            (1, 1, 1)
        );
    }

    #[test]
    fn a_skipped_record_loses_the_scores_of_an_earlier_run() {
        let model = model(true);
        let annotator = Annotator::new(&model, vec![0, 1], 2);
        let before =
            "c 7 . A <DEL> . . CNN_2D=1.000;DP=3;CNN_AS=1.000;CNN_PROB=0.9 GT:CNN 0/1:2.0 0/0:1.0";
        let unscored = annotator.begin([(record(before, 11), Outcome::Skipped(Skip::NoSequence))]);
        assert!(unscored.examples().is_empty());
        let (records, counts) = unscored.finish(&annotator, Outputs::default());
        assert_eq!(text(&records[0]), "c 7 . A <DEL> . . DP=3 GT 0/1 0/0");
        assert_eq!(counts.skipped, BTreeMap::from([(Skip::NoSequence, 1)]));
    }

    #[test]
    fn one_sample_has_the_score_of_the_record_alone() {
        let model = model(false);
        let annotator = Annotator::new(&model, vec![0], 1);
        let encoded = [(
            record("c 7 . A C . . . GT 0/1", 10),
            site(1, &[(0, 0, VariantKind::Snp)]),
        )];
        let (records, _) = annotator
            .begin(encoded)
            .finish(&annotator, plain(vec![outputs(1.0)]));
        let found = text(&records[0]);
        assert!(
            found.contains(" CNN_1D=") && found.ends_with(" GT 0/1"),
            "{found}"
        );
    }
}
