#!/usr/bin/env bash
# Does cnnfilter-core encode and score a record in WebAssembly? Builds this folder's crate for the machine itself and for
# wasm32-unknown-unknown, runs both and compares each number. Says how fast the network is there. Needs node.
set -euo pipefail
cd "$(dirname "$0")/../.."
. .ci/packages.sh
. web/cargo.sh
need node nodejs
install_missing

# With the page, which asks for more of some libraries: so both are built from the same ones.
cargo_wasm cnnfilter-wasm-check cnnfilter-web
cargo test --workspace --locked --quiet --test wasm_native |
  node tests/wasm/compare.mjs "$wasm/cnnfilter_wasm_check.wasm"
