//! The models inside the program.

use cnnfilter_models::ModelFiles;
use cnnfilter_nn::DeviceChoice;

use super::{Model, ModelError};

/// A model that is compiled in: the files of its folder.
#[derive(Debug, Clone, Copy)]
pub struct Builtin(pub ModelFiles);

/// The model that reads reads: the default where there are any.
pub const READS: Builtin = Builtin(cnnfilter_models::READS);

/// The model without reads: the default where there are none.
pub const REFERENCE: Builtin = Builtin(cnnfilter_models::REFERENCE);

/// All of them.
pub const ALL: [Builtin; 2] = [READS, REFERENCE];

impl Builtin {
    /// The model of a name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|model| model.0.name == name)
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
        Model::load(self.0.card, self.0.weights, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_load_and_are_what_they_say() {
        for builtin in ALL {
            let model = builtin.load(DeviceChoice::Cpu).unwrap();
            assert_eq!(model.card().name, builtin.0.name);
            assert_eq!(model.uses_reads(), builtin.0.name == READS.0.name);
            assert!(model.card().calibration.is_some(), "{}", builtin.0.name);
            assert!(model.card().thresholds.is_some(), "{}", builtin.0.name);
            assert!(Builtin::named(builtin.0.name).is_some());
        }
        assert!(Builtin::named("gatk-1d").is_none());
    }
}
