#!/usr/bin/env bash
# From a fresh Debian 12 with Rust to scored calls: installs what is missing, builds, imports
# GATK's networks and scores the demo's calls (simulated, tests/data/demo/README.md).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=../.ci/packages.sh
. "$root/.ci/packages.sh"
need_build
need java default-jre-headless
need mvn maven
install_missing

echo "Building (three to six minutes the first time)"
(cd "$root" && cargo build --release --locked --quiet)
cnnfilter=${CARGO_TARGET_DIR:-$root/target}/release/cnnfilter

out=$root/.cnnfilter-demo
mkdir -p "$out"
echo "Importing GATK's networks"
"$cnnfilter" import "$("$root/examples/gatk_jar.sh")" -o "$out/models"

demo=$root/tests/data/demo
echo "Scoring $demo/calls.vcf"
"$cnnfilter" score -V "$demo/calls.vcf" -I "$demo/reads.bam" -R "$demo/ref.fa" \
  --model "$out/models/gatk-small-2d" -o "$out/scored.vcf.gz"

echo
echo "The scored calls are in $out/scored.vcf.gz; its first records:"
zcat "$out/scored.vcf.gz" | awk -F '\t' -v OFS='\t' '!/^#/ && n++ < 5 { print $1, $2, $4, $5, $8 }'
