// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"errors"
	"fmt"
)

// ErrBadOffer is wrapped by every error of ParseOffer.
var ErrBadOffer = errors.New("bad offer")

// The reasons why ParseOffer refuses an offer.
var (
	// ErrTooLarge: a limit on octets, lines, sections or codecs is exceeded.
	ErrTooLarge = fmt.Errorf("%w: too large", ErrBadOffer)
	// ErrSyntax: the text is no session description (RFC 8866), or an attribute
	// that matters here is malformed.
	ErrSyntax = fmt.Errorf("%w: malformed", ErrBadOffer)
	// ErrBundle: sections are not all in one BUNDLE group (RFC 8843).
	ErrBundle = fmt.Errorf("%w: sections not bundled", ErrBadOffer)
	// ErrICE: user fragment or password is missing or out of bounds (RFC 8839
	// section 5.4).
	ErrICE = fmt.Errorf("%w: ICE credentials", ErrBadOffer)
	// ErrFingerprint: no SHA-256 certificate fingerprint (RFC 8122).
	ErrFingerprint = fmt.Errorf("%w: no SHA-256 fingerprint", ErrBadOffer)
	// ErrSetup: the offerer will not be the DTLS client (RFC 8842).
	ErrSetup = fmt.Errorf("%w: DTLS role", ErrBadOffer)
	// ErrRTCPMux: a section does not multiplex RTP and RTCP (RFC 5761).
	ErrRTCPMux = fmt.Errorf("%w: RTCP not multiplexed", ErrBadOffer)
)
