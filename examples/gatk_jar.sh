#!/usr/bin/env bash
# Prints the path of gatk-4.6.2.0.jar, which holds GATK's published networks; fetches it with Maven
# (once; without its dependencies) where it is not there yet. Needs java and mvn.
set -euo pipefail
version=4.6.2.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cnnfilter
jar=$cache/gatk-$version.jar
if [ ! -e "$jar" ]; then
  mkdir -p "$cache"
  part=$(mktemp -d "$cache/.part.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  mvn -q -B dependency:copy -Dartifact="org.broadinstitute:gatk:$version" \
    -DoutputDirectory="$part" >&2
  mv "$part/gatk-$version.jar" "$jar"
fi
echo "$jar"
