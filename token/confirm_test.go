// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"
)

func pageKey(t *testing.T) string {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b64.EncodeToString(pub)
}

func TestKeyInMediaTokens(t *testing.T) {
	k, now, key := NewKeys(), time.Now(), pageKey(t)
	a := Admission{Site: "a.example", Room: NewID(), Identity: NewID(), Key: key}
	raw, err := k.Media(a, now)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := decode(strings.Split(raw, ".")[1])
	if want := `"cnf":{"jwk":{"kty":"OKP","crv":"Ed25519","x":"` + key + `"}}`; err != nil || !strings.Contains(string(payload), want) {
		t.Errorf("%s %v", payload, err)
	}
	if c, err := k.VerifyMedia("a.example", raw, now); err != nil || c.Key != key {
		t.Error(c.Key, err)
	}
	a.Key = ""
	raw, _ = k.Media(a, now)
	if c, err := k.VerifyMedia("a.example", raw, now); err != nil || c.Key != "" {
		t.Error(c.Key, err)
	}
	for _, bad := range []string{"x", key + "A", key[:42], key[:42] + "\n", key[:21] + "\n" + key[22:], key + "=", key[:42] + "_"} {
		a.Key = bad
		if _, err := k.Media(a, now); !errors.Is(err, ErrBadKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What other issuers write into cnf is their business.
func TestForeignConfirmations(t *testing.T) {
	key := pageKey(t)
	for cnf, want := range map[string]string{
		`{"jwk":{"kty":"OKP","crv":"Ed25519","x":"` + key + `"}}`:       key,
		`{"jwk":{"x":"` + key + `","crv":"Ed25519","kty":"OKP","a":1}}`: key,
		`{"jwk":{"kty":"OKP","crv":"X25519","x":"` + key + `"}}`:        "",
		`{"jwk":{"kty":"EC","crv":"Ed25519","x":"` + key + `"}}`:        "",
		`{"jwk":{"kty":"OKP","crv":"Ed25519","x":"` + key + `A"}}`:      "",
		`{"jwk":{"kty":"OKP","crv":"Ed25519","x":1}}`:                   "",
		`{"jwk":[]}`:    "",
		`{"jkt":"abc"}`: "",
		`"text"`:        "",
		`null`:          "",
		`{"jwk":null}`:  "",
		`{"JWK":{"kty":"OKP","crv":"Ed25519","x":"` + key + `"}}`: "",
	} {
		c, err := parseClaims([]byte(`{"iss":"x","cnf":` + cnf + `}`))
		if err != nil || c.Key != want {
			t.Errorf("%s: %q %v", cnf, c.Key, err)
		}
	}
}
