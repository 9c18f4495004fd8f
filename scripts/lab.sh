#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The videoroom authors
# SPDX-License-Identifier: Apache-2.0
#
# Calls through two network namespaces with a filter between them: Caddy at
# 10.77.0.1, the browsers at 10.77.0.2, unless a test renumbers them. Runs
# e2e/lab/*.test.mjs, or those named, which change the filter while people
# talk: scripts/lab.sh [name…]. CADDY names a binary to use instead of a fresh
# build. Needs root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ "$(id -u)" -eq 0 ] || { echo "lab: needs root (network namespaces)" >&2; exit 1; }
if [ -z "${CADDY:-}" ]; then
  scripts/test.sh deps
  scripts/test.sh build
  (cd e2e && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
fi

id=$$
srv=vrs$id cli=vrc$id
cleanup() {
  ip netns del "$srv" 2>/dev/null || true
  ip netns del "$cli" 2>/dev/null || true
  rm -rf "/etc/netns/$srv" "/etc/netns/$cli"
}
trap cleanup EXIT
ip netns add "$srv"
ip netns add "$cli"
ip link add vr0 netns "$srv" type veth peer name vr0 netns "$cli"
for side in "$srv 10.77.0.1" "$cli 10.77.0.2"; do
  read -r ns addr <<<"$side"
  ip -n "$ns" link set lo up
  ip -n "$ns" addr add "$addr/24" dev vr0
  ip -n "$ns" link set vr0 up
  # "ip netns exec" puts this in the place of /etc/hosts. Firefox takes no
  # address for a relay over TLS, only a name.
  mkdir -p "/etc/netns/$ns"
  printf '%s\n' '127.0.0.1 localhost' '203.0.113.10 public.test' '10.77.0.1 private.test' >"/etc/netns/$ns/hosts"
done

export E2E_ADDRESS=10.77.0.1 E2E_CADDY_PREFIX="ip netns exec $srv" E2E_FILTER_NS=$srv
export E2E_FILE_TIMEOUT=${E2E_FILE_TIMEOUT:-1200}
cd e2e
files=(lab/*.test.mjs)
if [ $# -gt 0 ]; then
  files=("${@/#/lab/}")
  files=("${files[@]/%/.test.mjs}")
fi
ip netns exec "$cli" ./run.sh "${files[@]}"
