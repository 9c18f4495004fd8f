// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import "errors"

// Errors that Tokens.Verify and Call.Admit may wrap to be told apart. Any
// other error of Verify counts as ErrToken.
var (
	// ErrToken tells a token that is forged, expired or grants no room.
	ErrToken = errors.New("invalid token")
	// ErrIncomplete tells a valid token without identity or room.
	ErrIncomplete = errors.New("incomplete token")
	// ErrNoRoom tells a room that must exist before it is joined and does not.
	ErrNoRoom = errors.New("no such room")
)

// Errors of data packets; see DataCodec.
var (
	// ErrDataTooLarge tells a packet beyond MaxDataPacket.
	ErrDataTooLarge = errors.New("data packet too large")
	// ErrDataMalformed tells a packet that does not decode, or decodes to less
	// or more than one payload.
	ErrDataMalformed = errors.New("malformed data packet")
	// ErrDataForbidden tells a packet that clients may not send.
	ErrDataForbidden = errors.New("forbidden data packet")
)

// Errors of requests, each with a close code in closeFor.
var (
	errMalformed = errors.New("malformed message")
	errLimit     = errors.New("message beyond a limit")
	errFlood     = errors.New("too many messages")
	errRoomBusy  = errors.New("room takes no request")
)

// Errors of the join request in the URL.
var (
	errNoJoinRequest  = errors.New("no join request")
	errBadJoinRequest = errors.New("malformed join request")
	errHugeJoin       = errors.New("join request too large")
	errOldClient      = errors.New("client too old")
)
