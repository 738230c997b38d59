#!/usr/bin/env bash
# Makes every file of this folder from nothing:  make.sh [FOLDER]   (default: the folder of this script)
#
# On Debian 12, as root:
#   apt-get install art-nextgen-simulation-tools bwa samtools bcftools freebayes tabix default-jre-headless maven python3
# GATK comes from Maven through gatk.sh (beside this script or in examples/; the variable GATK names another).
# Two runs on one machine give the same bytes; see README.md for what other versions change. All tools run in one scratch folder on relative names, and every seed is fixed.
set -euo pipefail
export LC_ALL=C TZ=UTC

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
to="$(mkdir -p "${1:-$here}" && cd "${1:-$here}" && pwd)"

for tool in art_illumina bwa samtools bcftools freebayes tabix bgzip java mvn python3; do
  command -v "$tool" > /dev/null || { echo "make.sh: $tool is missing; see the apt-get line in this script" >&2; exit 1; }
done
gatk="${GATK:-}"
for place in "$here/gatk.sh" "$here/../../../examples/gatk.sh"; do
  if [ -z "$gatk" ] && [ -e "$place" ]; then gatk="$place"; fi
done
[ -n "$gatk" ] || { echo "make.sh: gatk.sh not found; name it in the variable GATK" >&2; exit 1; }
gatk="$(realpath "$gatk")"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

# A tool that writes much to stderr: shown only when it fails.
quietly() { "$@" 2> stderr.log || { echo "make.sh: failed: $*" >&2; tail -n 30 stderr.log >&2; return 1; }; }

# ---- reference, haplotypes, truth ------------------------------------------------------------------------------------
python3 "$here/genome.py"
samtools faidx ref.fa
# UR would hold the absolute path of ref.fa.
samtools dict ref.fa | sed 's/\tUR:[^\t]*//' > ref.dict
# Fails on a REF that is not the reference's; the comparison, on a record that is not left-aligned.
bcftools norm --no-version -c e -f ref.fa truth.vcf 2> stderr.log > truth.norm.vcf
cmp <(grep -v '^#' truth.vcf) <(grep -v '^#' truth.norm.vcf)
bgzip -c truth.norm.vcf > truth.vcf.gz
tabix -p vcf truth.vcf.gz

# ---- reads: 22x without and 8x with artefacts ------------------------------------------------------------------------
simulate() { # SEED DEPTH HAPLOTYPE PREFIX
  quietly art_illumina -ss HS25 -p -l 125 -m 340 -s 45 -f "$2" -na -q -nf 0 -rs "$1" \
    -ir 0.0003 -ir2 0.0003 -dr 0.0003 -dr2 0.0003 -i "$3" -o "$4" > /dev/null
}
simulate 101 11 hap1.fa h1.
simulate 102 11 hap2.fa h2.
simulate 201 4 artefact1.fa a1.
simulate 202 4 artefact2.fa a2.
python3 "$here/reads.py" r1.fq r2.fq h1. h2. a1. a2.

quietly bwa index ref.fa
quietly bwa mem -t 1 -R '@RG\tID:demo\tSM:demo\tLB:demo\tPL:ILLUMINA\tPU:demo' ref.fa r1.fq r2.fq > aligned.sam
samtools sort --no-PG -n -o names.bam aligned.sam
samtools fixmate --no-PG -m names.bam mates.bam
samtools sort --no-PG -o sorted.bam mates.bam
samtools markdup --no-PG sorted.bam marked.bam
samtools view --no-PG -b --output-fmt-option level=9 --keep-tag RG,NM,SA -o reads.bam marked.bam
samtools index reads.bam
# htslib writes ref.fa's absolute path into @SQ UR; M5 stays.
samtools view --no-PG -C -T ref.fa -o path.cram reads.bam
samtools view --no-PG -H path.cram | sed 's/\tUR:[^\t]*//' > header.sam
samtools reheader --no-PG header.sam path.cram > reads.cram
samtools index reads.cram

# ---- calls -----------------------------------------------------------------------------------------------------------
# The Java implementations do not depend on the processor's vector instructions.
quietly bash "$gatk" HaplotypeCaller -R ref.fa -I reads.bam -O gatk.vcf --stand-call-conf 0 \
  --pair-hmm-implementation LOGLESS_CACHING --smith-waterman JAVA --create-output-variant-index false > /dev/null
