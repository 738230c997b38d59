//! The models inside the program.

use super::{DeviceChoice, Model, ModelError};

/// A model that is compiled in: the files of its folder.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub about: &'static str,
    /// `model.json`.
    pub card: &'static [u8],
    /// `model.safetensors`.
    pub weights: &'static [u8],
}

/// The model that reads reads: the default where there are any.
pub const READS: Builtin = Builtin {
    name: "cnnfilter_reads",
    about: "reads, reference and annotations",
    card: include_bytes!("../../models/cnnfilter_reads/model.json"),
    weights: include_bytes!("../../models/cnnfilter_reads/model.safetensors"),
};

/// The model without reads: the default where there are none.
pub const REFERENCE: Builtin = Builtin {
    name: "cnnfilter_reference",
    about: "reference and annotations",
    card: include_bytes!("../../models/cnnfilter_reference/model.json"),
    weights: include_bytes!("../../models/cnnfilter_reference/model.safetensors"),
};

/// All of them.
pub const ALL: [Builtin; 2] = [READS, REFERENCE];

impl Builtin {
    /// The model of a name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|model| model.name == name)
    }

    /// The default with or without reads.
    pub fn default_for(reads: bool) -> Self {
        if reads { READS } else { REFERENCE }
    }

    /// Loads and checks it.
    ///
    /// # Errors
    /// As [`Model::load`]: a device that cannot be used, or a build that computes something else.
    pub fn load(&self, device: DeviceChoice) -> Result<Model, ModelError> {
        Model::load(self.card, self.weights, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_load_and_are_what_they_say() {
        for builtin in ALL {
            let model = builtin.load(DeviceChoice::Cpu).unwrap();
            assert_eq!(model.card().name, builtin.name);
            assert_eq!(model.uses_reads(), builtin.name == READS.name);
            assert!(model.card().calibration.is_some(), "{}", builtin.name);
            assert!(model.card().thresholds.is_some(), "{}", builtin.name);
            assert!(Builtin::named(builtin.name).is_some());
        }
        assert!(Builtin::named("gatk-1d").is_none());
    }
}
