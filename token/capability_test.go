// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestVisit(t *testing.T) {
	k, other := NewKeys(), NewKeys()
	room := NewID()
	v := Visit{Host: "muster", Expires: testNow.Add(time.Hour).UTC()}
	link, err := k.Visit("a.example", room, v)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.VerifyVisit("a.example", room, link, testNow); err != nil || got != v {
		t.Fatalf("%+v %v", got, err)
	}
	host, _ := k.HostKey("a.example", HostKey{Host: "muster", Generation: 1})
	grant, _ := k.Grant("a.example", Grant{Room: room, Host: "muster", Opened: testNow, Expires: v.Expires})
	for name, try := range map[string]func() (Visit, error){
		"other site":   func() (Visit, error) { return k.VerifyVisit("b.example", room, link, testNow) },
		"other room":   func() (Visit, error) { return k.VerifyVisit("a.example", NewID(), link, testNow) },
		"no room":      func() (Visit, error) { return k.VerifyVisit("a.example", "", link, testNow) },
		"other server": func() (Visit, error) { return other.VerifyVisit("a.example", room, link, testNow) },
		"host key":     func() (Visit, error) { return k.VerifyVisit("a.example", room, host, testNow) },
		"grant":        func() (Visit, error) { return k.VerifyVisit("a.example", room, grant, testNow) },
		"empty":        func() (Visit, error) { return k.VerifyVisit("a.example", room, "", testNow) },
		"truncated":    func() (Visit, error) { return k.VerifyVisit("a.example", room, link[:len(link)-2], testNow) },
		"longer":       func() (Visit, error) { return k.VerifyVisit("a.example", room, link+"AA", testNow) },
		"newline":      func() (Visit, error) { return k.VerifyVisit("a.example", room, link+"\n", testNow) },
		"huge":         func() (Visit, error) { return k.VerifyVisit("a.example", room, strings.Repeat("A", 1<<20), testNow) },
		"forged expiry": func() (Visit, error) {
			raw, _ := base64.RawURLEncoding.DecodeString(link)
			raw[1]++
			return k.VerifyVisit("a.example", room, base64.RawURLEncoding.EncodeToString(raw), testNow)
		},
	} {
		if got, err := try(); !errors.Is(err, ErrBadCapability) || got != (Visit{}) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if _, err := k.VerifyVisit("a.example", room, link, v.Expires); !errors.Is(err, ErrCapabilityExpired) {
		t.Errorf("expired: %v", err)
	}
	for i := range len(link) * 8 {
		b := []byte(link)
		b[i/8] ^= 1 << (i % 8)
		if _, err := k.VerifyVisit("a.example", room, string(b), testNow); !errors.Is(err, ErrBadCapability) {
			t.Fatalf("bit %d: %v", i, err)
		}
	}
}

