//! What a network makes of calls, as tables of numbers: files, maps, clusters, neighbours.
//!
//! Nothing here opens a file or knows a network. [`Embedding`] is the table: activations of layers, and columns
//! that describe the calls. The same input gives the same numbers for any number of threads.

mod eigen;
pub mod embedding;
pub mod enrichment;
pub mod kmeans;
pub mod knn;
pub mod labels;
pub mod map;
pub mod matrix;
pub mod npy;
pub mod pca;
mod random;
pub mod spectral;
pub mod umap;

pub use embedding::{Column, ColumnKind, ColumnMeta, Embedding, LayerMeta, MapMeta, Meta};
pub use map::{Map, MapOptions, OldMap, Placed, Reducer};
pub use matrix::Matrix;
