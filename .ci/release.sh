#!/usr/bin/env bash
# Makes a release of what is committed at HEAD: the program, built twice from nothing in two folders and equal byte for byte,
# packed with its licences, beside a bill of materials and checksums.
#
#   .ci/release.sh OUT
#
# Writes OUT/cnnfilter-VERSION-TARGET.tar.gz, OUT/cnnfilter-VERSION-TARGET.cdx.json (CycloneDX) and OUT/SHA256SUMS. The bytes
# depend on the commit, the Rust toolchain, the C compiler and the C library, which the bill of materials names, and those of
# the archive on gzip and tar; not on folders, user, time or installed libraries. Needs what a build needs, python3 (3.11 or later) and binutils.
set -euo pipefail
out=$(realpath -m "${1:?usage: release.sh OUT}")
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
cargo fetch --locked --quiet --target "$target"

# build FOLDER: the commit, built in FOLDER/source and FOLDER/target, packed in FOLDER/dist.
build() {
  local source=$work/$1/source build=$work/$1/target dist=$work/$1/dist map c_flags=() rust_flags=() keep=()
  mkdir -p "$source" "$dist/$name"
  git archive "$commit" | tar -x -C "$source"

  # Folders as they are called in messages and debug data. No target CPU is named: the kernels choose as they run.
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
  local clean=(env -i "PATH=$PATH" "HOME=$HOME" "${keep[@]}" LC_ALL=C TZ=UTC0 "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"
    "CARGO_TARGET_DIR=$build" "CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${rust_flags[*]}")"
    "CFLAGS=${c_flags[*]}" "CXXFLAGS=${c_flags[*]}" PKG_CONFIG=false LIBZ_SYS_STATIC=1 LZMA_API_STATIC=1)
  (cd "$source" && "${clean[@]}" cargo build --release --locked --offline --quiet)
  mv "$build/release/cnnfilter" "$dist/$name/"
  rm -rf "$build"

  (cd "$source" && cp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$dist/$name/" &&
    python3 .ci/components.py "$dist/$name/cnnfilter" "$target" "$commit" "$SOURCE_DATE_EPOCH" \
      "$dist/$name/THIRD-PARTY.txt" "$dist/$name.cdx.json")
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
env -i "$program" score -V "$demo/calls.vcf" -I "$demo/reads.bam" -R "$demo/ref.fa" --filter -o "$work/scored.vcf.gz" \
  2>"$work/score.log" || {
  cat "$work/score.log" >&2
  exit 1
}
if grep -aqF -e "$work" -e "$cargo_home/registry" -e "$root/" "$program"; then
  echo "a folder of this machine is in the program" >&2
  exit 1
fi
libraries=$(readelf -dW "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | paste -sd ' ')
for library in $libraries; do
  case $library in
  libc.so.* | libm.so.* | libgcc_s.so.* | ld-linux*.so.*) ;;
  *)
    echo "the program needs $library, which not every system has" >&2
    exit 1
    ;;
  esac
done
echo "Runs in an empty environment; needs $libraries"
echo "glibc it needs: $(readelf -VW "$program" | grep -oE 'GLIBC_[0-9][0-9.]*' | sort -Vu | tail -1)"

mkdir -p "$out"
cp "$first/$name.tar.gz" "$first/$name.cdx.json" "$out/"
(cd "$out" && sha256sum "$name.tar.gz" "$name.cdx.json" | tee SHA256SUMS)
ls -l "$out"
