#!/usr/bin/env bash
# Does this build score on the GPU as on the CPU, and how fast? Prints one table; exits with 1 where a score differs by more than
# 0.001, or where a step fails, and then says which, with what the program said and what is known of the machine.
#
#   examples/cuda/check.sh CNNFILTER [SET]
#
# CNNFILTER is a program that build.sh made; SET a folder of make_set.sh (without it the demo alone is scored). Both are carried to a
# machine with a GPU, with this repository or its folders examples/cuda, tests/data/demo and tests/many_calls.py. There it needs no network: bash,
# awk, python3, NVIDIA's driver (580 or later) and CUDA 13's cuBLAS and cuRAND, of a toolkit or from pip (they are looked for).
#   DEVICE   the device that is compared with the CPU (default: cuda). DEVICE=cpu tries the script itself where there is no GPU: the CPU stands in
#   MINUTES  how long it may take in all (default: 8); what does not fit is left out and named
#   CALLS    calls of the measurements of speed (default: 20000)
#   OUT      folder for all that was written (default: a temporary one, kept where a step fails)
set -uo pipefail
export LC_ALL=C
usage="usage: check.sh CNNFILTER [SET]"
cnnfilter=$(realpath "${1:?$usage}") set=${2:+$(realpath "$2")}
root=$(cd "$(dirname "$0")/../.." && pwd)
demo=$root/tests/data/demo
device=${DEVICE:-cuda} calls=${CALLS:-20000}
end=$((SECONDS + ${MINUTES:-8} * 60))
work=${OUT:-$(mktemp -d)}
mkdir -p "$work"
work=$(realpath "$work")
table=$work/table.txt failures=()
: >"$table"
row() { printf '%-46s %s\n' "$1" "$2" | tee -a "$table"; }

# --- the libraries ----------------------------------------------------------------------------------------------------
nvidia() { python3 -c 'import nvidia; print(list(nvidia.__path__)[0])' 2>/dev/null; }
if [ "$device" != cpu ] && [ -z "${CNNFILTER_CUDA_PATH:-}" ] && pip=$(nvidia); then
  export CNNFILTER_CUDA_PATH
  CNNFILTER_CUDA_PATH=$(find "$pip" \( -name 'libcublas*.so.13' -o -name 'libcurand.so.10' \) -printf '%h\n' | sort -u | paste -sd :)
fi

