//! The tensor of one allele.

use std::sync::Arc;

use super::columns::{Columns, Haplotype, Row};
use super::landscape::LocalContext;
use super::read_features::{self, ReadFeatures, join_mates};
use super::site_features;
use super::support::Haplotypes;
use crate::genome::AlignedRead;
use crate::genome::Edit;
use crate::genome::ReferenceBlock;

/// Rows of the tensor. A deeper call shows this many of its reads, evenly taken from each side.
pub const READ_LIMIT: usize = 64;
/// Reads of a call that are looked at at all; of more, a fair sample.
pub const SAMPLE_LIMIT: usize = 400;
/// Reads that end this near to the change (and the repeat it stands in) belong to the call, in
/// bases: their clipped ends may carry it.
pub const MARGIN: i64 = 10;

/// Numbers a read has.
pub const READ_FEATURES: usize = read_features::NAMES.len();

/// What is known of one allele of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct AlleleTensor {
    /// Reference and allele, a symbol a column.
    pub haplotype: Haplotype,
    /// `[read][column]`: symbol and quality. Reads that support ALT come first, then REF, then
    /// the others; within a side by start.
    pub rows: Vec<Row>,
    /// `[read][feature]`: [`read_features::NAMES`].
    pub reads: Vec<[f32; READ_FEATURES]>,
    /// Numbers of the call, in the order of [`AlleleTensor::site_names`].
    pub site: Vec<f32>,
}

impl AlleleTensor {
    /// Encodes one allele. `reads` are usable reads around it in the order of their start, at most
    /// [`SAMPLE_LIMIT`]; `block` reaches at least [`super::columns::WINDOW`] bases to both sides, better
    /// a read's length; `alternates` is the number of ALTs of the record.
    pub fn encode(
        edit: &Edit,
        haplotypes: &Haplotypes,
        alternates: usize,
        reads: &[Arc<AlignedRead>],
        landscape: &LocalContext,
        sample_depth: f32,
        block: &ReferenceBlock,
    ) -> Self {
        let mut features: Vec<ReadFeatures> = reads
            .iter()
            .map(|read| ReadFeatures::new(read, haplotypes, block))
            .collect();
        let names: Vec<u64> = reads.iter().map(|read| read.name).collect();
        join_mates(&names, &mut features);
        let mut site = site_features::shape(edit, block, alternates).values;
        let around = landscape.around(haplotypes.core);
        site.extend(site_features::of_reads(&features).values);
        site.extend(site_features::of_surroundings(&around, sample_depth).values);

        // Order of arrival is order of start, so a stable sort by side is enough.
        let mut order: Vec<usize> = (0..reads.len()).collect();
        order.sort_by_key(|at| features[*at].support.side);
        let shown: Vec<usize> = if order.len() <= READ_LIMIT {
            order
        } else {
            (0..READ_LIMIT)
                .map(|row| order[row * order.len() / READ_LIMIT])
                .collect()
        };
        let kept: Vec<Arc<AlignedRead>> = shown.iter().map(|at| Arc::clone(&reads[*at])).collect();
        let columns = Columns::new(edit, &kept);
        Self {
            haplotype: columns.haplotype(edit, block),
            rows: kept.iter().map(|read| columns.row(read)).collect(),
            reads: shown.iter().map(|at| features[*at].values()).collect(),
            site,
        }
    }

    /// Encodes one allele without reads: the haplotypes and the allele's shape.
    pub fn encode_reference(edit: &Edit, alternates: usize, block: &ReferenceBlock) -> Self {
        Self {
            haplotype: Columns::new(edit, &[]).haplotype(edit, block),
            rows: Vec::new(),
            reads: Vec::new(),
            site: site_features::shape(edit, block, alternates).values,
        }
    }

    /// Names of the numbers of a call, with reads or without.
    pub fn site_names(with_reads: bool) -> Vec<&'static str> {
        let mut names = site_features::shape_names();
        if with_reads {
            names.extend(site_features::of_reads(&[]).names);
            names.extend(site_features::of_surroundings(&Default::default(), 1.0).names);
        }
        names
    }

    /// The same call with fewer reads: keeps the rows that `keep` names (ascending) and counts its
    /// reads anew, as if the sample had been sequenced to `share` of its depth. What lies beyond the
    /// rows (the landscape) keeps its values. Nothing changes without reads.
    pub fn thin(&mut self, keep: &[usize], share: f32) {
        if self.reads.is_empty() {
            return;
        }
        self.rows = keep
            .iter()
            .filter_map(|row| self.rows.get(*row))
            .copied()
            .collect();
        self.reads = keep
            .iter()
            .filter_map(|row| self.reads.get(*row))
            .copied()
            .collect();
        let features: Vec<ReadFeatures> =
            self.reads.iter().map(ReadFeatures::from_values).collect();
        let counted = site_features::of_reads(&features).values;
        let shape = site_features::shape_names().len();
        self.site[shape..shape + counted.len()].copy_from_slice(&counted);
        // The logarithm of the sample's depth comes first among the surroundings.
        self.site[shape + counted.len()] += share.ln();
    }
}
