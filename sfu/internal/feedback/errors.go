// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package feedback

import "errors"

// What Read refuses. The history is then as it was before.
var (
	// ErrShort says that the packet ends before what it announces.
	ErrShort = errors.New("transport feedback too short")
	// ErrType says that the packet is no transport-wide feedback, payload type
	// 205 with format 15.
	ErrType = errors.New("not transport feedback")
	// ErrPadding says that the padding is longer than the packet's content.
	ErrPadding = errors.New("transport feedback with invalid padding")
)
