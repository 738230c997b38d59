//! Outputs of layers, pooled into a short vector a call, read while a network scores on the CPU.
//!
//! The last axis of a layer stays (filters, units, heads). Columns, bases and reads are pooled by maximum, then
//! mean; a layer over reads gives both over all reads, then both over the reads that support ALT. Where there is
//! nothing to pool (a call without reads) the numbers are 0.

use std::ops::Range;

use super::ModelError;
use super::activations::{Activation, Layer};
use crate::encode::{Example, SiteTensor};

/// A layer whose pooled output can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PooledLayer {
    /// Its name.
    pub name: String,
    /// Numbers a call.
    pub width: usize,
    /// How they are made.
    pub pools: Pools,
}

/// How the outputs of a layer become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pools {
    /// As they are: one vector a call.
    None,
    /// Maximum and mean over columns, bases or rows.
    Columns,
    /// Maximum and mean over all reads (and columns), maximum and mean over those that support ALT.
    Reads,
}

impl Pools {
    /// The rule in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "as it is",
            Self::Columns => "maximum, mean over columns",
            Self::Reads => "maximum, mean over all reads; maximum, mean over reads with ALT",
        }
    }

    /// Vectors that lie one behind the other.
    fn count(self) -> usize {
        match self {
            Self::None => 1,
            Self::Columns => 2,
            Self::Reads => 4,
        }
    }
}

impl PooledLayer {
    /// A layer with so many filters, units or heads.
    pub(super) fn new(name: impl Into<String>, filters: usize, pools: Pools) -> Self {
        Self {
            name: name.into(),
            width: filters * pools.count(),
            pools,
        }
    }
}

/// The layers that are wanted, one behind the other in a row of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    layers: Vec<PooledLayer>,
    offsets: Vec<usize>,
}

impl Selection {
    /// Some of `known`, in the order of `names`, each once.
    ///
    /// # Errors
    /// [`ModelError::UnknownLayer`] for a name that is not among them.
    pub fn new(names: &[&str], known: &[PooledLayer]) -> Result<Self, ModelError> {
        let mut selection = Self::default();
        let mut end = 0;
        for name in names {
            let Some(layer) = known.iter().find(|layer| layer.name == *name) else {
                let known: Vec<&str> = known.iter().map(|layer| layer.name.as_str()).collect();
                return Err(ModelError::UnknownLayer {
                    name: (*name).to_owned(),
                    known: known.join(", "),
                });
            };
            if selection.range(name).is_none() {
                selection.offsets.push(end);
                end += layer.width;
                selection.layers.push(layer.clone());
            }
        }
        Ok(selection)
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[PooledLayer] {
        &self.layers
    }

    /// Numbers of a row.
    pub fn width(&self) -> usize {
        self.layers.iter().map(|layer| layer.width).sum()
    }

    /// The place of a layer in a row; nothing for one that is not wanted.
    pub fn range(&self, name: &str) -> Option<Range<usize>> {
        let at = self.layers.iter().position(|layer| layer.name == name)?;
        let start = self.offsets[at];
        Some(start..start + self.layers[at].width)
    }
}

/// Takes pooled outputs while a network runs.
#[derive(Debug, Default)]
pub struct Tap<'a> {
    /// Nothing where nothing is wanted.
    wanted: Option<&'a Selection>,
    row: Vec<f32>,
}

impl<'a> Tap<'a> {
    /// A tap for one call.
    pub(super) fn new(wanted: &'a Selection) -> Self {
        Self {
            wanted: Some(wanted),
            row: vec![0.0; wanted.width()],
        }
    }

    /// The numbers, by [`Selection::range`].
    pub(super) fn finish(self) -> Vec<f32> {
        self.row
    }

    /// Lets `fill` write a layer's numbers, which are 0 so far, where the layer is wanted.
    pub(super) fn take(&mut self, layer: &str, fill: impl FnOnce(&mut [f32])) {
        if let Some(range) = self.wanted.and_then(|wanted| wanted.range(layer)) {
            fill(&mut self.row[range]);
        }
    }

    /// Takes a layer's numbers as they are.
    pub(super) fn copy(&mut self, layer: &str, numbers: &[f32]) {
        self.take(layer, |out| out.copy_from_slice(numbers));
    }
}

/// Maximum and mean of `rows`, `[position][filter]`, where the last `width` positions count `times` times.
pub(super) fn max_and_mean(rows: &[f32], filters: usize, last: (usize, usize), out: &mut [f32]) {
    let (width, times) = last;
    let positions = rows.len() / filters.max(1);
    let total = positions + width * times.saturating_sub(1);
    if positions == 0 {
        return;
    }
    let (max, mean) = out.split_at_mut(filters);
    max.fill(f32::NEG_INFINITY);
    for (at, row) in rows.chunks_exact(filters).enumerate() {
        let weight = if at + width >= positions { times } else { 1 } as f32;
        for ((value, max), mean) in row.iter().zip(&mut *max).zip(&mut *mean) {
            *max = max.max(*value);
            *mean += value * weight;
        }
    }
    mean.iter_mut().for_each(|sum| *sum /= total as f32);
}

/// How the output of a layer of candle's graph is pooled, with its filters, units or heads.
pub(super) fn pooled_layer(layer: &Layer, output: &Activation) -> PooledLayer {
    let filters = output.shape.get(feature_axis(layer)).copied();
    PooledLayer::new(layer.name.clone(), filters.unwrap_or(0), pools_of(layer))
}

fn pools_of(layer: &Layer) -> Pools {
    match layer.axes {
        ["read", ..] => Pools::Reads,
        [_, _] => Pools::None,
        _ => Pools::Columns,
    }
}

/// The axis that stays.
fn feature_axis(layer: &Layer) -> usize {
    let stays = |axis: &&str| matches!(*axis, "filter" | "unit" | "head");
    layer.axes.iter().position(stays).unwrap_or(0)
}

/// Pools the output of a layer of candle's graph for one example.
pub(super) fn pool(layer: &Layer, output: &Activation, example: &Example, out: &mut [f32]) {
    let axis = feature_axis(layer);
    let filters = output.shape[axis];
    let inner: usize = output.shape[axis + 1..].iter().product();
    let outer: usize = output.shape[..axis].iter().product();
    let mut rows = Vec::with_capacity(output.data.len());
    for at in 0..outer * inner {
        let start = at / inner * filters * inner + at % inner;
        rows.extend((0..filters).map(|filter| output.data[start + filter * inner]));
    }
    match pools_of(layer) {
        Pools::None => out.copy_from_slice(&rows),
        Pools::Columns => max_and_mean(&rows, filters, (0, 1), out),
        Pools::Reads => {
            let (all, alt) = out.split_at_mut(2 * filters);
            max_and_mean(&rows, filters, (0, 1), all);
            let of_read = rows.len() / output.shape[0].max(1);
            let carriers: Vec<f32> = (rows.chunks_exact(of_read.max(1)))
                .zip(supports_alt(example))
                .filter(|(_, supports)| *supports)
                .flat_map(|(row, _)| row.to_vec())
                .collect();
            max_and_mean(&carriers, filters, (0, 1), alt);
        }
    }
}

fn supports_alt(example: &Example) -> Vec<bool> {
    match &example.tensor {
        SiteTensor::Allele(tensor) => {
            let supports = tensor.supports.iter();
            supports.map(|read| read.alternate).collect()
        }
        SiteTensor::Reads(_) | SiteTensor::Reference(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
