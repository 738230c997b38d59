#!/usr/bin/env bash
# Does examples/cuda/check.sh pass what is right, and stop at what is wrong? Without a GPU: programs play one, each the CPU in other clothes.
#
#   tests/cuda_check.sh CNNFILTER
set -euo pipefail
cnnfilter=$(realpath "${1:?usage: cuda_check.sh CNNFILTER}")
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# player NAME AFTER: a program that computes for `--device cuda` on the CPU, and then runs AFTER with $output, the file of its scores.
player() {
  cat >"$work/$1" <<PROGRAM
#!/usr/bin/env bash
arguments=() output= cuda=false
for argument in "\$@"; do
  case \$argument in cuda) cuda=true argument=cpu ;; esac
  [ "\${previous:-}" != -o ] || output=\$argument
  previous=\$argument
  arguments+=("\$argument")
done
"$cnnfilter" "\${arguments[@]}" || exit
\$cuda || exit 0
$2
PROGRAM
  chmod +x "$work/$1"
}

# check NAME STATUS TEXT...: what the script makes of a program.
check() {
  local status=0 text
  DEVICE=cuda CALLS=60 STEPS=1 MINUTES=3 OUT=$work/$1.out "$root/examples/cuda/check.sh" "$work/$1" >"$work/$1.log" 2>&1 || status=$?
  for text in "${@:3}"; do
    grep -qF -e "$text" "$work/$1.log" || status="$status without \"$text\""
  done
  [ "$status" = "$2" ] || {
    cat "$work/$1.log" >&2
    echo "cuda_check.sh: $1: $status, expected $2" >&2
    exit 1
  }
  echo "$1: as expected"
}

player right ':'
check right 0 "max difference 0.000, 0 of 274 decisions changed" "training on cuda" "cuda, --batch-size 16384" "passed"

# One score of the model with reads is off by two thousandths.
# shellcheck disable=SC2016
player off 'case $output in */demo_reads.vcf) awk -F "\t" -v OFS="\t" "/^#/ || done { print; next }
  match(\$8, /CNN_2D=[-0-9.]+/) { score = substr(\$8, RSTART + 7, RLENGTH - 7); sub(/CNN_2D=[-0-9.]+/, sprintf(\"CNN_2D=%.3f\", score + 0.002), \$8); done = 1 }
  { print }" "$output" >"$output.new" && mv "$output.new" "$output" ;; esac'
check off 1 "FAILED: max difference 0.002, 0 of 274 decisions changed; at demo1:" "demo, cnnfilter_reads; all that was written"

player dead 'echo "CUDA_ERROR_UNSUPPORTED_PTX_VERSION" >&2; exit 1'
check dead 1 'FAILED in step `open` with 1' "CUDA_ERROR_UNSUPPORTED_PTX_VERSION" "CUDA_LAUNCH_BLOCKING=1" "libcublas.so.13: " "--- machine: "
