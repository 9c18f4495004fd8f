// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import "errors"

var (
	// ErrKey says that the master key cannot be read or kept. There is no
	// fallback: a new key would silently void every link in use.
	ErrKey = errors.New("signing key")
	// ErrUnknownHost says that no site of that id has such a host.
	ErrUnknownHost = errors.New("no such host")
)
