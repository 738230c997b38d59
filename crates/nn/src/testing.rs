//! Helpers of tests, here and in the crates above (feature `testing`).

use std::cell::Cell;

/// Numbers in -0.5..0.5 that repeat with a long period.
pub fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(99);
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..len).map(next).collect()
}

thread_local! {
    /// Set while [`as_elsewhere`] runs.
    pub(crate) static AS_ELSEWHERE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` as on a GPU, layers and steps made of candle's operations, as far as it stays on this
/// thread.
pub fn as_elsewhere<T>(f: impl FnOnce() -> T) -> T {
    AS_ELSEWHERE.set(true);
    let found = f();
    AS_ELSEWHERE.set(false);
    found
}
