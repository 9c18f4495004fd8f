// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

const (
	masterSize  = 32
	masterLabel = "videoroom-master-1"
)

// purpose separates the keys derived from one master secret.
type purpose string

const (
	purposeMedia       purpose = "media"
	purposeVisit       purpose = "visit"
	purposeHost        purpose = "host"
	purposeHostSession purpose = "host-session"
	purposeGrant       purpose = "grant"
	purposePseudonym   purpose = "pseudonym"
	purposeRelay       purpose = "relay"
	purposeGuest       purpose = "guest"
	purposeStanding    purpose = "standing"
)

// Keys is a master secret. Its zero value is invalid; use [NewKeys] or
// [ParseKeys]. It is immutable and safe for concurrent use.
type Keys struct {
	master [masterSize]byte
}

// NewKeys draws a new master secret.
func NewKeys() *Keys {
	k := new(Keys)
	_, _ = rand.Read(k.master[:]) // never fails: crypto/rand ends the process instead
	return k
}

// ParseKeys reads what [Keys.Marshal] wrote. A damaged record returns
// [ErrBadMaster]; there is no fallback, because new keys would silently void
// every link in use.
func ParseKeys(record []byte) (*Keys, error) {
	fields := strings.Fields(string(record))
	if len(fields) != 3 || fields[0] != masterLabel {
		return nil, fmt.Errorf("%w: %d bytes, not a %s record", ErrBadMaster, len(record), masterLabel)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(fields[1])
	if err != nil || len(raw) != masterSize {
		return nil, fmt.Errorf("%w: wrong length or alphabet", ErrBadMaster)
	}
	if subtle.ConstantTimeCompare([]byte(checksum(raw)), []byte(fields[2])) != 1 {
		return nil, fmt.Errorf("%w: checksum does not match", ErrBadMaster)
	}
	k := new(Keys)
	copy(k.master[:], raw)
	return k, nil
}

// Marshal returns the record to be stored: one line of text with a checksum,
// which tells a flipped bit from a key of another installation.
func (k *Keys) Marshal() []byte {
	return fmt.Appendf(nil, "%s %s %s\n", masterLabel,
		base64.RawURLEncoding.EncodeToString(k.master[:]), checksum(k.master[:]))
}

// String redacts the secret.
func (k *Keys) String() string { return "token.Keys(redacted)" }

// GoString redacts the secret.
func (k *Keys) GoString() string { return k.String() }

// checksum is derived with a label of its own, so that it tells nothing about
// the keys in use.
func checksum(master []byte) string {
	sum := sha256.Sum256(append([]byte(masterLabel+" checksum\x00"), master...))
	return hex.EncodeToString(sum[:4])
}

// derive returns the 32-byte key of one purpose and site (RFC 5869).
func (k *Keys) derive(p purpose, site string) []byte {
	// The purpose holds no NUL, hence no two pairs share an info string.
	key, err := hkdf.Key(sha256.New, k.master[:], nil, "videoroom/1\x00"+string(p)+"\x00"+site, sha256.Size)
	if err != nil {
		// Unreachable: the length is fixed, and FIPS mode accepts 32-byte secrets.
		// A random key fits nothing, which is the safe side.
		key = make([]byte, sha256.Size)
		_, _ = rand.Read(key)
	}
	return key
}
