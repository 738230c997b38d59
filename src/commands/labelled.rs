//! The calls of one sample with the verdicts on their ALTs, a contig at a time.

use anyhow::Result;

use super::encoding::Inputs;
use super::labels::{ContigCalls, LabelPlan, LabelSource};
use crate::io::fasta::FastaReader;
use crate::io::regions;
use crate::io::vcf_reader::ContigGroups;
use cnnfilter_core::genome::{ContigTable, IntervalSet};
use cnnfilter_core::label::{AltState, MatchRule, SampleRecords, TruthRecords};
use cnnfilter_core::vcf::VcfRecord;

/// Calls and the source of their labels.
pub(crate) struct LabelledCalls {
    calls: ContigGroups,
    /// Column of the sample, from 0.
    sample: usize,
    source: LabelSource,
    wanted: Option<IntervalSet>,
    bases: FastaReader,
    reference: ContigTable,
    /// Records outside the regions asked for, so far.
    outside: u64,
    truth_records: TruthRecords,
}

/// A call with the verdict on its ALTs.
pub(crate) struct LabelledCall {
    pub(crate) record: VcfRecord,
    /// One an ALT.
    pub(crate) states: Vec<AltState>,
    /// Copies of each ALT that the truth has, where that is known; empty where no ALT's are.
    pub(crate) copies: Vec<Option<u8>>,
}

/// The calls of a contig, each with the verdict on its ALTs.
pub(crate) struct LabelledContig {
    /// Its name.
    pub(crate) name: String,
    /// At least one.
    pub(crate) calls: Vec<LabelledCall>,
}

impl LabelledCalls {
    /// Opens the labels of calls. `inputs` are what the calls are encoded from; its first sample is
    /// the one that is labelled. `regions` are as typed.
    ///
    /// # Errors
    /// A file that cannot be read, or a region that cannot be understood.
    pub(crate) fn open(
        mut calls: ContigGroups,
        labels: &LabelPlan,
        regions: &[String],
        inputs: &Inputs,
    ) -> Result<Self> {
        let sample = &inputs.samples[0];
        let header = (inputs.variants.as_path(), calls.header());
        let source = LabelSource::open(labels, header, sample.name.as_deref())?;
        let wanted = regions::wanted(regions, &inputs.known_contigs())?;
        if let Some(wanted) = &wanted {
            calls.restrict(wanted)?;
        }
        Ok(Self {
            calls,
            sample: sample.column,
            source,
            wanted,
            bases: inputs.reference.reader()?,
            reference: inputs.reference.contigs().clone(),
            outside: 0,
            truth_records: TruthRecords::default(),
        })
    }

    /// The next contig that has calls in the regions asked for.
    ///
    /// # Errors
    /// Damaged calls, truth or reference, or a label that cannot be read.
    pub(crate) fn next_contig(&mut self) -> Result<Option<LabelledContig>> {
        while let Some((contig, mut records)) = self.calls.next_contig()? {
            let before = records.len();
            records.retain(|record| regions::hold(self.wanted.as_ref(), record));
            self.outside += (before - records.len()) as u64;
            if records.is_empty() {
                continue;
            }
            let bases = match self.reference.get(&contig) {
                Some(_) => self.bases.block(&contig, 0, u64::MAX)?.into_bases(),
                None => Vec::new(),
            };
            let calls = ContigCalls {
                contig: &contig,
                calls: SampleRecords {
                    records: &records,
                    sample: self.sample,
                },
                bases: &bases,
            };
            let wanted = self.wanted.as_ref();
            let labels = self.source.label(&calls, MatchRule::Allele, wanted)?;
            self.truth_records += labels.truth_records;
            return Ok(Some(LabelledContig {
                name: contig,
                calls: joined(records, labels.alternates, labels.copies),
            }));
        }
        Ok(None)
    }

    /// Records outside the regions asked for, among the contigs so far.
    pub(crate) fn outside(&self) -> u64 {
        self.outside + self.calls.left_out()
    }

    /// Records of the truth on the contigs so far.
    pub(crate) fn truth_records(&self) -> &TruthRecords {
        &self.truth_records
    }
}

/// Records with their verdicts; copies may be missing altogether.
fn joined(
    records: Vec<VcfRecord>,
    states: Vec<Vec<AltState>>,
    copies: Vec<Vec<Option<u8>>>,
) -> Vec<LabelledCall> {
    let copies = copies.into_iter().chain(std::iter::repeat(Vec::new()));
    let calls = records.into_iter().zip(states).zip(copies);
    calls
        .map(|((record, states), copies)| LabelledCall {
            record,
            states,
            copies,
        })
        .collect()
}
