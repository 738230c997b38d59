//! Scores, genotypes and FILTER of candidates.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use rayon::ThreadPool;

use super::CallPlan;
use crate::commands::encoding::{
    Call, EncodingPlan, Inputs, ReadFilterOptions, Workers, inputs as encoding_inputs, read_notes,
};
use crate::commands::ploidies::GenotypePlan;
use crate::commands::score::filters::thresholds;
use crate::commands::score::shards::score_chunk;
use crate::io::vcf_reader::Order;
use crate::io::{IoError, model_dir};
use crate::terminal::summary::CallSummary;
use cnnfilter_core::annotate::{Annotator, ScoreCommand};
use cnnfilter_core::filter::{Decision, ThresholdFilter};
use cnnfilter_core::genome::FlagSet;
use cnnfilter_core::genotype::append_any_other;
use cnnfilter_core::networks::Model;
use cnnfilter_core::samples::SampleChoice;
use cnnfilter_core::score::Aim;
use cnnfilter_core::vcf::{VcfHeader, VcfRecord};
use cnnfilter_nn::DeviceChoice;

/// FILTER of a call that the model's threshold rejects, as DeepVariant names it.
const LOW_QUAL: &str = "LowQual";

/// How candidates are judged.
#[derive(Debug, Clone)]
pub(crate) struct JudgePlan {
    /// A model folder or the name of a built-in model; the default without.
    pub(crate) model: Option<PathBuf>,
    /// The aim of the threshold.
    pub(crate) aim: Aim,
    /// Ploidies.
    pub(crate) genotypes: GenotypePlan,
    /// Flags of reads that are left out, where the user says so.
    pub(crate) excluded: Option<FlagSet>,
    /// Mean depth of each sample; sampled from the reads where it is left out.
    pub(crate) sample_depth: Option<f32>,
    /// Where the network runs.
    pub(crate) device: DeviceChoice,
}

impl JudgePlan {
    /// Loads the model.
    ///
    /// # Errors
    /// Where there is none of that name, a file of it is damaged, or the device cannot be used.
    pub(super) fn load_model(&self) -> Result<Model, IoError> {
        model_dir::load_choice(self.model.as_deref(), true, self.device.clone())
    }
}

/// Judges candidates by one model.
pub(super) struct Judge<'a> {
    annotator: Annotator<'a>,
    inputs: Inputs,
    thresholds: ThresholdFilter,
    workers: Workers,
    /// Records get an ALT for any other allele once they are judged: the network has seen none.
    is_gvcf: bool,
    /// Number of the last candidate.
    last: AtomicU64,
}

impl<'a> Judge<'a> {
    /// Opens what the network needs, and defines the keys of calls.
    ///
    /// # Errors
    /// A model without genotypes, thresholds or reads, and as the opening of reads.
    pub(super) fn open(
        plan: &CallPlan,
        judging: &JudgePlan,
        model: &'a Model,
        header: &mut VcfHeader,
    ) -> Result<Self> {
        GenotypePlan::check(model)?;
        let card = model.card();
        if !model.uses_reads() {
            anyhow::bail!(
                "model `{}` does not look at reads; take one that does",
                card.name
            );
        }
        let thresholds = thresholds(model, judging.aim, "--aim")?;
        let encoding = EncodingPlan {
            reads: plan.candidates.reads.clone(),
            sample_map: None,
            samples: SampleChoice::Every,
            // A candidate needs reads that are mapped well; the network is to see the others, too.
            read_filter: ReadFilterOptions {
                min_mapping_quality: 0,
                required: plan.candidates.read_filter.required,
                excluded: judging.excluded,
            },
            reference: plan.candidates.reference.clone(),
            sample_depth: judging.sample_depth,
        };
        let calls = (plan.output.path.as_path(), &*header);
        let inputs = encoding_inputs::open(&encoding, model.encoder().clone(), calls)?;
        let genotyper = judging.genotypes.open(header, &inputs)?;
        let genotyper = genotyper.with_any_other(plan.gvcf);
        let columns = inputs.samples.iter().map(|sample| sample.column).collect();
        let annotator =
            Annotator::new(model, columns, inputs.columns).with_genotypes(Some(genotyper));
        let command = ScoreCommand {
            genotypes: judging.genotypes.words(),
            ..encoding.command()
        };
        annotator.extend_header(header, &command)?;
        let line = format!(
            "##FILTER=<ID={LOW_QUAL},Description=\"Confidence in this variant being real is below calling threshold\">"
        );
        header.put_filter(LOW_QUAL, line);
        Ok(Self {
            annotator,
            inputs,
            thresholds,
            is_gvcf: plan.gvcf,
            workers: Workers::default(),
            last: AtomicU64::new(0),
        })
    }

    /// The candidates with scores, genotypes, QUAL and FILTER.
    ///
    /// # Errors
    /// A damaged file of reads or reference, and the network's own.
    pub(super) fn judge(
        &self,
        candidates: Vec<VcfRecord>,
        pool: &ThreadPool,
        summary: &mut CallSummary,
    ) -> Result<Vec<VcfRecord>> {
        let first = self
            .last
            .fetch_add(candidates.len() as u64, Ordering::Relaxed)
            + 1;
        let calls = (first..).zip(candidates);
        let calls = calls
            .map(|(number, record)| Call { number, record })
            .collect();
        let shards = score_chunk(
            calls,
            Order::Sorted,
            &self.annotator,
            &self.inputs,
            pool,
            &self.workers,
        )?;
        let mut records = Vec::new();
        for shard in shards {
            summary.counts.add(&shard.summary.counts);
            for mut record in shard.records {
                if record.passes() && self.is_low(&record) {
                    record.set_filter(LOW_QUAL.as_bytes());
                }
                if self.is_gvcf {
                    append_any_other(&mut record);
                }
                summary.count(&record);
                records.push(record);
            }
        }
        Ok(records)
    }

    /// The ploidy of the first sample at a position, 0-based.
    pub(super) fn ploidy(&self, contig: &str, position: u64) -> usize {
        self.annotator.ploidy(contig, position, 0)
    }

    /// Returns true for a record whose score the model's threshold rejects.
    fn is_low(&self, record: &VcfRecord) -> bool {
        let decision = self.thresholds.decide(record);
        matches!(
            decision,
            Decision::Judged {
                filter: Some(_),
                ..
            }
        )
    }

    /// Says what there is to say about the reads, once all are judged.
    pub(super) fn tell(&self) {
        for note in read_notes(&self.workers.read_counts(), &self.inputs) {
            log::warn!("{note}");
        }
    }
}
