// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package rtpx

import "errors"

// What Parse refuses.
var (
	// ErrShort means that the packet ends inside its own header.
	ErrShort = errors.New("rtp header is truncated")
	// ErrVersion means that the version is not 2.
	ErrVersion = errors.New("rtp version is not 2")
	// ErrPadding means that the padding count is zero or longer than the payload.
	ErrPadding = errors.New("rtp padding count is out of range")
)
