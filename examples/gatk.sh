#!/usr/bin/env bash
# Runs GATK 4.6.2.0 from its Maven artefacts:  gatk.sh TOOL ARGS...   e.g.  gatk.sh HaplotypeCaller -R ref.fa -I reads.bam -O calls.vcf
#
# Needs Java 17 and mvn (Debian 12: apt-get install default-jre-headless maven). The first run fetches about 420 MB.
#   CNNFILTER_GATK_CACHE  folder of the jars      (default ${XDG_CACHE_HOME:-$HOME/.cache}/cnnfilter/gatk-4.6.2.0)
#   GATK_JAVA_OPTS        options for the Java VM (default -Xmx4g)
#
# Two transitive dependencies are excluded because the default Maven repository does not hold the versions asked for:
# org.apache.orc:* (Spark's ORC tables) and jackson-module-scala_2.13 (Spark). HaplotypeCaller, FilterVariantTranches,
# VariantRecalibrator, ApplyVQSR and the Picard tools run without them; the Spark tools may not.
set -euo pipefail

version=4.6.2.0
cache="${CNNFILTER_GATK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cnnfilter/gatk-$version}"

if [ ! -e "$cache/ready" ]; then
  mkdir -p "$(dirname "$cache")"
  # Filled beside the cache and renamed when whole, so that a broken or a second concurrent fetch leaves no half cache.
  part="$(mktemp -d "$cache.part.XXXXXX")"
  trap 'rm -rf "$part"' EXIT
  cat > "$part/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>cnnfilter.examples</groupId>
  <artifactId>gatk-runner</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.broadinstitute</groupId>
      <artifactId>gatk</artifactId>
      <version>$version</version>
      <exclusions>
        <exclusion><groupId>org.apache.orc</groupId><artifactId>*</artifactId></exclusion>
        <exclusion><groupId>com.fasterxml.jackson.module</groupId><artifactId>jackson-module-scala_2.13</artifactId></exclusion>
      </exclusions>
    </dependency>
  </dependencies>
</project>
POM
  (cd "$part" && mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >&2)
  touch "$part/ready"
  if [ ! -e "$cache/ready" ]; then
    rm -rf "$cache"
    mv -T "$part" "$cache" || [ -e "$cache/ready" ]
  fi
  rm -rf "$part"
  trap - EXIT
fi

# Word splitting of GATK_JAVA_OPTS is meant: it holds several options.
# shellcheck disable=SC2086
exec java ${GATK_JAVA_OPTS:--Xmx4g} -cp "$cache/lib/*" org.broadinstitute.hellbender.Main "$@"
