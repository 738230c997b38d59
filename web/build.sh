#!/usr/bin/env bash
# Builds the page: one HTML file that opens from disk or from any file server.
#
#   web/build.sh [FILE]        by default target/web/cnnfilter.html
#
# Crates are those of Cargo.lock; nothing else is fetched. Needs node, and a Rust that compiles for WebAssembly (web/cargo.sh).
# The same sources and compiler give the same bytes; their checksum and size are printed.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/packages.sh
. web/cargo.sh
need node nodejs
install_missing

page=${1:-target/web/cnnfilter.html}
mkdir -p "$(dirname "$page")"
cargo_wasm cnnfilter-web
node web/assemble.mjs "$wasm/cnnfilter_web.wasm" "$page"
