// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package sdp reads the offers of browsers and SDKs and writes the answers of
// an ICE-lite, DTLS-passive, fully bundled server (RFC 8829, RFC 8843). It owns
// the limits on what an offer may contain. It refuses to negotiate: which
// section carries what is the caller's decision.
package sdp
