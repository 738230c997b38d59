//! Our own networks on this crate's kernels, one allele at a time.

use super::channels::Channels;
use super::inputs::{Inputs, rescale_numbers, scale_numbers};
use super::spec::{AlleleSpec, KEPT_COLUMNS};
use crate::encode::Example;
use crate::encode::allele::AlleleTensor;
use crate::encode::allele::columns::WINDOW;
use crate::networks::ModelError;
use crate::networks::family::{Network, Numbers, NumbersLogits, Output};
use crate::networks::pooled::{PooledLayer, Pools, Tap, max_and_mean};
use crate::networks::scaling::Scaling;
use cnnfilter_nn::kernel::{Conv, ConvShape, Dense, Rows, pool};
use cnnfilter_nn::weights::Weights;

/// The numbers of a call as the joining layers get them: scaled, then their missing bits.
const NUMBERS: &str = "numbers";

/// A network with its weights.
#[derive(Debug)]
pub(super) struct AlleleNetwork {
    spec: AlleleSpec,
    scaling: Scaling,
    channels: Channels,
    haplotype: Conv,
    reads: Option<ReadLayers>,
    site2: Conv,
    /// Without its ReLU, so that changed numbers can be added up.
    join1: Dense,
    join2: Dense,
    out: Dense,
    shortcut: Dense,
    together: Together,
    /// The two layers that tell one copy of the ALT from two.
    genotype: Option<[Dense; 2]>,
}

/// The layers that read reads.
#[derive(Debug)]
struct ReadLayers {
    bases: Conv,
    /// The layers over a read's own numbers are convolutions of one position over the reads.
    flags: Conv,
    read: Conv,
    site1: Conv,
    dense1: Conv,
    dense2: Conv,
    /// Weight of a base by its quality; nothing without a quality threshold.
    gate: Option<Box<[f32; 256]>>,
}

/// The weights of the last inputs of a dense layer, from `[output][input]` to `[input][output]`.
fn last_inputs(weight: &[f32], inputs: usize, last: usize) -> Vec<f32> {
    let rows = || weight.chunks_exact(inputs.max(1));
    let columns = inputs - last..inputs;
    columns
        .flat_map(|at| rows().map(move |row| row[at]))
        .collect()
}

/// A dense layer, `[output][input]`, over the positions of a row.
fn over_lines(weight: &[f32], bias: &[f32], relu: bool) -> Result<Conv, ModelError> {
    let shape = ConvShape {
        cin: weight.len() / bias.len().max(1),
        cout: bias.len(),
        kh: 1,
        kw: 1,
    };
    Ok(Conv::new(shape, weight, bias, relu)?)
}

/// A tensor of one row.
fn one_row(data: &[f32], width: usize) -> Rows<'_> {
    Rows {
        data,
        stored: 1,
        logical: 1,
        width,
    }
}

impl ReadLayers {
    /// One of the layers over a read's own numbers, for all reads: `[read][out]`.
    fn over_reads(&self, layer: &Conv, numbers: &[f32]) -> Result<Vec<f32>, ModelError> {
        let mut out = Vec::new();
        let reads = numbers.len() / layer.shape().cin;
        if reads > 0 {
            let rows = one_row(numbers, reads);
            layer.forward(rows, &mut out)?;
        }
        Ok(out)
    }
}

impl Network for AlleleNetwork {
    fn logits(&self, examples: &[Example]) -> Result<Vec<[f32; 4]>, ModelError> {
        examples
            .iter()
            .map(|example| self.logits_of(example, &mut Tap::default()))
            .collect()
    }

    fn outputs(&self, examples: &[Example]) -> Result<Vec<Output>, ModelError> {
        examples
            .iter()
            .map(|example| self.output_of(example))
            .collect()
    }

