# Sourced by scripts beside it. `data` is a folder with ref/.

# quietly WHAT COMMAND...: a tool's own words are shown only when it fails.
quietly() {
  local what=$1
  shift
  "$@" >"$what.log" 2>&1 || { echo "$(basename "$0"): failed: $*" >&2; tail -20 "$what.log" >&2; return 1; }
}

# work_folder: sets `work` to the folder that KEEP names, else to a temporary one that goes when the script ends.
work_folder() {
  work=${KEEP:-$(mktemp -d)}
  [ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"
}

# reference NAME: NAME.fa out of the data folder, with .fai and .dict, unless it is there. freebayes and bwa want it unpacked, GATK a
# .dict beside it.
reference() {
  [ ! -e "$1.dict" ] || return 0
  gzip -dc "$data/ref/$1.fa.gz" >"$1.fa"
  samtools faidx "$1.fa"
  samtools dict -o "$1.dict" "$1.fa"
}
