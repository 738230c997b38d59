#!/usr/bin/env bash
# Reads of CRAM of every version and codec beside those of the BAM they were made of, as cnnfilter scores them and as samtools lists them:
#   cram.sh DATA PROGRAM
# DATA is a folder with reads/*.bam, ref/*.fa.gz and calls/*.vcf.gz, named by sample, build and region; PROGRAM is cnnfilter. samtools and
# bcftools must be there. Prints a line a file; exits with 1 where scores or records differ.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
data=$(realpath "$1") program=$(realpath "$2")
# shellcheck source=common.sh disable=SC1091
. "$(dirname "$0")/common.sh"
work_folder
cd "$work"

failed=0
# compare READS CALLS REFERENCE
compare() {
  local name bam=$data/reads/$1.bam calls=$data/calls/$2.vcf.gz expected found
  reference "$3"
  scores() { # READS CALLS REFERENCE
    "$program" score --quiet -V "$calls" -I "$1" -R "$3.fa" --sample-depth 30 | grep -v '^#' | sha256sum
  }
  # The reads on contigs that the reference has, without tags, some of which a CRAM computes anew.
  cut -f1 "$3.fa.fai" | sed 's/.*/\t&\t/' >contigs
  listed() { samtools view -T "$3.fa" "$1" | cut -f1-11 | grep -F -f contigs | sha256sum; }
  samtools view -h "$bam" | awk -F '\t' 'NR == FNR { known[$1]; next } $1 == "@SQ" { if (!(substr($2, 4) in known)) next }
    /^@/ { print; next } $3 in known && ($7 == "=" || $7 in known)' "$3.fa.fai" - | samtools view -b -o reads.bam - 2>/dev/null
  samtools index reads.bam
  expected="$(scores reads.bam "$calls" "$3") $(listed reads.bam "$calls" "$3")"
  for options in version=2.1 version=3.0 version=3.0,level=9,use_bzip2,use_lzma version=3.0,embed_ref=1 version=3.0,no_ref=1 \
    version=3.1 version=3.1,small,use_lzma version=3.1,archive,level=9,use_lzma; do
    name=reads.$options.cram
    quietly samtools samtools view -T "$3.fa" -O "cram,$options" -o "$name" reads.bam
    quietly samtools samtools index "$name"
    found="$(scores "$name" "$calls" "$3") $(listed "$name" "$calls" "$3")"
    if [ "$found" = "$expected" ]; then verdict=same; else verdict=DIFFERENT failed=1; fi
    echo "$1 $options: $verdict"
  done
}

compare HG002.b37.chr20_10.0-10.1M.30x HG002.b37.chr20_10.0-10.1M.gatk4.6hc.cnn b37.chr20
compare NA12878.hg38.chr22_16.6-16.8M.32x NA12878.hg38.chr22_16.6-16.8M.gatk4.6hc.cnn hg38.chr22.slice
exit $failed
