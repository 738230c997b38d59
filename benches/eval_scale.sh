#!/usr/bin/env bash
# Time and memory of a whole `cnnfilter eval` on generated calls: 5 million records (or as many as
# the first argument says) with five scores, vcfeval's labels and 20 strata.
#
#   cargo build --release && benches/eval_scale.sh [RECORDS]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
records=${1:-5000000}
cnnfilter=${CARGO_TARGET_DIR:-$root/target}/release/cnnfilter
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -v n="$records" 'BEGIN {
  srand(1)
  print "##fileformat=VCFv4.2"
  for (k = 1; k <= 5; k++) print "##INFO=<ID=S" k ",Number=1,Type=Float,Description=\"generated\">"
  print "##INFO=<ID=CALL,Number=1,Type=String,Description=\"generated\">"
  print "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts"
  contigs = 22
  for (i = 0; i < n; i++) {
    contig = 1 + int(i * contigs / n)
    if (contig != last) { position = 0; last = contig }
    position += 1 + int(rand() * 1200)
    true_call = rand() < 0.9
    indel = rand() < 0.2
    line = "chr" contig "\t" position "\t.\tA\t" (indel ? "ACT" : "C") "\t" int(rand() * 900) "\tPASS\tDP=" int(rand() * 60)
    for (k = 1; k <= 5; k++) line = line ";S" k "=" sprintf("%.4f", (true_call ? k / 2 : 0) + rand() + rand() + rand())
    print line ";CALL=" (true_call ? "TP" : "FP") "\tGT:AD:DP\t0/1:" int(rand() * 30) "," int(rand() * 30) ":" int(rand() * 60)
  }
}' >"$work/calls.vcf"
strata=()
for s in $(seq 20); do
  awk -v s="$s" 'BEGIN {
    srand(s)
    for (c = 1; c <= 22; c++)
      for (p = 0; p < 130000000; p += 20000 + int(rand() * 100000))
        print "chr" c "\t" p "\t" p + 500 * s
  }' >"$work/s$s.bed"
  strata+=(--stratify "s$s=$work/s$s.bed")
done
ls -l "$work/calls.vcf" >&2
/usr/bin/time -v "$cnnfilter" eval -V "$work/calls.vcf" --labels vcfeval --score S1,S2,S3,S4,S5 \
  "${strata[@]}" --threads 2 -o "$work/report" 2>"$work/time" | head -n 10
grep -E "Elapsed|User time|Maximum resident" "$work/time"
