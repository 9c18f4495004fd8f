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

// FailureError is a classified failure with a reason for whoever looks after the mail.
type FailureError struct {
	// Class is one of this package's errors.
	Class error
	// Reason is noted with the letter.
	Reason Reason
}

// Error returns the class and the reason.
func (f *FailureError) Error() string { return f.Class.Error() + ": " + string(f.Reason) }

// Unwrap returns the class.
func (f *FailureError) Unwrap() error { return f.Class }
