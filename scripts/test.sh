#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The videoroom authors
# SPDX-License-Identifier: Apache-2.0
#
# The checks of the repository.
#
#   scripts/test.sh all          everything CI runs; installs what is missing
#   scripts/test.sh quick        formatting, vet, Go tests with -short
#   scripts/test.sh lint|go|process|sdk|web|wire|fuzz|build
#   scripts/test.sh e2e [name…]  browser tests, all or e2e/test/<name>.test.mjs
#
# Every step runs even when one before it failed. The last line counts tests:
# "videoroom: N passed, N failed".
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

cache=${XDG_CACHE_HOME:-$HOME/.cache}/videoroom
golangci=v2.15.0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# The product is built without cgo; one setting for vet, lint and build keeps
# one build cache. The race detector alone needs cgo.
export CGO_ENABLED=0
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"

passed=0 failed=0
count() { # passed failed
  passed=$((passed + $1))
  failed=$((failed + $2))
}

# run <name> <command…>: the step's output goes to a log; its counts are read
# from lines that say "N passed, N failed", else the step itself counts as one.
run() {
  local name=$1 began=$SECONDS rc=0
  shift
  "$@" >"$logs/$name" 2>&1 || rc=$?
  echo "$rc $((SECONDS - began))" >"$logs/$name.rc"
}

report() { # name
  local rc secs p f counted
  read -r rc secs <"$logs/$1.rc"
  printf '\n=== %s: %s (%ss)\n' "$1" "$([ "$rc" = 0 ] && echo ok || echo FAIL)" "$secs"
  cat "$logs/$1"
  counted=$(grep -aEo '[0-9]+ passed, [0-9]+ failed' "$logs/$1" | tail -1)
  if [ -n "$counted" ]; then
    p=${counted%% *} f=$(sed -E 's/.*, ([0-9]+) failed/\1/' <<<"$counted")
    [ "$rc" != 0 ] && [ "$f" = 0 ] && f=1
    count "$p" "$((10#$f))"
  elif [ "$rc" = 0 ]; then count 1 0; else count 0 1; fi
}

step() { # name command…: run in the foreground and report
  run "$@"
  report "$1"
}

# ---- the steps

do_fmt() {
  local bad
  bad=$(find . \( -name node_modules -o -name .git \) -prune -o -name '*.go' -print0 | xargs -0 gofmt -l)
  [ -z "$bad" ] || { echo "not formatted (gofmt -w):"; echo "$bad"; return 1; }
}

do_vet() { go vet ./...; }

do_lint() {
  local bin=$cache/golangci-lint-$golangci
  if [ ! -x "$bin/golangci-lint" ]; then
    mkdir -p "$bin" && GOBIN=$bin go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$golangci" || return 1
  fi
  "$bin/golangci-lint" run ./...
}

do_build() {
  mkdir -p e2e/out && go build -o e2e/out/caddy ./cmd/caddy && e2e/out/caddy list-modules --skip-standard
}

# Only these packages differ between systems; the rest would compile Caddy anew for each.
do_cross() {
  local target rc=0
  for target in darwin/arm64 windows/amd64 freebsd/amd64; do
    GOOS=${target%/*} GOARCH=${target#*/} go vet ./port/... ./sfu/... || { echo "$target: does not build"; rc=1; }
  done
  return $rc
}

# counts the top-level tests of "go test -v"; of a package that passed it shows
# the last line, of one that failed everything but the passes
summarise_go() {
  awk '
    /^--- PASS/ { p++; next } /^--- FAIL/ { f++ } /^--- SKIP/ { s++ }
    /^(=== (RUN|PAUSE|CONT|NAME)|PASS$| *--- PASS)/ { next }
    /^ok[ \t]/ { print; buffer = ""; next }
    /^\?[ \t]/ { buffer = ""; next }
    /^FAIL[ \t]/ { printf "%s%s\n", buffer, $0; buffer = ""; broken++; next }
    { buffer = buffer $0 "\n" }
    END { printf "%s", buffer; if (broken && !f) f = broken
          printf "go: %d passed, %d failed (%d skipped)\n", p, f, s }'
}

