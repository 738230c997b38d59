#!/usr/bin/env bash
# Run by conda-build in the unpacked source, with PREFIX and CPU_COUNT set.
set -euxo pipefail

cargo-bundle-licenses --format yaml --output THIRDPARTY.yml
export RUST_BACKTRACE=1
# bindgen looks for libclang; conda's is in the build environment.
[ -z "${BUILD_PREFIX:-}" ] || export LIBCLANG_PATH=$BUILD_PREFIX/lib
cargo install --locked --no-track --jobs "${CPU_COUNT:-1}" --root "$PREFIX" --path .

"$PREFIX/bin/cnnfilter" man --quiet -o "$PREFIX/share/man/man1"
mkdir -p "$PREFIX/share/bash-completion/completions" "$PREFIX/share/zsh/site-functions" "$PREFIX/share/fish/vendor_completions.d"
"$PREFIX/bin/cnnfilter" completions bash >"$PREFIX/share/bash-completion/completions/cnnfilter"
"$PREFIX/bin/cnnfilter" completions zsh >"$PREFIX/share/zsh/site-functions/_cnnfilter"
"$PREFIX/bin/cnnfilter" completions fish >"$PREFIX/share/fish/vendor_completions.d/cnnfilter.fish"
