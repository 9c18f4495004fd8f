// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package circle

import (
	"bytes"
	"crypto/hpke"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/internal/e2eetest"
)

// messages returns what has come from the others, all of one type.
func (p *page) messages(kind byte, n int) (all []*e2eetest.Message) {
	p.t.Helper()
	for _, f := range p.take(Message) {
		m, err := e2eetest.Decode(f.Data)
		if err != nil || m.Type != kind {
			p.t.Fatal("another message", err)
		}
		all = append(all, m)
	}
	if len(all) != n {
		p.t.Fatalf("%s: %d messages of type %d, want %d", p.identity, len(all), kind, n)
	}
	return all
}

func u32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// Members agree on keys over nothing but the circle.
func TestPeersAgree(t *testing.T) {
	r, host, guests := begun(t, "a", "b")
	all := append(guests, host)
	byPage := func(x, y *page) int { return bytes.Compare(x.knock.PID[:], y.knock.PID[:]) }
	slices.SortFunc(all, byPage)
	link := bytes.Repeat([]byte{3}, 16)
	rosters := host.rosters(all...)
	last := rosters[len(rosters)-1]
	hash := e2eetest.RosterHash(r.call, last)
	transcript := slices.Concat([]byte("vr1 transcript"), hash)
	nonces := make(map[*page][]byte)
	for i, p := range all {
		nonces[p] = bytes.Repeat([]byte{byte(i)}, 32)
		transcript = append(transcript, nonces[p]...)
		c := e2eetest.Hash([]byte("vr1 nonce"), hash, p.knock.PID[:], nonces[p])
		mark := must(e2eetest.LinkMark(link, hash, p.knock.PID[:]))
		p.send(nil, string(sign(p.id, r.call, slices.Concat([]byte{1, 3}, p.knock.PID[:], u32(last.Epoch), hash, c, mark))))
	}
	for _, p := range all {
		for _, m := range p.messages(e2eetest.TypeCommit, 2) {
			if !e2eetest.Verify(entryOf(last, m.From).Knock.ID, r.call, m) || !bytes.Equal(m.Roster, hash) {
				t.Error("a commit does not hold")
			}
			if mark := must(e2eetest.LinkMark(link, hash, m.From)); !bytes.Equal(m.Link, mark) {
				t.Error("another word of the link's secret")
			}
		}
	}
	for _, p := range all {
		p.send(nil, string(sign(p.id, r.call, slices.Concat([]byte{1, 4}, p.knock.PID[:], u32(last.Epoch), nonces[p]))))
	}
	for _, p := range all {
		for _, m := range p.messages(e2eetest.TypeReveal, 2) {
			if !e2eetest.Verify(entryOf(last, m.From).Knock.ID, r.call, m) {
				t.Error("a reveal does not hold")
			}
		}
	}
	exchange(r, all[0], all[1], link, e2eetest.Hash(transcript), last.Epoch)
}

// exchange sets a channel up and passes a key through it.
func exchange(r *table, from, to *page, link, transcript []byte, epoch uint32) {
	r.t.Helper()
	id := func(p *page) []byte { return p.knock.id() }
	kem := to.knock.kem()
	enc, ours, err := e2eetest.Encapsulate(kem, e2eetest.PairInfo(r.call, id(from), id(to), link))
	if err != nil {
		r.t.Fatal(err)
	}
	pair := slices.Concat([]byte{1, 5}, from.knock.PID[:], to.knock.PID[:], enc)
	pair = append(pair, sign(from.id, r.call, slices.Concat(pair, kem))[len(pair)+len(kem):]...)
	from.send(to, string(pair))
	m := to.messages(e2eetest.TypePair, 1)[0]
	if !e2eetest.Verify(id(from), r.call, m, kem...) {
		r.t.Error("the pair's signature does not hold")
	}
	seed, err := to.kem.Bytes()
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := hpke.MLKEM768X25519().NewPrivateKey(seed); err != nil {
		r.t.Fatal(err)
	}
	theirs, err := e2eetest.Decapsulate(seed, m.Enc, e2eetest.PairInfo(r.call, id(from), id(to), link))
	if err != nil || !bytes.Equal(ours, theirs) {
		r.t.Fatal("another secret", err)
	}
	key := &e2eetest.Message{From: from.knock.PID[:], To: to.knock.PID[:], Epoch: epoch, Generation: 1}
	sender := bytes.Repeat([]byte{0x5a}, 32)
	if err := e2eetest.Wrap(ours, r.call, key, transcript, sender); err != nil {
		r.t.Fatal(err)
	}
	from.send(to, string(slices.Concat([]byte{1, 6}, key.From, key.To, u32(epoch), u32(1), u32(0), key.Wrapped)))
	got, err := e2eetest.Unwrap(theirs, r.call, to.messages(e2eetest.TypeKey, 1)[0], transcript)
	if err != nil || !bytes.Equal(got, sender) {
		r.t.Error("another sender key", err)
	}
}

