//! A network's weights on devices, and batches dealt among these.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::family::OnDevice;

/// The weights on one device, for one user at a time.
#[derive(Debug)]
pub(super) struct Replica {
    on: OnDevice,
    /// Held while a batch is computed: a device's cuBLAS serves one at a time.
    busy: Mutex<()>,
}

impl Replica {
    /// Wraps weights on a device.
    pub(super) fn new(on: OnDevice) -> Self {
        let busy = Mutex::new(());
        Self { on, busy }
    }

    /// The weights and the lock of the device, until the guard is dropped. What was computed must
    /// have been read back by then.
    pub(super) fn hold(&self) -> (&OnDevice, MutexGuard<'_, ()>) {
        // It guards nothing that a panic could leave half done.
        let held = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        (&self.on, held)
    }
}

/// Computes each batch; results are in the order of the batches. Each replica has a thread of its
/// own, which takes the next batch whenever it is done with one.
///
/// # Errors
/// The first replica's that failed. The others finish the batch they are at.
pub(super) fn deal<B: Sync, T: Send, E: Send>(
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
    use crate::networks::gatk::{self, spec};
    use candle_core::Device;
    use std::time::Duration;

    fn replicas(count: usize) -> Vec<Replica> {
        let architecture = gatk::architecture(&spec::REFERENCE_1D);
        let new = |_| {
            let on = OnDevice::copy(&*architecture, &Default::default(), &Device::Cpu);
            Replica::new(on.unwrap())
        };
        (0..count).map(new).collect()
    }

    #[test]
    fn results_come_in_the_order_of_the_batches_whoever_computes_them() {
        let batches: Vec<u64> = (0..40).collect();
        for count in [1, 2, 5] {
            let replicas = replicas(count);
            let squares = deal(&replicas, &batches, |batch, replica| {
                let (_, _held) = replica.hold();
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
