# To be sourced at the root of the repository, behind .ci/packages.sh: `cargo_wasm PACKAGE...` builds packages' libraries for WebAssembly,
# with vectors (simd128, which every browser has had since 2023), and sets `wasm` to the folder of the result.
#
# Takes the toolchain in use if it has the target (`rustup target add wasm32-unknown-unknown`), else Debian's own compiler,
# which brings the sources of the standard library and is installed if it is missing.
cargo_wasm() {
  local triple=wasm32-unknown-unknown
  # A folder of its own: another compiler may build here than elsewhere.
  local target
  target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/wasm
  wasm=$target/$triple/web
  # Nothing draws random numbers of the machine. candle links the crate that would, which has to be told where it runs. Paths
  # of this machine go into no message, so that the same sources give the same bytes anywhere.
  local flags="--cfg getrandom_backend=\"wasm_js\" -C target-feature=+simd128"
  flags+=" --remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
  local build=(build --profile web --locked --quiet --lib "${@/#/--package=}" --target "$triple")
  if [ -d "$(rustc --print sysroot)/lib/rustlib/$triple/lib" ]; then
    CARGO_TARGET_DIR=$target RUSTFLAGS=$flags cargo "${build[@]}"
  else
    need wasm-ld lld
    need_file /usr/bin/rustc rustc-web
    need_file /usr/bin/cargo cargo-web
    need_file /usr/lib/rustlib/src/rust/library/std/Cargo.toml rust-web-src
    install_missing
    CARGO_TARGET_DIR=$target CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld \
      RUSTFLAGS="$flags -C linker-flavor=wasm-ld" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo "${build[@]}" -Z build-std=std,panic_abort
  fi
}
