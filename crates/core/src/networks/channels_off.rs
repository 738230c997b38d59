//! A model that does not see some of the channels of its tensor: what does each of them tell it?

use std::sync::Arc;

use super::card::TensorSpec;
use super::{Model, ModelError};
use cnnfilter_nn::weights;

/// The layers that read channels, by what they read: the prefix of the channels' names, the weights, whose second axis is
/// that of the channels, and the names.
type Reads = (
    &'static str,
    &'static [&'static str],
    fn(&TensorSpec) -> &[String],
);

/// Those of a network over alleles.
static FIRST_LAYERS: [Reads; 3] = [
    ("cell", &["bases.weight"], |tensor| &tensor.cell_channels),
    ("read", &["flags.weight", "read_dense1.weight"], |tensor| {
        &tensor.channels
    }),
    ("haplotype", &["haplotype.weight"], |tensor| {
        &tensor.haplotype_channels
    }),
];

impl Model {
    /// Names of the channels that can be switched off ([`Model::without_channels`]), in the order of the card:
    /// `cell.NAME` of the cells of reads, `read.NAME` of the numbers of a read, `haplotype.NAME` of the columns of reference
    /// and ALT. None for networks other than those over alleles.
    pub fn channels(&self) -> Vec<String> {
        let tensor = self.architecture().tensor();
        let layers = FIRST_LAYERS.iter().filter(|(_, names, of)| {
            names.iter().all(|name| {
                let axis = self.weights().get(*name);
                axis.and_then(|weight| weight.shape.get(1)) == Some(&of(&tensor).len())
            })
        });
        let named = |(prefix, _, of): &Reads| {
            let names = of(&tensor).iter();
            let named = names.map(|name| format!("{prefix}.{name}"));
            named.collect::<Vec<_>>()
        };
        layers.flat_map(named).collect()
    }

    /// The same network without these channels: it computes what it would if each value of them were 0, which for a number of a
    /// read means none that is told from the usual. It has no test vectors, stays on the CPU, and is not calibrated anew.
    ///
    /// # Errors
    /// [`ModelError::UnknownChannel`] where [`Model::channels`] lacks one.
    pub fn without_channels(&self, channels: &[String]) -> Result<Self, ModelError> {
        let known = self.channels();
        if let Some(unknown) = channels.iter().find(|name| !known.contains(name)) {
            return Err(ModelError::UnknownChannel {
                name: unknown.clone(),
                known: known.join(", "),
            });
        }
        let tensor = self.architecture().tensor();
        let mut weights = self.weights().clone();
        for (prefix, names, of) in &FIRST_LAYERS {
            let is_off: Vec<bool> = (of(&tensor).iter())
                .map(|name| channels.contains(&format!("{prefix}.{name}")))
                .collect();
            if !is_off.contains(&true) {
                continue;
            }
            for name in *names {
                let Some(weight) = weights.get_mut(*name) else {
                    continue;
                };
                let taps: usize = weight.shape.iter().skip(2).product();
                let of_channels = weight.data.chunks_exact_mut(taps);
                for (numbers, _) in of_channels
                    .zip(is_off.iter().cycle())
                    .filter(|(_, off)| **off)
                {
                    numbers.fill(0.0);
                }
            }
        }
        let mut card = self.card().clone();
        card.weights_sha256 = weights::sha256(&weights::to_safetensors(&weights)?);
        card.test_vectors.clear();
        card.quantization = None;
        Self::of_parts(card, Arc::clone(self.architecture()), weights)
    }
}

#[cfg(test)]
#[cfg(feature = "builtin")]
mod tests {
    use super::*;
    use crate::encode::SiteTensor;
    use crate::networks::builtin::READS;
    use cnnfilter_nn::DeviceChoice;

    fn model() -> Model {
        READS.load(DeviceChoice::Cpu).unwrap()
    }

    #[test]
    fn all_channels_of_the_card_have_names_of_their_own() {
        let model = model();
        let names = model.channels();
        let set: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(set.len(), names.len());
        for name in [
            "cell.A",
            "cell.differs",
            "haplotype.differs",
            "read.mapping_quality",
        ] {
            assert!(names.iter().any(|one| one == name), "{name}: {names:?}");
        }
    }

    #[test]
    fn without_none_it_is_the_same_and_a_channel_that_is_no_channel_is_refused() {
        let model = model();
        let example = [model.architecture().made_up(3, 20)];
        let same = model.without_channels(&[]).unwrap();
        assert_eq!(
            same.logits(&example).unwrap(),
            model.logits(&example).unwrap()
        );
        let message = model.without_channels(&["cell.N".to_owned()]).unwrap_err();
        assert!(message.to_string().contains("cell.N"), "{message}");
    }

    /// Without the numbers of reads it does not matter what they are; with them it does.
    #[test]
    fn what_is_off_does_not_count() {
        let model = model();
        let of_reads = |name: &String| name.starts_with("read.");
        let off: Vec<String> = model.channels().into_iter().filter(of_reads).collect();
        let blind = model.without_channels(&off).unwrap();
        let example = model.architecture().made_up(5, 20);
        let mut other = example.clone();
        if let SiteTensor::Allele(tensor) = &mut other.tensor {
            tensor
                .reads
                .iter_mut()
                .for_each(|number| *number = 1.0 - *number);
        }
        let of = |model: &Model, one| model.logits(std::slice::from_ref(one)).unwrap();
        assert_ne!(of(&model, &example), of(&model, &other));
        assert_eq!(of(&blind, &example), of(&blind, &other));
    }

    /// All channels of the cells off is a tensor of reads that show nothing, whatever their bases.
    #[test]
    fn without_cells_bases_do_not_count() {
        let model = model();
        let of_cells = |name: &String| name.starts_with("cell.");
        let off: Vec<String> = model.channels().into_iter().filter(of_cells).collect();
        let blind = model.without_channels(&off).unwrap();
        let example = model.architecture().made_up(5, 20);
        let mut other = example.clone();
        if let SiteTensor::Allele(tensor) = &mut other.tensor {
            for [cell, _] in tensor.rows.iter_mut().flatten() {
                *cell = 1 + *cell % 4;
            }
        }
        let of = |model: &Model, one| model.logits(std::slice::from_ref(one)).unwrap();
        assert_ne!(of(&model, &example), of(&model, &other));
        assert_eq!(of(&blind, &example), of(&blind, &other));
    }
}
