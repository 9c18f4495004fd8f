// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package signaling speaks the client protocol: it takes the WebSocket of each
// participant, translates its messages to requests of package room and the
// room's messages back to the wire, and answers pings.
//
// It owns the connections: their goroutines, queues, limits and timers. A
// connection outlives the HTTP request that opened it and holds nothing of it.
//
// It refuses what the wire must not carry inward: bad tokens, foreign origins,
// clients older than protocol 13, frames, strings and lists beyond their
// limits, and floods. It knows neither rooms' rules nor media: it never looks
// into an SDP, and it keeps no address, name or token.
//
// Package wire beneath it holds the generated message types.
package signaling