    fn pooled_layers(&self) -> Result<Vec<PooledLayer>, ModelError> {
        let spec = &self.spec;
        let [wide, narrow] = spec.join_width;
        let layer = PooledLayer::new;
        let mut layers = vec![layer("haplotype", spec.base_filters, Pools::Columns)];
        if spec.reads {
            layers.push(layer("read", spec.read_filters, Pools::Reads));
            layers.push(layer("read_dense2", spec.read_width, Pools::Reads));
            layers.push(layer("site1", spec.site_filters, Pools::Columns));
        }
        layers.push(layer("site2", spec.site_filters, Pools::Columns));
        layers.push(layer(NUMBERS, 2 * self.scaling.features.len(), Pools::None));
        layers.push(layer("join1", wide, Pools::None));
        layers.push(layer("join2", narrow, Pools::None));
        Ok(layers)
    }

    fn pooled(&self, example: &Example, tap: &mut Tap<'_>) -> Result<[f32; 4], ModelError> {
        self.logits_of(example, tap)
    }

    /// The layers over the reads do not see the numbers: they are computed once, and once without
    /// reads where that is asked for.
    fn logits_of_numbers(
        &self,
        example: &Example,
        others: &[Numbers],
    ) -> Result<NumbersLogits, ModelError> {
        let own = Numbers::of(example);
        let own_scaled = scale_numbers(&own.site, &own.annotations, &self.scaling)?;
        let first_of = |example: &Example| {
            let mut inputs = Inputs::default();
            let set = inputs.push(example, &self.scaling, &self.channels, self.spec.reads)?;
            self.first_joined(self.pools(set, &inputs, &mut Tap::default())?, &own_scaled)
        };
        let whole = first_of(example)?;
        let bare = others.iter().find(|numbers| !numbers.rows);
        let bare = bare.map(|numbers| first_of(&numbers.put_into(example)));
        let without_rows = bare.transpose()?.unwrap_or_default();
        // Of each: the first joining layer with the example's own numbers, and its scaled numbers.
        let (mut first, mut scaled) = (Vec::new(), Vec::new());
        for numbers in others {
            first.extend(if numbers.rows { &whole } else { &without_rows });
            scaled.extend(rescale_numbers(&own, &own_scaled, numbers, &self.scaling)?);
        }
        Ok(NumbersLogits {
            others: self.together.join(first, &own_scaled, &scaled)?,
            own: self.join_on(whole, &own_scaled, &mut Tap::default())?,
        })
    }
}

/// The joining layers over several lines of numbers at once. A line differs from the example's own numbers in a few,
/// so the first layer adds the weights of these alone. The others are convolutions of one position, as the
/// layers over reads are. Sums are in another order than those of [`Dense`], so the last digits differ.
#[derive(Debug)]
struct Together {
    /// The weights of the scaled numbers in the first layer, `[input][output]`.
    join1: Vec<f32>,
    join2: Conv,
    out: Conv,
    shortcut: Conv,
}

impl Together {
    /// The four outputs of each line. `first` is the first joining layer with the numbers `own`, before its ReLU, a
    /// line behind the other; `scaled` the numbers of the lines.
    fn join(
        &self,
        mut first: Vec<f32>,
        own: &[f32],
        scaled: &[f32],
    ) -> Result<Vec<[f32; 4]>, ModelError> {
        let lines = scaled.len() / own.len().max(1);
        if lines == 0 {
            return Ok(Vec::new());
        }
        let (mut narrow, mut out, mut short) = (Vec::new(), Vec::new(), Vec::new());
        let wide = first.len() / lines;
        for (units, line) in (first.chunks_exact_mut(wide)).zip(scaled.chunks_exact(own.len())) {
            self.add_changes(units, own, line);
        }
        self.join2.forward(one_row(&first, lines), &mut narrow)?;
        self.out.forward(one_row(&narrow, lines), &mut out)?;
        self.shortcut.forward(one_row(scaled, lines), &mut short)?;
        let sums = out.chunks_exact(4).zip(short.chunks_exact(4));
        Ok(sums
            .map(|(out, short)| std::array::from_fn(|at| out[at] + short[at]))
            .collect())
    }

