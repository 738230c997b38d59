#!/usr/bin/env bash
# Does a model carry over to a simulation that is not ours? Makes three samples with a simulator that shares no code and no numbers
# with `cnnfilter simulate` (other_simulation/genome.py and slips.py; reads by ART), calls them with HaplotypeCaller and prints the
# PR-AUC of QUAL, QD, GATK's two networks and the model.
#
#   benches/compare/other_simulation.sh DATA [CNNFILTER]
#
# DATA is a folder with ref/ and truth/ as training/config.yaml names them. Needs java 17, mvn (first run), art_illumina, bwa, samtools,
# bcftools and bgzip (Debian 12: default-jre-headless maven art-nextgen-simulation-tools bwa samtools bcftools tabix). Six minutes on two cores.
#   MODEL  a model that reads reads: a folder or a built-in one's name (default cnnfilter_reads)
#   GATK   command that runs GATK (default examples/gatk.sh)
#   KEEP   folder that keeps what was made for another run (default: a temporary one, removed)
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
data=$(realpath "${1:?usage: other_simulation.sh DATA [CNNFILTER]}")
ours=$(realpath "${2:-$root/target/release/cnnfilter}")
gatk=$(realpath "${GATK:-$root/examples/gatk.sh}")
model=${MODEL:-cnnfilter_reads}
[ ! -e "$model" ] || model=$(realpath "$model")
scripts=$(realpath "$(dirname "$0")/other_simulation")
. "$root/benches/compare/common.sh"
work_folder
cd "$work"
export GATK_JAVA_OPTS=${GATK_JAVA_OPTS:--Xmx3g}
truth=$data/truth/HG001.b37.chr20.giab_v3.3.2.vcf.gz

ref=b37.chr20.composite
reference $ref
[ -e $ref.fa.sa ] || quietly index bwa index $ref.fa
[ -e models ] || quietly import "$ours" import "$("$root/examples/gatk_jar.sh")" -o models

# sample NAME REGION SEED DEPTH LENGTH PROFILE MEAN SD SLIPS GENOME_OPTIONS...
sample() {
  local name=$1 region=$2 seed=$3 depth=$4 length=$5 profile=$6 mean=$7 sd=$8 slips=$9 mate
  shift 9
  [ ! -e "$name.calls.vcf.gz" ] || return 0
  python3 "$scripts/genome.py" --reference $ref.fa --region "$region" --variants "$truth" --seed "$seed" --out "$name" "$@" >&2
  quietly "$name.art" python3 "$root/training/scripts/art.py" --mixture "$name/mixture.tsv" --depth "$depth" --length "$length" \
    --mean "$mean" --sd "$sd" --seed "$seed" --out1 "$name.1.art.fq" --out2 "$name.2.art.fq" -- -ss "$profile"
  for mate in 1 2; do
    python3 "$scripts/slips.py" "$slips" "$seed$mate" "$seed" <"$name.$mate.art.fq" >"$name.$mate.fq" &
  done
  wait
  bwa mem -t 2 -K 10000000 -R "@RG\tID:$name\tSM:$name\tLB:$name\tPL:ILLUMINA" $ref.fa "$name.1.fq" "$name.2.fq" 2>"$name.bwa.log" |
    samtools fixmate -u -m - - | samtools sort -u -m 512M -T "$name.sort" - 2>"$name.sort.log" | samtools markdup -T "$name.markdup" - "$name.bam"
  samtools index "$name.bam"
  rm "$name".[12].fq "$name".[12].art.fq
  bcftools reheader -f $ref.fa.fai "$name/truth.vcf" 2>/dev/null | bcftools norm --no-version -f $ref.fa - 2>"$name.norm.log" |
    bcftools sort -Oz -o "$name.truth.vcf.gz" - 2>"$name.truth.log"
  quietly "$name.hc" "$gatk" HaplotypeCaller -R $ref.fa -I "$name.bam" -L "$region" -O "$name.tmp.vcf.gz" --native-pair-hmm-threads 2
  "$ours" score -q -V "$name.tmp.vcf.gz" -R $ref.fa --model models/gatk-1d -o "$name.1d.vcf.gz"
  "$ours" score -q -V "$name.1d.vcf.gz" -I "$name.bam" -R $ref.fa --model models/gatk-small-2d -o "$name.gatk.vcf.gz"
  mv "$name.tmp.vcf.gz" "$name.calls.vcf.gz"
}
sample 30x 20:8237914-9616666 501 30 150 HSXt 420 90 1
sample 30x_hard 20:8237914-9616666 502 30 150 HS25 350 60 4 --copies-per-mb 12 --copy-indels 0.2 --mosaics-per-mb 80
sample 12x 20:8237914-9616666 503 12 100 HS20 300 50 2 --copies-per-mb 10

printf 'sample\ttype\ttrue\tfalse\tscore\tpr_auc\n'
for name in 30x 30x_hard 12x; do
  "$ours" score -q -V "$name.calls.vcf.gz" -I "$name.bam" -R $ref.fa --model "$model" -o "$name.scored.vcf.gz"
  rm -rf "$name.report"
  quietly "$name.eval" "$ours" eval -V "$name.scored.vcf.gz" -V "$name.gatk.vcf.gz" --truth "$name.truth.vcf.gz" --confident "$name/confident.bed" \
    -R $ref.fa --resamples 0 -o "$name.report"
  # Scores of the second file, GATK's, have its name behind an @ where both files hold the key.
  awk -F'\t' -v OFS='\t' -v name="$name" -v model="$(basename "$model")" '/^#/ { next } !n { for (i = 1; i <= NF; i++) at[$i] = i; n = 1; next }
    $at["figure"] == "pr_auc" && $at["stratum"] == "all" {
      score = $at["score"]
      if (score == "CNN_2D") score = model
      if (score == "CNN_2D@" name ".gatk.vcf.gz") score = "CNN_2D"
      if (score !~ /@|^FORMAT|^CNN_PROB/) print name, $at["kind"], $at["n_true"], $at["n_false"], score, $at["value"]
    }' "$name.report/eval.tsv"
done
