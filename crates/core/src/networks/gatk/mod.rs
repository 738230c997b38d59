//! GATK's published networks, as architectures of this crate.
//!
//! Both are one design: convolutions with ReLU over the tensor ("valid" padding), max-pooling
//! over reads behind some of them, a batch-normalised dense branch for the annotations, two dense
//! layers, and for some the normalised annotations once more beside the last. Layer by layer as
//! `gatk_1d.py` and `gatk_2d.py` of GATK's `scorevariants/models` (073683f2ff, 70c56bf32e). Dropout does nothing in
//! scoring and is left out.

mod architecture;
mod batch;
mod graph;
mod made_up;
mod network;
pub mod spec;

pub use architecture::{GatkFamily, architecture, assemble};
pub use network::GatkNetwork;
pub use spec::GatkSpec;
