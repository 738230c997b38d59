#!/usr/bin/env bash
# Makes a release of what is committed at HEAD, after the stages of CI that are too slow for each change (every way of installing,
# fuzzing, WebAssembly by itself, reasons): the static program with the page inside that `serve` shows, built twice from nothing in two
# folders and equal byte for byte, packed with its licences, manual pages and completions, beside a bill of materials, packages, recipes
# and checksums.
#
#   .ci/release.sh OUT [HOME]
#
# Writes into OUT
#   cnnfilter-VERSION-TARGET.tar.gz       the program and what goes with it
#   cnnfilter-VERSION.html                the page by itself, for any file server
#   cnnfilter-VERSION-TARGET.cdx.json     its bill of materials (CycloneDX)
#   cnnfilter_VERSION_ARCHITECTURE.deb    the same for Debian, where there is dpkg-deb
#   cnnfilter-VERSION.tar.gz              the source, which the recipes name
#   crates/                               the packages for `cargo publish`'s registry
#   bioconda/, homebrew/                  the recipes, with version, checksum and HOME, the address of the project
#   SHA256SUMS
#
# The program's bytes depend on the commit, the Rust toolchain, the C compiler and the C library, which the bill of materials names, and
# those of archives on gzip, tar and xz; not on folders, user, time or installed libraries. Needs what a build needs, what web/build.sh needs,
# python3 (3.11 or later) and binutils.
set -euo pipefail
out=$(realpath -m "${1:?usage: release.sh OUT [HOME]}")
home=${2:-https://example.org/cnnfilter}
cd "$(dirname "$0")/.."
root=$PWD
case $out/ in
"$root"/*)
  git check-ignore -q "$out" || {
    echo "$out is in the repository: name a folder outside, or one that git ignores" >&2
    exit 1
  }
  ;;
esac
. .ci/packages.sh
need_build
need python3 python3
need readelf binutils
need node nodejs
install_missing
[ -z "$(git status --porcelain)" ] || echo "Uncommitted changes are left out: HEAD is built" >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target=$(rustc -vV | sed -n 's/^host: //p')
version=$(sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)
name=cnnfilter-$version-$target
commit=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
cargo_home=${CARGO_HOME:-$HOME/.cargo}
rust_source=$(rustc --print sysroot)/lib/rustlib/src/rust
rust_commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
cargo fetch --locked --quiet --target "$target" --target wasm32-unknown-unknown
.ci/run demo install fuzz wasm reasons tranches

# build FOLDER: the commit, built in FOLDER/source and FOLDER/target, packed in FOLDER/dist.
build() {
  local source=$work/$1/source build=$work/$1/target dist=$work/$1/dist map c_flags=() rust_flags=() keep=()
  mkdir -p "$source" "$dist/$name"
  git archive "$commit" | tar -x -C "$source"

  # Folders as they are called in messages and debug data. No target CPU is named: the kernels choose as they run.
  rust_flags+=(-C target-feature=+crt-static)
  local maps=("$rust_source=/rustc/$rust_commit" "$source=/cnnfilter" "$build=/build")
  for map in "$cargo_home"/registry/src/*; do maps+=("$map=/crates"); done
  for map in "${maps[@]}"; do
    rust_flags+=("--remap-path-prefix=$map")
    c_flags+=("-ffile-prefix-map=$map")
  done
  # Nothing of the caller's environment reaches the build but where the tools are. Without pkg-config the C libraries are
  # those in the crates, not the machine's.
  for map in CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN LIBCLANG_PATH; do
    [ -z "${!map:-}" ] || keep+=("$map=${!map}")
  done
  local page=$dist/cnnfilter-$version.html
  local clean=(env -i "PATH=$PATH" "HOME=$HOME" "${keep[@]}" LC_ALL=C TZ=UTC0 "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH")
  (cd "$source" && "${clean[@]}" web/build.sh "$page" && rm -rf target)
  clean+=("CARGO_TARGET_DIR=$build" "CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${rust_flags[*]}")" "CFLAGS=${c_flags[*]}" "CXXFLAGS=${c_flags[*]}"
    PKG_CONFIG=false LIBZ_SYS_STATIC=1 LZMA_API_STATIC=1 "CNNFILTER_PAGE=$page")
  (cd "$source" && "${clean[@]}" cargo build --release --locked --offline --quiet --target "$target")
  mv "$build/$target/release/cnnfilter" "$work/$1/cnnfilter"
  rm -rf "$build"

  (cd "$source" && python3 .ci/components.py "$work/$1/cnnfilter" "$target" "$commit" "$SOURCE_DATE_EPOCH" \
    "$work/$1/THIRD-PARTY.txt" "$dist/$name.cdx.json")
  export THIRD_PARTY=$work/$1/THIRD-PARTY.txt SOURCE_DATE_EPOCH
  "$source/packaging/lay_out.sh" "$work/$1/cnnfilter" "$dist/$name" plain
  ! command -v dpkg-deb >/dev/null || "$source/packaging/deb.sh" "$work/$1/cnnfilter" "$dist"
  tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "--mtime=@$SOURCE_DATE_EPOCH" \
    -C "$dist" -cf - "$name" | gzip -9n >"$dist/$name.tar.gz"
}

for folder in first another-folder; do
  echo "== build in $work/$folder ($(date +%T))"
  build "$folder"
done
echo "== checks ($(date +%T))"
first=$work/first/dist
if ! diff -r "$first" "$work/another-folder/dist"; then
  echo "The two builds differ: compare $out/first and $out/another-folder" >&2
  rm -rf "$out/first" "$out/another-folder"
  mkdir -p "$out"
  cp -r "$first" "$out/first"
  cp -r "$work/another-folder/dist" "$out/another-folder"
  exit 1
fi
echo "Two builds in two folders are the same, byte for byte"

# What was packed, as someone who has nothing but the archive finds it.
mkdir "$work/unpacked"
tar -xzf "$first/$name.tar.gz" -C "$work/unpacked"
program=$work/unpacked/$name/cnnfilter
demo=$root/tests/data/demo
[ "$(env -i "$program" -V)" = "cnnfilter $version" ] || {
  echo "the program does not say that it is cnnfilter $version" >&2
  exit 1
}
[ "$(env -i "$program" --version | sed -n 's/^commit: //p')" = "$commit" ] || {
  echo "the program does not say that it is made of $commit" >&2
  exit 1
}
env -i "$program" score -V "$demo/calls.vcf" -I "$demo/reads.bam" -R "$demo/ref.fa" --filter -o "$work/scored.vcf.gz" \
  2>"$work/score.log" || {
  cat "$work/score.log" >&2
  exit 1
}
if grep -aqF -e "$work" -e "$cargo_home/registry" -e "$root/" "$program"; then
  echo "a folder of this machine is in the program" >&2
  exit 1
fi
# Asks for the page as a browser does.
env -i "$program" serve --no-open 2>"$work/serve.log" &
server=$!
for _ in {1..100}; do
  ! grep -qs 'http://' "$work/serve.log" || break
  sleep 0.1
done
python3 - "$work/serve.log" "$work/served.html" <<'END' || true
import re, sys, urllib.request
log, served = sys.argv[1:]
[url] = re.findall(r"http://[0-9.:]+/", open(log, encoding="utf-8").read())
with urllib.request.urlopen(url, timeout=10) as answer, open(served, "wb") as file:
    file.write(answer.read())
END
kill "$server" 2>/dev/null || true
wait "$server" || true
cmp "$first/cnnfilter-$version.html" "$work/served.html" || {
  cat "$work/serve.log" >&2
  echo "the program does not serve the page that it was built with" >&2
  exit 1
}
echo "Serves its page, $(stat -c %s "$work/served.html") bytes; the program has $(stat -c %s "$program")"
if readelf -lW "$program" | grep INTERP >/dev/null || readelf -dW "$program" | grep NEEDED >/dev/null; then
  echo "the program is not static" >&2
  exit 1
fi
echo "Runs in an empty environment; needs no library"

source_archive=$work/cnnfilter-$version.tar.gz
git archive --prefix="cnnfilter-$version/" "$commit" | gzip -9n >"$source_archive"
python3 .ci/recipes.py "$source_archive" "$home" "$work/recipes"
packaging/crates.sh "$work/crates"

mkdir -p "$out"
rm -rf "$out/crates" "$out/bioconda" "$out/homebrew" "$out"/*.tar.gz "$out"/*.deb "$out"/*.html
find "$first" -maxdepth 1 -type f -exec cp -t "$out" {} +
cp "$source_archive" "$out/"
cp -r "$work/crates" "$work/recipes"/* "$out/"
(cd "$out" && find . -type f ! -name SHA256SUMS -printf '%P\0' | sort -z | xargs -0 sha256sum | tee SHA256SUMS)
ls -l "$out"
