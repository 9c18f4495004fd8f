// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"
	"fmt"
)

var (
	// ErrBadToken says that a JWT is not acceptable: forged, malformed, meant
	// for somebody else or outside its time.
	ErrBadToken = errors.New("token not acceptable")
	// ErrTokenTime says that a JWT is authentic but expired or not yet valid.
	// It wraps ErrBadToken.
	ErrTokenTime = fmt.Errorf("%w: outside its time", ErrBadToken)
	// ErrBadCapability says that a capability is truncated, forged or made for
	// another room, site or purpose. One answer for all of them.
	ErrBadCapability = errors.New("capability not acceptable")
	// ErrCapabilityExpired says that a capability is authentic but too old.
	ErrCapabilityExpired = errors.New("capability expired")
	// ErrBadKey says that a text is no public key of a page.
	ErrBadKey = errors.New("not a public key")
	// ErrBadMaster says that a stored master secret is damaged.
	ErrBadMaster = errors.New("stored signing key is damaged")
	// ErrTooLong says that something to be minted exceeds its format's limits.
	ErrTooLong = errors.New("too long for a token")
	// ErrBadJSON says that a JSON text is malformed, ambiguous (duplicate
	// names) or nested too deeply.
	ErrBadJSON = errors.New("malformed or ambiguous JSON")
)
