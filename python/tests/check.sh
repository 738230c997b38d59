#!/usr/bin/env bash
# Builds the wheel of the Python package and tests it on the oldest and on the newest CPython from 3.9 on that this machine has.
#
#   python/tests/check.sh PROGRAM    compares with this program `cnnfilter`
#
# Virtual environments and the wheel stay in target/python, so that a second run is quick.
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/.."
here=$PWD
target=$(realpath -m "${CARGO_TARGET_DIR:-../target}")
work=$target/python
mkdir -p "$work"

# Every CPython here, as `minor path`, oldest first.
pythons() {
  local path
  for path in $(compgen -c python3. | grep -E '^python3\.[0-9]+$' | sort -u | xargs -r which -a 2>/dev/null || true) \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python; do
    # The name alone may be that of a version that is not chosen.
    "$path" -c 'import sys, venv, ensurepip; sys.version_info >= (3, 9) and print(sys.version_info.minor, sys.executable)' 2>/dev/null || true
  done | sort -n -k 1,1 -u
}
found=$(pythons)
[ -n "$found" ] || { echo "no CPython 3.9 or newer with venv; install python3-venv" >&2; exit 1; }
oldest=$(head -n 1 <<<"$found") newest=$(tail -n 1 <<<"$found")

# environment "MINOR PATH" REQUIREMENTS...: prints the folder of an environment with these packages.
environment() {
  local minor=${1%% *} path=${1#* } folder
  folder=$work/3.$minor
  shift
  [ -x "$folder/bin/python" ] || "$path" -m venv "$folder" >&2
  # Nothing is asked of a registry where everything is here.
  if ! cat "$@" | cmp -s - "$folder/installed"; then
    "$folder/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check "${@/#/-r}" >&2
    cat "$@" >"$folder/installed"
  fi
  echo "$folder"
}

of_newest=$(environment "$newest" tests/requirements.txt tests/requirements-newest.txt tests/requirements-build.txt)
rm -rf "$work/wheels"
# Compiling takes longer than the tests: only what most of their time goes into is optimised.
levels=(--config profile.dev.debug=false --config profile.dev.package.cnnfilter-nn.opt-level=3)
for package in cnnfilter-core gemm-common gemm-f32 zlib-rs; do
  levels+=(--config "profile.dev.package.$package.opt-level=1")
done
CARGO_TARGET_DIR=$work/build CARGO_INCREMENTAL=0 "$of_newest/bin/maturin" build --profile dev --locked --quiet "${levels[@]}" \
  --interpreter "$of_newest/bin/python" --out "$work/wheels"
wheel=$(ls "$work"/wheels/cnnfilter-*-abi3-*.whl)
echo "$(basename "$wheel"), $(($(stat -c %s "$wheel") / 1024)) kB"

# test_with FOLDER: the tests, of the installed package.
test_with() {
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$wheel"
  "$1/bin/python" --version
  CNNFILTER=$program "$1/bin/python" -m pytest -p no:cacheprovider tests
}
test_with "$of_newest"
"$of_newest/bin/mypy" --no-error-summary --cache-dir "$work/mypy"
(cd "$work" && "$of_newest/bin/python" -m mypy.stubtest --mypy-config-file "$here/pyproject.toml" cnnfilter._cnnfilter)
[ "$oldest" = "$newest" ] || test_with "$(environment "$oldest" tests/requirements.txt)"