    /// Turns `units`, the first layer of the numbers `own` before its ReLU, into that of `line` after it.
    fn add_changes(&self, units: &mut [f32], own: &[f32], line: &[f32]) {
        let weights = self.join1.chunks_exact(units.len());
        for ((new, own), weights) in line.iter().zip(own).zip(weights) {
            let change = new - own;
            if change != 0.0 {
                for (unit, weight) in units.iter_mut().zip(weights) {
                    *unit += weight * change;
                }
            }
        }
        units.iter_mut().for_each(|unit| *unit = unit.max(0.0));
    }
}

impl AlleleNetwork {
    /// Takes the weights of a network.
    ///
    /// # Errors
    /// Weights that are missing, too many or of another shape, and sizes that are none.
    pub(super) fn new(
        spec: AlleleSpec,
        scaling: Scaling,
        channels: Channels,
        weights: &Weights,
    ) -> Result<Self, ModelError> {
        spec.check()?;
        let scaled = 2 * scaling.features.len();
        // As many numbers of a read as the model was trained with.
        let numbers = weights
            .get("flags.weight")
            .and_then(|flags| flags.shape.get(1));
        let numbers = numbers.copied().unwrap_or(0);
        let shapes = spec.weight_shapes(numbers, scaled, &channels);
        cnnfilter_nn::weights::check(weights, &shapes)?;
        let data = |name: &str| weights.get(name).map_or(&[][..], |w| w.data.as_slice());
        let kernel = spec.kernel;
        let spanning = |kernel: usize, name: &str, cin: usize, cout: usize, relu: bool| {
            let shape = ConvShape {
                cin,
                cout,
                kh: 1,
                kw: kernel,
            };
            let bias = format!("{name}.bias");
            // The convolution of the bases shares the haplotypes' bias: they are added up.
            let bias = if weights.contains_key(&bias) {
                data(&bias).to_vec()
            } else {
                vec![0.0; cout]
            };
            Conv::new(shape, data(&format!("{name}.weight")), &bias, relu).map_err(ModelError::from)
        };
        let conv = |name: &str, cin: usize, cout: usize, relu: bool| {
            spanning(kernel, name, cin, cout, relu)
        };
        let dense = |name: &str, inputs: usize, outputs: usize, relu: bool| {
            let bias = format!("{name}.bias");
            let bias = if weights.contains_key(&bias) {
                data(&bias).to_vec()
            } else {
                vec![0.0; outputs]
            };
            Dense::new(
                inputs,
                outputs,
                data(&format!("{name}.weight")),
                &bias,
                relu,
            )
            .map_err(ModelError::from)
        };
        let (base, read, site) = (spec.base_filters, spec.read_filters, spec.site_filters);
        let reads = if spec.reads {
            let width = spec.read_width;
            Some(ReadLayers {
                bases: conv("bases", channels.cells(), base, false)?,
                flags: spanning(1, "flags", numbers, base, false)?,
                read: conv("read", base, read, true)?,
                site1: conv("site1", super::spec::CELL_POOLS * read, site, true)?,
                dense1: spanning(1, "read_dense1", numbers, width, true)?,
                dense2: spanning(1, "read_dense2", width, width, true)?,
                gate: spec.quality_gate.then(|| {
                    let (t, temperature) = (
                        data("quality_gate.threshold")[0],
                        data("quality_gate.temperature")[0],
                    );
                    Box::new(std::array::from_fn(|quality| {
                        1.0 / (1.0 + (-(quality as f32 - t) / temperature).exp())
                    }))
                }),
            })
        } else {
            None
        };
        let joined = spec.site_outputs() + spec.read_outputs() + scaled;
        let [wide, narrow] = spec.join_width;
        let genotype = match spec.genotype_width {
            0 => None,
            width => Some([
                dense("genotype1", joined, width, true)?,
                dense("genotype2", width, 1, false)?,
            ]),
        };
        Ok(Self {
            genotype,
            haplotype: conv("haplotype", channels.haplotypes(), base, !spec.reads)?,
            site2: conv("site2", if spec.reads { site } else { base }, site, true)?,
            join1: dense("join1", joined, wide, false)?,
            join2: dense("join2", wide, narrow, true)?,
            out: dense("out", narrow, 4, false)?,
            shortcut: dense("shortcut", scaled, 4, false)?,
            together: Together {
                join1: last_inputs(data("join1.weight"), joined, scaled),
                join2: over_lines(data("join2.weight"), data("join2.bias"), true)?,
                out: over_lines(data("out.weight"), data("out.bias"), false)?,
                shortcut: over_lines(data("shortcut.weight"), &[0.0; 4], false)?,
            },
            reads,
            spec,
            scaling,
            channels,
        })
    }

