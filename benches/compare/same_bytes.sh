#!/usr/bin/env bash
# Compares two builds of cnnfilter: same files, same messages, byte for byte.
#
#     benches/compare/same_bytes.sh OLD NEW [DATA]
#
# OLD and NEW are programs. Runs every command with both, on the demo and, where DATA names a folder of real data, on
# real calls, and compares what they write to files, to the screen and as exit status. Lines that name the version,
# times and rates are left out. Prints each difference; exits with 1 if there is one.
set -euo pipefail
old=$(realpath "$1") new=$(realpath "$2") data=${3:+$(realpath "$3")}
demo=$(cd "$(dirname "$0")/../../tests/data/demo" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compared=0 different=0

for side in old new; do
  mkdir -p "$work/$side"
  ln -s "$demo" "$work/$side/demo"
  [ -z "$data" ] || ln -s "$data" "$work/$side/data"
  cat >"$work/$side/train.toml" <<'TOML'
seed = 5
patience = 0
epochs = 2
[batches]
per_class = 2
steps_per_epoch = 3
[optimizer]
ema_decay = 0.5
[schedule]
warmup_steps = 2
[validation]
last_fraction = 0.4
[architecture]
base_filters = 4
read_filters = 4
site_filters = 4
kernel = 3
read_width = 4
join_width = [8, 4]
TOML
done

# Text without the version, times and rates; other files as they are.
plain() {
  if file -b --mime "$1" | grep -q 'charset=binary'; then
    case $1 in
      *.gz) zcat "$1" | grep -av '^##cnnfilterVersion' ;;
      *) cat "$1" ;;
    esac
  elif [ "$(basename "$1")" = history.tsv ]; then
    cut -f1,2,4- "$1"
  else
    sed -E -e '/^##cnnfilterVersion/d' -e 's/"(cnnfilter_version|config_sha256)": *"[^"]*"//' \
      -e '/seconds: /d' -e 's/[0-9.,]+ ?(ms|s|min|h)\b//g' -e 's/[0-9,.]+ (calls|records|sites|examples)?(\/s| a second| per second)//g' "$1"
  fi
}

# run NAME ARGUMENTS...: the same command with both programs, in folders of their own.
run() {
  local name=$1 side status program
  shift
  for side in old new; do
    program=$old
    [ "$side" = old ] || program=$new
    mkdir -p "$work/$side/$name"
    status=0
    # Both run in a folder of one name, as some files keep their paths.
    mv "$work/$side" "$work/run"
    (cd "$work/run" && "$program" "$@") >"$work/run/$name/stdout" 2>"$work/run/$name/stderr" || status=$?
    echo "$status" >"$work/run/$name/status"
    mv "$work/run" "$work/$side"
  done
  while read -r found; do
    compared=$((compared + 1))
    if ! [ -e "$work/new/$found" ]; then
      echo "$name: $found is missing"
      different=$((different + 1))
    elif ! cmp -s <(plain "$work/old/$found") <(plain "$work/new/$found"); then
      echo "$name: $found differs:"
      diff -a <(plain "$work/old/$found") <(plain "$work/new/$found") | head -4 | cut -c1-200 || true
      different=$((different + 1))
    fi
  done < <(cd "$work/old" && find "$name" -type f | sort)
}

