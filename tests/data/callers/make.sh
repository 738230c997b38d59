#!/usr/bin/env bash
# Makes the files of this folder again, out of the demo data beside it:  make.sh [FOLDER]   (default: the folder of this script)
#
# On Debian 12, as root:
#   apt-get install samtools bcftools freebayes default-jre-headless maven python3
# GATK comes from Maven through examples/gatk.sh (the variable GATK names another). All tools run in one scratch folder on
# relative names, so that no header holds a path; dates are taken out.
set -euo pipefail
export LC_ALL=C TZ=UTC

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
to="$(mkdir -p "${1:-$here}" && cd "${1:-$here}" && pwd)"
demo="$here/../demo"
gatk="$(realpath "${GATK:-$here/../../../examples/gatk.sh}")"
export GATK_JAVA_OPTS="${GATK_JAVA_OPTS:--Xmx2g -XX:TieredStopAtLevel=1}"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp "$demo"/ref.fa "$demo"/ref.fa.fai "$demo"/ref.dict "$demo"/reads.bam "$demo"/reads.bam.bai "$work"
cd "$work"

# A tool that writes much to stderr: shown only when it fails.
quietly() { "$@" 2> stderr.log || { echo "make.sh: failed: $*" >&2; tail -n 30 stderr.log >&2; return 1; }; }
undated() { sed -e '/^##fileDate=/d' -e '/^##GATKCommandLine/s/,Date="[^"]*"//' -e '/^##bcftools_.*Command=/s/; Date=.*//'; }

# ---- two samples out of one: pairs go by their names -------------------------------------------------------------------
for part in 0 1; do
  samtools view --no-PG -h reads.bam | awk -v part="$part" 'BEGIN { for (i = 0; i < 256; i++) code[sprintf("%c", i)] = i }
    /^@/ { print; next } { sum = 0; for (i = 1; i <= length($1); i++) sum += code[substr($1, i, 1)] * i; if (int(sum / 3) % 2 == part) print }' \
    | samtools addreplacerg --no-PG -m overwrite_all -r "ID:part$part" -r "SM:part$part" -o "part$part.bam" -
  samtools index "part$part.bam"
done

# ---- GATK. The Java implementations do not depend on the processor's vector instructions. -------------------------------
haplotype_caller() { # NAME ARGUMENTS...
  quietly bash "$gatk" HaplotypeCaller -R ref.fa -O "$1.raw" "${@:2}" --pair-hmm-implementation LOGLESS_CACHING \
    --smith-waterman JAVA --create-output-variant-index false > /dev/null
  undated < "$1.raw" > "$1"
}
genotype() { # NAME GVCF ARGUMENTS...
  quietly bash "$gatk" IndexFeatureFile -I "$2" > /dev/null
  quietly bash "$gatk" GenotypeGVCFs -R ref.fa -V "$2" -O "$1.raw" "${@:3}" --create-output-variant-index false > /dev/null
  undated < "$1.raw" > "$1"
}
haplotype_caller gatk.haplotypecaller.vcf -I reads.bam -L demo1:15400-16000 -L demo1:24600-25100
haplotype_caller gatk.mnp.vcf -I reads.bam -L demo1:2400-2600 -L demo2:2100-2300 --max-mnp-distance 3
haplotype_caller gatk.haploid.vcf -I reads.bam -L demo2:1-3000 -ploidy 1
haplotype_caller gatk.tetraploid.vcf -I reads.bam -L demo2:1-3000 -ploidy 4
haplotype_caller gatk.gvcf.vcf -I reads.bam -L demo2:1-500 -ERC GVCF
haplotype_caller gatk.bp_resolution.vcf -I reads.bam -L demo2:1-60 -ERC BP_RESOLUTION
haplotype_caller gatk.cohort.vcf -I part0.bam -I part1.bam -L demo2:1-3000
haplotype_caller whole.g.vcf -I reads.bam -L demo1:14900-16600 -ERC GVCF
genotype gatk.genotypegvcfs.vcf whole.g.vcf
genotype gatk.all_sites.vcf gatk.gvcf.vcf -L demo2:80-130 --include-non-variant-sites

# ---- freebayes -----------------------------------------------------------------------------------------------------------
printf 'demo1\t2400\t2600\ndemo1\t9900\t10100\ndemo1\t15400\t15700\ndemo2\t2150\t2300\n' > targets.bed
freebayes -f ref.fa -t targets.bed reads.bam | undated > freebayes.vcf
freebayes -f ref.fa -r demo2:0-800 -p 1 reads.bam | undated > freebayes.haploid.vcf
freebayes -f ref.fa -r demo2:0-800 -p 3 reads.bam | undated > freebayes.triploid.vcf
freebayes -f ref.fa -r demo2:0-800 --gvcf --gvcf-chunk 50 reads.bam | undated > freebayes.gvcf.vcf
freebayes -f ref.fa -r demo2:0-800 part0.bam part1.bam | undated > freebayes.cohort.vcf

# ---- bcftools ------------------------------------------------------------------------------------------------------------
mpileup() { quietly bcftools mpileup -f ref.fa "$@"; }
call() { quietly bcftools call "$@"; }
mpileup -a AD,DP -r demo1:14900-16600 -o pileup.vcf reads.bam
call -mv -o out.vcf pileup.vcf
undated < out.vcf > bcftools.vcf
call -cv -o out.vcf pileup.vcf
undated < out.vcf > bcftools.consensus.vcf
mpileup -a AD,DP -r demo2:1-60 -o pileup.vcf reads.bam
undated < pileup.vcf > bcftools.mpileup.vcf
call -mA -o out.vcf pileup.vcf
undated < out.vcf > bcftools.all_sites.vcf
mpileup -a AD,DP -r demo2:1-1200 -g 0,10 -o pileup.vcf reads.bam
call -m -g 10 -o out.vcf pileup.vcf
undated < out.vcf > bcftools.gvcf.vcf
mpileup -a AD,DP -r demo2:1-3000 -o pileup.vcf part0.bam part1.bam
call -mv --ploidy 1 -o out.vcf pileup.vcf
undated < out.vcf > bcftools.haploid_cohort.vcf

# ---- written by hand -----------------------------------------------------------------------------------------------------
python3 "$here/by_hand.py" ref.fa

names=()
for name in gatk.* freebayes* bcftools* deepvariant* strelka* octopus* dragen* structural* letters*; do
  case $name in *.vcf) names+=("$name") ;; esac
done
if grep -H '^##' "${names[@]}" | grep -F -e "$work" -e "$here" -e "$(uname -n)" -e 'Date=' >&2; then
  echo "make.sh: a header holds a path, host or date" >&2
  exit 1
fi
cp -- "${names[@]}" "$to/"
cd "$to"
sha256sum -- "${names[@]}"