sed '/^##GATKCommandLine/s/,Date="[^"]*"//' gatk.vcf > calls.vcf
freebayes -f ref.fa reads.bam | sed '/^##fileDate=/d' > calls.freebayes.vcf
quietly bcftools mpileup -f ref.fa -a AD,DP -o pileup.vcf reads.bam
quietly bcftools call -mv -P 0.1 -o bcftools.vcf pileup.vcf
sed '/^##bcftools_.*Command=/s/; Date=.*//' bcftools.vcf > calls.bcftools.vcf

# ---- checks ----------------------------------------------------------------------------------------------------------
samtools quickcheck -v reads.bam reads.cram
# The tags are left out: a CRAM reader computes NM (and MD, which the BAM has not) from the reference.
cmp <(samtools view reads.bam | cut -f 1-11) <(samtools view -T ref.fa reads.cram | cut -f 1-11)
for vcf in truth.vcf.gz calls.vcf calls.freebayes.vcf calls.bcftools.vcf; do
  quietly bcftools norm -c e -f ref.fa -o /dev/null "$vcf"
done
{
  samtools view --no-PG -H reads.bam
  samtools view --no-PG -H reads.cram
  cat ref.dict
  bcftools view --no-version -h truth.vcf.gz
  grep -h '^#' calls.vcf calls.freebayes.vcf calls.bcftools.vcf
} > headers.txt
if grep -F -e "$work" -e "$here" -e "$(uname -n)" -e 'Date=' -e 'fileDate' headers.txt >&2 \
  || grep -E '(file:|[=" ])/[A-Za-z]+/' headers.txt >&2; then
  echo "make.sh: a header holds a path, host or date" >&2
  exit 1
fi

# One line per ALT allele, normalised and split into its SNPs and indels, in the confident regions: record, key.
alleles() {
  awk -v OFS='\t' '/^#/ { print; next } { $3 = "r" ++n; print }' \
    | bcftools norm --no-version -f ref.fa -m -any - 2> /dev/null | bcftools norm --no-version -a - 2> /dev/null \
    | bcftools view --no-version -H -T confident.bed - | awk -v OFS='\t' '$5 != "*" { print $3, $1 ":" $2 ":" $4 ":" $5 }'
}
gzip -dc truth.vcf.gz | alleles | cut -f2 | sort -u > truth.keys
count() { # VCF: records, true records, false records, truth alleles missed
  alleles < "$1" > call.keys
  awk -v all="$(grep -vc '^#' "$1")" 'NR == FNR { truth[$1]; left++; next }
    { seen[$1]; if ($2 in truth) { hit[$1]; if (!($2 in found)) { found[$2]; left-- } } }
    END { for (r in seen) if (r in hit) t++; else f++
      printf "%d records; in the confident regions %d true and %d false; %d of the truth missed\n", all, t, f, left }' \
    truth.keys call.keys
}

