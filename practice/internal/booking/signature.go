// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Scheme is the name of the signature in the Authorization header.
const Scheme = "VR1"

// Tolerance is how far the clocks of both sides may be apart.
const Tolerance = 5 * time.Minute

var (
	// ErrNoSignature says that a header is not of our scheme or malformed.
	ErrNoSignature = errors.New("booking: no signature")
	// ErrWrong says that a signature is not that of the request.
	ErrWrong = errors.New("booking: wrong signature")
	// ErrClock says that a signature is too old or of the future.
	ErrClock = errors.New("booking: signed at another time")
	// ErrReplay says that a signature has been used before.
	ErrReplay = errors.New("booking: signature used twice")
	// ErrCrowded says that more signatures came than are remembered.
	ErrCrowded = errors.New("booking: too many requests")
)

// Signature is what a request's header claims.
type Signature struct {
	Key  string
	Time time.Time
	// stamp is the time as it was written and signed.
	stamp string
	mac   [sha256.Size]byte
}

// Speaks tells whether a header is of this scheme, whatever else is in it.
func Speaks(header string) bool {
	return len(header) > len(Scheme) && strings.EqualFold(header[:len(Scheme)], Scheme) && header[len(Scheme)] == ' '
}

// Parse reads "VR1 key=…, ts=…, sig=…". Each word stands once, in any order. The
// error is [ErrNoSignature].
func Parse(header string) (Signature, error) {
	if !Speaks(header) || len(header) > 512 {
		return Signature{}, ErrNoSignature
	}
	words := make(map[string]string, 3)
	for part := range strings.SplitSeq(header[len(Scheme)+1:], ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := words[name]; !ok || twice || value == "" {
			return Signature{}, ErrNoSignature
		}
		words[name] = value
	}
	at, ok := parseStamp(words["ts"])
	if !ok || len(words) != 3 || words["key"] == "" {
		return Signature{}, ErrNoSignature
	}
	s := Signature{Key: words["key"], Time: at, stamp: words["ts"]}
	mac, err := hex.DecodeString(words["sig"])
	if err != nil || len(mac) != len(s.mac) {
		return Signature{}, ErrNoSignature
	}
	copy(s.mac[:], mac)
	return s, nil
}

// parseStamp reads seconds since 1970, with up to nine decimals: two like
// requests within one second are then two.
func parseStamp(text string) (time.Time, bool) {
	whole, part, decimals := strings.Cut(text, ".")
	if decimals && (part == "" || len(part) > 9) || len(whole) > 12 {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseUint(whole, 10, 63)
	nanos, errPart := strconv.ParseUint((part + "000000000")[:9], 10, 63)
	if err != nil || errPart != nil {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), int64(nanos)), true
}

// Check verifies a signature over a request. target is the path with its query,
// as it stands in the request line. Errors are [ErrWrong] and [ErrClock].
func (s Signature) Check(secret, method, target string, body []byte, now time.Time) error {
	want := sum(secret, method, target, s.stamp, body)
	switch away := now.Sub(s.Time); {
	case !hmac.Equal(want[:], s.mac[:]):
		return ErrWrong
	case away > Tolerance || away < -Tolerance:
		return ErrClock
	}
	return nil
}

// Sign returns the Authorization header of a request.
func Sign(key, secret, method, target string, body []byte, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	if n := at.Nanosecond(); n > 0 {
		stamp += fmt.Sprintf(".%09d", n)
	}
	mac := sum(secret, method, target, stamp, body)
	return Scheme + " key=" + key + ", ts=" + stamp + ", sig=" + hex.EncodeToString(mac[:])
}

// sum is HMAC-SHA-256 over five lines: scheme, method, target, time, and the
// SHA-256 of the body in hexadecimal digits.
func sum(secret, method, target, stamp string, body []byte) [sha256.Size]byte {
	digest := sha256.Sum256(body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strings.Join([]string{
		Scheme, method, target, stamp, hex.EncodeToString(digest[:]),
	}, "\n")))
	return [sha256.Size]byte(mac.Sum(nil))
}
