// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import "errors"

// What callers of this package tell apart with errors.Is.
var (
	// ErrFull tells that every place in the room is taken.
	ErrFull = errors.New("room is full")
	// ErrClosing tells that the engine is shutting down and takes nobody in.
	ErrClosing = errors.New("engine is closing")
	// ErrRevoked tells that the token was revoked by a removal.
	ErrRevoked = errors.New("token is revoked")
	// ErrBadJoin tells that a join is incomplete or exceeds a limit.
	ErrBadJoin = errors.New("bad join")
	// ErrUnknownParticipant tells that there is no such participant, or one
	// that cannot be resumed.
	ErrUnknownParticipant = errors.New("unknown participant")
	// ErrUnknownTrack tells that the participant has no such track.
	ErrUnknownTrack = errors.New("unknown track")
	// ErrTooLarge tells that metadata or attributes exceed their limit.
	ErrTooLarge = errors.New("metadata is too large")
	// ErrBusy tells that the engine holds as many rooms as it may, or that a
	// room's mailbox is full. Trying again later may succeed.
	ErrBusy = errors.New("engine is busy")
	// ErrEnded tells that the room has ended.
	ErrEnded = errors.New("room has ended")
)
