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
)
