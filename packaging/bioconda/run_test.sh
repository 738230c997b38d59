#!/usr/bin/env bash
# Run by conda-build in the test environment: a call is scored with the model inside the program.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{
  echo '>chr1'
  for _ in {1..20}; do printf ACGTTGCAAGCTTCAGGATC; done
  echo
} >ref.fa
printf 'chr1\t400\t6\t400\t401\n' >ref.fa.fai
{
  echo '##fileformat=VCFv4.2'
  echo '##contig=<ID=chr1,length=400>'
  printf '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n'
  printf 'chr1\t201\t.\tA\tC\t50\t.\t.\n'
} >calls.vcf
cnnfilter score -V calls.vcf -R ref.fa -o scored.vcf
grep -q 'CNN_1D=' scored.vcf
