// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package e2eetest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// doorVector is a name and a letter that one implementation made. The pages' keys
// are the seeds 1…1 of the host's and 2…2 of the visitor's.
type doorVector struct {
	KEMSeed string `json:"kem_seed"`
	KEM     string `json:"kem"`
	Sig     string `json:"sig"`
	Place   string `json:"place"`
	Name    string `json:"name"`
	Sealed  string `json:"sealed"`
	Reply   string `json:"reply"`
	Text    string `json:"text"`
	N       uint32 `json:"n"`
	Letter  string `json:"letter"`
}

func pageOf(b byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, 32)) }

func (v *doorVector) hold(t *testing.T) {
	t.Helper()
	host, visitor := pageOf(1), pageOf(2)
	seed, kem := unhex(t, v.KEMSeed), unhex(t, v.KEM)
	if key, err := hpke.MLKEM768X25519().NewPrivateKey(seed); err != nil || !bytes.Equal(key.PublicKey().Bytes(), kem) {
		t.Errorf("another key: %v", err)
	}
	if !bytes.Equal(DoorWord(host, kem), unhex(t, v.Sig)) {
		t.Error("another signature")
	}
	pub := visitor.Public().(ed25519.PublicKey)
	name, reply, err := OpenName(seed, pub, v.Place, unhex(t, v.Sealed))
	if err != nil || name != v.Name || !bytes.Equal(reply, unhex(t, v.Reply)) {
		t.Errorf("%q %v", name, err)
	}
	if text, err := OpenLetter(reply, v.Place, v.N, unhex(t, v.Letter)); err != nil || text != v.Text {
		t.Errorf("%q %v", text, err)
	}
	// Bound to the place, to the page and to every octet.
	if _, _, err := OpenName(seed, pub, v.Place+"x", unhex(t, v.Sealed)); err == nil {
		t.Error("it opens at another place")
	}
	if _, _, err := OpenName(seed, host.Public().(ed25519.PublicKey), v.Place, unhex(t, v.Sealed)); err == nil {
		t.Error("it opens as another page's")
	}
	for i := 0; i < len(v.Sealed)/2; i += 97 {
		changed := unhex(t, v.Sealed)
		changed[i] ^= 1
		if _, _, err := OpenName(seed, pub, v.Place, changed); err == nil {
			t.Errorf("it opens with octet %d changed", i)
		}
	}
	if _, err := OpenLetter(reply, v.Place, v.N+1, unhex(t, v.Letter)); err == nil {
		t.Error("the letter opens under another number")
	}
}

func readDoor(t *testing.T, file string) *doorVector {
	t.Helper()
	v := &doorVector{}
	if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(file)), v); err != nil {
		t.Fatal(err)
	}
	return v
}

// What the browser's side made opens here.
func TestNameOfTheBrowser(t *testing.T) { readDoor(t, "testdata/door-web.json").hold(t) }

// The browser's side opens what this one makes; see web/test/unit/e2ee.
func TestOwnName(t *testing.T) {
	if *update {
		writeDoor(t)
	}
	readDoor(t, "testdata/door-go.json").hold(t)
}

func writeDoor(t *testing.T) {
	seed := bytes.Repeat([]byte{3}, 32)
	key, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		t.Fatal(err)
	}
	kem := key.PublicKey().Bytes()
	v := doorVector{Place: "abcdefghijklmnopqrstuvwxyz", Name: "Zoë „Z“ Müller-李", Text: "Noch fünf Minuten.\nBitte warten.", N: 7}
	sealed, reply, err := SealName(pageOf(2), kem, v.Place, v.Name)
	if err != nil {
		t.Fatal(err)
	}
	letter := must[[]byte](t)(SealLetter(reply, v.Place, v.N, v.Text))
	for field, octets := range map[*string][]byte{
		&v.KEMSeed: seed, &v.KEM: kem, &v.Sig: DoorWord(pageOf(1), kem), &v.Sealed: sealed, &v.Reply: reply, &v.Letter: letter,
	} {
		*field = hex.EncodeToString(octets)
	}
	out := must[[]byte](t)(json.MarshalIndent(v, "", "  "))
	if err := os.WriteFile("testdata/door-go.json", append(out, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}
