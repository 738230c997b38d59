//! From what reads show to candidate sites.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::CandidateOptions;
use super::observed::{base_index, is_base, stretch};
use super::phase::Phase;
use super::stretches::{ReferenceStretch, stretches};
use super::sweep::{SampleSweep, Tally};
use crate::genome::{Edit, ReferenceBlock};

/// Fragments of one sample at a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlleleDepths {
    /// Fragments that show REF, by strand (forward, reverse).
    pub reference: [u32; 2],
    /// The same for each ALT.
    pub alternates: Vec<[u32; 2]>,
    /// All fragments with a base that counts, whatever they show.
    pub depth: u32,
}

impl AlleleDepths {
    /// Share of the fragments that show an ALT, 0 to 1.
    pub fn share(&self, alternate: usize) -> f32 {
        let [forward, reverse] = self.alternates.get(alternate).copied().unwrap_or_default();
        (forward + reverse) as f32 / self.depth.max(1) as f32
    }
}

/// Candidate alleles that share a POS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateSite {
    /// 0-based position of the first base of REF.
    pub start: u64,
    /// REF.
    pub reference: Vec<u8>,
    /// ALTs, in the order of their changes.
    pub alternates: Vec<Vec<u8>>,
    /// One a sample.
    pub samples: Vec<AlleleDepths>,
}

impl CandidateSite {
    /// The line of a VCF without its end, for `samples` columns: no QUAL, no genotype (`./.`), DP in INFO; FORMAT
    /// `GT:DP:AD:VAF:SB`. SB is strands of REF and of all ALTs together (forward, reverse each), as GATK has it.
    pub fn vcf_line(&self, contig: &str) -> String {
        let text = |bases: &[u8]| String::from_utf8_lossy(bases).into_owned();
        let alternates: Vec<String> = self.alternates.iter().map(|bases| text(bases)).collect();
        let depth: u32 = self.samples.iter().map(|sample| sample.depth).sum();
        let mut line = format!(
            "{contig}\t{}\t.\t{}\t{}\t.\t.\tDP={depth}\tGT:DP:AD:VAF:SB",
            self.start + 1,
            text(&self.reference),
            alternates.join(","),
        );
        for sample in &self.samples {
            let [forward, reverse] = sample.reference;
            let of_alternates = sample.alternates.iter();
            let strand = |at: usize| -> u32 { of_alternates.clone().map(|one| one[at]).sum() };
            let depths: Vec<String> = std::iter::once(&sample.reference)
                .chain(&sample.alternates)
                .map(|[forward, reverse]| (forward + reverse).to_string())
                .collect();
            let shares = (0..sample.alternates.len()).map(|at| format!("{:.4}", sample.share(at)));
            line.push_str(&format!(
                "\t./.:{}:{}:{}:{forward},{reverse},{},{}",
                sample.depth,
                depths.join(","),
                shares.collect::<Vec<_>>().join(","),
                strand(0),
                strand(1),
            ));
        }
        line
    }
}

/// The candidates that begin in `tile`, in the order of their positions. The sweeps are those of the samples over this tile.
pub fn candidates(
    sweeps: Vec<SampleSweep<'_>>,
    tile: Range<u64>,
    reference: &ReferenceBlock,
    options: &CandidateOptions,
) -> Vec<CandidateSite> {
    swept(sweeps, tile, reference, options, None).sites
}

/// What the sweeps of a tile find.
#[derive(Debug, Clone, Default)]
pub struct Swept {
    /// The candidates, in order.
    pub sites: Vec<CandidateSite>,
    /// Of each candidate the phase in each sample, where it is known; of sweeps [with phase](SampleSweep::with_phase).
    pub phases: Vec<Vec<Option<Phase>>>,
    /// The stretches between them, of one sample, where they are asked for.
    pub stretches: Vec<ReferenceStretch>,
}

/// The [`candidates`] with their phase, and for one sample the stretches between them where `ploidy` is there: its ploidy at a
/// position.
pub fn swept(
    sweeps: Vec<SampleSweep<'_>>,
    tile: Range<u64>,
    reference: &ReferenceBlock,
    options: &CandidateOptions,
    ploidy: Option<&dyn Fn(u64) -> usize>,
) -> Swept {
    let tallies: Vec<Tally> = sweeps.into_iter().map(SampleSweep::finish).collect();
    let (sites, edits): (Vec<CandidateSite>, Vec<Vec<Edit>>) =
        sites(&tallies, tile.clone(), reference, options)
            .into_iter()
            .unzip();
    let of_samples: Vec<Vec<Option<Phase>>> = (tallies.iter().enumerate())
        .map(|(sample, tally)| tally.fragments.phases(&sites, &edits, sample))
        .collect();
    let phases = (0..sites.len())
        .map(|at| of_samples.iter().map(|phases| phases[at]).collect())
        .collect();
    let stretches = match (&tallies[..], ploidy) {
        ([tally], Some(ploidy)) => stretches(tally, &sites, tile, reference, ploidy),
        _ => Vec::new(),
    };
    Swept {
        sites,
        phases,
        stretches,
    }
}