reference=(-R demo/ref.fa)
reads=(-I demo/reads.bam)
run score-reads score -V demo/calls.vcf "${reads[@]}" "${reference[@]}" -o score-reads/out.vcf
run score-bare score -V demo/calls.vcf "${reference[@]}" -o score-bare/out.vcf.gz
run score-filter score -V demo/calls.vcf "${reads[@]}" "${reference[@]}" --filter -o score-filter/out.bcf
run score-cram score -V demo/calls.vcf -I demo/reads.cram "${reference[@]}"
run score-freebayes score -V demo/calls.freebayes.vcf "${reads[@]}" "${reference[@]}" --filter -o score-freebayes/out.vcf
run score-bcftools score -V demo/calls.bcftools.vcf "${reads[@]}" "${reference[@]}" --filter -o score-bcftools/out.vcf
run score-region score -V demo/calls.vcf "${reads[@]}" "${reference[@]}" -L demo/confident.bed --threads 1
run score-missing score -V demo/none.vcf "${reference[@]}"
run filter-thresholds filter -V score-reads/out.vcf -o filter-thresholds/out.vcf
run filter-aim filter -V score-reads/out.vcf --aim precision=0.99 --trim-alts --set-gt-missing -o filter-aim/out.vcf
run filter-tranches filter -V score-reads/out.vcf --resource demo/truth.vcf.gz --info-key CNN_2D --snp-tranche 99.5 --indel-tranche 99 -o filter-tranches/out.vcf
run eval eval -V filter-thresholds/out.vcf --truth demo/truth.vcf.gz --confident demo/confident.bed --stratify half=demo/confident.bed "${reference[@]}" -o eval/report
run eval-genotype eval -V filter-thresholds/out.vcf --truth demo/truth.vcf.gz --match genotype "${reference[@]}" -o eval-genotype/report
run eval-no-truth eval -V score-reads/out.vcf -o eval-no-truth/report
labels=(--truth demo/truth.vcf.gz --confident demo/confident.bed)
run tensors-reads tensors -V demo/calls.vcf "${reads[@]}" "${reference[@]}" "${labels[@]}" --set demo -o tensors-reads/out.bin --table tensors-reads/out.tsv
run tensors-bare tensors -V demo/calls.vcf "${reference[@]}" "${labels[@]}" -o tensors-bare/out.bin --table tensors-bare/out.tsv
run train-reads train --config train.toml -e tensors-reads/out.bin -o train-reads/run
run train-bare train --config train.toml -e tensors-bare/out.bin -o train-bare/run
run score-trained score -V demo/calls.vcf "${reads[@]}" "${reference[@]}" --model train-reads/run/model --filter
run simulate-genome simulate genome "${reference[@]}" --divergent-per-mb 500 --seed 3 -o simulate-genome/out

if [ -n "$data" ]; then
  real() { # NAME CALLS READS REFERENCE
    run "$1" score -V "data/calls/$2.vcf.gz" -I "data/reads/$3.bam" -R "data/ref/$4.fa.gz" --filter -o "$1/out.vcf"
  }
  for calls in gatk4.6hc gatk4.6hc_permissive; do
    real "real-52x-$calls" "NA12878.hg19.chr20_10.0-10.1M.$calls.cnn" NA12878.hg19.chr20_10.0-10.1M.52x hg19.chr20
    real "real-7x-$calls" "NA12878.b37.chr20_10.0-10.27M.$calls.cnn" NA12878.b37.chr20_10.0-10.27M.7x b37.chr20.composite
    real "real-chr22-$calls" "NA12878.hg38.chr22_16.6-16.8M.$calls.cnn" NA12878.hg38.chr22_16.6-16.8M.32x hg38.chr22.slice
  done
  truth=(--truth data/truth/HG001.hg19.chr20_10.0-10.1M.nist.vcf.gz --confident data/truth/HG001.hg19.chr20_10.0-10.1M.nist.bed)
  run real-eval eval -V real-52x-gatk4.6hc_permissive/out.vcf "${truth[@]}" -R data/ref/hg19.chr20.fa.gz -o real-eval/report
  run real-tensors tensors -V real-52x-gatk4.6hc_permissive/out.vcf "${truth[@]}" -I data/reads/NA12878.hg19.chr20_10.0-10.1M.52x.bam \
    -R data/ref/hg19.chr20.fa.gz -o real-tensors/out.bin --table real-tensors/out.tsv
fi

echo "$compared files compared, $different differ"
[ "$different" = 0 ]
