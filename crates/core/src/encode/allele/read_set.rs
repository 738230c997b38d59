//! The tensor of one allele.

use std::sync::Arc;

use super::columns::{Columns, Haplotype, Row};
use super::landscape::LocalContext;
use super::layout::AlleleLayout;
use super::read_features::{ReadFeatures, join_mates};
use super::site_features::{Around, ReadCounts, Shape, SiteEvidence};
use super::support::{Haplotypes, Supports};
use crate::genome::{AlignedRead, Edit, ReferenceBlock};

/// Rows of the tensor. A deeper call shows this many of its reads, evenly taken from each side.
pub const READ_LIMIT: usize = 64;
/// Reads of a call that are looked at at all; of more, a fair sample.
pub const SAMPLE_LIMIT: usize = 400;
/// Reads that end this near to the change (and the repeat it stands in) belong to the call, in
/// bases: their clipped ends may carry it.
pub const MARGIN: i64 = 10;

/// Evidence for one allele of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct AlleleTensor {
    /// Reference and allele, a symbol a column.
    pub haplotype: Haplotype,
    /// `[read][column]`: symbol and quality. Reads that support ALT come first, then REF, then
    /// the others; within a side by start.
    pub rows: Vec<Row>,
    /// The allele that each read supports.
    pub supports: Vec<Supports>,
    /// `[read][feature]`, one read after the other: [`AlleleLayout::read`].
    pub reads: Vec<f32>,
    /// Numbers of the call: [`AlleleLayout::site`].
    pub site: Vec<f32>,
}

/// One sample's reads over a call, and around it.
#[derive(Debug, Clone, Copy)]
pub struct SampleEvidence<'a> {
    /// Usable reads around the call in the order of their start, at most [`SAMPLE_LIMIT`].
    pub reads: &'a [Arc<AlignedRead>],
    /// Counts far around the call.
    pub around: &'a LocalContext,
    /// The sample's mean depth.
    pub mean_depth: f32,
}

/// The reads that a tensor was made of.
#[derive(Debug)]
pub(crate) struct ShownReads {
    /// The [`AlignedRead::name`] of each row.
    pub(crate) rows: Vec<u64>,
    /// Reads away from the ends of a long deletion, which are not counted ([`Haplotypes::counts`]).
    pub(crate) uncounted: u64,
}

impl AlleleTensor {
    /// Takes the rows of the reads away; haplotypes and numbers of the call stay.
    pub fn clear_rows(&mut self) {
        self.rows.clear();
        self.supports.clear();
        self.reads.clear();
    }

    /// Encodes one allele with the numbers of `layout`. `block` reaches at least
    /// [`super::columns::WINDOW`] bases to both sides, better a read's length; `alternates` is the
    /// number of ALTs of the record.
    pub fn encode(
        layout: &AlleleLayout,
        edit: &Edit,
        haplotypes: &Haplotypes,
        alternates: usize,
        sample: SampleEvidence<'_>,
        block: &ReferenceBlock,
    ) -> Self {
        Self::encode_named(layout, edit, haplotypes, alternates, sample, block).0
    }

    /// [`Self::encode`], with the reads it shows and those it does not count.
    pub(crate) fn encode_named(
        layout: &AlleleLayout,
        edit: &Edit,
        haplotypes: &Haplotypes,
        alternates: usize,
        sample: SampleEvidence<'_>,
        block: &ReferenceBlock,
    ) -> (Self, ShownReads) {
        let (reads, mut features): (Vec<&Arc<AlignedRead>>, Vec<ReadFeatures>) =
            (sample.reads.iter())
                .map(|read| (read, ReadFeatures::new(read, haplotypes, block)))
                .filter(|(read, of)| haplotypes.counts(read, of.support.side, MARGIN))
                .unzip();
        let names: Vec<u64> = reads.iter().map(|read| read.name).collect();
        join_mates(&names, &mut features);
        let around = sample.around.around(haplotypes.core);
        let evidence = SiteEvidence {
            shape: Shape::new(edit, block, alternates),
            reads: Some((
                ReadCounts::new(&features),
                Around::new(&around, sample.mean_depth),
            )),
        };
        let site = layout.site().iter().map(|feature| feature.value(&evidence));
        let site = site.collect();

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
        let kept: Vec<Arc<AlignedRead>> = shown.iter().map(|at| Arc::clone(reads[*at])).collect();
        let columns = Columns::new(edit, &kept);
        let mut values = Vec::with_capacity(shown.len() * layout.read().len());
        for at in &shown {
            let of_read = layout.read().iter();
            values.extend(of_read.map(|feature| (feature.value)(&features[*at])));
        }
        let tensor = Self {
            haplotype: columns.haplotype(edit, block),
            rows: kept.iter().map(|read| columns.row(read)).collect(),
            supports: shown
                .iter()
                .map(|at| features[*at].support.side.into())
                .collect(),
            reads: values,
            site,
        };
        let shown = ShownReads {
            rows: shown.iter().map(|at| names[*at]).collect(),
            uncounted: (sample.reads.len() - reads.len()) as u64,
        };
        (tensor, shown)
    }

    /// Encodes one allele without reads: the haplotypes, and the numbers of `layout` that need
    /// none.
    pub fn encode_reference(
        layout: &AlleleLayout,
        edit: &Edit,
        alternates: usize,
        block: &ReferenceBlock,
    ) -> Self {
        let evidence = SiteEvidence {
            shape: Shape::new(edit, block, alternates),
            reads: None,
        };
        let site = layout.site().iter().map(|feature| feature.value(&evidence));
        Self {
            haplotype: Columns::new(edit, &[]).haplotype(edit, block),
            rows: Vec::new(),
            supports: Vec::new(),
            reads: Vec::new(),
            site: site.collect(),
        }
    }
}
