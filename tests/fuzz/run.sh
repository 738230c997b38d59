#!/usr/bin/env bash
# Builds the fuzz targets and runs each for a while: run.sh [SECONDS-PER-TARGET] [TARGET...]
# Prints the executions of each; exits with 1 if one crashed, hung or took too much memory.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-20}
[ $# -eq 0 ] || shift
all=(vcf reads model regions import sample_map labels cram)
targets=("${all[@]}")
[ $# -eq 0 ] || targets=("$@")

host=$(rustc -vV | sed -n 's/^host: //p')
# What `cargo fuzz build` sets: coverage for libFuzzer, and AddressSanitizer. The host is named so that
# build scripts are built without. Sanitizers are an unstable option, which RUSTC_BOOTSTRAP allows in any toolchain.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
export RUSTFLAGS="$coverage --cfg fuzzing -Zsanitizer=address -Ccodegen-units=4"
# The same for C, htslib's above all, by the compiler that is LLVM's as well.
export "CC_${host//-/_}=clang"
flags="-fsanitize=address -fsanitize-coverage=inline-8bit-counters,pc-table,trace-cmp"
export "CFLAGS_${host//-/_}=$flags -fno-omit-frame-pointer -gline-tables-only"
RUSTC_BOOTSTRAP=1 cargo build --release --locked --target "$host" --quiet

mkdir -p artifacts

# fuzz TARGET: runs one and prints a line about it.
fuzz() {
  local target=$1 log=work/$1.log options verdict executions
  mkdir -p "work/$target"
  # A pickle that contains itself is never freed, which is no harm to a program that ends; htslib has two globals of one name.
  options=detect_leaks=0:detect_odr_violation=0
  # A few bytes of CRAM may declare any size. htslib asks for as much, and is refused what is large.
  [ "$target" != cram ] || options+=:allocator_may_return_null=1:max_allocation_size_mb=64
  verdict=ok
  ASAN_OPTIONS=$options RUST_BACKTRACE=0 "target/$host/release/$target" "work/$target" "corpus/$target" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=512 \
    -artifact_prefix="artifacts/$target-" -print_final_stats=1 -verbosity=1 >"$log" 2>&1 || verdict="FAILED ($log)"
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  echo "$target: ${executions:-no} executions in $seconds s, $verdict"
  [ "$verdict" = ok ] || { grep -aE 'panicked at|SUMMARY|ERROR: |Test unit written' -A1 "$log" | head -12 || true; return 1; }
}

# As many at a time as there are processors.
failed=0
for target in "${targets[@]}"; do
  [ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n || failed=1
  fuzz "$target" &
done
while [ -n "$(jobs -p)" ]; do
  wait -n || failed=1
done
exit $failed
