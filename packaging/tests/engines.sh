#!/usr/bin/env bash
# Prints the folder of the workflow engines' programs (bin/nextflow, snakemake, cwltool, miniwdl, multiqc, planemo); fetches
# them with pip and Maven where they are not there yet. Needs java, mvn and python3 with venv.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=(snakemake==9.27.0 cwltool==3.3.20260925135507 miniwdl==1.16.0 miniwdl-backend-bare==0.0.1 multiqc==1.35)
# Planemo pins what others have newer.
galaxy=(planemo==0.75.47)

cache=${XDG_CACHE_HOME:-$HOME/.cache}/cnnfilter
sum=$(cat "$0" "$here/nextflow.xml" | sha256sum | cut -c 1-12)
engines=$cache/engines-$sum
mkdir -p "$cache"
# One fetches, others wait for it.
exec 9>"$cache/engines.lock"
flock 9
if [ ! -e "$engines/bin" ]; then
  mkdir -p "$engines" "$engines/making"
  mvn -q -B -f "$here/nextflow.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$engines/nextflow" >&2
  python3 -m venv "$engines/python"
  "$engines/python/bin/pip" install --quiet --no-compile --disable-pip-version-check "${python[@]}" >&2
  python3 -m venv "$engines/galaxy"
  "$engines/galaxy/bin/pip" install --quiet --no-compile --disable-pip-version-check "${galaxy[@]}" >&2
  for program in snakemake cwltool miniwdl multiqc; do ln -sf "../python/bin/$program" "$engines/making/$program"; done
  ln -sf ../galaxy/bin/planemo "$engines/making/planemo"
  # Without these packages opened Nextflow cannot write its cache, and says nothing until -resume finds none (nextflow#7471).
  opened=(java.io java.lang java.net java.nio java.nio.file.spi java.util java.util.concurrent.atomic java.util.concurrent.locks
    java.util.regex jdk.internal.misc jdk.internal.vm sun.net.www.protocol.file sun.net.www.protocol.ftp
    sun.net.www.protocol.http sun.net.www.protocol.https sun.nio.ch sun.nio.fs)
  cat >"$engines/making/nextflow" <<END
#!/usr/bin/env bash
export NXF_OFFLINE=true NXF_DISABLE_CHECK_LATEST=true NXF_HOME=\${NXF_HOME:-$engines/home}
exec java$(printf ' --add-opens=java.base/%s=ALL-UNNAMED' "${opened[@]}") -Xmx500m -XX:TieredStopAtLevel=1 -cp "$engines/nextflow/*" nextflow.cli.Launcher "\$@"
END
  chmod +x "$engines/making/nextflow"
  mv "$engines/making" "$engines/bin"
fi
echo "$engines/bin"
