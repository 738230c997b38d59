#!/usr/bin/env bash
# Licences and origins of everything that is compiled in, by cargo-deny and tests/deny.toml. With --advisories known vulnerabilities as well,
# whose database cargo-deny fetches. Builds cargo-deny into target/tools if it is not installed.
set -euo pipefail
cd "$(dirname "$0")/.."
which=(licenses bans sources)
[ "${1:-}" != --advisories ] || which+=(advisories)
deny=$(command -v cargo-deny || echo target/tools/bin/cargo-deny)
[ -x "$deny" ] || cargo install cargo-deny --version 0.20.2 --locked --debug --quiet --root target/tools
"$deny" --all-features --locked --log-level error --config tests/deny.toml check "${which[@]}"