# ---- README ----------------------------------------------------------------------------------------------------------
version() { dpkg-query -W -f '${Version}' "$1"; }
line() { echo "* \`$1\`: $2 sha256 \`$(sha256sum "$1" | cut -d' ' -f1)\`"; }
genotypes() { bcftools query -f '[%GT]\n' truth.vcf.gz | grep -cE "$1"; }
types() { bcftools view -H -v "$1" truth.vcf.gz | wc -l; }
flag() { samtools view -c -f "$1" reads.bam; }
{
  cat << 'END'
# Demo data: simulated, small, reproducible

Made by `make.sh` out of nothing but seeded random numbers: no sequence of any organism, no data of any person.
It is here to test and to show the program, not to measure it: callers do far better and worse on real genomes.

## Files

END
  line ref.fa "two contigs, demo1 (30 kb) and demo2 (10 kb), by genome.py: GC swinging between 30 and 62 %, homopolymers and short tandem repeats, a 24-base minisatellite (demo1:12001-12240), a 2 kb segment twice (demo1:4001-6000 and 21001-23000, about 1.5 % apart), 100 N (demo1:9001-9100), one IUPAC code (demo1:7778), some lower case."
  line ref.fa.fai "samtools faidx."
  line ref.dict "samtools dict, without the UR field (a path)."
  line truth.vcf.gz "the sample's $(bcftools view -H truth.vcf.gz | wc -l) variants ($(types snps) records with SNPs, $(types indels) with indels of 1-30 bases, $(types mnps) MNPs; $(genotypes '^1.1$') homozygous, $(genotypes '^(0.1|1.0)$') heterozygous, $(genotypes '2') with two ALT alleles), phased, left-aligned, by genome.py; eight lie within 60 bases of a contig end."
  line truth.vcf.gz.tbi "tabix."
  line confident.bed "where the truth is complete: all but the N, the IUPAC base and the minisatellite (which holds a true copy-number change)."
  line reads.bam "$(flag 0) alignments, 2 x 125 bases, 30x, $(flag 1024) marked as duplicates, $(flag 4) unmapped, $(flag 2048) supplementary: ART (profile HS25), base qualities rounded to 2, 12, 23 and 37 by reads.py, bwa mem, samtools fixmate and markdup; tags kept: RG, NM, SA; of the programs only bwa has its @PG line (the others ran with --no-PG)."
  line reads.bam.bai "samtools index."
  line reads.cram "the same alignments as CRAM 3.0 (NM left to be computed) with ref.fa as its external reference, without the UR field (a path)."
  line reads.cram.crai "samtools index."
  line calls.vcf "GATK HaplotypeCaller, --stand-call-conf 0, the date taken out of its header: $(count calls.vcf)."
  line calls.freebayes.vcf "freebayes with its defaults, the date taken out of its header: $(count calls.freebayes.vcf)."
  line calls.bcftools.vcf "bcftools mpileup and call -mv -P 0.1, the dates taken out of its header: $(count calls.bcftools.vcf)."
  cat << 'END'
* `make.sh`: the recipe; runs the three below in one scratch folder on relative names, so that no header holds a path.
* `genome.py`: reference, haplotypes, truth, confident regions.
* `reads.py`: joins and renames the simulated reads, repeats 2 % of the pairs, rounds the base qualities.
* `gatk.sh` (beside `make.sh` or in `examples/`): runs GATK from its Maven artefacts.

## Where the false calls come from

* A hidden paralogue: the sample carries a second copy of demo1:15001-16500, 1 % different, that the reference lacks; its
  reads pile up on the first copy and look like heterozygous variants at full quality.
* Artefacts in 8 of the 30x: repeats of 9 bases and more one unit shorter or longer (PCR stutter), and a substitution every
  900 bases or so, each at about 13 or 27 % of the reads.
* The duplicated segment, where reads of one copy align to the other, and ART's own sequencing errors.

The sample's sequence goes on for 250 bases beyond each contig end and beside the paralogue: reads there are soft-clipped,
split or unmapped.

## How calls were counted

Records of both sides were normalised, split into single alleles and then into SNPs and indels (`bcftools norm -m -any`,
`norm -a`), and kept if they lie in `confident.bed`. A call is true if one of its alleles is in the truth at the same place,
whatever its genotype. Haplotypes are not compared: a variant written in another way counts as false.

## Made again

With the versions below every file has the same bytes each time. With another htslib or libdeflate the compressed files
(`.bam`, `.cram`, `.vcf.gz` and their indices) may hold the same records in other bytes; another Java build changes the last
line of this page.

## Versions

END
  for package in art-nextgen-simulation-tools bwa samtools bcftools freebayes tabix python3; do
    echo "* $package $(version "$package") (Debian)"
  done
  echo "* GATK $(sed -n 's/^##GATKCommandLine.*,Version="\([^"]*\)".*/\1/p' calls.vcf), $(java -version 2>&1 | sed -n 2p)"
} > README.md

data=(ref.fa ref.fa.fai ref.dict truth.vcf.gz truth.vcf.gz.tbi confident.bed reads.bam reads.bam.bai reads.cram
  reads.cram.crai calls.vcf calls.freebayes.vcf calls.bcftools.vcf README.md)
cp -- "${data[@]}" "$to/"
cd "$to"
sha256sum -- "${data[@]}"