// Whatever happens in whatever order: rosters follow each other, prove what they
// say to everybody in them, and everybody who can be let in gets in.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := &walk{table: newTable(t), rand: rand.New(rand.NewPCG(seed, 1)), in: map[string]*page{}}
			for range 250 {
				w.step()
			}
			if w.epochs < 20 {
				t.Errorf("%d epochs only", w.epochs)
			}
			w.calm()
		})
	}
}

// walk does things by chance.
type walk struct {
	*table
	rand   *rand.Rand
	in     map[string]*page
	epochs int
}

var crowd = []string{"host", "host 2", "host 3", "a", "b", "c", "d", "e"}

func (w *walk) step() {
	w.now = w.now.Add(time.Millisecond) // a new page has a new identity
	name := crowd[w.rand.IntN(len(crowd))]
	p, cut := w.in[name], false
	if p != nil {
		cut = p.line.end != Running
	}
	switch act := w.rand.IntN(12); {
	case p == nil:
		w.in[name] = w.join(name, name[0] == 'h')
	case cut && act < 6:
		if p.back() != nil {
			delete(w.in, name)
		}
	case cut:
	case act == 0:
		p.cut()
		w.after(0)
		return
	case act == 1:
		w.c.Leave(p.line, w.now)
	case act == 2:
		w.c.Remove(name, w.now)
	case act == 3:
		w.in[name] = w.join(name, name[0] == 'h')
	case act == 4:
		for _, other := range w.in {
			if p.known != nil && len(w.in) > 1 && other.known != nil {
				p.send(nil, "x")
				break
			}
		}
	default:
		w.letIn(p)
	}
	w.after(time.Duration(w.rand.IntN(1500)) * time.Millisecond)
	w.read()
}

// letIn makes a host let all in who ask.
func (w *walk) letIn(p *page) {
	if p.host && p.told == (PID{}) && p.known == nil && w.c.first == p.line.seat {
		p.admit(p)
	}
	for _, f := range p.take(Asking) {
		for _, c := range f.List {
			if about := w.in[c.Identity]; about != nil && about.knock == c.Knock {
				p.admit(about)
			}
		}
	}
}

// read lets everybody check what has come.
func (w *walk) read() {
	w.t.Helper()
	for _, name := range crowd {
		p := w.in[name]
		if p == nil {
			continue
		}
		end := p.read()
		known := p.known
		came := p.take(Roster)
		p.known = known
		for _, f := range came {
			r, err := e2eetest.DecodeRoster(f.Data)
			if err != nil {
				w.t.Fatal(err)
			}
			w.epochs++
			p.check(r)
		}
		p.take(Message)
		switch {
		case end == Running:
			p.confirm()
		case p.line.seat.gone:
			delete(w.in, name)
		}
	}
}

// calm lets everybody come who may, and expects all of them in one roster.
func (w *walk) calm() {
	w.t.Helper()
	for range 20 {
		for _, name := range crowd {
			switch p := w.in[name]; {
			case p == nil:
				w.in[name] = w.join(name, name[0] == 'h')
			case p.line.end != Running && p.back() != nil:
				delete(w.in, name)
			default:
				w.letIn(p)
			}
		}
		w.after(time.Second)
		w.read()
	}
	for _, name := range crowd {
		if p := w.in[name]; p == nil || p.known == nil || len(p.known.Entries) != len(crowd) {
			w.t.Errorf("%s is not with all others", name)
		}
	}
}
