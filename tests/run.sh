#!/usr/bin/env bash
# All tests that need nothing but this repository, doc-tests included; installs what is missing to build them.
#
#   tests/run.sh [ARGUMENTS OF cargo test]      as in `tests/run.sh --lib`
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=../.ci/packages.sh
. "$root/.ci/packages.sh"
need_build
install_missing
cd "$root"
cargo test --workspace --locked "$@"
