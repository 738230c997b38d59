#!/usr/bin/env bash
# Builds the program so that it needs no library at run time, and lays it out below a prefix.
#
#   packaging/static.sh PREFIX
#
# On Linux with glibc. Works since the program asks the C library for no names of hosts and users, which a static glibc looks up in
# shared libraries.
set -euo pipefail
prefix=$(realpath -m "${1:?usage: static.sh PREFIX}")
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
# The C libraries are those inside the crates. Naming the target keeps the flag from build scripts and macros.
export LIBZ_SYS_STATIC=1 LZMA_API_STATIC=1 PKG_CONFIG=false RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
cargo build --release --locked --target "$target"
packaging/lay_out.sh "${CARGO_TARGET_DIR:-target}/$target/release/cnnfilter" "$prefix" prefix
