#!/usr/bin/env bash
# Does cnnfilter-core encode and score a record in WebAssembly? Builds this folder's crate for the machine itself and for
# wasm32-unknown-unknown, runs both and compares each number.
#
# Takes the toolchain in use if it has the target (`rustup target add wasm32-unknown-unknown`), else Debian's own compiler,
# which brings the sources of the standard library and is installed if it is missing. Needs node.
set -euo pipefail
cd "$(dirname "$0")/../.."
. .ci/packages.sh
need node nodejs
install_missing

triple=wasm32-unknown-unknown
# A folder of its own: another compiler may build here than elsewhere.
built=$(realpath -m "${CARGO_TARGET_DIR:-target}")/wasm
# Nothing here draws random numbers. candle links the crate that would, which has to be told where it runs.
flags='--cfg getrandom_backend="wasm_js"'
build=(build --release --locked --quiet --lib -p cnnfilter-wasm-check --target "$triple")
if [ -d "$(rustc --print sysroot)/lib/rustlib/$triple/lib" ]; then
  CARGO_TARGET_DIR=$built RUSTFLAGS=$flags cargo "${build[@]}"
else
  need wasm-ld lld
  need_file /usr/bin/rustc rustc-web
  need_file /usr/bin/cargo cargo-web
  need_file /usr/lib/rustlib/src/rust/library/std/Cargo.toml rust-web-src
  install_missing
  CARGO_TARGET_DIR=$built CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld \
    RUSTFLAGS="$flags -C linker-flavor=wasm-ld" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo "${build[@]}" -Z build-std=std,panic_abort
fi

cargo test --workspace --locked --quiet --test wasm_native |
  node tests/wasm/compare.mjs "$built/$triple/release/cnnfilter_wasm_check.wasm"
