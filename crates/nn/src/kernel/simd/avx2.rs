//! AVX2 with FMA: 16 registers of 8.

use std::arch::x86_64::{
    __m256, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_storeu_ps,
};

use super::{Simd, compile_kernels};

/// The vectors of AVX2.
struct Avx2;

impl Simd for Avx2 {
    type V = __m256;
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m256 {
        // SAFETY: the caller runs on a processor with AVX2.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        // SAFETY: as above, and the caller's pointer is good for 8 elements.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, v: __m256) {
        // SAFETY: as above, and the caller's pointer is good for 8 elements.
        unsafe { _mm256_storeu_ps(to, v) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the caller runs on a processor with AVX2 and FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn relu(v: __m256) -> __m256 {
        // The second operand is returned when either is NaN.
        // SAFETY: the caller runs on a processor with AVX2.
        unsafe { _mm256_max_ps(_mm256_setzero_ps(), v) }
    }
}

// Three vectors by four positions would fill all 16 registers, and the compiler spills.
compile_kernels!(Avx2, features: "avx2,fma", {
    1: 1 2 3 4 5 6 7 8 9 10;
    2: 1 2 3 4 5 6;
});
