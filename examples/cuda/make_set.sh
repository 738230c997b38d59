#!/usr/bin/env bash
# A simulated sample of 30x, small enough to carry to a machine with a GPU: check.sh takes it.
#
#   examples/cuda/make_set.sh CNNFILTER OUT [BASES]
#
# Draws a genome of BASES (default: 500000), makes a sample of it with `simulate`, sequences it with ART, aligns with bwa and calls with
# bcftools, so that many calls are false. OUT gets ref.fa, reads.bam, calls.vcf.gz, truth.vcf.gz (with indexes) and confident.bed: about 12 MB.
# Needs python3, art_illumina, bwa, samtools and bcftools (Debian: art-nextgen-simulation-tools bwa samtools bcftools).
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
usage="usage: make_set.sh CNNFILTER OUT [BASES]"
cnnfilter=$(realpath "${1:?$usage}") out=$(realpath -m "${2:?$usage}") bases=${3:-500000}
work=$(mktemp -d)
mkdir -p "$out"
cd "$work"
exec 3>&2 2>log
# finish STATUS: what the tools said, where one failed.
finish() {
  [ "$1" = 0 ] || tail -5 "$work/log" >&3
  rm -rf "$work"
}
trap 'finish $?' EXIT

# Bases at random, with repeats of short units and copied stretches, where callers err.
python3 - "$bases" >"$out/ref.fa" <<'PYTHON'
import random
import sys
draw = random.Random(7)
bases = []
while len(bases) < int(sys.argv[1]):
    bases += draw.choices("ACGT", (3, 2, 2, 3), k=draw.randrange(200, 1500))
    unit = draw.choices("ACGT", k=draw.randrange(1, 5))
    bases += unit * draw.randrange(4, 12)
    if draw.random() < 0.05 and len(bases) > 5000:
        start = draw.randrange(len(bases) - 2000)
        bases += bases[start:start + 1500]
print(">sim1")
text = "".join(bases[:int(sys.argv[1])])
print("\n".join(text[at:at + 80] for at in range(0, len(text), 80)))
PYTHON
samtools faidx "$out/ref.fa"
cp "$out/ref.fa" index.fa
bwa index index.fa
"$cnnfilter" simulate genome -q -R "$out/ref.fa" --seed 11 --paralogues-per-mb 30 -o genome
python3 "$root/training/scripts/art.py" --mixture genome/mixture.tsv --depth 30 --length 150 --mean 400 --sd 80 --seed 11 \
  --out1 1.art.fq --out2 2.art.fq -- -ss HSXt >art.log
"$cnnfilter" simulate reads -q --in 1.art.fq --in 2.art.fq --out 1.fq --out 2.fq --seed 11 --slippage 3 --oxidation 0.002
bwa mem -K 10000000 -R '@RG\tID:simulated\tSM:simulated' index.fa 1.fq 2.fq | samtools sort -u -m 256M -o "$out/reads.bam##idx##$out/reads.bam.bai" \
  --write-index -O bam,level=9 -
bcftools mpileup --no-version -B -Q 0 -m 1 -F 0.01 -a AD,DP -f "$out/ref.fa" "$out/reads.bam" |
  bcftools call --no-version --ploidy 2 -mv -P 0.5 -Oz -o "$out/calls.vcf.gz"
bcftools index -f -t "$out/calls.vcf.gz"
bcftools reheader -f "$out/ref.fa.fai" genome/truth.vcf | bcftools norm --no-version -a -m- -f "$out/ref.fa" - | bcftools sort -Oz -o "$out/truth.vcf.gz"
bcftools index -f -t "$out/truth.vcf.gz"
cp genome/confident.bed "$out/"
echo "$out: $(bcftools view -H "$out/calls.vcf.gz" | wc -l) calls, $(du -k -c "$out"/* | tail -1 | cut -f1) KB"
