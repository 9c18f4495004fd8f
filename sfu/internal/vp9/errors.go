// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp9

import "errors"

var (
	// ErrShort means that a payload ends inside its descriptor or has nothing
	// behind it.
	ErrShort = errors.New("vp9 payload is truncated")
	// ErrReferences means that a descriptor names more than three references.
	ErrReferences = errors.New("vp9 descriptor has too many references")
)