    /// The four outputs for one allele, before softmax.
    ///
    /// # Errors
    /// An example made for another network.
    pub(super) fn logits_of(
        &self,
        example: &Example,
        tap: &mut Tap<'_>,
    ) -> Result<[f32; 4], ModelError> {
        let mut inputs = Inputs::default();
        let set = inputs.push(example, &self.scaling, &self.channels, self.spec.reads)?;
        let pools = self.pools(set, &inputs, tap)?;
        let scaled = &inputs.scaled;
        tap.copy(NUMBERS, scaled);
        self.join_on(self.first_joined(pools, scaled)?, scaled, tap)
    }

    /// The four outputs, and the log odds of two copies where there is a head for it.
    fn output_of(&self, example: &Example) -> Result<Output, ModelError> {
        let mut inputs = Inputs::default();
        let set = inputs.push(example, &self.scaling, &self.channels, self.spec.reads)?;
        let tap = &mut Tap::default();
        let mut joined = self.pools(set, &inputs, tap)?;
        let scaled = &inputs.scaled;
        joined.extend(scaled);
        let two_copies = match &self.genotype {
            None => None,
            Some([first, second]) => {
                let (mut hidden, mut out) = (Vec::new(), Vec::new());
                first.forward(&joined, &mut hidden)?;
                second.forward(&hidden, &mut out)?;
                out.first().copied()
            }
        };
        Ok(Output {
            logits: self.join_on(self.first_of(&joined)?, scaled, tap)?,
            two_copies,
        })
    }

    /// Everything that joins the numbers of the call: the convolved columns and the pools over reads.
    fn pools(
        &self,
        set: &AlleleTensor,
        inputs: &Inputs,
        tap: &mut Tap<'_>,
    ) -> Result<Vec<f32>, ModelError> {
        if let Some(layers) = &self.reads
            && set.reads.len() != set.rows.len() * layers.flags.shape().cin
        {
            return Err(ModelError::Example {
                expected: "as many numbers of a read as the card names",
                found: "another number of them",
            });
        }
        let haplotype = one_row(&inputs.haplotype, WINDOW);
        let mut of_haplotype = Vec::new();
        self.haplotype.forward(haplotype, &mut of_haplotype)?;
        tap.take("haplotype", |out| {
            max_and_mean(&of_haplotype, self.spec.base_filters, (0, 1), out);
        });
        let sites = self.spec.site_filters;
        let mut joined = Vec::new();
        let mut of_site = Vec::new();
        match &self.reads {
            Some(layers) => {
                let pooled = self.pool_cells(layers, set, inputs, &of_haplotype)?;
                tap.take("read", |out| self.over_columns(&pooled, out));
                let width = WINDOW - 2 * (self.spec.kernel - 1);
                let rows = one_row(&pooled, width);
                let mut first = Vec::new();
                let shape = layers.site1.forward(rows, &mut first)?;
                tap.take("site1", |out| max_and_mean(&first, sites, (0, 1), out));
                let rows = one_row(&first, shape.width);
                self.site2.forward(rows, &mut of_site)?;
                self.keep_columns(&of_site, &mut joined);
                let of_reads = joined.len();
                self.pool_reads(layers, inputs, set.rows.len(), &mut joined)?;
                tap.take("read_dense2", |out| {
                    out.copy_from_slice(&joined[of_reads..of_reads + out.len()]);
                });
            }
            None => {
                let width = WINDOW - (self.spec.kernel - 1);
                let rows = one_row(&of_haplotype, width);
                self.site2.forward(rows, &mut of_site)?;
                self.keep_columns(&of_site, &mut joined);
            }
        }
        tap.take("site2", |out| max_and_mean(&of_site, sites, (0, 1), out));
        Ok(joined)
    }

