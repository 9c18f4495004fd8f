// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/rand"
	"encoding/base32"
)

const idSize = 16

var b32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID draws 128 random bits as 26 characters of [a-z2-7]: room ids,
// identities, token ids. Room ids become parts of paths, hence the alphabet.
func NewID() string {
	var raw [idSize]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the process instead
	return idText(raw[:])
}

// IDFrom spells 128 bits as [NewID] does.
func IDFrom(raw [idSize]byte) string { return idText(raw[:]) }

// NewSecret draws 128 random bits as 22 characters of base64url.
func NewSecret() string {
	var raw [idSize]byte
	_, _ = rand.Read(raw[:])
	return b64.EncodeToString(raw[:])
}

// ValidID tells whether s is the one spelling of 128 bits that [NewID] gives.
func ValidID(s string) bool {
	if len(s) != b32.EncodedLen(idSize) {
		return false
	}
	raw, err := b32.DecodeString(s)
	return err == nil && idText(raw) == s
}

func idText(raw []byte) string { return b32.EncodeToString(raw[:idSize]) }
