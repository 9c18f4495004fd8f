// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package circle

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"time"
)

var (
	// ErrBegin says that the page has to begin anew, with a new knock: it is not
	// known, or its pid has been used.
	ErrBegin = errors.New("begin anew")
	// ErrRefused says that a page may not do what it asks for.
	ErrRefused = errors.New("not allowed in the circle")
	// ErrFull says that there is no place left.
	ErrFull = errors.New("the circle is full")
)

// Limits are the bounds of a circle. Zero fields mean the defaults.
type Limits struct {
	// Gather is how long joins wait for more of them (300 ms).
	Gather time.Duration
	// Join is how long a join waits for a member who is cut off (4 s).
	Join time.Duration
	// Late is how long a member may leave a frame unconfirmed before others may
	// name it missing (4 s).
	Late time.Duration
	// Absence is how long a cut connection keeps its place (20 s).
	Absence time.Duration
	// Begin is how long the first host may take to let itself in (10 s).
	Begin time.Duration
	// Ask is the least time between two lists of candidates (100 ms), Lists how
	// many of them may be unconfirmed (8).
	Ask   time.Duration
	Lists int
	// Frames and Octets bound what is kept for one page (2,000; 1 MiB).
	Frames, Octets int
	// Seats bounds members and candidates (100), Gone the pids remembered after
	// they left (4,096).
	Seats, Gone int
}

func (l *Limits) setDefaults() {
	l.Gather = cmp.Or(l.Gather, 300*time.Millisecond)
	l.Join = cmp.Or(l.Join, 4*time.Second)
	l.Late = cmp.Or(l.Late, 4*time.Second)
	l.Absence = cmp.Or(l.Absence, 20*time.Second)
	l.Begin = cmp.Or(l.Begin, 10*time.Second)
	l.Ask = cmp.Or(l.Ask, 100*time.Millisecond)
	l.Lists = cmp.Or(l.Lists, 8)
	l.Frames = cmp.Or(l.Frames, 2000)
	l.Octets = cmp.Or(l.Octets, 1<<20)
	l.Seats = cmp.Or(l.Seats, 2*MaxMembers)
	l.Gone = cmp.Or(l.Gone, 4096)
}

// Circle is those of one room who hold keys together, and those who ask to.
type Circle struct {
	limits Limits
	state
}

// state is what a restart forgets.
type state struct {
	id    string
	seats []*seat // in the order of their hellos
	// gone are the pids of members who left; they never return.
	gone map[PID]struct{}
	// first is the host who begins the circle, until it has; pin its pid.
	first   *seat
	firstBy time.Time
	pin     PID

	call   hash
	epoch  uint32
	roster hash // R of the epoch
	// changed tells that a member has left since the last roster.
	changed bool
	// joinAt is when those who may join do; zero: nobody may.
	joinAt time.Time
}

// New makes a circle without anybody.
func New(l Limits) *Circle {
	l.setDefaults()
	c := &Circle{limits: l}
	c.reset()
	return c
}

func (c *Circle) reset() { c.state = state{id: secret(), gone: make(map[PID]struct{})} }

// secret draws 128 bits.
func secret() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// Hello is a page that wants to hold keys. The caller has checked all of it.
type Hello struct {
	// Identity is that of the participant, Key the page's as text.
	Identity, Key string
	// MayHost tells that the person is a host of the room.
	MayHost bool
	Knock   *Knock
	Proof   []byte
}

// Hello gives a page a place; another page of the same identity loses its. It
// returns [ErrBegin] for a pid that has been here and [ErrFull].
func (c *Circle) Hello(h Hello, wake chan<- struct{}, now time.Time) (*Line, error) {
	pid := h.Knock.PID
	if _, left := c.gone[pid]; left || c.find(pid) != nil {
		return nil, ErrBegin
	}
	if old := c.byIdentity(h.Identity); old != nil {
		c.leave(old, Left)
	}
	if len(c.seats) == 0 || h.MayHost && c.epoch > 0 && !c.hosted() {
		c.restart()
	}
	if len(c.seats) >= c.limits.Seats {
		return nil, ErrFull
	}
	s := &seat{Hello: h, secret: secret(), told: c.pin}
	l := &Line{circle: c, seat: s, wake: wake}
	s.line = l
	if h.MayHost && c.epoch == 0 && c.first == nil {
		c.first, c.firstBy, c.pin = s, now.Add(c.limits.Begin), pid
		for _, other := range c.seats { // they wait for a host whom they do not know yet
			other.told = pid
			if other.line != nil {
				other.line.welcomed = false
				other.wake()
			}
		}
	}
	c.seats = append(c.seats, s)
	c.candidates()
	c.settle(now)
	l.signal()
	return l, nil
}