    /// Pools of cells, `[column][pool][filter]`, over the columns: of maxima the maximum, of means the mean.
    fn over_columns(&self, pooled: &[f32], out: &mut [f32]) {
        let filters = self.spec.read_filters;
        let step = super::spec::CELL_POOLS * filters;
        let share = step as f32 / pooled.len() as f32;
        for column in pooled.chunks_exact(step) {
            for (at, (value, out)) in column.iter().zip(&mut *out).enumerate() {
                if (at / filters).is_multiple_of(2) {
                    *out = out.max(*value);
                } else {
                    *out += value * share;
                }
            }
        }
    }

    /// The first joining layer before its ReLU.
    fn first_joined(&self, mut pools: Vec<f32>, scaled: &[f32]) -> Result<Vec<f32>, ModelError> {
        pools.extend(scaled);
        self.first_of(&pools)
    }

    /// The same of everything that it joins.
    fn first_of(&self, joined: &[f32]) -> Result<Vec<f32>, ModelError> {
        let mut wide = Vec::new();
        self.join1.forward(joined, &mut wide)?;
        Ok(wide)
    }

    /// The other joining layers, over the first before its ReLU.
    fn join_on(
        &self,
        mut wide: Vec<f32>,
        scaled: &[f32],
        tap: &mut Tap<'_>,
    ) -> Result<[f32; 4], ModelError> {
        let (mut narrow, mut out, mut short) = (Vec::new(), Vec::new(), Vec::new());
        wide.iter_mut().for_each(|unit| *unit = unit.max(0.0));
        tap.copy("join1", &wide);
        self.join2.forward(&wide, &mut narrow)?;
        tap.copy("join2", &narrow);
        self.out.forward(&narrow, &mut out)?;
        self.shortcut.forward(scaled, &mut short)?;
        Ok(std::array::from_fn(|at| out[at] + short[at]))
    }

    /// The two convolutions over reads and the four pools: `[column][pool * filters]`.
    fn pool_cells(
        &self,
        layers: &ReadLayers,
        set: &AlleleTensor,
        inputs: &Inputs,
        of_haplotype: &[f32],
    ) -> Result<Vec<f32>, ModelError> {
        let filters = self.spec.read_filters;
        let columns = WINDOW - 2 * (self.spec.kernel - 1);
        let step = super::spec::CELL_POOLS * filters;
        let mut pooled = vec![0.0; columns * step];
        if set.rows.is_empty() {
            return Ok(pooled);
        }
        let base = self.spec.base_filters;
        let width = WINDOW - (self.spec.kernel - 1);
        let row_length = columns * filters;
        // As many columns share one stretch of the bias as make whole vectors.
        let repeats = if width.is_multiple_of(4) { 4 } else { 1 };
        let biases = layers.over_reads(&layers.flags, &inputs.reads)?;
        let mut bias = Vec::with_capacity(repeats * base);
        let (mut first, mut second) = (vec![0.0; width * base], vec![0.0; row_length]);
        let mut pools = vec![0f32; 4 * row_length];
        let (max_all, rest) = pools.split_at_mut(row_length);
        let (mean_all, rest) = rest.split_at_mut(row_length);
        let (max_alt, mean_alt) = rest.split_at_mut(row_length);
        let channels = self.channels.cells();
        let mut cells = Vec::with_capacity(WINDOW * channels);
        // Read by read, so that what a layer writes is still in the cache when the next one reads it.
        for (read, row) in set.rows.iter().enumerate() {
            cells.clear();
            self.channels
                .push_row(row, &set.haplotype.reference, &mut cells);
            if let Some(gate) = &layers.gate {
                let qualities = row.iter().map(|[_, quality]| usize::from(*quality));
                for (cell, quality) in cells.chunks_exact_mut(channels).zip(qualities) {
                    for (value, is_gated) in cell.iter_mut().zip(self.channels.gated()) {
                        *value *= if is_gated { gate[quality] } else { 1.0 };
                    }
                }
            }
            layers
                .bases
                .forward_into(one_row(&cells, WINDOW), &mut first)?;
            bias.clear();
            for _ in 0..repeats {
                bias.extend_from_slice(&biases[read * base..(read + 1) * base]);
            }
            pool::add_and_rectify(&mut first, of_haplotype, &bias)?;
            layers
                .read
                .forward_into(one_row(&first, width), &mut second)?;
            // Behind a ReLU nothing is below 0, so 0 may start a maximum.
            pool::max_and_sum(&second, max_all, mean_all)?;
            if inputs.supports_alt[read] {
                pool::max_and_sum(&second, max_alt, mean_alt)?;
            }
        }
        let carriers = inputs.supports_alt.iter().filter(|is| **is).count();
        let (all, alt) = (1.0 / set.rows.len() as f32, 1.0 / carriers.max(1) as f32);
        for (column, out) in pooled.chunks_exact_mut(step).enumerate() {
            let at = column * filters..(column + 1) * filters;
            for (filter, place) in at.enumerate() {
                out[filter] = max_all[place];
                out[filters + filter] = mean_all[place] * all;
                out[2 * filters + filter] = max_alt[place];
                out[3 * filters + filter] = mean_alt[place] * alt;
            }
        }
        Ok(pooled)
    }

