#!/usr/bin/env bash
# Calls every BAM of a data folder with GATK HaplotypeCaller (directly, and as GVCF through GenotypeGVCFs), freebayes and
# bcftools, and checks what `cnnfilter score` makes of each file, the GVCF itself included: every record comes out, once, in
# order; without our INFO and FORMAT keys it is the input's record byte by byte; each is scored or counted with a reason; and each
# sample of a joint-called file has the scores of a run on its own column and reads.
#
#   benches/compare/callers.sh DATA [CNNFILTER]
#
# DATA is a folder with reads/ and ref/ as tests/it/real_data.rs expects it; the BAM files of reads/cohort are called together.
# Needs java 17, mvn (first run), samtools, bcftools, bgzip and freebayes (Debian 12: default-jre-headless maven samtools bcftools
# tabix freebayes).
#   GATK     command that runs GATK       (default examples/gatk.sh)
#   ONLY     only the sets whose name matches this pattern, as in '*52x'
#   CALLERS  only these (default: haplotypecaller gvcf genotypegvcfs freebayes bcftools)
#   KEEP     folder that keeps references, calls and outputs for another run (default: a temporary one, removed)
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
data=$(realpath "${1:?usage: callers.sh DATA [CNNFILTER]}")
ours=$(realpath "${2:-$root/target/release/cnnfilter}")
gatk=$(realpath "${GATK:-$root/examples/gatk.sh}")
. "$root/benches/compare/common.sh"
work_folder
cd "$work"
export GATK_JAVA_OPTS=${GATK_JAVA_OPTS:--Xmx2g -XX:TieredStopAtLevel=1}

# --- inputs -----------------------------------------------------------------------------------------------------------
# made FILE COMMAND...: runs a command that writes FILE, unless it is there.
made() {
  local file=$1
  shift
  [ -e "$file" ] || "$@"
}
call_haplotypecaller() {
  quietly "$1" "$gatk" HaplotypeCaller -R "$ref.fa" "${inputs[@]}" -L "$region" -O "$1.tmp.vcf"
  mv "$1.tmp.vcf" "$1"
}
# One a sample; several are combined.
call_gvcf() {
  local bam part variants=()
  for bam in "${bams[@]}"; do
    part=$1.$(basename "$bam").g.vcf
    [ -e "$part.idx" ] || quietly "$part" "$gatk" HaplotypeCaller -R "$ref.fa" -I "$bam" -L "$region" -ERC GVCF -O "$part"
    variants+=(-V "$part")
  done
  if [ "${#bams[@]}" = 1 ]; then
    cp "$part" "$1.tmp.vcf"
  else
    quietly "$1" "$gatk" CombineGVCFs -R "$ref.fa" "${variants[@]}" -O "$1.tmp.vcf"
  fi
  mv "$1.tmp.vcf" "$1"
}
call_genotypegvcfs() {
  made "${1/genotypegvcfs/gvcf}" call_gvcf "${1/genotypegvcfs/gvcf}"
  quietly "$1.index" "$gatk" IndexFeatureFile -I "${1/genotypegvcfs/gvcf}"
  quietly "$1" "$gatk" GenotypeGVCFs -R "$ref.fa" -V "${1/genotypegvcfs/gvcf}" -O "$1.tmp.vcf"
  mv "$1.tmp.vcf" "$1"
}
call_freebayes() {
  freebayes -f "$ref.fa" -r "$region" "${bams[@]}" >"$1.tmp"
  mv "$1.tmp" "$1"
}
call_bcftools() {
  quietly "$1" bcftools mpileup -f "$ref.fa" -r "$region" -a AD,DP -o "$1.pileup" "${bams[@]}"
  quietly "$1" bcftools call -mv -o "$1.tmp" "$1.pileup"
  mv "$1.tmp" "$1"
}

# --- checks -----------------------------------------------------------------------------------------------------------
files=0 total=0 bad=0

# without FILE: its records without what cnnfilter adds. The keys that a file lacks are not asked for, so that bcftools does not warn.
without() {
  local keys=() key
  for key in CNN_1D CNN_2D CNN_AS CNN_PROB; do
    if grep -q "^##INFO=<ID=$key," "$1"; then keys+=("INFO/$key"); fi
  done
  if grep -q '^##FORMAT=<ID=CNN,' "$1"; then keys+=("FORMAT/CNN"); fi
  if [ "${#keys[@]}" = 0 ]; then
    bcftools view --no-version -H "$1"
  else
    bcftools annotate --no-version -x "$(IFS=,; echo "${keys[*]}")" "$1" | grep -v '^#' || true
  fi
}

