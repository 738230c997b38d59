//! The needs of the kernels from an instruction set: a vector type with six operations, and a
//! table of the kernels compiled for it. One file per instruction set.
//!
//! The operations are inlined into functions that carry `#[target_feature]`; anywhere else
//! they must not be called.

use super::error::KernelError;
use super::isa::Isa;
use super::outer::Outer;
use super::tile::Tile;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm_fused;

/// Partial sums kept by a dot product, whatever the instruction set: element i goes to sum
/// `i % DOT_LANES`, so that the order of summation is the same everywhere.
pub(super) const DOT_LANES: usize = 64;

/// Vectors of `LANES` f32.
///
/// # Safety
/// For every method: the processor must have the instruction set of the implementation, and
/// pointers must be good for `LANES` elements (any alignment).
pub(super) trait Simd {
    /// `LANES` f32 in a register.
    type V: Copy;
    /// Elements per vector.
    const LANES: usize;

    /// The same number in every lane.
    unsafe fn splat(x: f32) -> Self::V;
    /// Reads `LANES` elements.
    unsafe fn load(from: *const f32) -> Self::V;
    /// Writes `LANES` elements.
    unsafe fn store(to: *mut f32, v: Self::V);
    /// `a * b + c` per lane.
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `max(v, 0)` per lane; NaN stays NaN.
    unsafe fn relu(v: Self::V) -> Self::V;
}

/// Computes one [`Tile`]; see `tile::compute`.
///
/// # Safety
/// The processor must have the kernel's instruction set.
pub(super) type TileFn = unsafe fn(&mut Tile<'_>);

/// Computes one [`Outer`]; see `outer::compute`.
///
/// # Safety
/// The processor must have the kernel's instruction set.
pub(super) type OuterFn = unsafe fn(&mut Outer<'_>);

/// Partial sums of a dot product; see `tile::partial_sums`.
///
/// # Safety
/// The processor must have the kernel's instruction set.
pub(super) type DotFn = unsafe fn(&[f32], &[f32; DOT_LANES], &[f32]) -> [f32; DOT_LANES];

/// `pool::add_and_rectify_loop`.
///
/// # Safety
/// The processor must have the kernel's instruction set.
pub(super) type AddFn = unsafe fn(&mut [f32], &[f32], &[f32]);

/// `pool::max_and_sum_loop`.
///
/// # Safety
/// The processor must have the kernel's instruction set.
pub(super) type PoolFn = unsafe fn(&[f32], &mut [f32], &mut [f32]);

/// The kernels compiled for one instruction set.
#[derive(Debug)]
pub(super) struct Kernels {
    /// Elements per vector.
    pub lanes: usize,
    /// `tiles[v - 1][p - 1]` computes v vectors of output channels for p positions; as many
    /// positions as the registers hold, and every smaller number for the end of a row.
    pub tiles: &'static [&'static [TileFn]],
    /// `outers[v - 1][p - 1]` computes v vectors of output channels for p inputs; as `tiles`.
    pub outers: &'static [&'static [OuterFn]],
    /// The dot product.
    pub dot: DotFn,
    /// Sum of rows and ReLU.
    pub add_and_rectify: AddFn,
    /// Maximum and sum over rows.
    pub max_and_sum: PoolFn,
}

impl Isa {
    /// The kernels of this instruction set, which may be called on this machine: there is no
    /// other way to come by them.
    ///
    /// # Errors
    /// [`KernelError::Unavailable`] when this machine lacks the instructions.
    pub(in crate::kernel) fn kernels(self) -> Result<&'static Kernels, KernelError> {
        kernels(self)
            .filter(|_| self.is_available())
            .ok_or(KernelError::Unavailable { isa: self })
    }
}

/// The kernels of an instruction set, if it belongs to the architecture compiled for.
fn kernels(isa: Isa) -> Option<&'static Kernels> {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => Some(&avx512::KERNELS),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => Some(&avx2::KERNELS),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => Some(&neon::KERNELS),
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Isa::Simd128 => Some(&wasm::KERNELS),
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Isa::Simd128Fused => Some(&wasm_fused::KERNELS),
        Isa::Portable => Some(&portable::KERNELS),
        _ => None,
    }
}

/// The kernels of an instruction set and the table that names them.
///
/// `{ vectors: positions...; }` lists the tiles to compile, both counted up from 1.
macro_rules! compile_kernels {
    (
        $simd:ty, $(features: $features:literal,)?
        { $($vectors:literal: $($positions:literal)+;)+ }
    ) => {
        $(#[target_feature(enable = $features)])?
        fn tile<const POSITIONS: usize, const VECTORS: usize>(
            t: &mut super::super::tile::Tile<'_>,
        ) {
            // SAFETY: this function may only run where its instruction set is.
            unsafe { super::super::tile::compute::<$simd, POSITIONS, VECTORS>(t) }
        }

        $(#[target_feature(enable = $features)])?
        fn outer<const INPUTS: usize, const VECTORS: usize>(
            t: &mut super::super::outer::Outer<'_>,
        ) {
            // SAFETY: this function may only run where its instruction set is.
            unsafe { super::super::outer::compute::<$simd, INPUTS, VECTORS>(t) }
        }

        $(#[target_feature(enable = $features)])?
        fn dot(
            x: &[f32],
            tail: &[f32; super::DOT_LANES],
            w: &[f32],
        ) -> [f32; super::DOT_LANES] {
            const VECTORS: usize =
                super::DOT_LANES / <$simd as super::Simd>::LANES;
            // SAFETY: this function may only run where its instruction set is.
            unsafe { super::super::tile::partial_sums::<$simd, VECTORS>(x, tail, w) }
        }

        $(#[target_feature(enable = $features)])?
        fn add_and_rectify(values: &mut [f32], more: &[f32], bias: &[f32]) {
            super::super::pool::add_and_rectify_loop(values, more, bias);
        }

        $(#[target_feature(enable = $features)])?
        fn max_and_sum(row: &[f32], max: &mut [f32], sum: &mut [f32]) {
            super::super::pool::max_and_sum_loop(row, max, sum);
        }

        /// The kernels compiled for this instruction set.
        pub(super) static KERNELS: super::Kernels =
            super::Kernels {
                lanes: <$simd as super::Simd>::LANES,
                tiles: &[$(&[$(tile::<$positions, $vectors>),+]),+],
                outers: &[$(&[$(outer::<$positions, $vectors>),+]),+],
                dot,
                add_and_rectify,
                max_and_sum,
            };
    };
}
use compile_kernels;
