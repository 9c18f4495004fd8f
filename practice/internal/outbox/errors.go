// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package outbox

import "errors"

// How a sender's failures are classified. An error that wraps none of them
// counts as unclear.
var (
	// ErrTemporary says that the letter was not accepted now and may be later.
	ErrTemporary = errors.New("mail not accepted now")
	// ErrPermanent says that the letter will never be accepted.
	ErrPermanent = errors.New("mail refused")
	// ErrUnclear says that the letter may have been accepted.
	ErrUnclear = errors.New("mail may have been accepted")
)
