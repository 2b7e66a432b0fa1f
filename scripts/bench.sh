#!/usr/bin/env bash
# Prints the marks of docs/benchmarks.md, with the machine they were measured on. Installs what the client in Python
# needs, which nothing else here does.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh python3-pyscard python3-cryptography ||
  echo "bench: the client in Python lacks its packages and is left out" >&2
(cd tests/peers && npm ci --no-progress --silent) || echo "bench: PouchDB is left out" >&2
cargo build --release --locked --quiet --package citizen-kiosk --package testbed --package central --package card-simulator
echo "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n1), $(uname -sr), $(date -u +%F)"
target/release/citizen-bench "$@" 2> >(grep -v SpiRegistry >&2)
# The other benchmarks print their own lines; with an argument only the kiosk's are wanted.
[[ $# -gt 0 ]] || for bench in "store feed" "central publication" "central uploads"; do
  read -r package name <<<"$bench"
  echo "== $package, $name"
  cargo bench --locked --quiet --package "$package" --bench "$name"
done
