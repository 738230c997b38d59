#!/usr/bin/env bash
# Makes the CRAM files of this folder out of the demo's reads, by samtools 1.16 (Debian 12):  make.sh [FOLDER]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
to="$(mkdir -p "${1:-$here}" && cd "${1:-$here}" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp "$here"/../demo/{ref.fa,ref.fa.fai,reads.bam,reads.bam.bai} "$work"
cd "$work"

# By M5 out of a folder: given as a file, htslib would write the reference's absolute path into the header.
samtools dict ref.fa | sed 's/\tUR:[^\t]*//' > ref.dict
mkdir sequences
sed -n 's/^@SQ\tSN:\([^\t]*\).*\tM5:\([^\t]*\).*/\1 \2/p' ref.dict | while read -r name md5; do
  samtools faidx ref.fa "$name" | sed 1d | tr -d '\n' | tr a-z A-Z > "sequences/$md5"
done
export REF_PATH="$work/sequences/%s" REF_CACHE=
samtools view --no-PG -H reads.bam | awk -F '\t' 'NR == FNR { if ($1 == "@SQ") line[$2] = $0; next }
  $1 == "@SQ" { print line[$2]; next } { print }' ref.dict - > header.sam
samtools view --no-PG reads.bam demo2 | cat header.sam - > reads.sam

make() { # NAME OPTIONS
  samtools view --no-PG -O "cram,$2" -o "$1.cram" reads.sam 2> log || { cat log >&2; exit 1; }
  samtools index "$1.cram"
  cp "$1.cram" "$1.cram.crai" "$to"
}
make v2.1 version=2.1
make v3.0 version=3.0
make v3.0_bzip2 version=3.0,level=9,use_bzip2
make v3.0_embedded version=3.0,embed_ref=1
make v3.0_no_reference version=3.0,no_ref=1
make v3.1 version=3.1
make v3.1_small version=3.1,level=7,use_tok,use_fqz,use_bzip2
make v3.1_archive version=3.1,level=9,use_tok,use_fqz,use_arith,use_bzip2
