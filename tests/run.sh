#!/usr/bin/env bash
# All tests that need nothing but this repository; installs what is missing to build them.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=../.ci/packages.sh
. "$root/.ci/packages.sh"
need_build
install_missing
cd "$root"
cargo test --release --locked "$@"
