//! A network's weights on devices, and batches dealt among these.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use candle_core::{Device, Tensor};

use super::ModelError;
use super::{allele, gatk};
use cnnfilter_nn::NnError;
use cnnfilter_nn::weights::Weights;

/// The weights on one device.
#[derive(Debug)]
pub struct Replica {
    parameters: BTreeMap<String, Tensor>,
    tables: allele::Tables,
    gatk_tables: gatk::Tables,
    /// Held while a batch is computed: a device's cuBLAS serves one at a time.
    busy: Mutex<()>,
}

impl Replica {
    /// Copies the weights to the device.
    ///
    /// # Errors
    /// candle's own.
    pub fn new(weights: &Weights, device: &Device) -> Result<Self, ModelError> {
        let parameters = weights
            .iter()
            .map(|(name, weight)| {
                let shape = weight.shape.as_slice();
                Ok((
                    name.clone(),
                    Tensor::from_slice(&weight.data, shape, device)?,
                ))
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(Self {
            parameters,
            tables: allele::Tables::new(device)?,
            gatk_tables: gatk::Tables::new(device)?,
            busy: Mutex::new(()),
        })
    }

    /// The device.
    pub fn device(&self) -> &Device {
        self.tables.device()
    }

    /// What the bytes of our own tensors stand for, on the device.
    pub fn tables(&self) -> &allele::Tables {
        &self.tables
    }

    /// What the bytes of GATK's tensors stand for, on the device.
    pub fn gatk_tables(&self) -> &gatk::Tables {
        &self.gatk_tables
    }

    /// The weights by name.
    pub fn parameters(&self) -> &BTreeMap<String, Tensor> {
        &self.parameters
    }

    /// One of the weights.
    ///
    /// # Errors
    /// [`ModelError::MissingWeight`].
    pub fn parameter(&self, name: &str) -> Result<&Tensor, ModelError> {
        self.parameters.get(name).ok_or_else(|| {
            ModelError::Network(NnError::MissingWeight {
                name: name.to_owned(),
                expected: Vec::new(),
            })
        })
    }

    /// The device for oneself, until the guard is dropped. What was computed must have been read
    /// back by then.
    pub fn hold(&self) -> MutexGuard<'_, ()> {
        // It guards nothing that a panic could leave half done.
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `compute` makes of each batch, in the order of the batches. Each replica has a thread of its
/// own, which takes the next batch whenever it is done with one.
///
/// # Errors
/// The first replica's that failed. The others finish the batch they are at.
pub fn deal<B: Sync, T: Send, E: Send>(
    replicas: &[Replica],
    batches: &[B],
    compute: impl Fn(&B, &Replica) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let work = |replica: &Replica| -> Result<Vec<(usize, T)>, E> {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = batches.get(at) else {
                return Ok(done);
            };
            let result = compute(batch, replica);
            if result.is_err() {
                next.store(batches.len(), Ordering::Relaxed);
            }
            done.push((at, result?));
        }
    };
    let mut done = match replicas {
        [only] => work(only)?,
        _ => thread::scope(|scope| {
            let threads: Vec<_> = replicas
                .iter()
                .map(|replica| scope.spawn(|| work(replica)))
                .collect();
            let mut done = Vec::with_capacity(batches.len());
            for thread in threads {
                let result = thread.join();
                done.extend(result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(done)
        })?,
    };
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn replicas(count: usize) -> Vec<Replica> {
        let new = |_| Replica::new(&Weights::new(), &Device::Cpu).unwrap();
        (0..count).map(new).collect()
    }

    #[test]
    fn results_come_in_the_order_of_the_batches_whoever_computes_them() {
        let batches: Vec<u64> = (0..40).collect();
        for count in [1, 2, 5] {
            let replicas = replicas(count);
            let squares = deal(&replicas, &batches, |batch, replica| {
                let _held = replica.hold();
                // The earlier ones take longer.
                thread::sleep(Duration::from_micros(400 - 10 * batch));
                Ok::<u64, ()>(batch * batch)
            });
            let expected: Vec<u64> = batches.iter().map(|batch| batch * batch).collect();
            assert_eq!(squares, Ok(expected), "{count} replicas");
        }
    }

    #[test]
    fn an_error_ends_the_dealing() {
        let batches: Vec<usize> = (0..1000).collect();
        for count in [1, 3] {
            let begun = AtomicUsize::new(0);
            let found = deal(&replicas(count), &batches, |batch, _| {
                begun.fetch_add(1, Ordering::Relaxed);
                if *batch == 5 { Err("five") } else { Ok(()) }
            });
            assert_eq!(found, Err("five"));
            assert!(count > 1 || begun.into_inner() == 6);
        }
    }
}
