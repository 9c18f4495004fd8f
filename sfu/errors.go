// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import "errors"

var (
	// ErrBadOffer tells that an SDP offer cannot be served; nothing has changed.
	ErrBadOffer = errors.New("bad offer")
	// ErrBadAnswer tells that an SDP answer does not fit our offer; nothing has
	// changed.
	ErrBadAnswer = errors.New("bad answer")
	// ErrBufferFull tells that a client reads its data channel too slowly.
	ErrBufferFull = errors.New("data channel buffer full")
	// ErrNoChannel tells that the client has not opened the data channel yet.
	ErrNoChannel = errors.New("data channel not open")
	// ErrClosed tells that the peer, the room or the plane has been closed.
	ErrClosed = errors.New("closed")
	// ErrUnknownTrack tells that a track does not exist in the room.
	ErrUnknownTrack = errors.New("unknown track")
	// ErrTooMany tells that a limit of tracks or peers is reached.
	ErrTooMany = errors.New("too many")
)
