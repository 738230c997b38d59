#!/usr/bin/env bash
# Packs every crate of what is committed at HEAD, as `cargo publish` would, and looks into the packages.
#
#   packaging/crates.sh OUT
#
# Writes OUT/NAME-VERSION.crate. third_party's crates are outside the workspace, so that lints and tests leave them alone, and are
# published under names of our own before the program. Here they join the workspace of a copy: then cargo finds every crate that
# another one needs, though none is published yet. Builds nothing.
set -euo pipefail
out=$(realpath -m "${1:?usage: crates.sh OUT}")
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git clone --quiet --no-local --depth 1 "file://$root" "$work/source"
cd "$work/source"
sed -i -e 's|^members = .*|members = ["crates/*", "models", "third_party/hts-sys", "third_party/rust-htslib"]|' \
  -e '/^exclude = \["third_party"\]$/d' Cargo.toml
# The page's crate joins by the tests that compare it with the program; it is published as a page.
cargo package --quiet --workspace --exclude cnnfilter-web --no-verify --allow-dirty --target-dir "$work/target" 2>"$work/log" || {
  cat "$work/log" >&2
  exit 1
}
# Nobody knows yet where the project will be at home.
grep -v -e '^warning: manifest has no documentation, homepage or repository' -e '^ *|$' -e 'package-metadata for more info' \
  -e '^warning: ignoring benchmark' -e '^ *$' "$work/log" >&2 || true
rm -rf "$out"
mkdir -p "$out"
mv "$work"/target/package/*.crate "$out/"
python3 "$root/.ci/package_contents.py" "$out"
