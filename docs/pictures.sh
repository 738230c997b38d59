#!/usr/bin/env bash
# Makes the pictures of the book and the README (docs/src/pictures) from the demo data. Needs chromium and chromedriver
# (Debian: chromium chromium-driver).
#
#   docs/pictures.sh [CNNFILTER]
set -euo pipefail
cnnfilter=$(realpath "${1:-target/release/cnnfilter}")
cd "$(dirname "$0")/.."
demo=tests/data/demo pictures=docs/src/pictures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cnnfilter" score -q -V $demo/calls.vcf -I $demo/reads.bam -R $demo/ref.fa --filter --explain -o "$work/scored.vcf.gz"
view() { "$cnnfilter" view -q -V "$work/scored.vcf.gz" -I $demo/reads.bam -R $demo/ref.fa "$@"; }

# Calls as the page of `view` shows them.
view -o "$work/view.html"
python3 docs/screenshot.py view "$work/view.html" $pictures/het_snp.png demo1:48
python3 docs/screenshot.py view "$work/view.html" $pictures/hom_deletion.png demo1:1691
python3 docs/screenshot.py view "$work/view.html" $pictures/paralogue.png demo1:15471
python3 docs/screenshot.py view "$work/view.html" $pictures/slippage.png demo1:2814 w

# All channels of a call as one picture.
for locus in 101 3161 15471; do view -L "demo1:$locus" --format png -o $pictures; done
view -L demo1:3161 --format svg -o "$work/svg"
cp "$work/svg/demo1_3161_AT_A.svg" $pictures/channels.svg

# The page of `eval`.
"$cnnfilter" eval -q -V "$work/scored.vcf.gz" --truth $demo/truth.vcf.gz --confident $demo/confident.bed -R $demo/ref.fa -o "$work/report" >"$work/eval.log"
python3 docs/screenshot.py page "$work/report/eval.html" $pictures/eval.png 1200 1250
