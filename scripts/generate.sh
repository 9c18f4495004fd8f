#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The videoroom authors
# SPDX-License-Identifier: Apache-2.0
#
# Makes what is committed but generated: the wire schema's Go code and the
# built user interface with the digests of its files. `scripts/test.sh` fails when either is stale.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/generate-wire.sh
(cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run build)
scripts/hashes.sh >web/hashes.txt
