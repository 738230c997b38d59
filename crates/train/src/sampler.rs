//! Balanced minibatches as a function of the step number.
//!
//! Each class is an endless sequence of passes, each pass a shuffle of the class's examples that
//! depends on nothing but (seed, class, pass); batch `s` takes the draws `s·n .. (s+1)·n` of every
//! class, n being the examples per class. So a run that resumes at a step sees the very batches of
//! a run without interruption, and its whole sampling state is that number.

use cnnfilter_core::score::log_odds::LABELS;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The two classes, false and true, of each type.
const TYPES: [(&str, usize, usize); 2] = [("SNP", 0, 2), ("INDEL", 1, 3)];

/// First words of the keys of the random streams, which keep them apart.
const SHUFFLE: u64 = 0x7368_7566_666c_6500;
const AUGMENT: u64 = 0x6175_676d_656e_7400;

/// Why no batches can be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SamplerError {
    /// No example at all, or none with a weight above 0.
    #[error("there are no training examples ({0})")]
    Empty(ClassCounts),
    /// A type has true calls only, or false ones only.
    #[error(
        "no training example of class {class} ({counts}): a filter needs true and false calls of \
         a type"
    )]
    EmptyClass {
        /// The class.
        class: &'static str,
        /// Examples of every class.
        counts: ClassCounts,
    },
    /// A type is missing altogether.
    #[error(
        "there are no training examples of type {kind} ({counts}); to train on one type only, set \
         batches.allow_one_type"
    )]
    EmptyType {
        /// `SNP` or `INDEL`.
        kind: &'static str,
        /// Examples of every class.
        counts: ClassCounts,
    },
    /// A class index is not 0 to 3.
    #[error("training example {index} has class {found}, expected 0 to 3")]
    Class {
        /// Index of the example.
        index: usize,
        /// Its class.
        found: u8,
    },
    /// A weight is negative or not finite.
    #[error("training example {index} has sampling weight {found}, expected 0 or more")]
    Weight {
        /// Index of the example.
        index: usize,
        /// Its weight.
        found: f64,
    },
    /// There are not as many weights as examples.
    #[error("{found} sampling weights for {expected} training examples")]
    WeightCount {
        /// Number of weights.
        found: usize,
        /// Number of examples.
        expected: usize,
    },
    /// More examples than indices of 32 bits.
    #[error("{0} training examples, at most 4294967295 can be used")]
    TooMany(usize),
}

/// Examples of each class that can be drawn (weight above 0), in the order of [`LABELS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassCounts(pub [usize; 4]);

impl std::fmt::Display for ClassCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (name, count)) in LABELS.iter().zip(self.0).enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{count} {name}")?;
        }
        Ok(())
    }
}

/// One minibatch: [`BalancedSampler::batch_size`] slots, class after class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Step it belongs to, from 0.
    pub step: u64,
    /// Index of the example in each slot.
    pub examples: Vec<usize>,
    /// Class of the example in each slot, 0 to 3.
    pub classes: Vec<u8>,
    /// Seed of the augmentation of each slot; it depends on (seed, step, slot) only.
    pub augmentation_seeds: Vec<u64>,
}

/// Draws batches that hold every class equally often.
#[derive(Debug, Clone)]
pub struct BalancedSampler {
    seed: u64,
    per_class: usize,
    /// Classes that have examples, ascending.
    classes: Vec<ClassCycle>,
}