# Whole processes under load have a step of their own: beside other packages
# they would measure those.
packages() { go list ./... | grep -v /e2e/process; }

do_go() {
  # shellcheck disable=SC2046
  CGO_ENABLED=1 go test -race -shuffle=on -timeout 8m -v $(packages) 2>&1 | summarise_go
  return "${PIPESTATUS[0]}"
}

do_process() {
  VIDEOROOM_CADDY=$PWD/e2e/out/caddy go test -count=1 -timeout 8m -v ./e2e/process 2>&1 | summarise_go
  return "${PIPESTATUS[0]}"
}

# Clients wait for the network most of the time.
do_sdk() {
  (cd e2e/golang-sdk && CADDY=$OLDPWD/e2e/out/caddy go test -count=1 -parallel 8 -timeout 8m -v . 2>&1) | summarise_go
  return "${PIPESTATUS[0]}"
}

do_go_short() {
  go test -short -timeout 4m -v ./... 2>&1 | summarise_go
  return "${PIPESTATUS[0]}"
}

do_fuzz() { scripts/fuzz.sh; }

# same <dir> <command…>: runs what generates dir and fails when it changed
same() {
  local dir=$1 before rc=0
  shift
  before=$(mktemp -d)
  cp -a "$dir/." "$before/"
  "$@" || rc=$?
  if [ "$rc" -eq 0 ]; then
    diff -rq "$before" "$dir" || { echo "$dir is stale: run make generate and commit it"; rc=1; }
  fi
  rm -rf "$before"
  return $rc
}

do_wire() { scripts/generate-wire.sh --check; }

do_web() {
  local out=$logs/vitest
  (
    cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error &&
      npx --no-install biome ci . && (cd ../e2e && ../web/node_modules/.bin/biome ci .) &&
      npx --no-install tsc --noEmit && NO_COLOR=1 npx --no-install vitest run >"$out" 2>&1
  ) || { cat "$out" 2>/dev/null; return 1; }
  # "Tests  3 failed | 62 passed (65)"
  sed -nE 's/^ *Tests +(([0-9]+) failed \| )?([0-9]+) passed.*/web: \3 passed, 0\2 failed/p' "$out"
  same web/dist npm --prefix web run build
}

do_deps() { scripts/install-deps.sh; }

do_e2e() {
  (cd e2e && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || return 1
  # Some tests join with livekit-client itself.
  [ -d web/node_modules/livekit-client ] ||
    (cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || return 1
  e2e/run.sh "$@"
}

finish() {
  echo
  echo "videoroom: $passed passed, $failed failed"
  [ "$failed" -eq 0 ]
  exit
}

case "${1:-all}" in
all)
  export FUZZTIME=${FUZZTIME:-8s} # "make fuzz" takes longer
  # Two lanes on two cores: packages and the user interface wait for the
  # network most of the time, while Go compiles.
  {
    run deps do_deps
    run web do_web
  } &
  lane=$!
  for s in fmt build vet lint wire cross; do step $s "do_$s"; done
  wait "$lane"
  report deps
  report web
  for s in go fuzz process e2e; do step $s "do_$s"; done
  ;;
process) for s in build process; do step $s "do_$s"; done ;;
sdk) for s in build sdk; do step $s "do_$s"; done ;;
quick) for s in fmt vet go_short; do step $s "do_$s"; done ;;
lint) for s in fmt vet lint; do step $s "do_$s"; done ;;
e2e)
  shift
  step deps do_deps
  step build do_build
  step e2e do_e2e "$@"
  ;;
fmt | vet | build | cross | go | web | wire | fuzz | deps) step "$1" "do_$1" ;;
*)
  echo "unknown step: $1" >&2
  exit 2
  ;;
esac
finish
