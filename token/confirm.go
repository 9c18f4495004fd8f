// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
)

// What a claim cnf says of our holders' keys (RFC 7800, RFC 8037).
const (
	keyType  = "OKP"
	keyCurve = "Ed25519"
)

type (
	wireConfirm struct {
		JWK wireKey `json:"jwk"`
	}
	wireKey struct {
		Type  string `json:"kty"`
		Curve string `json:"crv"`
		X     string `json:"x"`
	}
)

// ParseKey reads an Ed25519 public key: 32 octets in base64url without padding,
// in their one spelling. It returns [ErrBadKey].
func ParseKey(text string) (ed25519.PublicKey, error) {
	raw, err := decode(text)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: not 32 octets in base64url", ErrBadKey)
	}
	return raw, nil
}

// ValidKey tells whether [ParseKey] takes a text.
func ValidKey(text string) bool {
	_, err := ParseKey(text)
	return err == nil
}

// parseConfirm returns the key of a claim cnf; empty where there is none or where
// it is of another kind, which other issuers are free to use.
func parseConfirm(raw json.RawMessage) string {
	var jwk json.RawMessage
	m, err := object(raw)
	if err != nil || fields(m, map[string]any{"jwk": &jwk}) != nil {
		return ""
	}
	var k wireKey
	m, err = object(jwk)
	if err != nil || fields(m, map[string]any{"kty": &k.Type, "crv": &k.Curve, "x": &k.X}) != nil {
		return ""
	}
	if k.Type != keyType || k.Curve != keyCurve || !ValidKey(k.X) {
		return ""
	}
	return k.X
}
