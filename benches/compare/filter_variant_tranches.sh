#!/usr/bin/env bash
# Runs GATK 4.6.2.0's FilterVariantTranches and `cnnfilter filter` with the same arguments on the same call sets, and
# compares FILTER record for record and the header's FILTER lines. Where GATK stops, cnnfilter must go on.
#
#   benches/compare/filter_variant_tranches.sh DATA [CNNFILTER]
#
# DATA is a folder with calls/, resources/ and truth/ as tests/it/real_data.rs expects it. Needs java 17, mvn (first run),
# bcftools, bgzip and tabix (Debian 12: default-jre-headless maven bcftools tabix).
#   GATK     command that runs GATK       (default examples/gatk.sh)
#   ONLY     only the cases whose name matches this pattern
#   KEEP     folder that keeps inputs and outputs (default: a temporary one, removed)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
data=$(realpath "${1:?usage: filter_variant_tranches.sh DATA [CNNFILTER]}")
ours=${2:-$root/target/release/cnnfilter}
gatk=${GATK:-$root/examples/gatk.sh}
. "$root/benches/compare/common.sh"
work_folder
export GATK_JAVA_OPTS=${GATK_JAVA_OPTS:--Xmx2g -XX:TieredStopAtLevel=1}

# --- inputs -----------------------------------------------------------------------------------------------------------
# GATK wants a .tbi beside compressed files.
link() {
  [ -e "$work/$2" ] || { ln -s "$data/$1" "$work/$2" && tabix -p vcf "$work/$2"; }
}
link resources/hapmap_3.3.b37.sites.chr20.vcf.gz hapmap.vcf.gz
link resources/1000G_omni2.5.b37.sites.chr20.PASS.vcf.gz omni.vcf.gz
link truth/HG001.b37.chr20.giab_v3.3.2.vcf.gz giab.vcf.gz
link calls/NA12878.b37.chr20.gatk3.8hc.composite.vqslod.cnn1d.vcf.gz composite.vcf.gz
link calls/NA12878.b37.chr20.gatk3.8hc.vcf.gz raw.vcf.gz
link calls/NA12878.b37.chr20_10.0-10.27M.gatk4.6hc.cnn.vcf.gz default.vcf.gz
link calls/NA12878.b37.chr20_10.0-10.27M.gatk4.6hc_permissive.cnn.vcf.gz permissive.vcf.gz
link calls/HG002.b37.chr20_10.0-10.1M.gatk4.6hc.cnn.vcf.gz hg002.vcf.gz
link calls/NA12878.hg38.chr22_16.6-16.8M.gatk4.6hc.cnn.vcf.gz chr22.vcf.gz

# edit NAME FROM AWK: the records of FROM through an awk program; the header stays. Where lists by allele would no longer
# fit, genotypes and INFO are cut down to the scores.
edit() {
  [ -e "$work/$1.vcf" ] && return
  zcat -f "$work/$2" | awk -v FS='\t' -v OFS='\t' "/^#/ { print; next } $3" >"$work/$1.vcf"
}
bare='{ match($8, /CNN_1D=[^;\t]*/); $8 = substr($8, RSTART, RLENGTH) }'
# Sites only: the alleles are changed at will.
sites() {
  [ -e "$work/$1.vcf" ] && return
  zcat -f "$work/$2" | cut -f 1-8 | awk -v FS='\t' -v OFS='\t' "/^#/ { print; next } $bare { n++ } $3 { print }" >"$work/$1.vcf"
}
edit tied composite.vcf.gz '{ match($8, /CNN_1D=[^;\t]*/); s = substr($8, RSTART + 7, RLENGTH - 7); sub(/CNN_1D=[^;\t]*/, "CNN_1D=" int(s)); print }'
edit missing composite.vcf.gz '{ n++ } n % 3 == 0 { sub(/;CNN_1D=[^;\t]*/, "") } { print }'
edit earlier composite.vcf.gz '{ n++; f = n % 6; $7 = f == 0 ? "." : f == 1 ? "PASS" : f == 2 ? "q10;LowQual" : f == 3 ? "z;a;q10" : f == 4 ? "LowQual" : $7; print }'
sed -i '/^#CHROM/i ##FILTER=<ID=q10,Description="x">\n##FILTER=<ID=z,Description="x">\n##FILTER=<ID=a,Description="x">\n##FILTER=<ID=LowQual,Description="x">' "$work/earlier.vcf"
edit snps composite.vcf.gz 'length($4) == 1 && $5 ~ /^.(,.)*$/ { print }'
edit indels composite.vcf.gz 'length($4) > 1 || length($5) > 1 { print }'
edit headeronly composite.vcf.gz '0 { print }'
edit one composite.vcf.gz '++n == 1000 { print }'
edit few composite.vcf.gz '++n > 1000 && n < 1100 { print }'
edit unscored composite.vcf.gz '{ sub(/;CNN_1D=[^;\t]*/, ""); print }'
sites spanning composite.vcf.gz 'n % 4 == 0 { $5 = $5 ",*" } n % 9 == 0 { $5 = $5 ",<NON_REF>" }'
sites symbolic composite.vcf.gz 'n % 4 == 0 { $5 = "<DEL>" } n % 7 == 0 { $5 = $5 ",G[20:5[" } n % 11 == 0 { $5 = "<DEL>,<INS>" }'
sites mixed composite.vcf.gz 'n % 3 == 0 { $5 = $5 "," $4 "GATTACA" } n % 5 == 0 { $4 = $4 "CA"; $5 = $5 "GT" }'
sites lowercase composite.vcf.gz '{ $4 = tolower($4); $5 = tolower($5) }'
edit elsewhere composite.vcf.gz '{ $1 = "21"; print }'
edit contradicting composite.vcf.gz '++n == 500 { $4 = $4 == "A" ? "C" : "A"; $5 = "T" } { print }'
# Known sites that share a POS as one record: REFs grow, ALTs with them.
[ -e "$work/joined.vcf.gz" ] || {
  bcftools view -G "$work/giab.vcf.gz" | bcftools norm -m +any -Oz -o "$work/joined.vcf.gz" 2>/dev/null
  tabix -p vcf "$work/joined.vcf.gz"
}