// Resume continues after a cut where got was the last frame that came. It returns
// [ErrBegin] for a secret that leads nowhere.
func (c *Circle) Resume(secret, identity, key string, got uint64, wake chan<- struct{}, now time.Time) (*Line, error) {
	i := slices.IndexFunc(c.seats, func(s *seat) bool {
		return subtle.ConstantTimeCompare([]byte(s.secret), []byte(secret)) == 1
	})
	if i < 0 || c.seats[i].Identity != identity || c.seats[i].Key != key {
		return nil, ErrBegin
	}
	s := c.seats[i]
	if got > s.given {
		return nil, ErrMalformed
	}
	s.end(Left)
	s.confirm(got)
	l := &Line{circle: c, seat: s, wake: wake, sent: s.given - uint64(len(s.out))}
	s.line = l
	c.settle(now)
	l.signal()
	return l, nil
}

// Take returns what the connection is to be sent next, at most so many frames, and
// whether it ends thereafter. Only whoever runs the connection calls it.
func (l *Line) Take(most int) ([]Frame, End) {
	c, s := l.circle, l.seat
	if l.end != Running {
		return nil, l.end
	}
	var frames []Frame
	if !l.welcomed {
		l.welcomed = true
		f := Frame{Kind: Welcome, Circle: c.id, Resume: s.secret, PID: s.Knock.PID, Identity: s.Identity, Host: s.told}
		frames = append(frames, f)
	}
	if l.acked < s.heard {
		l.acked = s.heard
		frames = append(frames, Frame{Kind: Ack, N: s.heard})
	}
	before := s.given - uint64(len(s.out)) // number before the first in out
	for l.sent < s.given && len(frames) < most {
		o := &s.out[l.sent-before]
		l.sent++
		f := Frame{Kind: o.kind, N: l.sent, Data: o.data, People: o.people, Host: o.host}
		if o.kind == Asking {
			f.List = c.list()
		}
		frames = append(frames, f)
	}
	if l.sent < s.given {
		l.signal()
	}
	return frames, Running
}

// Cut tells that a connection is gone. The page keeps its place for a while.
func (c *Circle) Cut(l *Line, now time.Time) {
	if l.seat.line != l {
		return
	}
	l.seat.line, l.seat.cut = nil, now
	l.end = Left
	c.settle(now)
}

// Leave gives a page's place up.
func (c *Circle) Leave(l *Line, now time.Time) {
	if l.end == Running {
		c.leave(l.seat, Left)
		c.settle(now)
	}
}

// Remove sends a person away and reports whether they were here.
func (c *Circle) Remove(identity string, now time.Time) bool {
	s := c.byIdentity(identity)
	if s == nil {
		return false
	}
	c.leave(s, Removed)
	c.settle(now)
	return true
}

// Close sends everybody away, because the room has ended.
func (c *Circle) Close() {
	for _, s := range c.seats {
		s.gone = true
		s.end(Closed)
	}
	c.reset()
}

// Empty reports whether nobody is left.
func (c *Circle) Empty() bool { return len(c.seats) == 0 }

// Key returns the page's key of a person who is here.
func (c *Circle) Key(identity string) string {
	if s := c.byIdentity(identity); s != nil {
		return s.Key
	}
	return ""
}

func (c *Circle) find(pid PID) *seat {
	for _, s := range c.seats {
		if s.Knock.PID == pid {
			return s
		}
	}
	return nil
}

func (c *Circle) byIdentity(identity string) *seat {
	for _, s := range c.seats {
		if s.Identity == identity {
			return s
		}
	}
	return nil
}

// members returns those in the roster, by ascending pid.
func (c *Circle) members() (all []*seat) {
	for _, s := range c.seats {
		if s.member {
			all = append(all, s)
		}
	}
	byPID(all)
	return all
}

func byPID(all []*seat) {
	slices.SortFunc(all, func(a, b *seat) int { return bytes.Compare(a.Knock.PID[:], b.Knock.PID[:]) })
}

// hosted tells whether somebody can let others in, now or in the next epoch.
func (c *Circle) hosted() bool {
	return slices.ContainsFunc(c.seats, func(s *seat) bool { return s.admit != nil && s.admit.Role == RoleHost })
}

// list is who asks to be let in.
func (c *Circle) list() []Candidate {
	list := []Candidate{}
	for _, s := range c.seats {
		if s.admit == nil {
			list = append(list, Candidate{
				PID: s.Knock.PID, Identity: s.Identity, Key: s.Key, Knock: s.Knock, Proof: s.Proof, MayHost: s.MayHost,
			})
		}
	}
	return list
}

// candidates notes that the list of candidates has changed.
func (c *Circle) candidates() {
	for _, s := range c.seats {
		s.ask = s.ask || s.host()
	}
}
