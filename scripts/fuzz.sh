#!/usr/bin/env bash
# Fuzzes each target (or those named) for SECONDS_EACH seconds, with coverage, on the stable compiler. What it finds
# beyond the committed corpus stays in target/fuzz; a crash is kept there too, and belongs into the corpus once mended.
#
#   scripts/fuzz.sh [target ...]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-60}
out=$PWD/target/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')

# The flags that cargo-fuzz uses, without its address sanitizer, which is the part that needs a nightly compiler: the
# targets are safe Rust throughout.
flags=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1)
RUSTFLAGS="${flags[*]}" cargo build --release --locked --quiet --target "$host" --target-dir "$out/build" \
  --manifest-path tests/fuzz/driver/Cargo.toml
fuzz=$out/build/$host/release/fuzz

mapfile -t all < <(find tests/fuzz/corpus -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
targets=("${@:-${all[@]}}")
status=0
for target in "${targets[@]}"; do
  mkdir -p "$out/found/$target" "$out/crashes"
  log=$out/$target.log
  if FUZZ_TARGET=$target "$fuzz" -max_total_time="$seconds" -max_len=1024 -artifact_prefix="$out/crashes/$target-" \
    -print_final_stats=1 "$out/found/$target" "tests/fuzz/corpus/$target" 2>"$log"; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(grep -oE 'cov: [0-9]+' "$log" | tail -n1 | cut -c6-)
    echo "$target: $runs runs in $seconds s, $edges edges, no failure"
  else
    status=1
    echo "$target: FAILED, see $log and $out/crashes"
  fi
done
exit "$status"
