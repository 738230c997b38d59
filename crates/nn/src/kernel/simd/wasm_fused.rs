//! The bits of a fused multiply-add in WebAssembly, which has none: for results that shall equal those of a processor.
//! Two lanes are computed at a time, so these kernels take two to three times as long as those of `wasm`.

use std::arch::wasm32::{
    f32x4_demote_f64x2_zero, f32x4_pmax, f32x4_splat, f64x2_add, f64x2_mul,
    f64x2_promote_low_f32x4, i32x4_shuffle, v128, v128_load, v128_store,
};

use super::{Simd, compile_kernels};

/// The vectors of simd128, with products that are added before they are rounded: a product of two f32 is exact in f64.
/// The sum is rounded to f64 and then to f32, which differs from rounding once in about one of 2^29 sums.
struct Fused;

/// `a * b + c` of the first two lanes, in the first two lanes.
#[inline(always)]
fn of_low(a: v128, b: v128, c: v128) -> v128 {
    let product = f64x2_mul(f64x2_promote_low_f32x4(a), f64x2_promote_low_f32x4(b));
    f32x4_demote_f64x2_zero(f64x2_add(product, f64x2_promote_low_f32x4(c)))
}

/// The last two lanes, in the first two.
#[inline(always)]
fn high(v: v128) -> v128 {
    i32x4_shuffle::<2, 3, 2, 3>(v, v)
}

impl Simd for Fused {
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
        let low = of_low(a, b, c);
        i32x4_shuffle::<0, 1, 4, 5>(low, of_low(high(a), high(b), high(c)))
    }

    #[inline(always)]
    unsafe fn relu(v: v128) -> v128 {
        // The first operand is returned unless it is less, so NaN stays.
        f32x4_pmax(v, f32x4_splat(0.0))
    }
}

compile_kernels!(Fused, features: "simd128", {
    1: 1 2 3 4 5 6;
});
