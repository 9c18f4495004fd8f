// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package room holds the rooms of one engine: who is in them, what they may
// do, which tracks there are and who receives which.
//
// Each Room is an actor: one goroutine owns everything in it and takes its
// work from a bounded mailbox; a Directory maps keys to rooms. The package
// owns membership, permissions, subscriptions, the rhythm of negotiation and
// the fan-out of data packets.
//
// It knows no wire format, opens no socket, reads no media and writes no
// name, room or token to any log. Participants are spoken to through Conn and
// Session (package signaling); media goes through Media, MediaRoom and Peer
// (package sfu). Neither of them ever blocks a room, and a room never waits
// for a slow participant: such a one loses its connection and resumes.
package room
