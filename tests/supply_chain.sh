#!/usr/bin/env bash
# Licences and origins of everything that is compiled in, and its known vulnerabilities, by cargo-deny and tests/deny.toml.
#
#   tests/supply_chain.sh [--advisories]
#
# The vulnerabilities are those of the RustSec database, which git fetches (from a mirror where git's url.BASE.insteadOf
# names one). Where it cannot be fetched the last line says so; with --advisories that is a failure. The database is of
# crates: of the C libraries inside them it knows little. Builds cargo-deny into target/tools if it is not installed.
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
deny=$(command -v cargo-deny || echo target/tools/bin/cargo-deny)
[ -x "$deny" ] || cargo install cargo-deny --version 0.20.2 --locked --debug --quiet --root target/tools
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
