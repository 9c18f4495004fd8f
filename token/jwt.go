// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxSize is the longest token accepted or minted, in bytes.
const MaxSize = 4 << 10

// Types of tokens: the header's typ (RFC 8725 §3.11). Tokens of server SDKs
// say "JWT" or nothing.
const (
	TypeOwn = "vr+jwt"
	TypeJWT = "JWT"
)

// Leeways forgive clocks that differ.
const (
	LeewayOwn = 30 * time.Second
	LeewayAPI = 60 * time.Second
)

// Rules is what a token must fulfil beside its signature.
type Rules struct {
	// Type is [TypeOwn] or [TypeJWT].
	Type string
	// Issuer must equal iss.
	Issuer string
	// Audience must be the only aud; empty: not looked at.
	Audience string
	// Leeway applies to exp and nbf.
	Leeway time.Duration
	// Now is the time of the check.
	Now time.Time
}

// RulesOwn are the rules of our own tokens for a site.
func RulesOwn(site string, now time.Time) Rules {
	return Rules{Type: TypeOwn, Issuer: issuer, Audience: site, Leeway: LeewayOwn, Now: now}
}

// RulesAPI are the rules of tokens that other software signed with an API key.
func RulesAPI(apiKey string, now time.Time) Rules {
	return Rules{Type: TypeJWT, Issuer: apiKey, Leeway: LeewayAPI, Now: now}
}

var b64 = base64.RawURLEncoding.Strict()

// Sign mints a JWT (HS256). Claims without expiry are refused with
// [ErrBadToken], results above [MaxSize] with [ErrTooLong].
func Sign(key []byte, typ string, c Claims) (string, error) {
	if c.Expires.IsZero() || len(key) == 0 {
		return "", fmt.Errorf("signing without expiry or key: %w", ErrBadToken)
	}
	payload, err := c.marshal()
	if err != nil {
		return "", fmt.Errorf("encoding claims: %w", err)
	}
	signed := b64.EncodeToString([]byte(`{"alg":"HS256","typ":"`+typ+`"}`)) + "." + b64.EncodeToString(payload)
	token := signed + "." + b64.EncodeToString(mac(key, []byte(signed)))
	if len(token) > MaxSize {
		return "", fmt.Errorf("token of %d bytes: %w", len(token), ErrTooLong)
	}
	return token, nil
}

// Verify checks a JWT. Nothing of it is interpreted before its signature is
// found right. All errors wrap [ErrBadToken].
func Verify(key []byte, token string, r Rules) (Claims, error) {
	parts, ok := split(token)
	if !ok || len(key) == 0 || r.Issuer == "" {
		return Claims{}, ErrBadToken
	}
	want := mac(key, []byte(token[:len(parts[0])+1+len(parts[1])]))
	if got, err := decode(parts[2]); err != nil || !hmac.Equal(got, want) {
		return Claims{}, ErrBadToken
	}
	if typ, err := header(parts[0]); err != nil || !sameType(typ, r.Type) {
		return Claims{}, ErrBadToken
	}
	payload, err := decode(parts[1])
	if err != nil {
		return Claims{}, ErrBadToken
	}
	c, err := parseClaims(payload)
	if err != nil || c.Issuer != r.Issuer || c.Expires.IsZero() {
		return Claims{}, ErrBadToken
	}
	if r.Audience != "" && !slices.Equal(c.Audience, []string{r.Audience}) {
		return Claims{}, ErrBadToken
	}
	if !r.Now.Before(c.Expires.Add(r.Leeway)) || r.Now.Add(r.Leeway).Before(c.NotBefore) {
		return Claims{}, ErrTokenTime
	}
	return c, nil
}

// Peek reads type and issuer of a token without verifying anything. It serves
// to choose the key for [Verify] and for nothing else.
func Peek(token string) (typ, iss string, err error) {
	parts, ok := split(token)
	if !ok {
		return "", "", ErrBadToken
	}
	if typ, err = header(parts[0]); err != nil {
		return "", "", ErrBadToken
	}
	payload, err := decode(parts[1])
	if err != nil {
		return "", "", ErrBadToken
	}
	m, err := object(payload)
	if err != nil || fields(m, map[string]any{"iss": &iss}) != nil {
		return "", "", ErrBadToken
	}
	return typ, iss, nil
}

func split(token string) (parts [3]string, ok bool) {
	if len(token) > MaxSize {
		return parts, false
	}
	fields := strings.Split(token, ".")
	if len(fields) != len(parts) {
		return parts, false
	}
	for i, f := range fields {
		if f == "" {
			return parts, false
		}
		parts[i] = f
	}
	return parts, true
}

// decode refuses line breaks, which encoding/base64 would skip.
func decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, ErrBadToken
	}
	return b64.DecodeString(s)
}

// header returns the typ of a JOSE header. Every member but alg and typ is
// refused: crit, kid, jku, jwk, zip and the like steer verifiers astray.
func header(part string) (typ string, err error) {
	raw, err := decode(part)
	if err != nil {
		return "", ErrBadToken
	}
	m, err := object(raw)
	if err != nil {
		return "", ErrBadToken
	}
	for name, value := range m {
		var s string
		if string(value) == "null" || json.Unmarshal(value, &s) != nil {
			return "", ErrBadToken
		}
		switch name {
		case "alg":
			if s != "HS256" {
				return "", ErrBadToken
			}
		case "typ":
			typ = s
			if s == "" {
				return "", ErrBadToken
			}
		default:
			return "", ErrBadToken
		}
	}
	if _, ok := m["alg"]; !ok {
		return "", ErrBadToken
	}
	return typ, nil
}

func sameType(got, want string) bool {
	if want == TypeJWT {
		// Several SDKs omit typ or write it in lower case (RFC 7519 §5.1).
		return got == "" || strings.EqualFold(got, TypeJWT)
	}
	return got == want
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}
