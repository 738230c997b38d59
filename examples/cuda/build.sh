#!/usr/bin/env bash
# Builds cnnfilter for NVIDIA GPUs on a machine that needs neither a GPU nor CUDA: one file that runs anywhere and takes the GPU
# where there is one. NVIDIA's compiler comes from pip (0.4 GB in the user's cache); instead of CUDA's libraries the program is
# linked with stand-ins (shim.py) that open the real ones when they are first called. Candle's kernels for quantised weights, which
# cnnfilter has none of, are left out (nvcc).
#
#   examples/cuda/build.sh
#
# To run on a GPU the program needs its driver (580 or later) and CUDA 13's cuBLAS and cuRAND, from a CUDA installation or from pip
# (nvidia-cublas==13.1.0.3 nvidia-curand==10.4.0.35). Where they are not where the loader looks, CNNFILTER_CUDA_PATH names their
# folders, separated by colons. With a CUDA 13 toolkit on the machine, `cargo build --release --locked --features cuda` makes the
# same program bound to the toolkit's libraries, without this script.
#   CUDA_COMPUTE_CAP  the oldest GPUs to run on: 75 Turing, 80 Ampere (default), 90 Hopper, 100 Blackwell; newer ones compile the
#                     kernels for themselves when they first load them
#   CARGO_TARGET_DIR  where to build (default: target/cuda)
#   CPU_BUILD         a cnnfilter built without CUDA, to compare scores with (default: target/release/cnnfilter, if there)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/examples/cuda
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cnnfilter/cuda-13.0
target=${CARGO_TARGET_DIR:-$root/target/cuda}
cpu_build=${CPU_BUILD:-$root/target/release/cnnfilter}
[ "$(uname -sm)" = "Linux x86_64" ] || { echo "build.sh: for x86-64 Linux only" >&2; exit 1; }
# shellcheck source=../../.ci/packages.sh
. "$root/.ci/packages.sh"
need_build
need g++ g++
need ar binutils
need python3 python3 python3-pip
install_missing
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- the compiler -----------------------------------------------------------------------------------------------------
if ! cmp -s "$here/requirements.txt" "$cache/requirements.txt"; then
  echo "Fetching NVIDIA's compiler"
  rm -rf "$cache"
  mkdir -p "$cache"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --root-user-action ignore --target "$cache/wheels" -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$cache/"
fi
nvidia=$cache/wheels/nvidia/cu13

# --- the stand-ins ----------------------------------------------------------------------------------------------------
cuda=$cache/root
rm -rf "$cuda"
mkdir -p "$cuda/lib64"
mkdir "$cuda/bin"
ln -s "$here/nvcc" "$cuda/bin/nvcc"
ln -s "$nvidia/include" "$cuda/include"
cargo metadata --locked --format-version 1 --features cuda >"$work/metadata.json"
# source_of CRATE: the folder of its source.
source_of() {
  python3 -c '
import json, os, sys
packages = json.load(open(sys.argv[1]))["packages"]
print(next(os.path.dirname(package["manifest_path"]) for package in packages if package["name"] == sys.argv[2]))' \
    "$work/metadata.json" "$1"
}
python3 "$here/shim.py" "$(source_of cudarc)" "$(source_of candle-kernels)" "$cuda/lib64"

for name in libcuda.so.1 libcurand.so.10; do
  gcc -O1 -Wall -shared -fPIC -DREAL -Wl,-soname,$name -o "$work/$name" "$here/shim_check.c"
done
gcc -O1 -Wall -pthread -o "$work/shim_check" "$here/shim_check.c" "$cuda/lib64/libcuda.a" "$cuda/lib64/libcurand.a"
LD_LIBRARY_PATH=$work "$work/shim_check" with
CNNFILTER_CUDA_PATH=/nowhere::$work "$work/shim_check" with
if ! ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1\|libcurand\.so\.10' && [ ! -e /usr/local/cuda/lib64 ]; then
  "$work/shim_check" without 2>"$work/without.log"
  grep -q 'libcurand.so.10 was not found' "$work/without.log"
fi
echo "The stand-ins pass arguments on and report what is missing"

# --- the program ------------------------------------------------------------------------------------------------------
echo "Building (some minutes the first time)"
export CUDA_HOME=$cuda NVCC=$cuda/bin/nvcc PATH=$cuda/bin:$PATH CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-80}
export REAL_NVCC=$nvidia/bin/nvcc UNUSED=$cuda/lib64/unused.o CUDAFORGE_THREADS=${CUDAFORGE_THREADS:-$(nproc)}
CARGO_TARGET_DIR=$target cargo build --release --locked --quiet --features cuda
cnnfilter=$target/release/cnnfilter

# --- what was built ---------------------------------------------------------------------------------------------------
fail() {
  echo "build.sh: $*" >&2
  exit 1
}
needed=$(readelf -d "$cnnfilter" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
! grep -qi 'cuda\|cublas\|curand\|cudnn\|nvrtc\|nvidia' <<<"$needed" || fail "needs libraries of CUDA:" $needed
demo=$root/tests/data/demo
# score PROGRAM DEVICE: the demo's calls with their scores.
score() {
  "$1" score -q -V "$demo/calls.vcf" -I "$demo/reads.bam" -R "$demo/ref.fa" --device "$2"
}
score "$cnnfilter" cpu >"$work/cpu.vcf"
if [ -x "$cpu_build" ]; then
  score "$cpu_build" cpu | cmp - "$work/cpu.vcf" || fail "scores other than $cpu_build's"
  echo "On the CPU it writes the bytes of $cpu_build"
fi
if score "$cnnfilter" cuda >"$work/cuda.vcf" 2>"$work/cuda.log"; then
  # Position, alleles, score.
  columns() { grep -v '^#' "$1" | sed -E 's/^([^\t]*\t[^\t]*)\t[^\t]*\t([^\t]*\t[^\t]*)\t.*CNN_2D=([-0-9.]*).*/\1\t\2\t\3/'; }
  paste <(columns "$work/cpu.vcf") <(columns "$work/cuda.vcf") | awk -F '\t' '
    $1 != $6 || $2 != $7 || $3 != $8 || $4 != $9 || ($5 - $10) ^ 2 > 0.002 ^ 2 { print; bad = 1 }
    END { exit bad || NR < 200 }' || fail "--device cuda scores otherwise than --device cpu"
  score "$cnnfilter" auto | cmp - "$work/cuda.vcf" || fail "--device auto scores otherwise than --device cuda"
  echo "This machine has a GPU that works: its scores are the CPU's to 0.002"
else
  code=$?
  [ $code = 1 ] && grep -q 'device `cuda:0` cannot be used: ' "$work/cuda.log" ||
    fail "--device cuda ended with $code: $(cat "$work/cuda.log")"
  echo "Without a GPU, --device cuda ends with: $(tail -1 "$work/cuda.log")"
  score "$cnnfilter" auto | cmp - "$work/cpu.vcf" || fail "--device auto scores otherwise than --device cpu"
  echo "Without a GPU, --device auto scores as --device cpu"
fi
echo "$cnnfilter needs only $(echo $needed)"