# --- comparison -------------------------------------------------------------------------------------------------------
filters() { grep '^##FILTER' "$1" | sort -u; }
# GATK writes alleles in upper case.
columns() { grep -v '^#' "$1" | awk -F '\t' '{ print $1, $2, toupper($4), toupper($5), $7 }'; }
cases=0 stopped=0 records=0 filtered=0 bad=0

# both NAME ARGS...: the same arguments for both; sets `status`, GATK's. False where the case is not asked for or cnnfilter
# stops.
both() {
  local name=$1
  out=$work/out.$1
  shift
  # shellcheck disable=SC2053  # a pattern is meant
  [[ -z ${ONLY:-} || $name == $ONLY ]] || return 1
  cases=$((cases + 1))
  status=0
  (cd "$work" && "$gatk" FilterVariantTranches "$@" -O "$out.gatk.vcf" --create-output-variant-index false) \
    >"$out.gatk.log" 2>&1 || status=$?
  if ! (cd "$work" && "$ours" filter "$@" -O "$out.ours.vcf" --create-output-variant-index false) 2>"$out.ours.log"; then
    echo "FAILED  $name: cnnfilter stops: $(tail -1 "$out.ours.log")"
    bad=$((bad + 1))
    return 1
  fi
}

# compare NAME ARGS...: both must filter alike.
compare() {
  both "$@" || return 0
  local name=$1 n f
  if [ "$status" != 0 ]; then
    echo "FAILED  $name: GATK stops ($status): $(tail -1 "$out.gatk.log")"
    bad=$((bad + 1))
    return 0
  fi
  n=$(columns "$out.gatk.vcf" | wc -l)
  f=$(columns "$out.gatk.vcf" | grep -c Tranche_ || true)
  records=$((records + n)) filtered=$((filtered + f))
  if diff <(filters "$out.gatk.vcf") <(filters "$out.ours.vcf") >"$out.diff" &&
    diff <(columns "$out.gatk.vcf") <(columns "$out.ours.vcf") >>"$out.diff"; then
    echo "equal   $name: $n records, $f filtered, $(filters "$out.gatk.vcf" | wc -l) FILTER lines"
  else
    echo "DIFFERS $name: $(grep -c '^[<>]' "$out.diff") lines"
    head -4 "$out.diff"
    bad=$((bad + 1))
  fi
}

# goes_on NAME ARGS...: GATK must stop with a user error, and cnnfilter go on with a warning.
goes_on() {
  both "$@" || return 0
  local name=$1 why
  why=$(grep -m1 -oE 'A USER ERROR has occurred: .*' "$out.gatk.log" || true)
  if [ "$status" = 0 ] || [ -z "$why" ] || ! grep -q 'warning: ' "$out.ours.log"; then
    echo "FAILED  $name: GATK ends with $status ($why); cnnfilter: $(grep -m1 warning "$out.ours.log" || true)"
    bad=$((bad + 1))
    return 0
  fi
  stopped=$((stopped + 1))
  echo "goes on $name: GATK: ${why:0:140}"
}