func TestHostKeyAndGrant(t *testing.T) {
	k := NewKeys()
	h := HostKey{Host: "muster", Generation: 7}
	key, err := k.HostKey("a.example", h)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.VerifyHostKey("a.example", key); err != nil || got != h {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := k.VerifyHostKey("b.example", key); !errors.Is(err, ErrBadCapability) {
		t.Errorf("other site: %v", err)
	}
	again, _ := k.HostKey("a.example", h)
	if again != key {
		t.Error("the host link changes by itself")
	}
	g := Grant{Room: NewID(), Host: "muster", Opened: testNow.UTC(), Expires: testNow.Add(time.Hour).UTC()}
	grant, err := k.Grant("a.example", g)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.VerifyGrant("a.example", grant, testNow); err != nil || got != g {
		t.Errorf("%+v %v", got, err)
	}
	for i := range 8 {
		more := g
		more.Locked, more.Kept, more.Keyed = i&1 != 0, i&2 != 0, i&4 != 0
		if grant, err := k.Grant("a.example", more); err != nil {
			t.Error(err)
		} else if got, err := k.VerifyGrant("a.example", grant, testNow); err != nil || got != more {
			t.Errorf("%+v: %+v %v", more, got, err)
		}
	}
	if _, err := k.VerifyGrant("a.example", grant, g.Expires); !errors.Is(err, ErrCapabilityExpired) {
		t.Errorf("expired: %v", err)
	}
	if _, err := k.VerifyGrant("a.example", key, testNow); !errors.Is(err, ErrBadCapability) {
		t.Errorf("host key as grant: %v", err)
	}
	if _, err := k.HostKey("a.example", HostKey{Host: strings.Repeat("h", 256)}); !errors.Is(err, ErrTooLong) {
		t.Errorf("long host id: %v", err)
	}
	if _, err := k.Grant("a.example", Grant{Room: g.Room, Expires: time.Unix(1<<33, 0)}); !errors.Is(err, ErrTooLong) {
		t.Errorf("far future: %v", err)
	}
}

func TestOwnTokens(t *testing.T) {
	k := NewKeys()
	a := Admission{Site: "a.example", Room: NewID(), Identity: NewID(), Name: "Ann", Host: true}
	media, err := k.Media(a, testNow)
	if err != nil {
		t.Fatal(err)
	}
	c, err := k.VerifyMedia("a.example", media, testNow)
	if err != nil || c.Subject != a.Identity || c.Video.Room != a.Room || !c.Video.RoomAdmin || c.Name != "Ann" || c.ID == "" {
		t.Errorf("%+v %v", c, err)
	}
	if typ, iss, err := Peek(media); typ != TypeOwn || iss != "videoroom" || err != nil {
		t.Errorf("peeked %q %q %v", typ, iss, err)
	}
	in := HostSession{Host: "muster", Since: testNow.Add(-HostSignInLife + 2*time.Minute), Generation: 7}
	session, err := k.HostSession("a.example", in, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.VerifyHostSession("a.example", session, testNow); err != nil || got.Host != "muster" || !got.Since.Equal(in.Since) || got.Generation != 7 {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := k.VerifyHostSession("a.example", session, testNow.Add(2*time.Minute+LeewayOwn)); !errors.Is(err, ErrTokenTime) {
		t.Errorf("outlives the sign-in: %v", err)
	}
	if _, err := k.HostSession("a.example", in, testNow.Add(2*time.Minute)); !errors.Is(err, ErrTokenTime) {
		t.Errorf("refreshed for ever: %v", err)
	}
	refused := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, ErrBadToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = k.VerifyMedia("b.example", media, testNow)
	refused("other site", err)
	_, err = k.VerifyMedia("a.example", session, testNow)
	refused("host session as media token", err)
	_, err = k.VerifyHostSession("a.example", media, testNow)
	refused("media token as host session", err)
	_, err = k.VerifyMedia("a.example", media, testNow.Add(MediaLife+LeewayOwn))
	refused("expired", err)
	_, err = k.VerifyMedia("a.example", media, testNow.Add(-LeewayOwn-time.Second))
	refused("not yet valid", err)
	key := k.derive(purposeMedia, "a.example")
	for name, c := range map[string]Claims{
		"no audience":   {Issuer: issuer, Subject: "s", ID: "i", Video: Video{RoomJoin: true, Room: a.Room}},
		"two audiences": {Issuer: issuer, Subject: "s", ID: "i", Audience: []string{"a.example", "b"}, Video: Video{RoomJoin: true, Room: a.Room}},
		"no subject":    {Issuer: issuer, ID: "i", Audience: []string{"a.example"}, Video: Video{RoomJoin: true, Room: a.Room}},
		"no id":         {Issuer: issuer, Subject: "s", Audience: []string{"a.example"}, Video: Video{RoomJoin: true, Room: a.Room}},
		"no join":       {Issuer: issuer, Subject: "s", ID: "i", Audience: []string{"a.example"}, Video: Video{Room: a.Room}},
		"odd room":      {Issuer: issuer, Subject: "s", ID: "i", Audience: []string{"a.example"}, Video: Video{RoomJoin: true, Room: "../x"}},
		"other issuer":  {Issuer: "x", Subject: "s", ID: "i", Audience: []string{"a.example"}, Video: Video{RoomJoin: true, Room: a.Room}},
	} {
		c.Expires = testNow.Add(time.Minute)
		token, err := Sign(key, TypeOwn, c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.VerifyMedia("a.example", token, testNow)
		refused(name, err)
	}
	plain, _ := Sign(key, TypeJWT, Claims{Issuer: issuer, Subject: "s", ID: "i", Audience: []string{"a.example"}, Expires: testNow.Add(time.Minute), Video: Video{RoomJoin: true, Room: a.Room}})
	_, err = k.VerifyMedia("a.example", plain, testNow)
	refused("type JWT", err)
}

func TestPseudonym(t *testing.T) {
	k := NewKeys()
	room := NewID()
	p := k.Pseudonym("a.example", room, "muster")
	if !ValidID(p) || p != k.Pseudonym("a.example", room, "muster") {
		t.Errorf("not stable: %q", p)
	}
	for _, q := range []string{
		k.Pseudonym("b.example", room, "muster"), k.Pseudonym("a.example", NewID(), "muster"), k.Pseudonym("a.example", room, "other"),
	} {
		if p == q {
			t.Error("pseudonyms collide")
		}
	}
}

func TestMaster(t *testing.T) {
	k := NewKeys()
	record := k.Marshal()
	back, err := ParseKeys(record)
	if err != nil || back.master != k.master {
		t.Fatalf("%v", err)
	}
	for i := range record {
		if _, err := ParseKeys(record[:i]); !errors.Is(err, ErrBadMaster) && i < len(record)-1 {
			t.Errorf("truncated at %d: %v", i, err)
		}
	}
	for i := range (len(record) - 1) * 8 {
		b := bytes.Clone(record)
		b[i/8] ^= 1 << (i % 8)
		if got, err := ParseKeys(b); err == nil && got.master != k.master {
			t.Errorf("bit %d passes as another key", i)
		}
	}
	for name, b := range map[string][]byte{"nil": nil, "raw": make([]byte, 32), "json": []byte(`{"key":"x"}`)} {
		if _, err := ParseKeys(b); !errors.Is(err, ErrBadMaster) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k)} {
		if s != "token.Keys(redacted)" {
			t.Errorf("secret printed: %s", s)
		}
	}
}

func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		if !ValidID(id) || len(id) != 26 || seen[id] {
			t.Fatalf("%q", id)
		}
		seen[id] = true
	}
	if a, b := NewSecret(), NewSecret(); a == b || len(a) != 22 {
		t.Errorf("%q %q", a, b)
	}
	for _, s := range []string{
		"", "abc", strings.Repeat("a", 25), strings.Repeat("a", 27), strings.Repeat("A", 26), strings.Repeat("1", 26),
		strings.Repeat("a", 25) + "b", strings.Repeat("a", 25) + "\n", "../../../../../../etc/pass", strings.Repeat("ä", 13),
	} {
		if ValidID(s) {
			t.Errorf("%q passes", s)
		}
	}
}

func FuzzCapability(f *testing.F) {
	k, err := ParseKeys([]byte("videoroom-master-1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA " + checksum(make([]byte, 32))))
	if err != nil {
		f.Fatal(err)
	}
	const room = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	visit, _ := k.Visit("s", room, Visit{Host: "h", Expires: testNow.Add(time.Hour)})
	grant, _ := k.Grant("s", Grant{Room: room, Host: "h", Opened: testNow, Expires: testNow.Add(time.Hour)})
	key, _ := k.HostKey("s", HostKey{Host: "h", Generation: 1})
	for _, s := range []string{visit, grant, key, "", "AQ", visit[:20]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := k.VerifyVisit("s", room, s, testNow); err == nil && s != visit {
			t.Fatalf("forged visit %+v", v)
		}
		if g, err := k.VerifyGrant("s", s, testNow); err == nil && s != grant {
			t.Fatalf("forged grant %+v", g)
		}
		if h, err := k.VerifyHostKey("s", s); err == nil && s != key {
			t.Fatalf("forged host key %+v", h)
		}
		// Behind a right signature, the field decoder faces any bytes.
		e := encoder{b: []byte(s)}
		sealed, err := e.seal(k.derive(purposeGrant, "s"), "")
		if err != nil {
			return
		}
		if g, err := k.VerifyGrant("s", sealed, testNow); err == nil && (!ValidID(g.Room) || len(g.Host) > 255) {
			t.Fatalf("decoded %+v", g)
		}
	})
}

