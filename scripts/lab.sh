#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The videoroom authors
# SPDX-License-Identifier: Apache-2.0
#
# Calls through two network namespaces with a filter between them: Caddy at
# 10.77.0.1, the browsers at 10.77.0.2, unless a test renumbers them. Runs
# e2e/lab/*.test.mjs, or those named, which change the filter while people
# talk: scripts/lab.sh [name…]. CADDY names a binary to use instead of a fresh
# build. Needs root. For "quality", "reading" and "joining" the host's and the
# visitor's browser get a namespace each, with a line to the server that
# e2e/impair makes as bad as the test wants; everything else then stays as it
# is. On a machine that is not idle E2E_PRIORITY=-10 puts all of it before other
# sessions: late frames are a result there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ "$(id -u)" -eq 0 ] || { echo "lab: needs root (network namespaces)" >&2; exit 1; }
if [ -z "${CADDY:-}" ]; then
  scripts/test.sh deps
  scripts/test.sh build
  for d in e2e web; do (cd "$d" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); done
fi

id=$$
srv=vrs$id cli=vrc$id
lines="" impair=""
cleanup() {
  if [ -n "$lines" ]; then
    kill "$impair" 2>/dev/null && wait "$impair" 2>/dev/null || true
    ip netns del "$srv-host" 2>/dev/null || true
    ip netns del "$srv-visitor" 2>/dev/null || true
    rm -rf "$lines"
  fi
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

# Every session has its own share of the processors, browsers are sessions.
[ -z "${E2E_PRIORITY:-}" ] || echo "$E2E_PRIORITY" >/proc/self/autogroup

# Lines of their own for the browsers. The server's ends have no address: it is
# 10.77.0.1 for everybody, and each browser has but one way to it.
lay_lines() {
  lines=$(mktemp -d)
  (cd impair && CGO_ENABLED=0 go build -o "$lines/impair" .)
  ip netns add "$srv-host"
  ip netns add "$srv-visitor"
  # Late timers would be jitter: the line goes before everything else.
  local first=()
  chrt -r 5 true 2>/dev/null && first=(chrt -r 5)
  "${first[@]}" "$lines/impair" run -control "$lines/control" \
    "host:$srv-host:vr0:$srv:vrh" "visitor:$srv-visitor:vr0:$srv:vrv" >"$lines/log" 2>&1 &
  impair=$!
  for _ in $(seq 100); do grep -q ready "$lines/log" && break; sleep 0.1; done
  grep -q ready "$lines/log" || { cat "$lines/log" >&2; return 1; }
  local ns addr dev
  while read -r ns addr dev; do
    ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    ip -n "$ns" link set lo up
    ip -n "$ns" addr add "$addr/32" dev vr0
    ip -n "$ns" link set vr0 up txqueuelen 2000
    ip -n "$ns" route add default dev vr0
    ip -n "$srv" link set "$dev" addrgenmode none
    ip -n "$srv" link set "$dev" up txqueuelen 2000
    ip -n "$srv" route add "$addr/32" dev "$dev" src 10.77.0.1
  done <<END
$srv-host 10.78.1.2 vrh
$srv-visitor 10.78.2.2 vrv
END
  # A browser starts where E2E_LINE says. What drives Firefox talks to a port of
  # its loopback, which is therefore handed on.
  cat >"$lines/chromium" <<END
#!/bin/sh
[ -z "\$E2E_PRIORITY" ] || echo "\$E2E_PRIORITY" >/proc/self/autogroup
[ -n "\$E2E_LINE" ] || exec "${CHROMIUM:-/usr/bin/chromium}" "\$@"
exec ip netns exec "$srv-\$E2E_LINE" "${CHROMIUM:-/usr/bin/chromium}" "\$@"
END
  cat >"$lines/firefox" <<END
#!/bin/bash
[ -z "\$E2E_PRIORITY" ] || echo "\$E2E_PRIORITY" >/proc/self/autogroup
[ -n "\$E2E_LINE" ] || exec "${FIREFOX:-/usr/bin/firefox-esr}" "\$@"
port=\$((20000 + RANDOM % 12000))
setpriv --pdeathsig TERM "$lines/impair" forward -netns "$srv-\$E2E_LINE" \$port >/dev/null 2>&1 &
exec ip netns exec "$srv-\$E2E_LINE" "${FIREFOX:-/usr/bin/firefox-esr}" "\${@/#--remote-debugging-port=0/--remote-debugging-port=\$port}"
END
  chmod +x "$lines/chromium" "$lines/firefox"
  export CHROMIUM=$lines/chromium FIREFOX=$lines/firefox E2E_IMPAIR=$lines/control
}
case " ${files[*]} " in
*" lab/quality.test.mjs "* | *" lab/reading.test.mjs "* | *" lab/joining.test.mjs "*)
  lay_lines
  E2E_FILE_TIMEOUT=5400
  ;;
esac
ip netns exec "$cli" ./run.sh "${files[@]}"