    /// The kept columns, and the maximum and mean over all.
    fn keep_columns(&self, of_site: &[f32], joined: &mut Vec<f32>) {
        let filters = self.spec.site_filters;
        let first = self.spec.first_kept();
        joined.extend(&of_site[first * filters..(first + KEPT_COLUMNS) * filters]);
        let (mut max, mut sum) = (vec![0f32; filters], vec![0f32; filters]);
        for column in of_site.chunks_exact(filters) {
            for ((value, max), sum) in column.iter().zip(&mut max).zip(&mut sum) {
                *max = max.max(*value);
                *sum += value;
            }
        }
        let share = filters as f32 / of_site.len() as f32;
        joined.extend(max);
        joined.extend(sum.iter().map(|sum| sum * share));
    }

    /// The reads' own layers and their five pools.
    fn pool_reads(
        &self,
        layers: &ReadLayers,
        inputs: &Inputs,
        reads: usize,
        joined: &mut Vec<f32>,
    ) -> Result<(), ModelError> {
        let width = self.spec.read_width;
        let mut pools = vec![0f32; 5 * width];
        let (max_all, rest) = pools.split_at_mut(width);
        let (mean_all, rest) = rest.split_at_mut(width);
        let (max_alt, rest) = rest.split_at_mut(width);
        let (mean_alt, mean_ref) = rest.split_at_mut(width);
        let (mut carriers, mut others) = (0usize, 0usize);
        let first = layers.over_reads(&layers.dense1, &inputs.reads)?;
        let second = layers.over_reads(&layers.dense2, &first)?;
        for (at, units) in second.chunks_exact(width).enumerate() {
            pool::max_and_sum(units, max_all, mean_all)?;
            if inputs.supports_alt[at] {
                carriers += 1;
                pool::max_and_sum(units, max_alt, mean_alt)?;
            }
            if inputs.supports_ref[at] {
                others += 1;
                mean_ref
                    .iter_mut()
                    .zip(units)
                    .for_each(|(sum, value)| *sum += value);
            }
        }
        for (pool, count) in [(1, reads), (3, carriers), (4, others)] {
            let share = 1.0 / count.max(1) as f32;
            pools[pool * width..(pool + 1) * width]
                .iter_mut()
                .for_each(|sum| *sum *= share);
        }
        joined.extend(pools);
        Ok(())
    }
}
