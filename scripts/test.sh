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

# Runs a script of the screens, and puts its summary into `ui_summary`. Vitest colours it even without a terminal.
screens() {
  (cd ui && npm run --silent "$1") 2>&1 | tee "$log/ui"
  ui_status=${PIPESTATUS[0]}
  ui_summary=$(sed 's/\x1b\[[0-9;]*m//g' "$log/ui" | grep -E '^ *Tests ' | tail -n1)
}

passed=0 failed=0 status=0
# A runner that died before its summary has failed even if it counted nothing.
add() {
  local summary=$1 code=$2 bad
  bad=$(number failed "$summary")
  [[ $code -eq 0 || $bad -gt 0 ]] || bad=1
  passed=$((passed + $(number passed "$summary"))) failed=$((failed + bad)) status=$((status | code))
}

add "$rust_summary" "$rust_status"
screens test
add "$ui_summary" "$ui_status"
screens test:browser
add "$ui_summary" "$ui_status"
[[ $passed -gt 0 ]] || status=1
echo "$passed passed, $failed failed"
exit "$status"
