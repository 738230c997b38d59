#!/usr/bin/env bash
# What is shipped beside the program, made by the program itself: manual pages, completions, licences.
#
#   packaging/lay_out.sh PROGRAM OUT plain     OUT/{cnnfilter,man/man1,completions,README.md,...}: what an archive unpacks to
#   packaging/lay_out.sh PROGRAM OUT prefix    OUT/{bin,share}: below /usr/local or a prefix of one's own
#   packaging/lay_out.sh PROGRAM OUT debian    the same as Debian has it below /usr: pages compressed, its folders of completions
#
# THIRD_PARTY names a file of the licences of what is linked in (.ci/components.py makes it), which then goes with the others.
set -euo pipefail
usage="usage: lay_out.sh PROGRAM OUT plain|prefix|debian"
program=$(realpath "${1:?$usage}") out=${2:?$usage} layout=${3:?$usage}
root=$(cd "$(dirname "$0")/.." && pwd)
case $layout in
plain) bin=. man=man/man1 bash=completions/cnnfilter.bash zsh=completions/_cnnfilter fish=completions/cnnfilter.fish doc=. ;;
prefix | debian)
  bin=bin man=share/man/man1 bash=share/bash-completion/completions/cnnfilter doc=share/doc/cnnfilter
  zsh=share/zsh/site-functions/_cnnfilter fish=share/fish/vendor_completions.d/cnnfilter.fish
  if [ "$layout" = debian ]; then zsh=share/zsh/vendor-completions/_cnnfilter; fi
  ;;
*)
  echo "$usage" >&2
  exit 2
  ;;
esac
mkdir -p "$out"
cd "$out"
install -D -m 755 "$program" "$bin/cnnfilter"
mkdir -p "$man" "$doc" "$(dirname "$bash")" "$(dirname "$zsh")" "$(dirname "$fish")"
"$program" man --quiet -o "$man"
"$program" completions bash >"$bash"
"$program" completions zsh >"$zsh"
"$program" completions fish >"$fish"
cp "$root/README.md" "$root/CHANGELOG.md" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$doc/"
[ -z "${THIRD_PARTY:-}" ] || cp "$THIRD_PARTY" "$doc/THIRD-PARTY.txt"
if [ "$layout" = debian ]; then
  gzip -9n "$man"/*.1
  {
    printf 'cnnfilter is under the terms of the MIT licence or of the Apache licence 2.0, as you like.\n\n'
    cat "$doc/LICENSE-MIT"
    printf '\nThe Apache licence 2.0 is in /usr/share/common-licenses/Apache-2.0.\n'
    printf 'What is linked into the program is in THIRD-PARTY.txt.gz, with its licences.\n'
  } >"$doc/copyright"
  rm -f "$doc"/LICENSE-*
  [ ! -e "$doc/THIRD-PARTY.txt" ] || gzip -9n "$doc/THIRD-PARTY.txt"
fi
