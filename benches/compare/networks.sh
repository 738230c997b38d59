#!/usr/bin/env bash
# Times cnnfilter beside PyTorch, ONNX Runtime and GATK 4.6.2.0's NVScoreVariants, on one machine, two threads each, in
# interleaved rounds: the networks alone on the same tensors, then whole runs on the same files. A comparison whose scores
# do not agree to 1e-3 is void and fails.
#
#   benches/compare/networks.sh DATA [ROUNDS]          (3 rounds by default)
#
# DATA is a folder with calls/, golden/, reads/ and ref/ as tests/it/real_data.rs expects it. Needs python3 with venv, java
# 17, mvn, bcftools, bgzip and samtools (Debian 12: python3-venv default-jre-headless maven bcftools tabix samtools); the
# Python packages (3 GB, once) and GATK's networks go to a cache folder.
#   CNNFILTER      the program                    (default target/release/cnnfilter)
#   THREADS        threads of each                (default 2)
#   SCALE          makes the timed inputs of the networks so many times as long (default 4; 1 on a busy machine)
#   ONLY           networks or runs: one half only
#   GATK           command that runs GATK         (default examples/gatk.sh)
#   SCOREVARIANTS  folder that holds GATK's Python package `scorevariants` (gatkPythonPackageArchive.zip in GATK's release
#                  zip, unpacked; no package index has it). Without it NVScoreVariants is left out.
#   KEEP           folder that keeps inputs and outputs (default: a temporary one, removed)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
data=$(realpath "${1:?usage: networks.sh DATA [ROUNDS]}")
rounds=${2:-3}
ours=${CNNFILTER:-$root/target/release/cnnfilter}
threads=${THREADS:-2}
. "$root/benches/compare/common.sh"
work_folder
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cnnfilter

# --- Python packages, in a folder that is renamed when whole ---------------------------------------------------------
packages=(torch==2.15.0 onnx==1.23.2 onnxruntime==1.31.1 onnxscript==0.7.2 numpy safetensors==0.8.0 pysam==0.24.1
  biopython==1.88 pytorch_lightning==2.6.6)
venv=$cache/networks-venv
if [ ! -e "$venv/ready" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q "${packages[@]}"
  touch "$venv/ready"
fi

# --- GATK's networks and NVScoreVariants ------------------------------------------------------------------------------
[ -e "$work/gatk-1d" ] || "$ours" import "$("$root/examples/gatk_jar.sh")" -o "$work" 2>/dev/null
peers=()
if [ -n "${SCOREVARIANTS:-}" ]; then
  peers=(--gatk "${GATK:-$root/examples/gatk.sh}" --scorevariants "$(realpath "$SCOREVARIANTS")")
fi

# Threads of PyTorch that spin while they wait would count as work where others want the CPU.
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0 PYTHONWARNINGS=ignore
"$venv/bin/python" "$root/benches/compare/networks.py" --data "$data" --rounds "$rounds" --threads "$threads" --scale "${SCALE:-4}" \
  --ours "$ours" --models "$root/models" --work "$work" --only "${ONLY:-}" "${peers[@]}"
