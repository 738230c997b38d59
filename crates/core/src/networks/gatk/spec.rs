//! The layer lists of the published networks.

use crate::encode::annotations::BEST_PRACTICES;
use crate::encode::gatk::{CHANNELS, READ_LIMIT, WINDOW};
use crate::score::keys::{READS_KEY, REFERENCE_KEY};

/// One convolution with ReLU, and the pooling behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvSpec {
    /// Channels out.
    pub filters: usize,
    /// Kernel over reads.
    pub height: usize,
    /// Kernel over bases.
    pub width: usize,
    /// Max-pooling over that many reads behind it; 1 is none.
    pub pool: usize,
}

const fn conv(filters: usize, height: usize, width: usize, pool: usize) -> ConvSpec {
    ConvSpec {
        filters,
        height,
        width,
        pool,
    }
}

/// A network of GATK's design.
#[derive(Debug, PartialEq, Eq)]
pub struct GatkSpec {
    /// Name of the architecture in `model.json`.
    pub architecture: &'static str,
    /// Name of the model folder that `import` writes.
    pub folder: &'static str,
    /// GATK's name for it: the stem of its weight files.
    pub gatk_name: &'static str,
    /// INFO key of the score.
    pub info_key: &'static str,
    /// Rows of the tensor: reads, or 1 for a tensor without reads.
    pub rows: usize,
    /// Channels of the tensor.
    pub channels: usize,
    /// The convolutions, first to last.
    pub convs: &'static [ConvSpec],
    /// Units of the annotations' dense layer.
    pub annotation_units: usize,
    /// Units of the dense layer behind the concatenation.
    pub dense_units: usize,
    /// True where the normalised annotations go into the output layer as well.
    pub shortcut: bool,
}

/// `small_2d`, the default for reads: 529,408 parameters, 1.51 billion multiply-adds a site with
/// all 128 rows.
pub static SMALL_2D: GatkSpec = GatkSpec {
    architecture: "gatk_small_2d",
    folder: "gatk-small-2d",
    gatk_name: "small_2d",
    info_key: READS_KEY,
    rows: READ_LIMIT,
    channels: CHANNELS,
    convs: &[
        conv(64, 25, 1, 1),
        conv(48, 1, 25, 1),
        conv(32, 25, 1, 3),
        conv(24, 1, 25, 3),
    ],
    annotation_units: 64,
    dense_units: 24,
    shortcut: false,
};

/// `1d_cnn_mix_train_full_bn`, the default without reads: 1,681,156 parameters, 123 million
/// multiply-adds.
pub static REFERENCE_1D: GatkSpec = GatkSpec {
    architecture: "gatk_1d",
    folder: "gatk-1d",
    gatk_name: "1d_cnn_mix_train_full_bn",
    info_key: REFERENCE_KEY,
    rows: 1,
    channels: 4,
    convs: &[
        conv(256, 1, 12, 1),
        conv(256, 1, 12, 1),
        conv(128, 1, 12, 1),
    ],
    annotation_units: 40,
    dense_units: 40,
    shortcut: true,
};

/// All architectures, as `import` tries them.
pub static ALL: [&GatkSpec; 2] = [&REFERENCE_1D, &SMALL_2D];

impl GatkSpec {
    /// The architecture of that name.
    pub fn named(architecture: &str) -> Option<&'static GatkSpec> {
        ALL.into_iter()
            .find(|spec| spec.architecture == architecture)
    }

    /// Names of the annotations it takes, in order.
    pub fn annotations(&self) -> Vec<String> {
        BEST_PRACTICES.map(String::from).to_vec()
    }

    /// True where the tensor shows reads.
    pub fn uses_reads(&self) -> bool {
        self.rows > 1
    }

    /// Rows, columns and channels that leave the last convolution.
    pub fn trunk_shape(&self) -> [usize; 3] {
        let (mut rows, mut columns, mut channels) = (self.rows, WINDOW, self.channels);
        for conv in self.convs {
            rows = (rows + 1 - conv.height) / conv.pool;
            columns = columns + 1 - conv.width;
            channels = conv.filters;
        }
        [rows, columns, channels]
    }

    /// Names and shapes of all weights: convolutions `[out][in][reads][bases]`, dense layers
    /// `[out][in]`, vectors.
    pub fn weight_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let mut shapes = Vec::new();
        let mut layer = |name: String, shape: Vec<usize>| {
            let outputs = shape[0];
            shapes.push((format!("{name}.weight"), shape));
            shapes.push((format!("{name}.bias"), vec![outputs]));
        };
        let mut channels = self.channels;
        for (at, conv) in self.convs.iter().enumerate() {
            let shape = vec![conv.filters, channels, conv.height, conv.width];
            layer(format!("conv{}", at + 1), shape);
            channels = conv.filters;
        }
        let annotations = self.annotations().len();
        let shortcut = if self.shortcut { annotations } else { 0 };
        let joined = self.trunk_shape().iter().product::<usize>() + self.annotation_units;
        layer("annotation_norm".into(), vec![annotations]);
        layer(
            "annotation_dense".into(),
            vec![self.annotation_units, annotations],
        );
        layer("dense".into(), vec![self.dense_units, joined]);
        layer("output".into(), vec![4, self.dense_units + shortcut]);
        for statistic in ["running_mean", "running_var"] {
            shapes.push((format!("annotation_norm.{statistic}"), vec![annotations]));
        }
        shapes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameter counts agree with the sizes of the published files (529,408 x 4 bytes of
    /// small_2d.pt's 2,128,635; 1,681,156 x 4 of 1d_cnn_mix_train_full_bn.pt's 6,733,683).
    #[test]
    fn sizes_are_those_of_the_published_networks() {
        let parameters = |spec: &GatkSpec| -> usize {
            spec.weight_shapes()
                .iter()
                .map(|(_, shape)| shape.iter().product::<usize>())
                .sum()
        };
        assert_eq!(parameters(&SMALL_2D), 529_408);
        assert_eq!(parameters(&REFERENCE_1D), 1_681_156);
        assert_eq!(SMALL_2D.trunk_shape(), [8, 80, 24]);
        assert_eq!(REFERENCE_1D.trunk_shape(), [1, 95, 128]);
    }
}
