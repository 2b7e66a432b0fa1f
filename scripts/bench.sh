#!/usr/bin/env bash
# Prints the marks of docs/benchmarks.md, with the machine they were measured on.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked --quiet --package citizen-kiosk --package testbed --package central --package card-simulator
echo "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n1), $(uname -sr), $(date -u +%F)"
target/release/citizen-bench "$@" 2> >(grep -v SpiRegistry >&2)
