// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package circle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/internal/e2eetest"
)

// table is a circle with the pages around it, in simulated time.
type table struct {
	t    *testing.T
	c    *Circle
	now  time.Time
	call []byte
}

func newTable(t *testing.T) *table {
	return &table{t: t, c: New(Limits{}), now: time.Unix(1_800_000_000, 0), call: bytes.Repeat([]byte{7}, 32)}
}

// after lets time pass, step by step as the circle asks for it.
func (r *table) after(d time.Duration) {
	end := r.now.Add(d)
	for range 10_000 {
		due, ok := r.c.Due(r.now)
		if !ok || due.After(end) {
			r.now = end
			return
		}
		if due.After(r.now) {
			r.now = due
		}
		r.c.Tick(r.now)
		if again, ok := r.c.Due(r.now); ok && !again.After(r.now) {
			r.t.Fatal("the circle wants to be told the same time again")
		}
	}
	r.t.Fatal("the circle does not come to rest")
}

// page is a browser's page.
type page struct {
	*table
	identity string
	host     bool
	id       ed25519.PrivateKey
	kem      hpke.PrivateKey
	knock    *Knock
	line     *Line
	wake     chan struct{}
	sent     uint64
	got      uint64
	resume   string
	told     PID
	frames   []Frame
	// known is the roster that was checked last.
	known *e2eetest.Roster
}

func sign(key ed25519.PrivateKey, call, message []byte) []byte {
	return append(message, ed25519.Sign(key, bytes.Join([][]byte{[]byte("vr1 sign"), call, message}, nil))...)
}

func (r *table) page(identity string, host bool) *page {
	r.t.Helper()
	kem, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		r.t.Fatal(err)
	}
	seed := sha256.Sum256([]byte(identity + r.now.String()))
	p := &page{table: r, identity: identity, host: host, id: ed25519.NewKeyFromSeed(seed[:]), kem: kem, wake: make(chan struct{}, 1)}
	octets := bytes.Join([][]byte{{1, 1}, p.id.Public().(ed25519.PublicKey), kem.PublicKey().Bytes()}, nil)
	if p.knock, err = ParseKnock(sign(p.id, make([]byte, 32), octets)); err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (p *page) hello() error {
	line, err := p.c.Hello(Hello{Identity: p.identity, Key: "key of " + p.identity, MayHost: p.host, Knock: p.knock}, p.wake, p.now)
	if err == nil {
		p.line = line
		p.read()
	}
	return err
}

// join says hello, which must be right.
func (r *table) join(identity string, host bool) *page {
	r.t.Helper()
	p := r.page(identity, host)
	if err := p.hello(); err != nil {
		r.t.Fatal(err)
	}
	return p
}

// read takes what has come; it returns why the line has ended.
func (p *page) read() End {
	p.t.Helper()
	for {
		frames, end := p.line.Take(16)
		for _, f := range frames {
			switch f.Kind {
			case Welcome:
				p.resume, p.told = f.Resume, f.Host
			case Ack:
				if f.N > p.sent {
					p.t.Fatalf("%s: %d is acknowledged", p.identity, f.N)
				}
			default:
				if f.N != p.got+1 {
					p.t.Fatalf("%s: frame %d after %d", p.identity, f.N, p.got)
				}
				p.got = f.N
			}
		}
		p.frames = append(p.frames, frames...)
		if len(frames) == 0 || end != Running {
			return end
		}
	}
}

// take returns the frames of a kind that have come, and forgets them.
func (p *page) take(k Kind) (some []Frame) {
	p.t.Helper()
	p.read()
	p.frames = slices.DeleteFunc(p.frames, func(f Frame) bool {
		if f.Kind == k {
			some = append(some, f)
		}
		return f.Kind == k
	})
	if k == Roster && len(some) > 0 {
		p.known = nil
	}
	return some
}

// confirm tells the circle what has come.
func (p *page) confirm() {
	p.t.Helper()
	p.read()
	if err := p.c.Got(p.line, p.got, p.now); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) word(about *page, role byte) []byte {
	digest := e2eetest.Hash([]byte("vr1 knock"), about.knock.id(), about.knock.kem())
	return sign(p.id, p.call, bytes.Join([][]byte{
		{1, 2}, p.call, about.knock.PID[:], {role}, digest, p.id.Public().(ed25519.PublicKey),
	}, nil))
}