/// The candidates with the changes of their ALTs.
fn sites(
    tallies: &[Tally],
    tile: Range<u64>,
    reference: &ReferenceBlock,
    options: &CandidateOptions,
) -> Vec<(CandidateSite, Vec<Edit>)> {
    let mut edits = BTreeSet::new();
    for tally in tallies {
        edits.extend(substitutions(tally, options));
        edits.extend(gaps(tally, options));
    }
    let mut sites: BTreeMap<u64, Vec<Edit>> = BTreeMap::new();
    for edit in edits {
        // Where the reference has no base to write there is no record.
        if let Ok((start, ..)) = edit.to_vcf(&stretch(reference))
            && tile.contains(&start)
        {
            sites.entry(start).or_default().push(edit);
        }
    }
    let sites = sites.into_iter();
    sites
        .filter_map(|(start, edits)| Some((site(start, &edits, tallies, reference)?, edits)))
        .collect()
}

/// The substitutions of a sample that are candidates.
fn substitutions(tally: &Tally, options: &CandidateOptions) -> Vec<Edit> {
    let mut found = Vec::new();
    for (at, bases) in &tally.bases {
        let depth = tally.depth(*at).iter().sum();
        for (base, strands) in b"ACGT".iter().zip(bases) {
            let carriers = strands.iter().sum();
            if carriers > 0 && options.accepts(carriers, depth, false) {
                found.push(Edit {
                    start: *at,
                    deleted: 1,
                    inserted: vec![*base],
                });
            }
        }
    }
    found
}

/// The insertions and deletions of a sample that are candidates.
fn gaps(tally: &Tally, options: &CandidateOptions) -> Vec<Edit> {
    let mut found = Vec::new();
    for (edit, carriers) in &tally.gaps {
        let depth = depth_at(tally, edit);
        if options.accepts(carriers.strands.iter().sum(), depth.iter().sum(), true) {
            found.push(edit.clone());
        }
    }
    found
}

/// Fragments over the base in front of an insertion or deletion, and those that carry it without that base, by strand.
fn depth_at(tally: &Tally, edit: &Edit) -> [u32; 2] {
    let before = tally.depth(edit.start.saturating_sub(1));
    let beside = tally
        .gaps
        .get(edit)
        .map_or([0; 2], |carriers| carriers.beside);
    [0, 1].map(|strand| before[strand] + beside[strand])
}

fn site(
    start: u64,
    edits: &[Edit],
    tallies: &[Tally],
    reference: &ReferenceBlock,
) -> Option<CandidateSite> {
    let end = edits.iter().map(Edit::end).max()?.max(start + 1);
    let bases = reference.slice(start..end).to_vec();
    if bases.len() as u64 != end - start || !bases.iter().all(|base| is_base(*base)) {
        return None;
    }
    let spelled = |edit: &Edit| {
        let before = reference.slice(start..edit.start);
        let behind = reference.slice(edit.end()..end);
        [before, &edit.inserted, behind].concat()
    };
    Some(CandidateSite {
        start,
        alternates: edits.iter().map(spelled).collect(),
        samples: tallies
            .iter()
            .map(|tally| depths(start, edits, tally))
            .collect(),
        reference: bases,
    })
}

/// What the fragments of a sample show at a site.
fn depths(start: u64, edits: &[Edit], tally: &Tally) -> AlleleDepths {
    let bases = tally.bases(start);
    let mut beside = [0; 2];
    let alternates: Vec<[u32; 2]> = (edits.iter())
        .map(|edit| {
            if edit.is_indel() {
                let carriers = tally.gaps.get(edit).copied().unwrap_or_default();
                beside = [0, 1].map(|strand| beside[strand] + carriers.beside[strand]);
                carriers.strands
            } else {
                let index = edit.inserted.first().copied().and_then(base_index);
                index.map_or([0; 2], |index| bases[index])
            }
        })
        .collect();
    // Others than the candidates: they show neither REF nor an ALT of this site.
    let is_here = |edit: &&Edit| edit.start.saturating_sub(1) == start && !edits.contains(edit);
    let others = tally
        .gaps
        .keys()
        .filter(is_here)
        .map(|edit| tally.gaps[edit].strands);
    let candidates = edits.iter().filter(|edit| !edit.is_indel());
    let named: Vec<Option<&u8>> = candidates.map(|edit| edit.inserted.first()).collect();
    let unnamed = (b"ACGT".iter().zip(&bases)).filter(|(base, _)| !named.contains(&Some(base)));
    let mut shown = [0; 2];
    let unnamed = unnamed.map(|(_, strands)| *strands);
    for strands in alternates.iter().copied().chain(others).chain(unnamed) {
        shown = [0, 1].map(|strand| shown[strand] + strands[strand]);
    }
    let depth = tally.depth(start);
    let depth = [0, 1].map(|strand| depth[strand] + beside[strand]);
    AlleleDepths {
        reference: [0, 1].map(|strand| depth[strand].saturating_sub(shown[strand])),
        // An insertion that no read spans has carriers that are not over the base in front.
        depth: depth
            .iter()
            .sum::<u32>()
            .max(alternates.iter().flatten().sum()),
        alternates,
    }
}
