#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The videoroom authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs every fuzz target of the main module for FUZZTIME (20s), two at a time, and
# ends with "fuzz: N passed, N failed".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
time=${FUZZTIME:-20s}
lanes=${FUZZLANES:-2}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

targets=$(grep -rEo --include='*_test.go' --exclude-dir=node_modules --exclude-dir=bench --exclude-dir=impair --exclude-dir=golang-sdk '^func Fuzz[A-Za-z0-9_]+' . |
  sed -E 's|^\./([^:]*/)?[^/:]+:func (Fuzz.*)$|\1 \2|; s|^ |./ |' | sed -E 's|/ | |' | sort -u)
[ -n "$targets" ] || { echo "fuzz: no target found" >&2; exit 1; }

one() { # dir target
  local log="$out/${1//\//_}.$2" rc=0
  go test "./$1" -run '^$' -fuzz "^$2\$" -fuzztime "$time" -parallel 1 >"$log" 2>&1 || rc=$?
  # go test can take the end of the fuzzing time itself for a failure
  # (golang.org/issue/75804); a real one writes its input down.
  if grep -q '^    context deadline exceeded$' "$log" && ! grep -q 'Failing input' "$log"; then rc=0; fi
  if [ "$rc" -eq 0 ]; then
    printf 'ok    %s %s  %s\n' "$1" "$2" "$(grep -Eo 'execs: [0-9]+' "$log" | tail -1)"
  else
    printf 'FAIL  %s %s\n' "$1" "$2"
    cat "$log"
  fi
  echo "$rc" >"$log.rc"
}
export -f one
export out time
printf '%s\n' "$targets" | xargs -P "$lanes" -L 1 bash -c 'one "$0" "$1"'

passed=0 failed=0
for rc in "$out"/*.rc; do
  if [ "$(cat "$rc")" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
