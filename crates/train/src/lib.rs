//! Fitting a network to labelled calls.
//!
//! ```text
//! config ── what the run is told
//! split ── which examples are trained on, which are held out
//! sampler ── step number → balanced batch, so that a resumed run sees the same batches
//! schedule ── step number and plateaus → learning rate
//! early_stopping, history, checkpoint ── when to stop, what is written, how to go on
//! augment ── an example as it looks this time: strands flipped, reads thinned, annotations dropped
//! optimizer ── AdamW (candle)
//! learners ── loss and gradients of a batch, on one device or dealt among several (candle)
//! fit ── the loop (candle): batch, loss, gradient, step; validation, checkpoint
//! calibrate ── scored validation examples → probabilities, thresholds, figures of a card
//! ```
//!
//! Nothing here reads a file or a global random generator; the caller passes the clock in.
//!
//! Two steps of a small network on made-up examples:
//!
//! ```
//! use candle_core::Device;
//! use cnnfilter_core::encode::store::{LabelledExample, StoreError};
//! use cnnfilter_core::networks::allele::AlleleSpec;
//! use cnnfilter_core::testing;
//! use cnnfilter_train::config::TrainConfig;
//! use cnnfilter_train::error::FitError;
//! use cnnfilter_train::fit::{Callbacks, Event, ExampleSource, Run};
//!
//! struct InMemory(Vec<LabelledExample>);
//!
//! impl ExampleSource for InMemory {
//!     fn len(&self) -> usize {
//!         self.0.len()
//!     }
//!     fn get(&self, index: usize) -> Result<LabelledExample, StoreError> {
//!         Ok(self.0[index].clone())
//!     }
//! }
//!
//! // Two examples of each class: false and real, SNP and indel, of five reads each.
//! let examples: Vec<LabelledExample> = testing::examples(&[5; 8])
//!     .into_iter()
//!     .enumerate()
//!     .map(|(number, example)| LabelledExample {
//!         example,
//!         is_indel: number % 2 == 1,
//!         is_real: number / 2 % 2 == 1,
//!         is_genotype_right: true,
//!         copies: Some(1),
//!         contig: "made_up".to_owned(),
//!         start: 200,
//!         reference: b"A".to_vec(),
//!         alternate: b"C".to_vec(),
//!     })
//!     .collect();
//!
//! let mut config = TrainConfig { epochs: 2, ..TrainConfig::default() };
//! config.batches.per_class = 1;
//! config.batches.steps_per_epoch = 1;
//! let run = Run {
//!     config: &config,
//!     architecture: testing::allele_architecture(AlleleSpec {
//!         base_filters: 4,
//!         read_filters: 4,
//!         site_filters: 4,
//!         read_width: 4,
//!         join_width: [8, 4],
//!         ..AlleleSpec::default()
//!     }),
//!     training: (0..4).map(|index| (index, 1.0)).collect(),
//!     training_classes: examples[..4].iter().map(|one| one.class() as u8).collect(),
//!     validation: (4..8).collect(),
//!     sets: vec![0; 8],
//!     examples: &InMemory(examples),
//!     devices: vec![Device::Cpu],
//! };
//! let mut losses = Vec::new();
//! let callbacks = Callbacks {
//!     clock: &|| 0.0,
//!     on_event: &mut |event| {
//!         if let Event::Step { loss, .. } = event {
//!             losses.push(loss);
//!         }
//!     },
//!     save_checkpoint: &mut |_| Ok::<(), FitError>(()),
//! };
//! let state = run.fit(None, None, callbacks)?;
//! assert_eq!(losses.len(), 2);
//! assert!(losses.iter().all(|loss| loss.is_finite()));
//! assert_eq!(state.history.rows().len(), 2);
//! # Ok::<(), FitError>(())
//! ```

pub mod augment;
pub mod calibrate;
pub mod checkpoint;
pub mod config;
pub mod early_stopping;
pub mod error;
pub mod fit;
pub mod history;
pub mod learners;
pub mod sampler;
pub mod schedule;
pub mod split;
