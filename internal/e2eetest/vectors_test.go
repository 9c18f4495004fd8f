// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package e2eetest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/go.json anew")

type session struct {
	Link       string   `json:"link"`
	Roster     string   `json:"roster"`
	RosterHash string   `json:"roster_hash"`
	Words      []uint16 `json:"words"`
	Members    []struct {
		PID     string `json:"pid"`
		IDSeed  string `json:"id_seed"`
		KEMSeed string `json:"kem_seed"`
		Media   string `json:"media"`
	} `json:"members"`
	Messages []string `json:"messages"`
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func load(t testing.TB) *session {
	t.Helper()
	s := &session{}
	if err := json.Unmarshal(must[[]byte](t)(os.ReadFile("testdata/session.json")), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// call is a session's octets, and what follows from them.
type call struct {
	*session
	id         []byte
	link       []byte
	roster     *Roster
	messages   map[byte][]*Message
	transcript []byte
	entries    map[string]Entry
	seeds      map[string][]byte
}

func replay(t testing.TB) *call {
	s := load(t)
	c := &call{session: s, link: unhex(t, s.Link), messages: map[byte][]*Message{}, entries: map[string]Entry{}, seeds: map[string][]byte{}}
	c.roster = must[*Roster](t)(DecodeRoster(unhex(t, s.Roster)))
	c.id = c.roster.Entries[0].Admit.Call
	for _, e := range c.roster.Entries {
		c.entries[string(e.Admit.PID)] = e
	}
	for _, m := range s.Members {
		c.seeds[string(unhex(t, m.PID))] = unhex(t, m.KEMSeed)
	}
	for _, text := range s.Messages {
		m := must[*Message](t)(Decode(unhex(t, text)))
		c.messages[m.Type] = append(c.messages[m.Type], m)
	}
	reveals := slices.Clone(c.messages[TypeReveal])
	slices.SortFunc(reveals, func(a, b *Message) int { return bytes.Compare(a.From, b.From) })
	parts := [][]byte{[]byte("vr1 transcript"), RosterHash(c.id, c.roster)}
	for _, m := range reveals {
		parts = append(parts, m.Nonce)
	}
	c.transcript = Hash(parts...)
	return c
}

func TestRosterAndSignaturesOfTheBrowser(t *testing.T) {
	c := replay(t)
	if got := hex.EncodeToString(RosterHash(c.id, c.roster)); got != c.RosterHash {
		t.Errorf("roster hash %s, want %s", got, c.RosterHash)
	}
	for _, e := range c.roster.Entries {
		if !bytes.Equal(PID(e.Knock.ID), e.Admit.PID) || !bytes.Equal(e.Admit.Knock, Hash([]byte("vr1 knock"), e.Knock.ID, e.Knock.KEM)) {
			t.Error("an admit speaks of somebody else")
		}
		if !Verify(e.Knock.ID, make([]byte, 32), e.Knock) || !Verify(e.Admit.Signer, c.id, e.Admit) {
			t.Error("a signature of the roster does not hold")
		}
	}
	for _, kind := range []byte{TypeCommit, TypeReveal} {
		if len(c.messages[kind]) != 3 {
			t.Fatalf("%d messages of type %d, want 3", len(c.messages[kind]), kind)
		}
		for _, m := range c.messages[kind] {
			if !Verify(c.entries[string(m.From)].Knock.ID, c.id, m) {
				t.Errorf("a signature of type %d does not hold", kind)
			}
		}
	}
	for _, m := range c.messages[TypeCommit] {
		mark := must[[]byte](t)(LinkMark(c.link, RosterHash(c.id, c.roster), m.From))
		if !bytes.Equal(m.Link, mark) || bytes.Contains(m.Link, c.link) {
			t.Error("another word of the link's secret")
		}
	}
	for _, m := range c.messages[TypeReveal] {
		want := Hash([]byte("vr1 nonce"), RosterHash(c.id, c.roster), m.From, m.Nonce)
		if !slices.ContainsFunc(c.messages[TypeCommit], func(o *Message) bool { return bytes.Equal(o.Commitment, want) }) {
			t.Error("a number that nobody committed to")
		}
	}
	if words := must[[]uint16](t)(Words(c.transcript, c.link)); !slices.Equal(words, c.Words) {
		t.Errorf("safety code %v, want %v", words, c.Words)
	}
}

func TestKeysOfTheBrowser(t *testing.T) {
	c := replay(t)
	secrets := map[string][]byte{}
	for _, m := range c.messages[TypePair] {
		from, to := c.entries[string(m.From)].Knock, c.entries[string(m.To)].Knock
		if !Verify(from.ID, c.id, m, to.KEM...) {
			t.Error("a pair's signature does not hold")
		}
		secret := must[[]byte](t)(Decapsulate(c.seeds[string(m.To)], m.Enc, PairInfo(c.id, from.ID, to.ID, c.link)))
		secrets[string(m.From)+string(m.To)], secrets[string(m.To)+string(m.From)] = secret, secret
	}
	media := map[string]string{}
	for _, m := range c.Members {
		media[string(unhex(t, m.PID))] = m.Media
	}
	if len(c.messages[TypeKey]) != 6 || len(c.messages[TypeAck]) != 6 {
		t.Fatalf("%d keys and %d acks, want 6 each", len(c.messages[TypeKey]), len(c.messages[TypeAck]))
	}
	for _, m := range c.messages[TypeKey] {
		sender := must[[]byte](t)(Unwrap(secrets[string(m.From)+string(m.To)], c.id, m, c.transcript))
		got := must[[]byte](t)(KDF(sender, 32, []byte("vr1 media"), c.id))
		if hex.EncodeToString(got) != media[string(m.From)] {
			t.Error("another media secret")
		}
	}
	for _, m := range c.messages[TypeAck] {
		if mac := must[[]byte](t)(AckMAC(secrets[string(m.From)+string(m.To)], c.id, m, c.transcript)); !bytes.Equal(mac, m.MAC) {
			t.Error("another ack")
		}
	}
}

// The browser's side reads what this one makes; see web/test/unit/e2ee.
func TestOwnVectors(t *testing.T) {
	if *update {
		write(t)
	}
	v := map[string]string{}
	if err := json.Unmarshal(must[[]byte](t)(os.ReadFile("testdata/go.json")), &v); err != nil {
		t.Fatal(err)
	}
	at := func(name string) []byte { return unhex(t, v[name]) }
	id := ed25519.NewKeyFromSeed(at("id_seed")).Public().(ed25519.PublicKey)
	secret := must[[]byte](t)(Decapsulate(at("kem_seed"), at("enc"), PairInfo(at("call"), at("from_id"), id, at("link"))))
	if !bytes.Equal(secret, at("secret")) {
		t.Error("another secret")
	}
	m := must[*Message](t)(Decode(at("key")))
	if sender := must[[]byte](t)(Unwrap(secret, at("call"), m, at("transcript"))); !bytes.Equal(sender, at("sender")) {
		t.Error("another sender key")
	}
}

func write(t *testing.T) {
	c := replay(t)
	me := c.Members[0]
	id := ed25519.NewKeyFromSeed(unhex(t, me.IDSeed)).Public().(ed25519.PublicKey)
	peer := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)).Public().(ed25519.PublicKey)
	knock := c.entries[string(PID(id))].Knock
	enc, secret, err := Encapsulate(knock.KEM, PairInfo(c.id, peer, id, c.link))
	if err != nil {
		t.Fatal(err)
	}
	key := &Message{From: PID(peer), To: PID(id), Epoch: 3, Generation: 4, Counter: 5}
	sender := bytes.Repeat([]byte{0xa5}, 32)
	if err := Wrap(secret, c.id, key, c.transcript, sender); err != nil {
		t.Fatal(err)
	}
	head := func(kind byte) []byte { return cat([]byte{Version, kind}, key.From, key.To, u32(3), u32(4)) }
	ack := must[[]byte](t)(AckMAC(secret, c.id, key, c.transcript))
	text := map[string]string{"id_seed": me.IDSeed, "kem_seed": me.KEMSeed}
	for name, octets := range map[string][]byte{
		"call": c.id, "link": c.link, "from_id": peer, "enc": enc, "secret": secret, "transcript": c.transcript,
		"sender": sender, "key": cat(head(TypeKey), u32(5), key.Wrapped), "ack": cat(head(TypeAck), ack),
	} {
		text[name] = hex.EncodeToString(octets)
	}
	out := must[[]byte](t)(json.MarshalIndent(text, "", "  "))
	if err := os.WriteFile("testdata/go.json", append(out, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

func FuzzDecode(f *testing.F) {
	s := load(f)
	f.Add(unhex(f, s.Roster))
	for _, m := range s.Messages {
		f.Add(unhex(f, m))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		if m, err := Decode(octets); err == nil && m.Sig != nil && !bytes.Equal(cat(m.Unsigned, m.Sig), octets) {
			t.Error("a signature that does not end the message")
		}
		if r, err := DecodeRoster(octets); err == nil && (len(r.Entries) < 1 || len(r.Entries) > MaxMembers) {
			t.Error("a roster of a size that is none")
		}
	})
}