impl BalancedSampler {
    /// A sampler over examples of the given classes (0 to 3, one for each example).
    ///
    /// `weights` is empty or has one weight for each example; within its class an example is drawn
    /// in proportion to it, and one of weight 0 never. In a pass over a class of n examples with
    /// weights w, example i comes `n·wᵢ/Σw` times, rounded up or down at random so that this is
    /// the mean (systematic sampling, Madow & Madow 1944, in shuffled order); with equal weights
    /// exactly once.
    ///
    /// A `per_class` of 0 counts as 1.
    ///
    /// # Errors
    /// A type of which one class is empty; a type that is missing altogether, unless
    /// `allow_one_type`; classes or weights that are none.
    pub fn new(
        classes: &[u8],
        weights: &[f64],
        per_class: usize,
        seed: u64,
        allow_one_type: bool,
    ) -> Result<Self, SamplerError> {
        if u32::try_from(classes.len()).is_err() {
            return Err(SamplerError::TooMany(classes.len()));
        }
        if !weights.is_empty() && weights.len() != classes.len() {
            return Err(SamplerError::WeightCount {
                found: weights.len(),
                expected: classes.len(),
            });
        }
        let mut members: [Vec<u32>; 4] = Default::default();
        let mut member_weights: [Vec<f64>; 4] = Default::default();
        for (index, (example, &class)) in (0_u32..).zip(classes).enumerate() {
            if class > 3 {
                return Err(SamplerError::Class {
                    index,
                    found: class,
                });
            }
            let weight = weights.get(index).copied().unwrap_or(1.0);
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(SamplerError::Weight {
                    index,
                    found: weight,
                });
            }
            if weight > 0.0 {
                members[usize::from(class)].push(example);
                member_weights[usize::from(class)].push(weight);
            }
        }
        check_counts(
            ClassCounts([0, 1, 2, 3].map(|c| members[c].len())),
            allow_one_type,
        )?;
        let classes = (0_u8..)
            .zip(members.into_iter().zip(member_weights))
            .filter(|(_, (members, _))| !members.is_empty())
            .map(|(class, (members, weights))| ClassCycle::new(class, members, weights))
            .collect();
        Ok(Self {
            seed,
            per_class: per_class.max(1),
            classes,
        })
    }

    /// Slots of a batch: examples per class times the classes that have examples (four, or two
    /// where one type is missing).
    pub fn batch_size(&self) -> usize {
        self.per_class * self.classes.len()
    }

    /// Examples that can be drawn.
    pub fn counts(&self) -> ClassCounts {
        let mut counts = [0; 4];
        for cycle in &self.classes {
            counts[usize::from(cycle.class)] = cycle.members.len();
        }
        ClassCounts(counts)
    }

    /// The batch of a step, counted from 0. The same step gives the same batch whatever was asked
    /// before; `self` changes only in what it remembers of the last pass.
    pub fn batch(&mut self, step: u64) -> Batch {
        let size = self.batch_size();
        let mut batch = Batch {
            step,
            examples: Vec::with_capacity(size),
            classes: Vec::with_capacity(size),
            augmentation_seeds: Vec::with_capacity(size),
        };
        for cycle in &mut self.classes {
            for slot in 0..self.per_class {
                let draw = u128::from(step) * self.per_class as u128 + slot as u128;
                batch.examples.push(cycle.draw(self.seed, draw) as usize);
                batch.classes.push(cycle.class);
            }
        }
        let mut random = stream([AUGMENT, self.seed, step, 0]);
        batch
            .augmentation_seeds
            .extend((0..size).map(|_| random.next_u64()));
        batch
    }
}

fn check_counts(counts: ClassCounts, allow_one_type: bool) -> Result<(), SamplerError> {
    if counts.0 == [0; 4] {
        return Err(SamplerError::Empty(counts));
    }
    for (kind, negative, positive) in TYPES {
        match (counts.0[negative], counts.0[positive]) {
            (0, 0) if allow_one_type => {}
            (0, 0) => return Err(SamplerError::EmptyType { kind, counts }),
            (0, _) => {
                let class = LABELS[negative];
                return Err(SamplerError::EmptyClass { class, counts });
            }
            (_, 0) => {
                let class = LABELS[positive];
                return Err(SamplerError::EmptyClass { class, counts });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The examples of one class.
#[derive(Debug, Clone)]
struct ClassCycle {
    class: u8,
    members: Vec<u32>,
    /// Empty where all are equal.
    weights: Vec<f64>,
    /// The pass that `order` holds.
    pass: Option<u64>,
    order: Vec<u32>,
}

impl ClassCycle {
    fn new(class: u8, members: Vec<u32>, mut weights: Vec<f64>) -> Self {
        if weights.windows(2).all(|pair| pair[0] == pair[1]) {
            weights = Vec::new();
        }
        Self {
            class,
            members,
            weights,
            pass: None,
            order: Vec::new(),
        }
    }

    fn draw(&mut self, seed: u64, draw: u128) -> u32 {
        let length = self.members.len() as u128;
        // A pass beyond 2^64 takes more steps than a number of steps can hold.
        let pass = (draw / length) as u64;
        if self.pass != Some(pass) {
            self.shuffle(seed, pass);
            self.pass = Some(pass);
        }
        self.order[(draw % length) as usize]
    }

    fn shuffle(&mut self, seed: u64, pass: u64) {
        let mut random = stream([SHUFFLE, seed, u64::from(self.class), pass]);
        if self.weights.is_empty() {
            self.order.clone_from(&self.members);
        } else {
            let mut ranks: Vec<u32> = (0..self.members.len() as u32).collect();
            shuffle(&mut ranks, &mut random);
            let start = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            let total: f64 = self.weights.iter().sum();
            let copies_per_weight = self.members.len() as f64 / total;
            self.order.clear();
            let mut cumulative = 0.0;
            for &rank in &ranks {
                cumulative += self.weights[rank as usize] * copies_per_weight;
                while self.order.len() < self.members.len()
                    && (self.order.len() as f64 + start) < cumulative
                {
                    self.order.push(self.members[rank as usize]);
                }
            }
            // Rounding can leave the last tick just past the end.
            if let Some(&last) = ranks.last() {
                self.order
                    .resize(self.members.len(), self.members[last as usize]);
            }
        }
        shuffle(&mut self.order, &mut random);
    }
}

/// The random stream of a key of four words.
fn stream(key: [u64; 4]) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(key) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(bytes)
}

/// Fisher-Yates. Indices are drawn by multiplication (Lemire 2019, without the rejection, whose
/// bias is below 2^-32 here), so that no change of a library's sampling changes the batches.
fn shuffle(items: &mut [u32], random: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        let other = (u128::from(random.next_u64()) * (last as u128 + 1)) >> 64;
        items.swap(last, other as usize);
    }
}

#[cfg(test)]
mod tests;
