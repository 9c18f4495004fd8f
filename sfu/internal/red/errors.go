// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package red

import "errors"

var (
	// ErrShort means that a payload ends inside its headers, or before the
	// blocks that these announce.
	ErrShort = errors.New("red payload is truncated")
	// ErrBlocks means that a payload has more blocks than anybody sends.
	ErrBlocks = errors.New("red payload has too many blocks")
)
