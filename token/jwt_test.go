// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var (
	testKey = []byte("secret-of-the-test-0123456789abcdef")
	testNow = time.Unix(1_800_000_000, 0)
)

const goodHeader = `{"alg":"HS256","typ":"JWT"}`

// forge signs any header and payload, right or wrong.
func forge(key []byte, header, payload string) string {
	return forgeWith(sha256.New, key, header, payload)
}

func forgeWith(h func() hash.Hash, key []byte, header, payload string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(payload))
	m := hmac.New(h, key)
	m.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func payload(extra string) string {
	return fmt.Sprintf(`{"iss":"key","sub":"ann","exp":%d,"video":{"roomJoin":true,"room":"r"}%s}`, testNow.Unix()+60, extra)
}

func exp(text string) string { return `{"iss":"key","sub":"ann","exp":` + text + `}` }

func TestBadTokens(t *testing.T) {
	good := forge(testKey, goodHeader, payload(""))
	if _, err := Verify(testKey, good, RulesAPI("key", testNow)); err != nil {
		t.Fatalf("the good token is refused: %v", err)
	}
	parts := strings.Split(good, ".")
	h, p, s := parts[0], parts[1], parts[2]
	flipped := []byte(s)
	flipped[0] ^= 1
	header := func(text string) string { return forge(testKey, text, payload("")) }
	body := func(text string) string { return forge(testKey, goodHeader, text) }
	deep := strings.Repeat("[", 17) + strings.Repeat("]", 17)
	bad := map[string]string{
		"empty":                        "",
		"one dot":                      h + "." + p,
		"no dots":                      h,
		"four parts":                   good + "." + s,
		"five parts (JWE)":             h + "." + p + "." + s + "." + s + "." + s,
		"empty signature":              h + "." + p + ".",
		"empty header":                 "." + p + "." + s,
		"empty payload":                h + ".." + s,
		"only dots":                    "..",
		"leading space":                " " + good,
		"trailing space":               good + " ",
		"trailing newline":             good + "\n",
		"newline inside the signature": h + "." + p + "." + s[:5] + "\n" + s[5:],
		"bearer prefix":                "Bearer " + good,
		"padding":                      good + "=",
		"standard alphabet":            h + "." + p + "." + strings.Repeat("+", len(s)),
		"truncated signature":          good[:len(good)-1],
		"half a signature":             good[:len(good)-22],
		"longer signature":             good + "AAAA",
		"non-canonical signature":      h + "." + p + "." + s[:len(s)-1] + noncanonical(s[len(s)-1]),
		"flipped signature":            h + "." + p + "." + string(flipped),
		"signature of another":         h + "." + p + "." + strings.Split(body(payload(`,"name":"x"`)), ".")[2],
		"wrong key":                    forge([]byte("another key"), goodHeader, payload("")),
		"empty key":                    forge(nil, goodHeader, payload("")),
		"hash of HS384":                forgeWith(sha512.New384, testKey, goodHeader, payload("")),
		"too long":                     body(payload(`,"name":"` + strings.Repeat("x", MaxSize) + `"`)),
		"alg none":                     header(`{"alg":"none","typ":"JWT"}`),
		"alg none, no signature":       base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + p + ".",
		"alg None":                     header(`{"alg":"None","typ":"JWT"}`),
		"alg nOnE":                     header(`{"alg":"nOnE","typ":"JWT"}`),
		"alg empty":                    header(`{"alg":"","typ":"JWT"}`),
		"alg missing":                  header(`{"typ":"JWT"}`),
		"alg null":                     header(`{"alg":null,"typ":"JWT"}`),
		"alg number":                   header(`{"alg":256,"typ":"JWT"}`),
		"alg list":                     header(`{"alg":["HS256"],"typ":"JWT"}`),
		"alg lower case":               header(`{"alg":"hs256","typ":"JWT"}`),
		"alg HS384":                    header(`{"alg":"HS384","typ":"JWT"}`),
		"alg HS512":                    header(`{"alg":"HS512","typ":"JWT"}`),
		"alg RS256":                    header(`{"alg":"RS256","typ":"JWT"}`),
		"alg ES256":                    header(`{"alg":"ES256","typ":"JWT"}`),
		"alg EdDSA":                    header(`{"alg":"EdDSA","typ":"JWT"}`),
		"alg spelled Alg":              header(`{"Alg":"HS256","typ":"JWT"}`),
		"alg twice":                    header(`{"alg":"none","alg":"HS256","typ":"JWT"}`),
		"our type":                     header(`{"alg":"HS256","typ":"vr+jwt"}`),
		"other type":                   header(`{"alg":"HS256","typ":"at+jwt"}`),
		"empty type":                   header(`{"alg":"HS256","typ":""}`),
		"type not text":                header(`{"alg":"HS256","typ":1}`),
		"kid":                          header(`{"alg":"HS256","typ":"JWT","kid":"../../dev/null"}`),
		"jku":                          header(`{"alg":"HS256","typ":"JWT","jku":"https://a.example/k"}`),
		"jwk":                          header(`{"alg":"HS256","typ":"JWT","jwk":{"kty":"oct","k":"AA"}}`),
		"x5u":                          header(`{"alg":"HS256","typ":"JWT","x5u":"https://a.example/c"}`),
		"crit":                         header(`{"alg":"HS256","typ":"JWT","crit":["exp"]}`),
		"b64 false":                    header(`{"alg":"HS256","typ":"JWT","b64":false}`),
		"zip":                          header(`{"alg":"HS256","typ":"JWT","zip":"DEF"}`),
		"header is a list":             header(`["HS256"]`),
		"header is null":               header(`null`),
		"header is text":               header(`"HS256"`),
		"header with tail":             header(goodHeader + `{}`),
		"header not JSON":              header(`alg=HS256`),
		"header empty object":          header(`{}`),
		"payload not JSON":             body(`iss=key`),
		"payload list":                 body(`[]`),
		"payload null":                 body(`null`),
		"payload cut":                  body(payload("")[:20]),
		"payload with tail":            body(payload("") + " 1"),
		"payload invalid UTF-8":        body(payload(",\"name\":\"\xff\"")),
		"payload too deep":             body(payload(`,"x":` + deep)),
		"no exp":                       body(`{"iss":"key","sub":"ann"}`),
		"exp spelled EXP":              body(fmt.Sprintf(`{"iss":"key","EXP":%d}`, testNow.Unix()+60)),
		"exp null":                     body(exp("null")),
		"exp text":                     body(exp(`"1800000060"`)),
		"exp zero":                     body(exp("0")),
		"exp negative":                 body(exp("-5")),
		"exp huge":                     body(exp("1e300")),
		"exp overflow":                 body(exp("1e999")),
		"exp list":                     body(exp("[1800000060]")),
		"exp passed":                   body(exp(fmt.Sprint(testNow.Unix() - 60))),
		"exp twice":                    body(`{"iss":"key","exp":1,"exp":1800000060}`),
		"nbf ahead":                    body(payload(fmt.Sprintf(`,"nbf":%d`, testNow.Unix()+61))),
		"nbf text":                     body(payload(`,"nbf":"0"`)),
		"iss missing":                  body(fmt.Sprintf(`{"sub":"ann","exp":%d}`, testNow.Unix()+60)),
		"iss of another":               body(fmt.Sprintf(`{"iss":"kez","exp":%d}`, testNow.Unix()+60)),
		"iss prefix":                   body(fmt.Sprintf(`{"iss":"ke","exp":%d}`, testNow.Unix()+60)),
		"iss list":                     body(fmt.Sprintf(`{"iss":["key"],"exp":%d}`, testNow.Unix()+60)),
		"sub twice":                    body(payload(`,"sub":"eve"`)),
		"sub number":                   body(fmt.Sprintf(`{"iss":"key","sub":7,"exp":%d}`, testNow.Unix()+60)),
		"video twice":                  body(payload(`,"video":{}`)),
		"video text":                   body(fmt.Sprintf(`{"iss":"key","exp":%d,"video":"all"}`, testNow.Unix()+60)),
		"video list":                   body(fmt.Sprintf(`{"iss":"key","exp":%d,"video":[]}`, testNow.Unix()+60)),
		"room twice":                   body(fmt.Sprintf(`{"iss":"key","exp":%d,"video":{"room":"a","room":"b"}}`, testNow.Unix()+60)),
		"roomJoin text":                body(fmt.Sprintf(`{"iss":"key","exp":%d,"video":{"roomJoin":"true"}}`, testNow.Unix()+60)),
		"canPublish number":            body(fmt.Sprintf(`{"iss":"key","exp":%d,"video":{"canPublish":1}}`, testNow.Unix()+60)),
		"sources text":                 body(fmt.Sprintf(`{"iss":"key","exp":%d,"video":{"canPublishSources":"camera"}}`, testNow.Unix()+60)),
		"attributes of numbers":        body(payload(`,"attributes":{"a":1}`)),
		"aud number":                   body(payload(`,"aud":1`)),
	}
	if len(bad) < 60 {
		t.Fatalf("only %d bad tokens", len(bad))
	}
	for name, token := range bad {
		if c, err := Verify(testKey, token, RulesAPI("key", testNow)); !errors.Is(err, ErrBadToken) || c.Subject != "" {
			t.Errorf("%s: claims %+v, error %v", name, c, err)
		}
	}
	if _, err := Verify(nil, forge(nil, goodHeader, payload("")), RulesAPI("key", testNow)); !errors.Is(err, ErrBadToken) {
		t.Error("an empty key verifies")
	}
	if _, err := Verify(testKey, body(fmt.Sprintf(`{"exp":%d}`, testNow.Unix()+60)), RulesAPI("", testNow)); !errors.Is(err, ErrBadToken) {
		t.Error("an empty issuer verifies")
	}
}

