#!/usr/bin/env bash
# GATK's HaplotypeCaller piped into cnnfilter: calls are scored as they are made.
#
#   haplotypecaller_pipe.sh REF.fa READS.bam MODEL OUT.vcf.gz [REGION]
#
# MODEL is a model folder or the name of a model inside the program, such as cnnfilter_reads.
# GATK comes through Maven (gatk.sh); `cnnfilter` is $CNNFILTER, else the one in target/release, else on the PATH. The
# reference needs its .fai; its .dict is made in a temporary folder where it is missing. A caller that
# stops between two records looks like the end of the calls, so the output gets its name only when
# both programs ended well.
set -euo pipefail
if [ $# -lt 4 ]; then
  sed -n '2,10p' "$0" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
reference=$(realpath "$1") reads=$2 model=$3 output=$4
region=(${5:+-L "$5"})
cnnfilter=${CNNFILTER:-${CARGO_TARGET_DIR:-$here/../target}/release/cnnfilter}
[ -x "$cnnfilter" ] || cnnfilter=cnnfilter

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=$(basename "$reference")
stem=${name%.gz}
stem=${stem%.*}
for file in "$reference" "$reference.fai" "$reference.gzi" "${reference%"$name"}$stem.dict"; do
  [ ! -e "$file" ] || ln -s "$file" "$work/"
done
[ -e "$work/$stem.dict" ] ||
  "$here/gatk.sh" CreateSequenceDictionary --QUIET -R "$work/$name" -O "$work/$stem.dict" >/dev/null

"$here/gatk.sh" HaplotypeCaller -R "$work/$name" -I "$reads" "${region[@]}" \
  -O /dev/stdout --create-output-variant-index false |
  "$cnnfilter" score -V - -I "$reads" -R "$reference" --model "$model" -o "$work/scored.vcf.gz"
mv "$work/scored.vcf.gz" "$output"
mv "$work/scored.vcf.gz.tbi" "$output.tbi"