known=(--resource hapmap.vcf.gz --resource omni.vcf.gz)
all=("${known[@]}" --resource giab.vcf.gz)
one_d=(--info-key CNN_1D)
compare defaults -V composite.vcf.gz "${all[@]}" "${one_d[@]}"
goes_on hapmap_and_omni -V composite.vcf.gz "${known[@]}" "${one_d[@]}"
compare one_resource -V composite.vcf.gz --resource giab.vcf.gz "${one_d[@]}" --snp-tranche 99.9 --indel-tranche 99.5
compare several_tranches -V composite.vcf.gz "${all[@]}" "${one_d[@]}" --snp-tranche 99.0 --snp-tranche 99.9 --snp-tranche 99.945 --indel-tranche 95 --indel-tranche 99 --indel-tranche 99.5
compare tranches_in_any_order -V composite.vcf.gz "${all[@]}" "${one_d[@]}" --snp-tranche 99.9 --snp-tranche 90 --snp-tranche 99.9 --indel-tranche 99.994 --indel-tranche 99.996
compare tranche_zero -V composite.vcf.gz "${all[@]}" "${one_d[@]}" --snp-tranche 0 --indel-tranche 0.001
compare joined_resource -V composite.vcf.gz --resource joined.vcf.gz "${one_d[@]}" --snp-tranche 90 --indel-tranche 90
compare invalidate -V composite.vcf.gz "${all[@]}" "${one_d[@]}" --invalidate-previous-filters
compare invalidate_true -V earlier.vcf "${all[@]}" "${one_d[@]}" --invalidate-previous-filters true --snp-tranche 99
compare earlier_filters -V earlier.vcf "${all[@]}" "${one_d[@]}" --snp-tranche 99 --indel-tranche 98
compare vqslod -V composite.vcf.gz "${known[@]}" --info-key VQSLOD --snp-tranche 99.0 --snp-tranche 99.9
compare raw_qd -V raw.vcf.gz "${all[@]}" --info-key QD --snp-tranche 99 --snp-tranche 99.9 --indel-tranche 98 --indel-tranche 99
goes_on raw_qd_known -V raw.vcf.gz "${known[@]}" --info-key QD --snp-tranche 99.7
compare cnn_2d_default -V default.vcf.gz "${all[@]}"
compare cnn_2d_permissive -V permissive.vcf.gz "${all[@]}" --snp-tranche 99.9 --indel-tranche 99.5
compare cnn_1d_permissive -V permissive.vcf.gz "${all[@]}" "${one_d[@]}" --snp-tranche 90 --snp-tranche 99
compare hg002 -V hg002.vcf.gz "${all[@]}" --snp-tranche 95 --indel-tranche 90
compare tied -V tied.vcf "${all[@]}" "${one_d[@]}" --snp-tranche 99 --snp-tranche 99.9 --indel-tranche 95
compare missing -V missing.vcf "${all[@]}" "${one_d[@]}" --snp-tranche 99
compare spanning -V spanning.vcf "${all[@]}" "${one_d[@]}" --snp-tranche 98 --indel-tranche 90
compare symbolic -V symbolic.vcf "${all[@]}" "${one_d[@]}" --snp-tranche 98 --indel-tranche 90
compare mixed -V mixed.vcf "${all[@]}" "${one_d[@]}" --snp-tranche 98 --indel-tranche 90
compare lowercase -V lowercase.vcf "${all[@]}" "${one_d[@]}" --snp-tranche 98 --indel-tranche 90
compare snps_only -V snps.vcf "${known[@]}" "${one_d[@]}"
compare indels_only -V indels.vcf --resource giab.vcf.gz "${one_d[@]}"
compare few -V few.vcf "${all[@]}" "${one_d[@]}"
compare one_record -V one.vcf "${all[@]}" "${one_d[@]}"
compare region -V composite.vcf.gz "${all[@]}" "${one_d[@]}" -L 20:3000000-4600000 --snp-tranche 95
# GATK stops at each of these; hapmap_and_omni and raw_qd_known because these two resources know SNPs only.
goes_on no_indel_known -V default.vcf.gz --resource omni.vcf.gz
goes_on header_only -V headeronly.vcf "${known[@]}" "${one_d[@]}"
goes_on unscored -V unscored.vcf "${known[@]}" "${one_d[@]}"
goes_on other_contig -V elsewhere.vcf "${known[@]}" "${one_d[@]}"
goes_on other_build -V chr22.vcf.gz "${known[@]}" --disable-sequence-dictionary-validation
goes_on contradicting_ref -V contradicting.vcf "${all[@]}" "${one_d[@]}"

echo "$cases cases: GATK stops at $stopped; $records records compared ($filtered filtered); $bad differ or failed"
[ "$bad" = 0 ]
