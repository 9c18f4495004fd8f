// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package circle

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/caddy-videoroom/videoroom/internal/e2eetest"
)

const vectors = "../../../internal/e2eetest/testdata/session.json"

// frozen is the roster that a browser made.
func frozen(t testing.TB) (octets []byte, want string) {
	t.Helper()
	text, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Roster string `json:"roster"`
		Hash   string `json:"roster_hash"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	octets, err = hex.DecodeString(s.Roster)
	if err != nil {
		t.Fatal(err)
	}
	return octets, s.Hash
}

func TestRosterOfTheVectors(t *testing.T) {
	octets, want := frozen(t)
	r, err := e2eetest.DecodeRoster(octets)
	if err != nil {
		t.Fatal(err)
	}
	var members []*seat
	for _, e := range r.Entries {
		knock, err := ParseKnock(slices.Concat(e.Knock.Unsigned, e.Knock.Sig))
		if err != nil {
			t.Fatal(err)
		}
		admit, err := ParseAdmit(slices.Concat(e.Admit.Unsigned, e.Admit.Sig))
		if err != nil {
			t.Fatal(err)
		}
		if admit.PID != knock.PID || admit.knock() != knock.digest || admit.Role != e.Admit.Role {
			t.Error("an admit of another knock")
		}
		members = append(members, &seat{Hello: Hello{Knock: knock}, admit: admit})
	}
	got, next := encodeRoster(members[0].admit.call(), r.Epoch, hash(r.Previous), members)
	if !bytes.Equal(got, octets) || hex.EncodeToString(next[:]) != want {
		t.Errorf("another roster, or another hash: %x", next)
	}
}

func TestOctetsThatAreRefused(t *testing.T) {
	r := newTable(t)
	host, guest := r.page("host", true), r.page("guest", false)
	knock, admit := host.knock.Octets(), host.word(guest, RoleOther)
	change := func(octets []byte, at int, to byte) []byte {
		octets = bytes.Clone(octets)
		octets[at] = to
		return octets
	}
	again := func(octets []byte, at int, to byte) []byte { // signed anew
		octets = change(octets, at, to)
		return sign(host.id, r.call, octets[:len(octets)-sigSize])
	}
	for name, c := range map[string]struct {
		octets []byte
		want   error
	}{
		"nothing":            {nil, ErrMalformed},
		"knock too short":    {knock[:KnockSize-1], ErrMalformed},
		"knock too long":     {append(bytes.Clone(knock), 0), ErrMalformed},
		"knock's version":    {change(knock, 0, 2), ErrMalformed},
		"knock's type":       {change(knock, 1, 2), ErrMalformed},
		"knock's id":         {change(knock, 2, knock[2]^1), ErrSignature},
		"knock's kem":        {change(knock, 40, knock[40]^1), ErrSignature},
		"knock's signature":  {change(knock, KnockSize-1, knock[KnockSize-1]^1), ErrSignature},
		"another knock":      {sign(host.id, r.call, bytes.Clone(knock[:KnockSize-sigSize])), ErrSignature},
		"admit too short":    {admit[:AdmitSize-1], ErrMalformed},
		"admit too long":     {append(bytes.Clone(admit), 0), ErrMalformed},
		"admit's version":    {again(admit, 0, 0), ErrMalformed},
		"admit's type":       {again(admit, 1, 3), ErrMalformed},
		"admit's role":       {again(admit, 50, 2), ErrMalformed},
		"admit's role, ours": {change(admit, 50, 1), ErrSignature},
		"admit's call":       {change(admit, 2, admit[2]^1), ErrSignature},
		"admit's signer":     {again(admit, 84, admit[84]^1), ErrSignature},
	} {
		_, err := ParseKnock(c.octets)
		if len(c.octets) < KnockSize-1 {
			_, err = ParseAdmit(c.octets)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestProof(t *testing.T) {
	r := newTable(t)
	p, other := r.page("guest", false), r.page("other", false)
	pub, key, _ := ed25519.GenerateKey(nil)
	digest := e2eetest.Hash(p.knock.Octets())
	proof := ed25519.Sign(key, append([]byte("vr1 page"), digest...))
	if !p.knock.Proven(pub, proof) {
		t.Error("a right proof does not hold")
	}
	if other.knock.Proven(pub, proof) || p.knock.Proven(other.id.Public().(ed25519.PublicKey), proof) ||
		p.knock.Proven(pub, ed25519.Sign(key, digest)) || p.knock.Proven(pub, nil) || p.knock.Proven(nil, proof) {
		t.Error("a wrong proof holds")
	}
}

func TestPID(t *testing.T) {
	p := PID{0xab, 1}
	if got, err := ParsePID(p.String()); err != nil || got != p {
		t.Error(got, err)
	}
	for _, text := range []string{"", "ab", p.String() + "00", "AB" + p.String()[2:], "gg" + p.String()[2:]} {
		if _, err := ParsePID(text); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever is accepted is exactly what the other implementation reads.
func FuzzParse(f *testing.F) {
	octets, _ := frozen(f)
	for rest := octets[39:]; len(rest) > 0; rest = rest[KnockSize+AdmitSize:] {
		f.Add(rest[:KnockSize])
		f.Add(rest[KnockSize : KnockSize+AdmitSize])
	}
	f.Add(octets)
	f.Fuzz(func(t *testing.T, octets []byte) {
		m, theirs := e2eetest.Decode(octets)
		if k, err := ParseKnock(octets); err == nil {
			if theirs != nil || m.Type != e2eetest.TypeKnock || !e2eetest.Verify(m.ID, make([]byte, 32), m) ||
				!bytes.Equal(k.PID[:], e2eetest.PID(m.ID)) || !bytes.Equal(k.Octets(), octets) {
				t.Error("a knock that is none")
			}
		}
		if a, err := ParseAdmit(octets); err == nil {
			if theirs != nil || m.Type != e2eetest.TypeAdmit || !e2eetest.Verify(m.Signer, m.Call, m) ||
				!bytes.Equal(a.PID[:], m.PID) || a.Role != m.Role {
				t.Error("an admit that is none")
			}
		}
	})
}