# score MODEL FILE ARGS...: scores a file and checks it; one line.
score() {
  local model=$1 file=$2 out=$2.$1.vcf log=$2.$1.log read written scored skipped with_key key=CNN_2D problem=
  shift 2
  [ "$model" = reads ] || key=CNN_1D
  files=$((files + 1))
  if ! "$ours" score -V "$file" -R "$ref.fa" "$@" -o "$out" 2>"$log"; then
    echo "FAILED  $file, $model: $(tail -1 "$log")"
    bad=$((bad + 1))
    return 0
  fi
  count() { awk -v what="$1" 'index($0, what) { sum += $NF } END { print sum + 0 }' "$log"; }
  read=$(count 'records read') written=$(count 'records written')
  scored=$(count "  scored ($key)") skipped=$(count '  not scored: ')
  with_key=$(grep -v '^#' "$out" | cut -f 8 | grep -c "\b$key=" || true)
  [ "$(grep -vc '^#' "$file")" = "$read" ] || problem="$read records read"
  [ "$(grep -vc '^#' "$out")" = "$read" ] && [ "$written" = "$read" ] || problem="$written of $read records written"
  [ $((scored + skipped)) = "$read" ] || problem="$scored scored and $skipped not, of $read"
  [ "$with_key" = "$scored" ] || problem="$with_key records with $key, $scored said to be scored"
  # bcftools writes numbers and sites in its own way: both sides go through it.
  cmp -s <(bcftools view --no-version -H "$file" 2>/dev/null) <(without "$out" 2>/dev/null) || problem="records differ"
  # And byte by byte, as text.
  cmp -s <(grep -v '^#' "$file" | trimmed) <(grep -v '^#' "$out" | stripped | trimmed) || problem="bytes differ"
  total=$((total + read))
  if [ -n "$problem" ]; then
    echo "FAILED  $file, $model: $problem"
    bad=$((bad + 1))
  else
    echo "whole   $file, $model: $read records, $scored scored$(awk -F 'not scored: ' 'NF == 2 { gsub(/ +/, " ", $2); printf ", %s", $2 }' "$log")"
  fi
}

# alone FILE: FORMAT/CNN of each sample of a scored file against a run on the sample alone.
alone() {
  local file=$1 bam sample
  for bam in "${bams[@]}"; do
    sample=$(samtools samples "$bam" | cut -f 1)
    cmp -s <(bcftools query -s "$sample" -f '[%CNN]\n' "$file.reads.vcf") \
      <(bcftools view --no-version -I -s "$sample" "$file" 2>/dev/null |
        "$ours" score -q -V - -I "$bam" -R "$ref.fa" | bcftools query -f '%CNN_2D\n') || {
      echo "FAILED  $file: sample $sample scores otherwise alone"
      bad=$((bad + 1))
      return 0
    }
  done
  echo "alike   $file: ${#bams[@]} samples, each as if it were alone"
}

# Our keys out of the text of records. What a sample left out at its end has to be written where our key comes behind it.
stripped() {
  awk -F '\t' -v OFS='\t' '{
    n = split($8, entry, ";"); info = ""
    for (i = 1; i <= n; i++) if (entry[i] !~ /^CNN_(1D|2D|AS|PROB)=/) info = info (info == "" ? "" : ";") entry[i]
    $8 = info == "" ? "." : info
    n = split($9, key, ":"); at = 0
    for (i = 1; i <= n; i++) if (key[i] == "CNN") at = i
    if (at) for (c = 9; c <= NF; c++) {
      m = split($c, value, ":"); text = ""
      for (i = 1; i <= m; i++) if (i != at) text = text (text == "" ? "" : ":") value[i]
      $c = text
    }
    print
  }'
}

# Samples without the missing fields at their ends.
trimmed() { awk -F '\t' -v OFS='\t' '{ for (c = 10; c <= NF; c++) sub(/(:\.)+$/, "", $c); print }'; }

# all NAME REFERENCE REGION BAM...: the four callers on one sample or several, and the GVCF.
all() {
  local name=$1 bam caller
  ref=$2 region=$3
  shift 3
  # shellcheck disable=SC2053  # a pattern is meant
  [[ -z ${ONLY:-} || $name == $ONLY ]] || return 0
  bams=("$@") inputs=()
  reference "$ref"
  for bam in "${bams[@]}"; do
    inputs+=(-I "$bam")
  done
  for caller in ${CALLERS:-haplotypecaller gvcf genotypegvcfs freebayes bcftools}; do
    made "$name.$caller.vcf" "call_$caller" "$name.$caller.vcf"
    score reads "$name.$caller.vcf" "${inputs[@]}"
    score reference "$name.$caller.vcf"
    [ "${#bams[@]}" = 1 ] || alone "$name.$caller.vcf"
  done
}

r=$data/reads
all HG002.30x b37.chr20.composite 20:10000000-10100000 "$r/HG002.b37.chr20_10.0-10.1M.30x.bam"
all NA12878.7x b37.chr20.composite 20:10000000-10270000 "$r/NA12878.b37.chr20_10.0-10.27M.7x.bam"
all NA12878.52x hg19.chr20 chr20:10000000-10100000 "$r/NA12878.hg19.chr20_10.0-10.1M.52x.bam"
all NA12878.32x hg38.chr22.slice chr22:16600000-16800000 "$r/NA12878.hg38.chr22_16.6-16.8M.32x.bam"
all cohort b37.chr20.composite 20:20000000-20300000 "$r"/cohort/*.bam

echo "$files files, $total records; $bad failed"
[ "$bad" = 0 ]