# machine: what helps to understand a failure.
machine() {
  echo "--- machine: $(uname -srm), $(nproc) cores; CNNFILTER_CUDA_PATH=${CNNFILTER_CUDA_PATH:-}"
  command -v nvidia-smi >/dev/null || echo "nvidia-smi: not found"
  nvidia-smi --query-gpu=index,name,driver_version,memory.total,memory.used,compute_cap --format=csv 2>/dev/null | head -5
  for library in libcuda.so.1 libcublas.so.13 libcublasLt.so.13 libcurand.so.10; do
    local found folder folders=${CNNFILTER_CUDA_PATH:-}
    found=$(ldconfig -p 2>/dev/null | awk -v name="$library" '$1 == name { print $NF; exit }')
    for folder in ${folders//:/ } /usr/local/cuda/lib64; do
      if [ -z "$found" ] && [ -e "$folder/$library" ]; then found=$folder/$library; fi
    done
    echo "$library: ${found:-not found}"
  done
  nvidia-smi 2>/dev/null | grep -i 'xid\|err' | head -3
}

# step NAME COMMAND...: runs it within the time that is left; its output is in NAME.log. A failure is told and counted.
step() {
  local name=$1 left=$((end - SECONDS)) code
  shift
  if [ "$left" -lt 10 ]; then
    row "$name" "left out: no time left"
    return 1
  fi
  timeout "$left" "$@" >"$work/$name.out" 2>"$work/$name.log" && return 0
  code=$?
  failures+=("$name")
  {
    echo "FAILED in step \`$name\` with $code$([ $code = 124 ] && echo ': out of time'): $(basename "$1") ${*:2}"
    tail -15 "$work/$name.log"
    if [ "$device" != cpu ] && [[ " $* " == *" $device "* ]]; then again "$@"; fi
    machine
  } | tee -a "$table" >&2
  return 1
}

# again COMMAND...: once more with each kernel waited for, so that the message comes from the kernel that fails.
again() {
  echo "--- once more with CUDA_LAUNCH_BLOCKING=1 and RUST_BACKTRACE=1:"
  CUDA_LAUNCH_BLOCKING=1 RUST_BACKTRACE=1 timeout 60 "$@" 2>&1 >/dev/null | grep -v '^ *at \|core::\|std::' | tail -25
}

# watch NAME: asks the GPU five times a second, until `unwatch`, for the share of time that it is busy, and its memory.
watch() {
  watcher=
  command -v nvidia-smi >/dev/null && [ "$device" != cpu ] || return 0
  nvidia-smi --query-gpu=utilization.gpu,memory.used --format=csv,noheader,nounits --loop-ms=200 >"$work/$1.gpu" 2>/dev/null &
  watcher=$!
}
# unwatch NAME: prints the mean share in % and the most memory in MiB.
unwatch() {
  [ -n "$watcher" ] || { echo "not measured"; return; }
  kill "$watcher" 2>/dev/null
  wait "$watcher" 2>/dev/null
  awk -F, '{ busy += $1; if ($2 > most) most = $2 } END { if (NR) printf "GPU busy %.0f %%, %d MiB", busy / NR, most; else print "not measured" }' "$work/$1.gpu"
}

# compare NAME CPU DEVICE: the scores and decisions of two VCFs. Scores have three decimals and are compared as whole thousandths.
compare() {
  local name=$1 line
  line=$(awk -F '\t' '
    /^#/ { next }
    { key = $1 ":" $2 ":" $4 ":" $5; score = "none"
      if (match($8, /CNN_[12]D=[-0-9.e]+/)) score = substr($8, RSTART + 7, RLENGTH - 7) }
    FNR == NR { at = ++n; keys[at] = key; scores[at] = score; filters[at] = $7; next }
    { m++
      if (keys[m] != key) { wrong = "call " m " is " key ", expected " keys[m]; exit }
      if ((score == "none") != (scores[m] == "none")) { wrong = key ": score " score ", on the CPU " scores[m]; exit }
      difference = score - scores[m]; if (difference < 0) difference = -difference
      if (score != "none" && !(score ~ /^-?[0-9.]+(e-?[0-9]+)?$/)) { wrong = key ": score " score; exit }
      if (score != "none") compared++
      if (difference > most) { most = difference; where = key " " scores[m] " " score }
      if ($7 != filters[m]) changed++ }
    END {
      if (wrong == "" && m != n) wrong = m " calls, expected " n
      if (wrong == "" && !compared) wrong = "no scores"
      if (wrong != "") { print wrong; exit 1 }
      printf "max difference %.3f, %d of %d decisions changed", most, changed, compared
      if (most > 0.0011) { printf "; at %s", where; exit 1 } }' <(text "$2") <(text "$3")) || {
    failures+=("$name")
    line="FAILED: $line"
  }
  row "$name" "$line"
}
text() { case $1 in *.gz) gzip -dc "$1" ;; *) cat "$1" ;; esac; }

# seconds FILE WHAT: a time that `score --timings` told, in seconds; `per` divides it by the threads that share it.
seconds() { sed -n "s/^cnnfilter: .*$2 *\([0-9.]*\) s.*/\1/p" "$1" | head -1; }
threads_of() { sed -n 's/^cnnfilter: \([0-9]*\) threads: network.*/\1/p' "$1" | head -1; }

# speed NAME CALLS: end to end (without the start) and network alone, in calls a second, of a run with --timings.
speed() {
  local log=$work/$1.log
  awk -v calls="$2" -v whole="$(seconds "$log" 'whole run')" -v start="$(seconds "$log" 'samples')" -v network="$(seconds "$log" 'threads: network')" \
    -v threads="$(threads_of "$log")" 'BEGIN {
      time = whole - start; if (time <= 0) time = 0.001
      alone = network / (threads ? threads : 1); if (alone <= 0) alone = 0.001
      printf "%.0f calls/s end to end, %.0f network alone", calls / time, calls / alone }'
}

echo "cnnfilter on ${device}, compared with the CPU"
step version "$cnnfilter" --version && row "program" "$(paste -sd ' ' "$work/version.out")"
if [ "$device" = cpu ]; then row "device" "the CPU in place of a GPU: nothing here is about a GPU"; else
  row "device" "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -1)"
fi

