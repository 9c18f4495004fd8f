#!/bin/sh
# SPDX-FileCopyrightText: 2026 The videoroom authors
# SPDX-License-Identifier: Apache-2.0
#
# Generates signaling/wire/*.pb.go from signaling/wire/*.proto.
#
#   scripts/generate-wire.sh          writes the files
#   scripts/generate-wire.sh --check  fails when the committed files are stale
#
# Needs Go, Node and npm. The compiler comes from npm in the version below, the
# Go generator from the module that go.mod pins; both live in a temporary
# directory that is removed at the end.
set -eu

buf_version=1.75.0

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT INT TERM
cd "$root"

go build -o "$tools/protoc-gen-go" google.golang.org/protobuf/cmd/protoc-gen-go

printf '{"private":true}\n' >"$tools/package.json"
npm install --prefix "$tools" --no-save --no-audit --no-fund --silent "@bufbuild/buf@$buf_version" >/dev/null

# Only the schema is copied, so that the compiler looks at nothing else.
mkdir -p "$tools/in/signaling/wire" "$tools/out"
cp signaling/wire/*.proto "$tools/in/signaling/wire/"
cat >"$tools/in/buf.gen.yaml" <<EOF
version: v2
plugins:
  - local: $tools/protoc-gen-go
    out: $tools/out
    opt: paths=source_relative
EOF
printf 'version: v2\n' >"$tools/in/buf.yaml"
(cd "$tools/in" && BUF_CACHE_DIR="$tools/cache" "$tools/node_modules/.bin/buf" generate)

generated=$tools/out/signaling/wire
for file in "$generated"/*.pb.go; do
	gofmt -w "$file"
done

if [ "${1:-}" = --check ]; then
	stale=0
	for file in "$generated"/*.pb.go; do
		cmp -s "$file" "signaling/wire/${file##*/}" || { echo "stale: signaling/wire/${file##*/}" >&2; stale=1; }
	done
	for file in signaling/wire/*.pb.go; do
		[ -e "$generated/${file##*/}" ] || { echo "without schema: $file" >&2; stale=1; }
	done
	exit "$stale"
fi
cp "$generated"/*.pb.go signaling/wire/
