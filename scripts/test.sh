#!/usr/bin/env bash
# Runs every test and adds all runners up; the last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

number() { grep -oE "[0-9]+ $1" <<<"$2" | head -n1 | grep -oE '[0-9]+' || echo 0; }

cargo nextest run --workspace --locked --no-fail-fast 2>&1 | tee "$log/rust"
rust_status=${PIPESTATUS[0]}
rust_summary=$(grep -E '^ *Summary' "$log/rust" | tail -n1)

(cd ui && npm run --silent test) 2>&1 | tee "$log/ui"
ui_status=${PIPESTATUS[0]}
# Vitest colours its summary even without a terminal.
ui_summary=$(sed 's/\x1b\[[0-9;]*m//g' "$log/ui" | grep -E '^ *Tests ' | tail -n1)

passed=$(($(number passed "$rust_summary") + $(number passed "$ui_summary")))
failed=$(($(number failed "$rust_summary") + $(number failed "$ui_summary")))
# A runner that died before its summary has failed even if it counted nothing.
[[ $rust_status -eq 0 || $(number failed "$rust_summary") -gt 0 ]] || failed=$((failed + 1))
[[ $ui_status -eq 0 || $(number failed "$ui_summary") -gt 0 ]] || failed=$((failed + 1))
status=$((rust_status | ui_status))
[[ $passed -gt 0 ]] || status=1
echo "$passed passed, $failed failed"
exit "$status"
