#!/usr/bin/env bash
# How the time and memory of `score` grow with threads and with records:
#
#     benches/score_scale.sh CALLS.vcf.gz READS.bam REFERENCE.fa [ROUNDS]
#
# Whole processes, the median of ROUNDS (3) each. Files with more records are CALLS with every record several times over, so that
# they need the same reads. For growth with depth, run it on samples of different depth. Needs GNU time (Debian: time).
set -euo pipefail
calls=$1 reads=$2 reference=$3 rounds=${4:-3}
program=${CNNFILTER:-target/release/cnnfilter}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints: median seconds, highest peak memory in MB.
measure() {
  for _ in $(seq "$rounds"); do
    /usr/bin/time -f '%e %M' -o "$work/time" "$program" score -q "$@" -R "$reference" -o "$work/scored.vcf.gz"
    cat "$work/time"
  done | sort -n | awk '{ seconds[NR] = $1; if ($2 > peak) peak = $2 }
    END { printf "%.2f %.0f\n", seconds[int((NR + 1) / 2)], peak / 1024 }'
}

count=$(zcat -f "$calls" | grep -vc '^#')
row() { # label, records, arguments
  local label=$1 records=$2
  shift 2
  read -r seconds memory < <(measure "$@")
  awk -v l="$label" -v n="$records" -v s="$seconds" -v m="$memory" \
    'BEGIN { printf "%-42s %9d records %9.2f s %9.0f a second %6d MB\n", l, n, s, n / s, m }'
}

for threads in 1 2 4 8; do
  row "with reads, threads: $threads" "$count" -V "$calls" -I "$reads" --threads "$threads"
done
row "without reads, threads: 2" "$count" -V "$calls" --threads 2
for wanted in 10000 100000 1000000; do
  times=$(((wanted + count - 1) / count))
  zcat -f "$calls" | awk -v times="$times" '/^#/ { print; next } { for (i = 0; i < times; i++) print }' >"$work/many.vcf"
  row "with reads, each record $times times" $((times * count)) -V "$work/many.vcf" -I "$reads" --threads 2
done
