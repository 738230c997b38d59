//! WebAssembly's simd128: vectors of 4, as many registers as the engine finds. Products are rounded before
//! they are added, as in the portable kernels, so that both give the same bits.

use std::arch::wasm32::{
    f32x4_add, f32x4_mul, f32x4_pmax, f32x4_splat, v128, v128_load, v128_store,
};

use super::{Simd, compile_kernels};

/// The vectors of simd128.
struct Simd128;

impl Simd for Simd128 {
    type V = v128;
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> v128 {
        f32x4_splat(x)
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> v128 {
        // SAFETY: the caller's pointer is good for 4 elements, and none of it needs to be aligned.
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, v: v128) {
        // SAFETY: as above.
        unsafe { v128_store(to.cast(), v) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(c, f32x4_mul(a, b))
    }

    #[inline(always)]
    unsafe fn relu(v: v128) -> v128 {
        // The first operand is returned unless it is less, so NaN stays.
        f32x4_pmax(v, f32x4_splat(0.0))
    }
}

// Engines give the 16 registers of x86-64: sums, weights and one input must fit.
compile_kernels!(Simd128, features: "simd128", {
    1: 1 2 3 4 5 6 7 8;
    2: 1 2 3 4 5 6;
    3: 1 2 3 4;
});
