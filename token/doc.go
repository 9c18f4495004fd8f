// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package token mints and verifies everything that lets somebody in: media
// tokens (JWT, RFC 7519, HS256 alone) of our own and of LiveKit-compatible
// server SDKs, and the compact capabilities behind visitor links, host links
// and room grants.
//
// It owns the key hierarchy: one 32-byte master secret, from which HKDF
// (RFC 5869) derives one key per purpose and site, so that nothing minted for
// one purpose or site is ever valid for another. It keeps no state, knows no
// room and no clock: the caller passes the time. It refuses every algorithm
// but HS256, every unknown header member, duplicate JSON names, tokens above
// 4 KiB and tokens without an expiry.
package token
