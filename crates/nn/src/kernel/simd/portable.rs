//! Plain Rust, which the compiler turns into whatever vectors the target always has (SSE2,
//! WebAssembly's simd128 when enabled). Products are rounded before they are added: a fused
//! multiply-add would be a slow function call where the processor lacks it.

use super::{Simd, compile_kernels};

/// Arrays of 8.
struct Portable;

impl Simd for Portable {
    type V = [f32; 8];
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 8] {
        [x; 8]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 8] {
        // SAFETY: the caller's pointer is good for 8 elements, and an unaligned read needs
        // no alignment.
        unsafe { from.cast::<[f32; 8]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, v: [f32; 8]) {
        // SAFETY: the caller's pointer is good for 8 elements, and an unaligned write needs
        // no alignment.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(v) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: [f32; 8], b: [f32; 8], mut c: [f32; 8]) -> [f32; 8] {
        for lane in 0..8 {
            c[lane] += a[lane] * b[lane];
        }
        c
    }

    #[inline(always)]
    unsafe fn relu(mut v: [f32; 8]) -> [f32; 8] {
        for lane in &mut v {
            // Written so that NaN, which is not below 0, stays.
            if *lane < 0.0 {
                *lane = 0.0;
            }
        }
        v
    }
}

compile_kernels!(Portable, {
    1: 1 2 3 4 5 6;
});
