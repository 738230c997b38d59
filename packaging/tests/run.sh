#!/usr/bin/env bash
# Runs the workflows on the demo data with their engines, and lints them. A scattered run must have the bytes of a whole one.
#
#   packaging/tests/run.sh CNNFILTER          the program; CNNFILTER_ENGINES may name a folder of engines (engines.sh)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
packaging=$root/packaging
program=$(realpath "$1")
engines=${CNNFILTER_ENGINES:-$("$packaging/tests/engines.sh")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$program" "$work/bin/cnnfilter"
export PATH=$work/bin:$engines:$PATH
export NXF_HOME=$work/nextflow_home NXF_ANSI_LOG=false
shards=4

say() { echo "-- $* ($(date +%T))"; }

# quietly COMMAND...: what it says is shown where it fails.
quietly() {
  "$@" >"$work/said" 2>&1 || { cat "$work/said"; echo "failed: $*"; exit 1; }
}

# same WHAT EXPECTED FOUND: compares calls, unpacked. FOUND is read twice.
same() {
  cmp <(zcat "$2") <(zcat "$3") || { echo "$1: other bytes than a whole run"; exit 1; }
  echo "$1: the bytes of a whole run, $(zcat "$3" | grep -vc '^#') records"
}

# The calls of three callers as three samples, and what whole runs make of them. Names are as the engines stage them, since
# the header keeps the command.
say "whole runs"
cd "$work"
cp "$root"/tests/data/demo/{ref.fa,ref.fa.fai,reads.bam,reads.bam.bai,truth.vcf.gz,truth.vcf.gz.tbi,confident.bed,calls.vcf} .
samples=(gatk bcftools freebayes)
cp calls.vcf gatk.vcf
cp "$root/tests/data/demo/calls.bcftools.vcf" bcftools.vcf
cp "$root/tests/data/demo/calls.freebayes.vcf" freebayes.vcf
echo sample,vcf,tbi,reads,reads_index >samples.csv
for sample in "${samples[@]}"; do
  bgzip "$sample.vcf"
  tabix -p vcf "$sample.vcf.gz"
  echo "$sample,$work/$sample.vcf.gz,$work/$sample.vcf.gz.tbi,$work/reads.bam,$work/reads.bam.bai" >>samples.csv
  cnnfilter score -q -V "$sample.vcf.gz" -I reads.bam -R ref.fa -o "$sample.scored.vcf.gz"
  cnnfilter filter -q -V "$sample.scored.vcf.gz" --aim f1 -o "$sample.whole.vcf.gz"
done

say "versions"
version=$(cnnfilter -V | cut -d ' ' -f 2)
# What the recipes ask for is what is here.
asked=$(cd "$packaging" && grep -rhoE "cnnfilter(:| =|=)[0-9][0-9.]*[0-9]|TOOL_VERSION@\">[0-9.]+|version: \[\"[0-9.]+\"\]" nf-core nextflow snakemake wdl cwl galaxy |
  grep -v '1\.21' | grep -oE '[0-9]+(\.[0-9]+)+' | sort -u)
[ "$asked" = "$version" ] || { echo "packaging/ asks for version(s) $asked, and this is $version"; exit 1; }

say "nextflow: modules and subworkflow, stubs first"
for stub in -stub ""; do
  # shellcheck disable=SC2086 # nothing is no argument
  quietly nextflow -q run "$packaging/nf-core/tests/modules.nf" -c "$packaging/nf-core/tests/nextflow.config" \
    --data "$work" --outdir modules $stub
  for process in VCF_VARIANT_FILTERING_CNNFILTER:CNNFILTER_SCORE VCF_VARIANT_FILTERING_CNNFILTER:CNNFILTER_FILTER CNNFILTER_EVAL; do
    grep -q "version of $process: cnnfilter $version\$" said || { cat said; echo "$process reports no version"; exit 1; }
  done
done
same "nf-core modules" <(cnnfilter score -q -V calls.vcf -I reads.bam -R ref.fa -o - | cnnfilter filter -q -V - -o - | gzip -c) \
  modules/demo.filtered.vcf.gz
grep -q 'PR-AUC' modules/demo/eval.html

say "nextflow: a cohort, scattered"
cohort=(nextflow -q run "$packaging/nextflow/main.nf" --input samples.csv --fasta ref.fa --shards "$shards" --outdir nextflow)
quietly "${cohort[@]}"
for sample in "${samples[@]}"; do same "nextflow, $sample" "$sample.whole.vcf.gz" "nextflow/$sample.filtered.vcf.gz"; done
grep -q 'cnnfilter_filter' nextflow/multiqc_report.html
quietly "${cohort[@]}" -resume -with-trace again.txt
[ "$(cut -f 5 again.txt | sort | uniq -c | awk '{ print $1, $2 }' | grep -c -v '^1 status')" = 1 ] && grep -q CACHED again.txt ||
  { cat again.txt; echo "-resume ran tasks again"; exit 1; }
for profile in slurm awsbatch googlebatch docker singularity conda; do
  quietly nextflow config "$packaging/nextflow" -profile "$profile"
done

say "snakemake: lint, workflow, wrappers"
flow=(snakemake --snakefile "$packaging/snakemake/workflow/Snakefile" --config fasta=ref.fa samples=samples.csv "shards=$shards")
mkdir -p snakemake
sed -E '1!s#(^|,)'"$work"'/#\1#g' samples.csv | cut -d , -f 1,2,4 >snakemake/samples.csv
ln -s "$work"/{ref.fa,ref.fa.fai,reads.bam,reads.bam.bai,*.vcf.gz,*.vcf.gz.tbi,calls.vcf} snakemake/
cd snakemake
quietly "${flow[@]}" --lint
quietly "${flow[@]}" --cores 2
for sample in "${samples[@]}"; do same "snakemake, $sample" "$work/$sample.whole.vcf.gz" "results/$sample.vcf.gz"; done
# As in the repository of wrappers, whose branch stands in front.
mkdir "$work/wrappers"
ln -s "$packaging/snakemake" "$work/wrappers/master"
for wrapper in score filter; do
  quietly snakemake --snakefile "$packaging/snakemake/bio/cnnfilter/$wrapper/test/Snakefile" --wrapper-prefix "file://$work/wrappers/" \
    --cores 1
done
zcat filtered.vcf.gz | grep 'CNN_WHY=' >/dev/null
cd "$work"

say "cwl"
for tool in "$packaging"/cwl/*.cwl; do quietly cwltool --validate --strict "$tool"; done
cat >job.yml <<END
variants: {class: File, path: gatk.vcf.gz}
reference: {class: File, path: ref.fa}
reads: [{class: File, path: reads.bam}]
shards: $shards
END
quietly cwltool --no-container --outdir cwl "$packaging/cwl/cnnfilter-scatter.cwl" job.yml
# An engine names files by their whole path.
zcat cwl/scored.vcf.gz | sed -E '/^##cnnfilterCommand=score/s# [^ ]*/# #g' | gzip -c >cwl/named.vcf.gz
same "cwl" gatk.scored.vcf.gz cwl/named.vcf.gz

say "wdl"
quietly miniwdl check --strict --suppress CommandShellCheck "$packaging/wdl/cnnfilter.wdl"
printf '[scheduler]\ncontainer_backend = bare\n[file_io]\nallow_any_input = true\n' >miniwdl.cfg
MINIWDL_CFG=miniwdl.cfg quietly miniwdl run "$packaging/wdl/cnnfilter.wdl" input_vcf=gatk.vcf.gz input_vcf_index=gatk.vcf.gz.tbi bam=reads.bam \
  bam_index=reads.bam.bai ref_fasta=ref.fa ref_fasta_index=ref.fa.fai vcf_basename=gatk "shards=$shards" --dir wdl/. --no-color
same "wdl" gatk.whole.vcf.gz wdl/out/filtered_vcf/gatk.filtered.vcf.gz

say "galaxy"
quietly planemo lint "$packaging/galaxy"

say "multiqc: three samples side by side"
mkdir multiqc
for sample in "${samples[@]}"; do
  cnnfilter score -q -V "$sample.vcf.gz" -R ref.fa -o scored.vcf --multiqc "multiqc/$sample.score_mqc.json"
  cp "nextflow/$sample.filtered.vcf.gz" filtered.vcf.gz
  cnnfilter filter -q -V filtered.vcf.gz -o again.vcf --multiqc "multiqc/$sample.filter_mqc.json"
  cnnfilter eval -q -V filtered.vcf.gz -R ref.fa --truth truth.vcf.gz --confident confident.bed --resamples 0 -o report \
    --multiqc "multiqc/$sample.eval_mqc.json" >/dev/null
done
quietly multiqc --force --strict --no-version-check --outdir multiqc multiqc
python3 "$packaging/tests/multiqc_report.py" multiqc "${samples[@]}"
