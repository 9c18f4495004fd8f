#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The videoroom authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs the browser tests one file after the other: e2e/run.sh [name or file…].
# Expects e2e/out/caddy (scripts/test.sh build) and installed packages. Starts
# a private sound server, without which Firefox has no audio clock, and ends it.
# The last line is "e2e: N passed, N failed".
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
mkdir -p out
tmp=$(mktemp -d)

export XDG_RUNTIME_DIR=$tmp/run
mkdir -m 700 "$XDG_RUNTIME_DIR"
pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disallow-exit=yes \
  -L "module-native-protocol-unix auth-anonymous=1 socket=$tmp/pulse" \
  -L 'module-null-sink sink_name=null' >"$tmp/pulse.log" 2>&1 &
pulse=$!
trap 'kill "$pulse" 2>/dev/null; wait "$pulse" 2>/dev/null; rm -rf "$tmp"' EXIT
for _ in $(seq 50); do [ -S "$tmp/pulse" ] && break; sleep 0.1; done
[ -S "$tmp/pulse" ] || { echo "e2e: the sound server did not start"; cat "$tmp/pulse.log"; }
export PULSE_SERVER=unix:$tmp/pulse

files=()
if [ $# -gt 0 ]; then
  for name in "$@"; do
    if [ -f "$name" ]; then files+=("$name"); else files+=("test/${name%.test.mjs}.test.mjs"); fi
  done
else
  files=(test/*.test.mjs)
fi

# The processes of one file do not outlive it, and no file waits for another.
passed=0 failed=0
for f in "${files[@]}"; do
  echo "--- $f"
  timeout --kill-after=20 "${E2E_FILE_TIMEOUT:-420}" node --test --test-concurrency=1 ${E2E_NAME:+"--test-name-pattern=$E2E_NAME"} \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$tmp/tap" "$f"
  rc=$?
  p=$(sed -n 's/^# pass //p' "$tmp/tap" | tail -1)
  n=$(sed -n 's/^# \(fail\|cancelled\) //p' "$tmp/tap" | awk '{ s += $1 } END { print s + 0 }')
  [ "$rc" -ne 0 ] && [ "$n" = 0 ] && n=1
  passed=$((passed + ${p:-0})) failed=$((failed + n))
done
echo "e2e: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
