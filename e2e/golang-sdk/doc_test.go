// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package tests runs unmodified clients of LiveKit's Go SDK against a Caddy
// with videoroom: it is the second independent client beside browsers. It owns
// the server it starts and nothing of the module it tests.
//
// Every test runs in both topologies the SDK has: two connections per
// participant (v0, the SDK's default, and what native SDKs use) and one (v1).
//
// Environment: CADDY names a binary to test instead of a fresh build of this
// repository. SERVER is the address of a running server with these tests' key
// and secret, for comparison. SDK_LOG=1 shows the SDK's log. VECTORS=write makes
// the frames in testdata/sdk.json anew.
package tests