func (p *page) tryAdmit(about *page, role byte) error {
	p.t.Helper()
	a, err := ParseAdmit(p.word(about, role))
	if err != nil {
		p.t.Fatal(err)
	}
	p.sent++
	return p.c.Admit(p.line, p.sent, about.knock.PID, a, p.now)
}

func (p *page) admit(about *page) {
	p.t.Helper()
	role := byte(RoleOther)
	if about.host {
		role = RoleHost
	}
	if err := p.tryAdmit(about, role); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) send(to *page, text string) {
	p.t.Helper()
	var pid *PID
	if to != nil {
		pid = &to.knock.PID
	}
	p.sent++
	if err := p.c.Send(p.line, p.sent, pid, []byte(text), p.now); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) cut() { p.c.Cut(p.line, p.now) }

func (p *page) back() error {
	line, err := p.c.Resume(p.resume, p.identity, "key of "+p.identity, p.got, p.wake, p.now)
	if err == nil {
		p.line = line
		p.read()
	}
	return err
}

// ends expects the line to have ended.
func (p *page) ends(why End) {
	p.t.Helper()
	if end := p.read(); end != why {
		p.t.Errorf("%s: the line ends with %d, want %d", p.identity, end, why)
	}
}

// rosters expects the newest roster to hold these members, checks all that have
// come as pages do, and returns them.
func (p *page) rosters(members ...*page) []*e2eetest.Roster {
	p.t.Helper()
	var all []*e2eetest.Roster
	known := p.known
	came := p.take(Roster)
	p.known = known
	for _, f := range came {
		r, err := e2eetest.DecodeRoster(f.Data)
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, r)
		p.check(r)
		if len(f.People) != len(r.Entries) {
			p.t.Errorf("%d people of %d", len(f.People), len(r.Entries))
		}
	}
	if len(all) == 0 {
		p.t.Fatalf("%s: no roster", p.identity)
	}
	last := all[len(all)-1]
	if len(last.Entries) != len(members) {
		p.t.Fatalf("%s: %d members in the roster, want %d", p.identity, len(last.Entries), len(members))
	}
	for _, m := range members {
		if entryOf(last, m.knock.PID[:]) == nil {
			p.t.Errorf("%s: %s is not in the roster", p.identity, m.identity)
		}
	}
	return all
}

// check knows who was in the roster before, and how they came in.
func (p *page) check(r *e2eetest.Roster) {
	p.t.Helper()
	if before := p.known; before != nil &&
		(r.Epoch != before.Epoch+1 || !bytes.Equal(r.Previous, e2eetest.RosterHash(p.call, before))) {
		p.t.Error("a roster does not follow the one before")
	}
	for i := range r.Entries {
		if e := &r.Entries[i]; p.known == nil || entryOf(p.known, e.Admit.PID) == nil {
			p.checkEntry(r, e)
		}
	}
	p.known = r
}

func entryOf(r *e2eetest.Roster, pid []byte) *e2eetest.Entry {
	for i := range r.Entries {
		if bytes.Equal(r.Entries[i].Admit.PID, pid) {
			return &r.Entries[i]
		}
	}
	return nil
}

func (p *page) checkEntry(r *e2eetest.Roster, e *e2eetest.Entry) {
	p.t.Helper()
	if !bytes.Equal(e2eetest.PID(e.Knock.ID), e.Admit.PID) || !e2eetest.Verify(e.Knock.ID, make([]byte, 32), e.Knock) ||
		!e2eetest.Verify(e.Admit.Signer, p.call, e.Admit) {
		p.t.Error("an entry of the roster does not hold")
	}
	pin := p.told
	if pin == (PID{}) {
		pin = p.knock.PID
	}
	for range r.Entries {
		signer := e2eetest.PID(e.Admit.Signer)
		if bytes.Equal(signer, pin[:]) {
			return
		}
		if e = entryOf(r, signer); e == nil && p.known != nil {
			e = entryOf(p.known, signer)
		}
		if e == nil || e.Admit.Role != RoleHost {
			break
		}
	}
	p.t.Error("no chain of hosts leads to a member")
}

// begun is a circle with its first host and guests, all of whom have confirmed.
func begun(t *testing.T, guests ...string) (r *table, host *page, others []*page) {
	t.Helper()
	r = newTable(t)
	host = r.join("host", true)
	host.admit(host)
	host.rosters(host)
	for _, name := range guests {
		p := r.join(name, false)
		host.admit(p)
		others = append(others, p)
	}
	r.after(time.Second)
	for _, p := range append(others, host) {
		p.confirm()
	}
	return r, host, others
}
