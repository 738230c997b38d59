//! The instruction set a layer is computed with, found out once per process.

use std::fmt;
use std::sync::OnceLock;

/// An instruction set with a version of the kernels. All variants exist on every machine, so
/// that they can be named in options and logs; which of them run is [`Isa::is_available`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// x86-64 with AVX-512F: vectors of 16.
    Avx512,
    /// x86-64 with AVX2 and FMA: vectors of 8.
    Avx2,
    /// 64-bit ARM: vectors of 4.
    Neon,
    /// WebAssembly compiled with simd128: vectors of 4; no fused multiply-add, so the same bits as
    /// [`Isa::Portable`].
    Simd128,
    /// Plain Rust, on any processor; no fused multiply-add.
    Portable,
}

impl Isa {
    /// Every instruction set, fastest first.
    pub const ALL: [Isa; 5] = [
        Isa::Avx512,
        Isa::Avx2,
        Isa::Neon,
        Isa::Simd128,
        Isa::Portable,
    ];

    /// The fastest instruction set of this machine. Asked once, then remembered.
    #[must_use]
    pub fn detect() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            Isa::ALL
                .into_iter()
                .find(|isa| isa.is_available())
                .unwrap_or(Isa::Portable)
        })
    }

    /// True where this machine has these instructions.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            // A module with these instructions loads only where they are.
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128 => true,
            Isa::Portable => true,
            _ => false,
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Isa::Avx512 => "AVX-512",
            Isa::Avx2 => "AVX2",
            Isa::Neon => "NEON",
            Isa::Simd128 => "simd128",
            Isa::Portable => "portable",
        })
    }
}
