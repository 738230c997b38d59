# Sourced by .ci/run and .ci/fast: what is checked, one function a stage, and `stages` that runs some of them and tells how long
# each took. Everything uses the dev profile, whose libraries and kernels are optimised: the program gives the same bytes as that of
# the release profile, and nothing is built twice.
. .ci/packages.sh
demo=tests/data/demo
program=${CARGO_TARGET_DIR:-target}/debug/cnnfilter

# Stages that are over, with their times, and the one that runs. Read by the trap as well.
finished=()
current=
# Process and output of the stages that run beside the others, and a folder with a file for each stage that is over.
beside=
beside_log=
over=

# stages NAME...: runs them in order; times are printed when the script ends, also when one fails. `after:NAME` among them waits for
# a stage of the other side.
stages() {
  local stage unknown=() start used
  for stage in "$@"; do
    declare -F "stage_${stage#after:}" >/dev/null || unknown+=("$stage")
  done
  if [ ${#unknown[@]} -gt 0 ]; then
    echo "no such stage: ${unknown[*]}; there are: $(declare -F | sed -n 's/^declare -f stage_//p' | paste -sd ' ')" >&2
    exit 2
  fi
  trap 'report $?' EXIT
  for stage in "$@"; do
    processor_seconds
    current=$stage start=$SECONDS used=$processor
    [ -z "$over" ] || [ ! -e "$over/failed" ] || stages_beside_end
    echo "== $stage ($(date +%T))"
    if [ "${stage#after:}" = "$stage" ]; then
      "stage_$stage"
      [ -z "$over" ] || touch "$over/$stage"
    else
      until [ -e "$over/${stage#after:}" ]; do
        [ ! -e "$over/failed" ] || stages_beside_end
        sleep 1 && kill -0 $$
      done
    fi
    processor_seconds
    finished+=("$((SECONDS - start)) $((processor - used)) $stage")
  done
  current=
}

# Sets `processor` to the seconds of all processors that ended processes of this shell took.
processor=0
processor_seconds() {
  local file minutes seconds
  file=$(mktemp)
  times >"$file"
  processor=0
  while IFS=m. read -r minutes seconds _; do
    processor=$((processor + 60 * minutes + 10#$seconds))
  done < <(tail -n 1 "$file" | tr ' ' '\n')
  rm "$file"
}

# stages_beside NAME...: the same in the background, until stages_beside_end. They must neither write nor read what the
# others write. They get the time that the others leave, so that what these measure of a page in a browser stays true. A group of
# processes, so that all of it can be ended.
stages_beside() {
  beside_log=$(mktemp)
  over=$(mktemp -d)
  set -m
  (finished=() && { renice -n 10 -p "$BASHPID" >/dev/null || true; } && stages "$@") >"$beside_log" 2>&1 &
  beside=$!
  set +m
}

# Waits for the stages of stages_beside, shows what they printed, and fails where they failed.
stages_beside_end() {
  local status=0
  current="the stages beside the others"
  wait "$beside" || status=$?
  cat "$beside_log"
  rm -r "$beside_log" "$over"
  beside=
  over=
  [ "$status" = 0 ] || exit "$status"
  current=
}

# report STATUS: the table of times, and the stage that failed.
report() {
  local status=$1 line
  if [ -n "$beside" ] && [ "$BASHPID" = $$ ]; then
    kill -- "-$beside" 2>/dev/null || true
    cat "$beside_log"
  fi
  echo "  time  of processors"
  for line in "${finished[@]}"; do
    # shellcheck disable=SC2086 # three words
    printf '%6d s %6d s  %s\n' $line
  done
  processor_seconds
  printf '%6d s %6d s  in all\n' "$SECONDS" "$processor"
  [ "$status" = 0 ] || [ -z "$over" ] || touch "$over/failed"
  if [ "$status" = 0 ] && [ -z "$current" ]; then echo "all passed"; else echo "FAILED: $current"; fi
}

# --- seconds ----------------------------------------------------------------------------------------------------------
stage_format() {
  cargo fmt --all --check
  cargo fmt --manifest-path python/Cargo.toml --check
  local script
  while read -r script; do bash -n "$script"; done < <(git grep -lE '^#!/usr/bin/env bash' -- . ':!*.md')
}

# Which crate may use which. Manifests say it; this says it once more, so that nobody widens one by accident.
stage_walls() {
  need python3 python3
  install_missing
  python3 .ci/walls.py
}

# --- a minute or two where the libraries are built ---------------------------------------------------------------------
stage_lints() {
  need_build
  install_missing
  cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
}

stage_unit() {
  tests/run.sh --quiet --lib --bins
}

# --- the rest of what needs nothing but the repository ------------------------------------------------------------------
stage_end_to_end() {
  tests/run.sh --quiet --test '*'
}

stage_doc() {
  tests/run.sh --quiet --doc
  RUSTDOCFLAGS="-D warnings" cargo doc --workspace --locked --no-deps --quiet
}

stage_features() {
  # Without the shipped models and without the reader of GATK's files.
  cargo check -p cnnfilter-core --no-default-features --locked --quiet
}

# Every crate as it would be published.
stage_packages() {
  need python3 python3
  install_missing
  packaging/crates.sh "${CARGO_TARGET_DIR:-target}/crates"
}

# The book: built without a warning, its links followed, its commands run on the demo and compared with what it shows, its
# flags compared with --help.
stage_book() {
  need_build
  need python3 python3
  need bgzip tabix
  need bcftools bcftools
  install_missing
  local mdbook book=${CARGO_TARGET_DIR:-target}/book log
  mdbook=$(cargo_tool mdbook 0.5.4 --no-default-features --features search)
  log=$(mktemp)
  rm -rf "$book"
  "$mdbook" build docs --dest-dir "$(realpath -m "$book")" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
  if grep -E 'WARN|ERROR' "$log"; then
    echo "mdbook warns" >&2
    return 1
  fi
  rm "$log"
  python3 docs/links.py "$book"
  python3 docs/flags.py "$program"
  python3 docs/console.py "$program"
}

stage_scripts() {
  python3 -m unittest --quiet tests/training_scripts.py
}

# With the program that the end-to-end tests have driven. `cargo build` would select other features of the libraries, and build them again.
stage_demo() {
  tests/run.sh --quiet --no-run --test it
  CNNFILTER=$program examples/demo.sh
}

# The script that checks a build on a GPU, with programs that play one.
stage_cuda_check() {
  tests/cuda_check.sh "$program"
}

stage_page() {
  need chromedriver chromium chromium-driver
  need python3 python3
  install_missing
  "$program" eval -V "$demo/calls.vcf" --truth "$demo/truth.vcf.gz" --confident "$demo/confident.bed" -R "$demo/ref.fa" \
    -o .cnnfilter-demo/report
  python3 tests/page.py .cnnfilter-demo/report/eval.html
}

# The page of `view`: types of its scripts, pixels, keys and pointer, and a page of 2,000 calls.
stage_view() {
  need npx npm
  need chromedriver chromium chromium-driver
  need python3 python3
  install_missing
  npx --yes --package "typescript@5.9.3" tsc -p crates/view
  local made=.cnnfilter-demo
  mkdir -p "$made"
  python3 tests/many_calls.py "$demo/ref.fa" 2000 >"$made/many.vcf"
  "$program" score -V "$demo/calls.vcf" -I "$demo/reads.bam" -R "$demo/ref.fa" --filter -o "$made/to_view.vcf.gz"
  "$program" view -V "$made/to_view.vcf.gz" -I "$demo/reads.bam" -R "$demo/ref.fa" -o "$made/view.html"
  "$program" view -V "$made/many.vcf" -I "$demo/reads.bam" -R "$demo/ref.fa" --fast -o "$made/many.html"
  "$program" eval -V "$made/to_view.vcf.gz" --truth "$demo/truth.vcf.gz" --confident "$demo/confident.bed" -R "$demo/ref.fa" \
    --view -I "$demo/reads.bam" --fast -o "$made/worst"
  python3 tests/view_page.py "$made/view.html" "$made/many.html" "$made/worst"
}

# The page of `embed map`: pixels, legend, lasso, pointer, keys, exports; 50,000 and 1,000,000 calls.
stage_map_page() {
  need chromedriver chromium chromium-driver
  need python3 python3
  install_missing
  python3 tests/map_page.py "$program" "$demo"
}

# Maps and clusters of `embed map` beside scikit-learn, umap-learn, SciPy, AnnData and scanpy.
stage_embeddings() {
  need_file '/usr/lib/python3*/ensurepip' python3-venv
  install_missing
  tests/embedding.sh "$program"
}

# Most of the time goes into compiling.
stage_web_build() {
  web/build.sh
}

# The page of `web`: types of its scripts, its size, and the page in two browsers, beside the program.
stage_web() {
  need npx npm
  need chromedriver chromium chromium-driver
  need firefox-esr firefox-esr
  need python3 python3
  install_missing
  for project in web web/tsconfig.worker.json; do
    npx --yes --package "typescript@5.9.3" tsc -p "$project"
  done
  web/build.sh
  python3 tests/web_page.py target/web/cnnfilter.html "$program"
  python3 tests/firefox_page.py target/web/cnnfilter.html "$program"
}

# The Python package: its wheel, on the oldest and the newest CPython that are here.
stage_python() {
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  need_build
  install_missing
  python/tests/check.sh "$program"
}

# --- real data and GATK -------------------------------------------------------------------------------------------------
# Sets CNNFILTER_DATA and CNNFILTER_GATK_JAR; fetches GATK the first time.
real_data() {
  need java default-jre-headless
  need mvn maven
  install_missing
  export CNNFILTER_DATA=${CNNFILTER_DATA:-$(realpath ../shared/data)}
  [ -n "${CNNFILTER_GATK_JAR:-}" ] || CNNFILTER_GATK_JAR=$(examples/gatk_jar.sh)
  export CNNFILTER_GATK_JAR
}

stage_real_data() {
  real_data
  tests/run.sh --quiet --test it -- --ignored
}

# HaplotypeCaller piped into `score`: the same calls, with the scores that GATK gave.
stage_pipe() {
  real_data
  local name=NA12878.hg19.chr20_10.0-10.1M piped
  piped=$(mktemp -d)
  "$program" import "$CNNFILTER_GATK_JAR" -o "$piped/models"
  CNNFILTER=$program examples/haplotypecaller_pipe.sh "$CNNFILTER_DATA/ref/hg19.chr20.fa.gz" \
    "$CNNFILTER_DATA/reads/$name.52x.bam" "$piped/models/gatk-small-2d" "$piped/scored.vcf.gz" chr20:10000000-10100000
  # Position, alleles and score.
  columns() { zcat "$1" | grep -v '^#' | sed -E 's/^([^\t]*\t[^\t]*)\t[^\t]*\t([^\t]*\t[^\t]*)\t.*CNN_2D=([-0-9.]*).*/\1\t\2\t\3/'; }
  columns "$piped/scored.vcf.gz" >"$piped/ours"
  columns "$CNNFILTER_DATA/calls/$name.gatk4.6hc.cnn.vcf.gz" >"$piped/gatk"
  paste "$piped/ours" "$piped/gatk" | awk -F '\t' '
    $1 != $6 || $2 != $7 || $3 != $8 || $4 != $9 { print "other calls: " $0; bad = 1 }
    ($5 - $10) ^ 2 > 0.01 ^ 2 { print "other score: " $0; bad = 1 }
    END { print NR " calls through the pipe, compared with GATK"; exit bad || NR < 200 }'
  rm -rf "$piped"
}

# What the engines of stage_workflows need to be fetched and to run.
need_of_engines() {
  need java default-jre-headless
  need mvn maven
  need bcftools bcftools
  need tabix tabix
  need chromium chromium
  need python3 python3
  need_file '/usr/lib/python3*/ensurepip' python3-venv
  install_missing
}

# Fetches engines and GATK while other stages compile. What goes wrong here, the stages that need them try again and tell.
fetch_ahead() {
  need_of_engines
  { packaging/tests/engines.sh && examples/gatk_jar.sh && examples/gatk.sh --version; } >/dev/null 2>&1 &
}

# Modules and workflows of packaging/ on their engines, which are fetched the first time.
stage_workflows() {
  need_of_engines
  packaging/tests/run.sh "$program"
}

stage_supply_chain() {
  tests/supply_chain.sh
}

# --- before a release: slow builds of their own, a benchmark, and GATK --------------------------------------------------------
# `filter` beside GATK's FilterVariantTranches; the end-to-end tests hold what GATK gave on calls of their own.
stage_tranches() {
  real_data
  need bcftools bcftools
  need tabix tabix
  install_missing
  benches/compare/filter_variant_tranches.sh "$CNNFILTER_DATA" "$(realpath "$program")"
}

# The network in WebAssembly, by itself; stage_web compares the page with the program.
stage_wasm() {
  tests/wasm/run.sh
}

# Three simulated samples with one fault each: the first reason of `score --explain` names it.
stage_reasons() {
  real_data
  need art_illumina art-nextgen-simulation-tools
  need bwa bwa
  need samtools samtools
  need bcftools bcftools
  install_missing
  benches/compare/reasons.sh "$CNNFILTER_DATA" "$(realpath "$program")"
}

# Each way of installing that runs here, from nothing to a scored VCF.
stage_install() {
  need_build
  install_missing
  cargo build --release --locked --quiet
  .ci/install.sh
}

stage_fuzz() {
  need_build
  need g++ g++
  need clang clang
  install_missing
  tests/fuzz/run.sh 60
}
