// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import "errors"

// Errors of this package. Read also returns os.ErrDeadlineExceeded and, after
// Close, net.ErrClosed.
var (
	// ErrDropped tells that the kernel had no room for a datagram.
	ErrDropped = errors.New("datagram dropped")
	// ErrTooBig tells that a datagram is longer than UDP carries.
	ErrTooBig = errors.New("datagram too big")
	// ErrAddress tells that an address cannot be reached from the socket: it is
	// invalid or of a family that the socket does not have.
	ErrAddress = errors.New("address not usable on this socket")
	// ErrShared tells that somebody else reads the socket.
	ErrShared = errors.New("the socket is shared")
	// ErrNotUDP tells that a connection to share is no UDP socket.
	ErrNotUDP = errors.New("not a UDP socket")
	// ErrNotFirst tells that another wrapper has put itself around the socket.
	ErrNotFirst = errors.New("another packet conn wrapper stands before videoroom")
)
