//! The number of threads, and their pool.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// The number of threads asked for; 0 stands for as many as the machine has.
pub(crate) fn resolve(asked: usize) -> usize {
    if asked > 0 {
        asked
    } else {
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}

/// A pool of that many threads.
///
/// # Errors
/// Where the system starts no more threads.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|at| format!("cnnfilter-{at}"))
        .build()
}
