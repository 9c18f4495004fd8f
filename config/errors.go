// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import "errors"

var (
	// ErrInvalid is wrapped by every error about a value that can never be
	// accepted.
	ErrInvalid = errors.New("invalid")
	// ErrNotYet is wrapped by every error about a value that is understood but
	// cannot be served by this version.
	ErrNotYet = errors.New("not available yet")
)

// FieldError says which setting is refused, why, and what to write instead.
type FieldError struct {
	// Field is the setting's word in a Caddyfile, such as "media_port".
	Field string
	// Owner is what the field belongs to where that is not the site, such as
	// "host muster"; empty otherwise.
	Owner string
	// Fix says what is wrong and what to write instead.
	Fix string
	// Kind is ErrInvalid or ErrNotYet.
	Kind error
}

// Error returns the field, the owner if any, and the fix. It never holds the
// value of a secret.
func (e *FieldError) Error() string {
	field := e.Field
	if e.Owner != "" {
		field = e.Owner + ": " + field
	}
	if errors.Is(e.Kind, ErrNotYet) {
		return field + ": " + ErrNotYet.Error() + ": " + e.Fix
	}
	return field + ": " + e.Fix
}

// Unwrap returns the kind.
func (e *FieldError) Unwrap() error { return e.Kind }

func invalid(field, fix string) error {
	return &FieldError{Field: field, Fix: fix, Kind: ErrInvalid}
}

func notYet(field, fix string) error {
	return &FieldError{Field: field, Fix: fix, Kind: ErrNotYet}
}

// ownedBy says whose field an error is about; the outer owner is named first.
func ownedBy(err error, owner string) error {
	if fe, ok := errors.AsType[*FieldError](err); ok {
		if fe.Owner != "" {
			owner += ": " + fe.Owner
		}
		fe.Owner = owner
	}
	return err
}
