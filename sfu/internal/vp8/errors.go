// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp8

import "errors"

// ErrShort means that a payload ends inside its descriptor or has nothing
// behind it.
var ErrShort = errors.New("vp8 payload is truncated")
