#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The videoroom authors
# SPDX-License-Identifier: Apache-2.0
#
# Prints the digest of each script and style of web/dist as a site tells it at
# /.well-known/videoroom-integrity.json: scripts/hashes.sh >web/hashes.txt
# With an address it compares what that site tells: scripts/hashes.sh https://praxis.example
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../web/dist"
list() {
  find . -type f \( -name '*.js' -o -name '*.css' \) -printf '%P\n' | LC_ALL=C sort | while read -r file; do
    printf 'sha384-%s  %s\n' "$(openssl dgst -sha384 -binary "$file" | openssl base64 -A)" "$file"
  done
}
if [ $# -eq 0 ]; then
  list
  exit
fi
# What the module itself adds beside web/dist is not of the build.
told=$(curl -fsS "$1/.well-known/videoroom-integrity.json" |
  sed -nE 's/^ +"([^"]+\.(js|css))": "(sha384-[^"]+)",?$/\3  \1/p' | grep -v '  a/plain\.css$' | LC_ALL=C sort -k2)
if [ "$told" = "$(list)" ]; then
  echo "the site serves the scripts and styles of these sources"
else
  diff <(list) <(echo "$told") || true
  echo "the site serves other scripts or styles than these sources" >&2
  exit 1
fi
