//! The files of the models that cnnfilter ships.

/// The two files of a model's folder.
#[derive(Debug, Clone, Copy)]
pub struct ModelFiles {
    /// Name of the model and of its folder.
    pub name: &'static str,
    /// The model's purpose in a few words.
    pub about: &'static str,
    /// Bytes of `model.json`.
    pub card: &'static [u8],
    /// Bytes of `model.safetensors`.
    pub weights: &'static [u8],
}

/// Reads, reference and annotations: the default where reads are given.
pub const READS: ModelFiles = ModelFiles {
    name: "cnnfilter_reads",
    about: "reads, reference and annotations",
    card: include_bytes!(concat!(env!("OUT_DIR"), "/cnnfilter_reads.json")),
    weights: include_bytes!("cnnfilter_reads/model.safetensors"),
};

/// Reference and annotations: the default where no reads are given.
pub const REFERENCE: ModelFiles = ModelFiles {
    name: "cnnfilter_reference",
    about: "reference and annotations",
    card: include_bytes!(concat!(env!("OUT_DIR"), "/cnnfilter_reference.json")),
    weights: include_bytes!("cnnfilter_reference/model.safetensors"),
};
