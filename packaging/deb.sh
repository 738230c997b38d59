#!/usr/bin/env bash
# A Debian package of a static program: dpkg needs nothing else to install it.
#
#   packaging/deb.sh PROGRAM OUT        writes OUT/cnnfilter_VERSION_ARCHITECTURE.deb
#
# The same program, files and SOURCE_DATE_EPOCH give the same bytes. THIRD_PARTY as in
# lay_out.sh, MAINTAINER as dpkg writes it. Needs dpkg-deb.
set -euo pipefail
usage="usage: deb.sh PROGRAM OUT"
program=$(realpath "${1:?$usage}") out=$(realpath -m "${2:?$usage}")
root=$(cd "$(dirname "$0")/.." && pwd)
version=$("$program" -V)
version=${version#cnnfilter }
architecture=$(dpkg --print-architecture)
maintainer=${MAINTAINER:-The cnnfilter developers <cnnfilter@example.org>}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tree=$work/tree
umask 022
mkdir -p "$tree/DEBIAN" "$tree/usr/share/lintian/overrides"
"$root/packaging/lay_out.sh" "$program" "$tree/usr" debian
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$tree/usr/bin/cnnfilter"
# It is static, so that one package serves every release of Debian.
printf 'cnnfilter: %s\n' statically-linked-binary shared-library-lacks-prerequisites >"$tree/usr/share/lintian/overrides/cnnfilter"
printf 'cnnfilter (%s) unstable; urgency=medium\n\n  * CHANGELOG.md says what is new.\n\n -- %s  %s\n' "$version" "$maintainer" \
  "$(LC_ALL=C date --utc --date="@$SOURCE_DATE_EPOCH" '+%a, %d %b %Y %T +0000')" |
  gzip -9n >"$tree/usr/share/doc/cnnfilter/changelog.gz"
cat >"$tree/DEBIAN/control" <<CONTROL
Package: cnnfilter
Version: $version
Architecture: $architecture
Section: science
Priority: optional
Maintainer: $maintainer
Installed-Size: $(du -k -s "$tree/usr" | cut -f1)
Description: decides which of a variant caller's calls are real
 Scores the calls of a VCF with a convolutional network that sees the reads
 and the reference, and filters them. The trained models are inside. It takes
 the place of GATK's CNNScoreVariants and FilterVariantTranches.
CONTROL
(cd "$tree" && find usr -type f -printf '%P\0' | sort -z | (cd usr && xargs -0 md5sum) | sed 's|  |  usr/|' >DEBIAN/md5sums)
mkdir -p "$out"
dpkg-deb --root-owner-group -Zxz --build "$tree" "$out/cnnfilter_${version}_$architecture.deb" >/dev/null
