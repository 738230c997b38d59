#!/usr/bin/env bash
# Runs tests/embedding.py in an environment of its own, which stays in target/embedding.
#
#   tests/embedding.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/.."
work=${CARGO_TARGET_DIR:-target}/embedding
[ -x "$work/bin/python" ] || python3 -m venv "$work"
# Nothing is asked of a registry where everything is here.
if ! cmp -s tests/embedding.txt "$work/installed"; then
  "$work/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check -r tests/embedding.txt
  cp tests/embedding.txt "$work/installed"
fi
# A number of threads that the machine has, for libraries that would take more.
OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)} PYTHONWARNINGS=ignore "$work/bin/python" tests/embedding.py "$program"
