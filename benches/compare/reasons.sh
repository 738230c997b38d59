#!/usr/bin/env bash
# Does the first reason name the fault? Simulates three samples that have one fault each (hidden paralogues, oxidised bases, repeats that
# slip), calls them with bcftools (permissive) and scores the calls with `score --explain --filter`. Of the false calls that the filter fails
# (one ALT, inside the confident regions) it prints how often each reason comes first in CNN_WHY, and the share whose first reason names the
# sample's fault. Of the sample whose repeats slip insertions and deletions alone count, as a slip makes no SNP. Exits with 1 where a share is below
# 0.8 or where there are fewer than 20 such calls.
#
#   benches/compare/reasons.sh DATA [CNNFILTER]
#
# DATA is a folder with ref/ as training/config.yaml names it. Needs python3, art_illumina, bwa, samtools and bcftools.
#   KEEP   folder that keeps what was made for another run (default: a temporary one, removed)
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
data=$(realpath "${1:?usage: reasons.sh DATA [CNNFILTER]}")
ours=$(realpath "${2:-$root/target/release/cnnfilter}")
. "$root/benches/compare/common.sh"
work_folder
cd "$work"
ref=b37.chr20.composite region=20:10300001-11000000
reference $ref
[ -e $ref.fa.sa ] || quietly index bwa index $ref.fa

# sample NAME SEED "GENOME OPTIONS" "READS OPTIONS"
sample() {
  local name=$1 seed=$2 genome=$3 reads=$4
  [ ! -e "$name.calls.vcf.gz" ] || return 0
  # shellcheck disable=SC2086
  "$ours" simulate genome -q -R $ref.fa -L $region --seed "$seed" --mosaics-per-mb 0 --contamination 0 $genome -o "$name"
  quietly "$name.art" python3 "$root/training/scripts/art.py" --mixture "$name/mixture.tsv" --depth 30 --length 150 --mean 400 --sd 80 \
    --seed "$seed" --out1 "$name.1.art.fq" --out2 "$name.2.art.fq" -- -ss HSXt
  # shellcheck disable=SC2086
  "$ours" simulate reads -q --in "$name.1.art.fq" --in "$name.2.art.fq" --out "$name.1.fq" --out "$name.2.fq" --seed "$seed" --threads 0 \
    --context-errors 0 --deamination 0 --chimeras 0 --duplicates 0 $reads
  bwa mem -t 2 -K 10000000 -R "@RG\tID:$name\tSM:$name" $ref.fa "$name.1.fq" "$name.2.fq" 2>"$name.bwa.log" |
    samtools sort -u -m 512M -T "$name.sort" -o "$name.bam" - 2>"$name.sort.log"
  samtools index "$name.bam"
  rm "$name".[12].fq "$name".[12].art.fq
  bcftools mpileup --no-version -B -Q 0 -m 1 -F 0.01 -a AD,DP -r $region -f $ref.fa "$name.bam" 2>"$name.mpileup.log" |
    bcftools call --no-version --ploidy 2 -mv -P 0.5 -Oz -o "$name.tmp.vcf.gz" - 2>"$name.call.log"
  mv "$name.tmp.vcf.gz" "$name.calls.vcf.gz"
}
sample paralogue 601 "--paralogues-per-mb 30" "--slippage 0 --oxidation 0"
sample oxidation 602 "--paralogues-per-mb 0" "--slippage 0 --oxidation 0.006"
sample slippage 603 "--paralogues-per-mb 0" "--slippage 6 --oxidation 0"

# named SAMPLE KIND REASON...: the reasons that name the fault, of calls of a kind (any, indel).
status=0
named() {
  local name=$1 kind=$2
  shift 2
  "$ours" score -q -V "$name.calls.vcf.gz" -I "$name.bam" -R $ref.fa --filter --explain -o "$name.scored.vcf.gz"
  bcftools reheader -f $ref.fa.fai "$name/truth.vcf" 2>"$name.reheader.log" | bcftools norm --no-version -a -m- -f $ref.fa - 2>"$name.truth.log" |
    bcftools sort -Oz -o "$name.truth.vcf.gz" - 2>>"$name.truth.log"
  bcftools view --no-version -M2 "$name.scored.vcf.gz" | bcftools norm --no-version -f $ref.fa - 2>"$name.norm.log" |
    bcftools sort -Oz -o "$name.alleles.vcf.gz" - 2>>"$name.norm.log"
  bcftools index -f "$name.truth.vcf.gz"
  bcftools index -f "$name.alleles.vcf.gz"
  bcftools isec -C -T "$name/confident.bed" -w1 "$name.alleles.vcf.gz" "$name.truth.vcf.gz" -Ov -o "$name.false.vcf"
  grep -v '^#' "$name.false.vcf" | awk -F'\t' -v name="$name" -v kind="$kind" -v named=" $* " '
    kind == "indel" && length($4) == length($5) { next }
    $7 == "PASS" { passed++; next }
    {
      failed++
      first = "none"
      if (match($8, /CNN_WHY=[a-z]+/)) first = substr($8, RSTART + 8, RLENGTH - 8)
      count[first]++
      if (index(named, " " first " ")) hits++
    }
    END {
      printf "%s: %d false calls fail (%d pass), the first reason names it in %.3f:", name, failed, passed, failed ? hits / failed : 0
      for (reason in count) printf " %s %d", reason, count[reason]
      print ""
      exit failed < 20 || hits < 0.8 * failed
    }' || status=1
}
named paralogue any paralogue neighbours depth mismatches mapping
named oxidation any oxidation
named slippage indel slippage repeat
exit $status