# --- from small to large, so that the first failure is near its cause --------------------------------------------------
inputs=(-V "$demo/calls.vcf" -R "$demo/ref.fa")
reads=(-I "$demo/reads.bam")
# On opening, each model is checked on the device with the test vectors in its card.
opened=true
step open "$cnnfilter" score -q "${inputs[@]}" -L demo1:1-2000 --device "$device" -o "$work/open.vcf" || opened=false
if $opened; then
  for model in reference reads; do
    more=()
    [ $model = reference ] || more=("${reads[@]}")
    step "demo_${model}_cpu" "$cnnfilter" score -q "${inputs[@]}" "${more[@]}" --filter --device cpu -o "$work/demo_$model.cpu.vcf" &&
      step "demo_$model" "$cnnfilter" score -q "${inputs[@]}" "${more[@]}" --filter --device "$device" -o "$work/demo_$model.vcf" &&
      compare "demo, cnnfilter_$model" "$work/demo_$model.cpu.vcf" "$work/demo_$model.vcf"
  done
  if [ -n "$set" ]; then
    inputs=(-V "$set/calls.vcf.gz" -R "$set/ref.fa")
    reads=(-I "$set/reads.bam")
    truth=(--truth "$set/truth.vcf.gz" --confident "$set/confident.bed")
    step set_cpu "$cnnfilter" score -q "${inputs[@]}" "${reads[@]}" --filter --device cpu -o "$work/set.cpu.vcf.gz" &&
      step set "$cnnfilter" score -q "${inputs[@]}" "${reads[@]}" --filter --device "$device" -o "$work/set.vcf.gz" &&
      compare "30x, cnnfilter_reads" "$work/set.cpu.vcf.gz" "$work/set.vcf.gz"
  else
    truth=(--truth "$demo/truth.vcf.gz" --confident "$demo/confident.bed")
  fi

  # --- training: the same steps on both ------------------------------------------------------------------------------
  if step tensors "$cnnfilter" tensors -q "${inputs[@]}" "${reads[@]}" "${truth[@]}" -o "$work/examples"; then
    for at in cpu "$device"; do
      name=train_$at
      rm -rf "${work:?}/$name.run"
      watch "$name"
      step "$name" "$cnnfilter" train -q -e "$work/examples" --set epochs=2 --set patience=0 --set batches.per_class=16 \
        --set "batches.steps_per_epoch=${STEPS:-40}" --set validation.last_fraction=0.4 --device "$at" -o "$work/$name.run" || { unwatch "$name" >/dev/null; continue; }
      busy=$(unwatch "$name")
      # The second epoch: the first one includes what is done once.
      row "training on $at, batches of 64" "$(awk -F '\t' -v busy="$busy" 'NR > 1 { steps = $2 - step; time = $3 - at; step = $2; at = $3; loss = $6 }
        END { printf "%.2f steps/s, loss %.4f; %s", steps / (time > 0 ? time : 0.001), loss, busy }' "$work/$name.run/history.tsv")"
      [ "$at" != "$device" ] || break
    done
    # The same batches: what differs is the arithmetic.
    if [ -e "$work/train_cpu.run/history.tsv" ] && [ -e "$work/train_$device.run/history.tsv" ]; then
      row "training, loss of the first epoch" "$(paste <(sed -n 2p "$work/train_cpu.run/history.tsv") <(sed -n 2p "$work/train_$device.run/history.tsv") |
        awk -F '\t' '{ printf "CPU %.5f, device %.5f", $6, $16 }')"
    fi
  fi

  # --- speed: many calls over the same reads ---------------------------------------------------------------------------
  reference=${inputs[3]}
  python3 "$root/tests/many_calls.py" "$reference" "$calls" >"$work/many.vcf"
  many=$(grep -vc '^#' "$work/many.vcf")
  score_many() {
    step "$1" "$cnnfilter" score --timings -V "$work/many.vcf" -R "$reference" "${reads[@]}" --device "$2" --batch-size "$3" --no-index -o "$work/$1.vcf.gz"
  }
  score_many many_cpu cpu 4096 && row "CPU, $many calls" "$(speed many_cpu "$many")"
  for size in 256 1024 4096 16384; do
    watch "many_$size"
    if score_many "many_$size" "$device" $size; then
      row "$device, --batch-size $size" "$(speed "many_$size" "$many"); $(unwatch "many_$size")"
    else
      unwatch "many_$size" >/dev/null
    fi
  done
  [ ! -e "$work/many_cpu.vcf.gz" ] || [ ! -e "$work/many_4096.vcf.gz" ] ||
    compare "$many calls" "$work/many_cpu.vcf.gz" "$work/many_4096.vcf.gz"
fi

row "time in all" "$SECONDS s"
if [ ${#failures[@]} -gt 0 ]; then
  row "FAILED" "${failures[*]}; all that was written is in $work"
  exit 1
fi
row "passed" "no score differs by more than 0.001"
[ -n "${OUT:-}" ] || rm -rf "$work"