// noncanonical returns a last character that differs only in the unused bits.
func noncanonical(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

func TestTimes(t *testing.T) {
	for _, tc := range []struct {
		name     string
		exp, nbf time.Duration
		leeway   time.Duration
		ok       bool
	}{
		{"in time", time.Minute, -time.Minute, 0, true},
		{"last second of leeway", -59 * time.Second, -time.Hour, LeewayAPI, true},
		{"leeway over", -60 * time.Second, -time.Hour, LeewayAPI, false},
		{"own leeway", -29 * time.Second, -time.Hour, LeewayOwn, true},
		{"own leeway over", -30 * time.Second, -time.Hour, LeewayOwn, false},
		{"early within leeway", time.Hour, 30 * time.Second, LeewayOwn, true},
		{"too early", time.Hour, 31 * time.Second, LeewayOwn, false},
	} {
		token, err := Sign(testKey, TypeJWT, Claims{Issuer: "key", Expires: testNow.Add(tc.exp), NotBefore: testNow.Add(tc.nbf)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = Verify(testKey, token, Rules{Type: TypeJWT, Issuer: "key", Leeway: tc.leeway, Now: testNow})
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err != nil && !errors.Is(err, ErrTokenTime) {
			t.Errorf("%s: not a matter of time: %v", tc.name, err)
		}
	}
	frac := forge(testKey, goodHeader, exp(fmt.Sprintf("%d.75", testNow.Unix()+5)))
	if c, err := Verify(testKey, frac, RulesAPI("key", testNow)); err != nil || c.Expires.Unix() != testNow.Unix()+5 {
		t.Errorf("fractions: %v %v", c.Expires, err)
	}
}

func TestTypesOfSDKs(t *testing.T) {
	for _, h := range []string{goodHeader, `{"typ":"jwt","alg":"HS256"}`, `{"alg":"HS256"}`} {
		token := forge(testKey, h, payload(`,"aud":["a","b"]`))
		c, err := Verify(testKey, token, RulesAPI("key", testNow))
		if err != nil || c.Identity() != "ann" || len(c.Audience) != 2 {
			t.Errorf("%s: %+v %v", h, c, err)
		}
		if _, iss, err := Peek(token); err != nil || iss != "key" {
			t.Errorf("%s: peeked %q %v", h, iss, err)
		}
	}
	old := forge(testKey, goodHeader, fmt.Sprintf(`{"iss":"key","jti":"old","exp":%d}`, testNow.Unix()+60))
	if c, err := Verify(testKey, old, RulesAPI("key", testNow)); err != nil || c.Identity() != "old" {
		t.Errorf("identity in jti: %q %v", c.Identity(), err)
	}
}

func TestGrantDefaults(t *testing.T) {
	no, yes := false, true
	for _, tc := range []struct {
		name                           string
		v                              Video
		publish, subscribe, data, meta bool
	}{
		{"silent", Video{}, true, true, true, false},
		{"publish denied", Video{CanPublish: &no}, false, true, false, false},
		{"data alone", Video{CanPublish: &no, CanPublishData: &yes}, false, true, true, false},
		{"sources supersede", Video{CanPublish: &no, CanPublishSources: []string{"camera"}}, true, true, false, false},
		{"subscribe denied", Video{CanSubscribe: &no}, true, false, true, false},
		{"metadata", Video{CanUpdateOwnMetadata: &yes}, true, true, true, true},
	} {
		v := tc.v
		if v.MayPublish() != tc.publish || v.MaySubscribe() != tc.subscribe || v.MayPublishData() != tc.data || v.MayUpdateMetadata() != tc.meta {
			t.Errorf("%s: %v %v %v %v", tc.name, v.MayPublish(), v.MaySubscribe(), v.MayPublishData(), v.MayUpdateMetadata())
		}
	}
}

func TestClaimsRoundTrip(t *testing.T) {
	no := false
	in := Claims{
		Issuer: "key", Subject: "ann", ID: "id", Audience: []string{"a", "b"}, Name: "Ann", Metadata: "m",
		Attributes: map[string]string{"A": "1", "a": "2"}, Kind: "standard", SHA256: "x",
		NotBefore: testNow, IssuedAt: testNow, Expires: testNow.Add(time.Hour),
		Video: Video{
			RoomJoin: true, RoomAdmin: true, RoomCreate: true, RoomList: true, Room: "r", DestinationRoom: "d",
			CanPublish: &no, CanSubscribe: &no, CanPublishData: &no, CanUpdateOwnMetadata: &no, CanSubscribeMetrics: &no,
			CanPublishSources: []string{"camera", "microphone"}, Hidden: true, Recorder: true,
		},
	}
	token, err := Sign(testKey, TypeJWT, in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Verify(testKey, token, RulesAPI("key", testNow))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := fmt.Sprintf("%+v", flat(in)), fmt.Sprintf("%+v", flat(out)); a != b {
		t.Errorf("\n%s\n%s", a, b)
	}
	if _, err := Sign(testKey, TypeJWT, Claims{Issuer: "key"}); !errors.Is(err, ErrBadToken) {
		t.Errorf("signed without expiry: %v", err)
	}
	in.Name = strings.Repeat("n", MaxSize)
	if _, err := Sign(testKey, TypeJWT, in); !errors.Is(err, ErrTooLong) {
		t.Errorf("signed too long: %v", err)
	}
}

// flat makes pointers and time zones comparable.
func flat(c Claims) string {
	b, _ := c.marshal()
	return string(b)
}

// TestBitFlips: no token that differs in any one bit is accepted.
func TestBitFlips(t *testing.T) {
	k := NewKeys()
	token, err := k.Media(Admission{Site: "a.example", Room: NewID(), Identity: NewID(), Name: "Ann"}, testNow)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(token) * 8 {
		b := []byte(token)
		b[i/8] ^= 1 << (i % 8)
		if _, err := k.VerifyMedia("a.example", string(b), testNow); !errors.Is(err, ErrBadToken) {
			t.Fatalf("bit %d: %v", i, err)
		}
	}
	for range 5000 {
		b := []byte(token)
		for range 1 + rand.IntN(4) {
			b[rand.IntN(len(b))] = byte(rand.IntN(256))
		}
		if _, err := k.VerifyMedia("a.example", string(b), testNow); err == nil && string(b) != token {
			t.Fatalf("accepted %q", b)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(forge(testKey, goodHeader, payload("")))
	f.Add(forge(testKey, `{"alg":"none"}`, payload("")))
	f.Add("a.b.c")
	f.Add(forge(testKey, goodHeader, `{"exp":1,"exp":2}`))
	f.Fuzz(func(t *testing.T, text string) {
		// Once as an attacker's token, once with a signature that is right, so
		// that the parser behind the signature is reached too.
		if c, err := Verify(testKey, text, RulesAPI("key", testNow)); err == nil && c.Issuer != "key" {
			t.Fatalf("accepted %q", text)
		}
		if _, iss, err := Peek(text); err != nil && iss != "" {
			t.Fatalf("peeked %q despite %v", iss, err)
		}
		token := forge(testKey, goodHeader, text)
		c, err := Verify(testKey, token, RulesAPI("key", testNow))
		if err != nil {
			if !errors.Is(err, ErrBadToken) {
				t.Fatalf("foreign error %v", err)
			}
			return
		}
		if c.Issuer != "key" || c.Expires.IsZero() || len(token) > MaxSize {
			t.Fatalf("accepted %+v", c)
		}
		again, err := Sign(testKey, TypeJWT, c)
		if errors.Is(err, ErrTooLong) {
			return // escapes may lengthen a text
		}
		if err != nil {
			t.Fatalf("signing what was accepted: %v", err)
		}
		if d, err := Verify(testKey, again, RulesAPI("key", testNow)); err != nil || d.Identity() != c.Identity() {
			t.Fatalf("round trip: %+v %v", d, err)
		}
	})
}
