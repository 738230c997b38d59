//! The version as `--version` tells it. (`-V` is one line.)

use std::sync::OnceLock;

use crate::io::htslib_version;
use cnnfilter_nn::kernel::Isa;

/// Version, commit, features of the build, instructions that the networks are computed with on this
/// machine's processor, and htslib's version, a line each.
pub(crate) fn long() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        format!(
            "{}\ncommit: {}\nfeatures: {}\nCPU path: {} ({})\nhtslib: {}",
            env!("CARGO_PKG_VERSION"),
            env!("CNNFILTER_COMMIT"),
            if cfg!(feature = "cuda") {
                "cuda"
            } else {
                "none"
            },
            Isa::detect(),
            std::env::consts::ARCH,
            htslib_version()
        )
    })
}
