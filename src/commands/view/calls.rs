//! From encoded calls to calls as the page shows them.

use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::*;

use super::reads::{ReadsOfCall, look_up};
use super::{Opened, ViewPlan};
use crate::commands::encoding::{Call as Encoded, Workers};
use crate::io::alignment::AlignmentSource;
use cnnfilter_core::encode::{EncodedAllele, EncodedSite, Outcome};
use cnnfilter_core::genome::Variant;
use cnnfilter_core::networks::gradients::Integrator;
use cnnfilter_core::score::keys::{PROBABILITY_KEY, SCORE_KEYS};
use cnnfilter_core::score::log_odds::log_odds;
use cnnfilter_core::vcf::VcfRecord;
use cnnfilter_core::why::Explainer;
use cnnfilter_view::{Call, ScoredWith};

/// Scores, explains and describes calls; counts what cannot be shown.
pub(super) struct CallMaker<'a> {
    plan: &'a ViewPlan,
    opened: &'a Opened,
    workers: &'a Workers,
    explainer: Explainer<'a>,
    /// For contributions of single reads and cells; nothing where they are not asked for.
    integrator: Option<Integrator<'a>>,
    skipped: BTreeMap<&'static str, u64>,
    sampled: u64,
    without_reads: u64,
}

impl<'a> CallMaker<'a> {
    /// # Errors
    /// candle's own.
    pub(super) fn new(
        plan: &'a ViewPlan,
        opened: &'a Opened,
        workers: &'a Workers,
    ) -> Result<Self> {
        let integrator = plan.in_detail.then(|| Integrator::new(&opened.model));
        Ok(Self {
            plan,
            opened,
            workers,
            explainer: Explainer::new(&opened.model),
            integrator: integrator.transpose()?,
            skipped: BTreeMap::new(),
            sampled: 0,
            without_reads: 0,
        })
    }

    /// The calls of some records, in their order. Runs in the current rayon pool.
    ///
    /// # Errors
    /// As [`cnnfilter_core::networks::Model::logits`], and where a file of reads is damaged.
    pub(super) fn make(&mut self, encoded: Vec<(Encoded, Outcome)>) -> Result<Vec<Call>> {
        let mut sites: Vec<(VcfRecord, Variant, Box<EncodedSite>)> = Vec::new();
        for (call, outcome) in encoded {
            match (outcome, call.record.variant()) {
                (Outcome::Encoded(site), Some(variant)) => {
                    self.sampled += u64::from(site.is_sampled);
                    self.without_reads += u64::from(site.reads == Some(0));
                    sites.push((call.record, variant, site));
                }
                (Outcome::Skipped(skip), _) => *self.skipped.entry(skip.reason()).or_default() += 1,
                (Outcome::Encoded(_), None) => {}
            }
        }
        let made: Vec<Vec<Call>> = sites
            .into_par_iter()
            .map(|(record, variant, site)| {
                let alleles = site.alleles.into_iter();
                alleles
                    .map(|allele| self.call(&record, &variant, allele))
                    .collect()
            })
            .collect::<Result<_>>()?;
        Ok(made.into_iter().flatten().collect())
    }

    fn call(&self, record: &VcfRecord, variant: &Variant, allele: EncodedAllele) -> Result<Call> {
        let model = &self.opened.model;
        let ReadsOfCall { names, left_out } = self.reads(variant, &allele)?;
        let (kind, example) = (allele.kind, allele.example);
        let logits = model.logits(std::slice::from_ref(&example))?[0];
        let score = log_odds(logits, kind);
        let thresholds = model.card().thresholds.as_ref();
        let threshold = thresholds.and_then(|all| all.find(kind, self.plan.aim).ok().flatten());
        let why = match &self.integrator {
            Some(integrator) => self
                .explainer
                .explain_in_detail(&example, kind, integrator)?,
            None => self.explainer.explain(&example, kind)?,
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let alternates = text(record.alleles().1);
        let label = self.opened.label(record);
        let keys = [PROBABILITY_KEY].into_iter().chain(SCORE_KEYS);
        let in_file = keys.filter_map(|key| {
            let value = record.info_float(key.as_bytes())?;
            Some((key.to_owned(), f64::from(value)))
        });
        Ok(Call {
            contig: variant.contig.clone(),
            start: variant.start,
            id: text(record.id()),
            reference: text(&variant.reference),
            alternate: match allele.alternate.and_then(|at| variant.alternates.get(at)) {
                Some(one) => text(one),
                None => alternates.clone(),
            },
            alternates,
            sample: self.opened.inputs.samples[allele.sample].name.clone(),
            kind,
            quality: record.quality(),
            filter: text(record.filter()),
            in_file: in_file.collect(),
            scored: ScoredWith {
                logits,
                score,
                probability: model.probability(kind, score),
                threshold: threshold.map(|one| one.probability),
            },
            label,
            reads_seen: allele.reads.map(|reads| reads.seen),
            names,
            left_out,
            example,
            why: Some(why),
        })
    }

    /// Its reads' names and what became of the others; nothing for a network without reads.
    fn reads(&self, variant: &Variant, allele: &EncodedAllele) -> Result<ReadsOfCall> {
        let Some(reads) = &allele.reads else {
            return Ok(ReadsOfCall::default());
        };
        let of = (variant.contig.as_str(), allele.sample);
        let limit = self.opened.inputs.encoder.read_limit();
        let look = |source: &mut AlignmentSource| look_up(source, of, reads, limit);
        self.workers.with_reads(&self.opened.inputs, look)
    }

    /// What there is to tell about the calls made.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = (self.skipped.iter())
            .map(|(reason, count)| format!("{count} records are not shown: {reason}."))
            .collect();
        if self.sampled > 0 {
            let limit = self.opened.model.encoder().read_limit();
            notes.push(format!(
                "{} calls have more than {limit} reads: the network looks at a fair sample of them.",
                self.sampled
            ));
        }
        if self.without_reads > 0 {
            notes.push(format!(
                "{} calls have no read over them.",
                self.without_reads
            ));
        }
        notes
    }
}
