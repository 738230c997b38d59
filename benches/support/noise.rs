//! Numbers for inputs and weights.

/// Numbers in -0.5..0.5 that repeat with a long period.
pub(crate) fn noise(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1u32 << 24) as f32 - 0.5
    };
    (0..len).map(next).collect()
}
