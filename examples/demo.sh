#!/usr/bin/env bash
# From a fresh Debian 12 with Rust to scored and filtered calls: installs what is missing, builds, and
# scores the demo's calls (simulated, tests/data/demo/README.md) with the model inside the program.
#
#   CNNFILTER   a program that is there: nothing is built
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=../.ci/packages.sh
. "$root/.ci/packages.sh"
if [ -n "${CNNFILTER:-}" ]; then
  cnnfilter=$CNNFILTER
else
  need_build
  install_missing
  echo "Building (three to six minutes the first time)"
  (cd "$root" && cargo build --release --locked --quiet)
  cnnfilter=${CARGO_TARGET_DIR:-$root/target}/release/cnnfilter
fi

out=$root/.cnnfilter-demo
mkdir -p "$out"
demo=$root/tests/data/demo
echo "Scoring $demo/calls.vcf"
"$cnnfilter" score -V "$demo/calls.vcf" -I "$demo/reads.bam" -R "$demo/ref.fa" --filter \
  -o "$out/scored.vcf.gz"

echo
echo "The scored calls are in $out/scored.vcf.gz; its first records:"
zcat "$out/scored.vcf.gz" | awk -F '\t' -v OFS='\t' '!/^#/ && n++ < 5 { print $1, $2, $4, $5, $7, $8 }'