// TestFormatsStay: links in mails and printed host links survive updates.
func TestFormatsStay(t *testing.T) {
	k, err := ParseKeys([]byte("videoroom-master-1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA " + checksum(make([]byte, 32))))
	if err != nil {
		t.Fatal(err)
	}
	const room = "abcdefghijklmnopqrstuvwxy4"
	visit, _ := k.Visit("a.example", room, Visit{Host: "muster", Expires: testNow})
	host, _ := k.HostKey("a.example", HostKey{Host: "muster", Generation: 1})
	grant, _ := k.Grant("a.example", Grant{Room: room, Host: "muster", Opened: testNow, Expires: testNow})
	for name, c := range map[string]struct{ got, want string }{
		"visit":     {visit, "AWtJ0gAGbXVzdGVyOlaLlHd3PYYyb5uXN7k8wA"},
		"host":      {host, "AQAAAAEGbXVzdGVy8vdjDvyTk9BYnt3Ihkn81A"},
		"grant":     {grant, "ARphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5NGtJ0gBrSdIABm11c3RlclTMBhsYnvfQ7ULkDUSmDrU"},
		"pseudonym": {k.Pseudonym("a.example", room, "muster"), "2cmk7eetjcsnllxsjykab5543e"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s", name, c.got)
		}
	}
}
