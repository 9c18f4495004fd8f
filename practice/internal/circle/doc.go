// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package circle keeps who holds keys together in one room: it takes the words
// of pages and of hosts who let them in, makes the rosters of vr-e2ee-1
// (PROTOCOL-E2EE.md) from them, and passes messages on, numbered, so that a cut
// connection loses nothing.
//
// It holds no key and is trusted by no page: whatever it says is checked there.
// What it checks itself keeps pages from being disturbed.
//
// A [Circle] is plain state: no socket, no goroutine, no clock. Everything that
// happens comes with its time, and [Circle.Due] says when time itself is next to
// be told. It is not safe for concurrent use; calls never wait.
package circle
