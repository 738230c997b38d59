//! The calls in their order, with labels where there are some: a chunk at a time.

use anyhow::Result;

use super::EmbedPlan;
use crate::commands::encoding::{Call, Inputs};
use crate::commands::labelled::{LabelledCall, LabelledCalls};
use crate::commands::labels::LabelPlan;
use crate::io::regions;
use crate::io::vcf_reader::{ContigGroups, Counts, VcfReader};
use cnnfilter_core::genome::IntervalSet;
use cnnfilter_core::label::{AltState, TruthRecords};

/// Calls that are embedded together.
pub(super) struct Chunk {
    /// At least one; where there are labels their numbers are consecutive.
    pub(super) calls: Vec<Call>,
    /// The verdicts on the ALTs of each; empty without labels.
    pub(super) states: Vec<Vec<AltState>>,
}

/// Where calls come from.
pub(super) enum Source {
    /// Record by record.
    Plain {
        reader: Box<VcfReader>,
        wanted: Option<IntervalSet>,
        outside: u64,
    },
    /// A contig at a time, since labels are made so.
    Labelled {
        calls: Box<LabelledCalls>,
        waiting: std::vec::IntoIter<LabelledCall>,
        taken: u64,
    },
}

impl Source {
    /// Opens the source that the plan asks for.
    ///
    /// # Errors
    /// Labels or regions that cannot be read.
    pub(super) fn open(plan: &EmbedPlan, mut reader: VcfReader, inputs: &Inputs) -> Result<Self> {
        if matches!(plan.labels, LabelPlan::Nothing) {
            let wanted = regions::wanted(&plan.regions, &inputs.known_contigs())?;
            if let Some(wanted) = &wanted {
                reader.restrict(wanted, Counts::Welcome)?;
            }
            return Ok(Self::Plain {
                reader: Box::new(reader),
                wanted,
                outside: 0,
            });
        }
        let calls = ContigGroups::open(&plan.variants)?;
        let calls = LabelledCalls::open(calls, &plan.labels, &plan.regions, inputs)?;
        Ok(Self::Labelled {
            calls: Box::new(calls),
            waiting: Vec::new().into_iter(),
            taken: 0,
        })
    }

    /// The next calls, `most` at most; nothing at the end.
    ///
    /// # Errors
    /// A damaged file.
    pub(super) fn next(&mut self, most: usize) -> Result<Option<Chunk>> {
        let mut chunk = Chunk {
            calls: Vec::new(),
            states: Vec::new(),
        };
        match self {
            Self::Plain {
                reader,
                wanted,
                outside,
            } => {
                while chunk.calls.len() < most {
                    let Some((number, record)) = reader.next_record()? else {
                        break;
                    };
                    if regions::hold(wanted.as_ref(), &record) {
                        chunk.calls.push(Call { number, record });
                    } else {
                        *outside += 1;
                    }
                }
            }
            Self::Labelled {
                calls,
                waiting,
                taken,
            } => {
                if waiting.len() == 0 {
                    let Some(contig) = calls.next_contig()? else {
                        return Ok(None);
                    };
                    *waiting = contig.calls.into_iter();
                }
                for LabelledCall { record, states, .. } in waiting.by_ref().take(most) {
                    *taken += 1;
                    let number = *taken;
                    chunk.calls.push(Call { number, record });
                    chunk.states.push(states);
                }
            }
        }
        Ok((!chunk.calls.is_empty()).then_some(chunk))
    }

    /// Records outside the regions asked for, so far.
    pub(super) fn outside(&self) -> u64 {
        match self {
            Self::Plain {
                reader, outside, ..
            } => outside + reader.left_out(),
            Self::Labelled { calls, .. } => calls.outside(),
        }
    }

    /// Records of the truth, where labels come from one.
    pub(super) fn truth_records(&self) -> Option<&TruthRecords> {
        match self {
            Self::Plain { .. } => None,
            Self::Labelled { calls, .. } => Some(calls.truth_records()),
        }
    }
}
