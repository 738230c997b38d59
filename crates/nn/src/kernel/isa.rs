//! The instruction set a layer is computed with, found out once per process.

use std::cell::Cell;
use std::fmt;
use std::sync::OnceLock;

thread_local! {
    /// The set that [`Isa::computing_with`] asks for.
    static ASKED: Cell<Option<Isa>> = const { Cell::new(None) };
}

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
    /// The same, with a fused multiply-add by way of f64: slower, and the bits of AVX-512, AVX2 and NEON. Only
    /// [`Isa::computing_with`] takes it.
    Simd128Fused,
    /// Plain Rust, on any processor; no fused multiply-add.
    Portable,
}

impl Isa {
    /// Every instruction set, in the order in which they are chosen.
    pub const ALL: [Isa; 6] = [
        Isa::Avx512,
        Isa::Avx2,
        Isa::Neon,
        Isa::Simd128,
        Isa::Portable,
        Isa::Simd128Fused,
    ];

    /// The fastest instruction set of this machine; inside [`Isa::computing_with`] the one asked for.
    #[must_use]
    pub fn detect() -> Isa {
        if let Some(asked) = ASKED.get() {
            return asked;
        }
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            Isa::ALL
                .into_iter()
                .find(|isa| isa.is_available())
                .unwrap_or(Isa::Portable)
        })
    }

    /// Runs `work` with this set in this thread, not in those that it starts; where the machine lacks it, as it is.
    pub fn computing_with<T>(self, work: impl FnOnce() -> T) -> T {
        let before = ASKED.replace(self.is_available().then_some(self));
        let made = work();
        ASKED.set(before);
        made
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
            Isa::Simd128 | Isa::Simd128Fused => true,
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
            Isa::Simd128Fused => "simd128, fused by f64",
            Isa::Portable => "portable",
        })
    }
}
