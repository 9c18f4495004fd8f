// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/circle"
)

// Limits are the numbers that keep the desk small under attack. Zero fields
// mean the defaults, which [New] fills in.
type Limits struct {
	// FirstFrame is how long a socket may take to say what it wants (5 s).
	FirstFrame time.Duration
	// Idle is how long a socket may be silent; clients ping every 20 s (50 s).
	Idle time.Duration
	// Write bounds one write (5 s).
	Write time.Duration
	// Grace is how long a knock outlives its socket, and an answer to it waits
	// to be heard (15 s).
	Grace time.Duration
	// MaxWait ends a knock that nobody answers (2 h).
	MaxWait time.Duration
	// LinkLife is how long a room stays open and its links work (24 h).
	LinkLife time.Duration
	// Refresh is how often a host's session token is renewed (5 min).
	Refresh time.Duration
	// Coalesce is the least time between two states told to a host (100 ms).
	Coalesce time.Duration
	// WaitingPerRoom and WaitingPerIP bound the queue (20 or as many as the room takes, 3).
	WaitingPerRoom, WaitingPerIP int
	// KnocksPerMinute bounds new knocks per room (10 or as many as the room takes).
	KnocksPerMinute int
	// BadLinksPerMinute bounds wrong links per IP (10).
	BadLinksPerMinute int
	// SocketsPerIP bounds open sockets, ten times as many where somebody has
	// shown a valid link before: clinics share one address (20).
	SocketsPerIP int
	// OpensPerIP is how many sockets an address may open within 10 s, with the
	// same exception (10).
	OpensPerIP int
	// RequestsPerIP is how many requests with a secret in them an address may
	// make within 10 s (40).
	RequestsPerIP int
	// TestsPerIP and Tests bound the test rooms given out per minute to one
	// address and to all (4, 30).
	TestsPerIP, Tests int
	// RoomsPerHost bounds a host's open rooms (20), Rooms those of all (1000).
	RoomsPerHost, Rooms int
	// Knocks bounds the knocks of all rooms (2000).
	Knocks int
	// SocketsPerHost bounds a host's dashboards (10).
	SocketsPerHost int
	// Circle bounds the circles of those who hold keys together.
	Circle circle.Limits
}

func (l *Limits) setDefaults() {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&l.FirstFrame, 5 * time.Second}, {&l.Idle, 50 * time.Second}, {&l.Write, 5 * time.Second},
		{&l.Grace, 15 * time.Second}, {&l.MaxWait, 2 * time.Hour}, {&l.LinkLife, 24 * time.Hour},
		{&l.Refresh, 5 * time.Minute}, {&l.Coalesce, 100 * time.Millisecond},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.WaitingPerRoom, 20}, {&l.WaitingPerIP, 3}, {&l.KnocksPerMinute, 10}, {&l.BadLinksPerMinute, 10},
		{&l.SocketsPerIP, 20}, {&l.OpensPerIP, 10}, {&l.RequestsPerIP, 40}, {&l.TestsPerIP, 4}, {&l.Tests, 30},
		{&l.RoomsPerHost, 20}, {&l.Rooms, 1000}, {&l.Knocks, 2000}, {&l.SocketsPerHost, 10},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
}

// Limits that are part of the interface.
const (
	maxFrame      = 16 << 10
	maxBody       = 16 << 10
	framesPer10s  = 100
	maxSources    = 50_000
	trustedFactor = 10
	keyLife       = 24 * time.Hour
)

// bucket is a token bucket. The zero value is full.
type bucket struct {
	used float64
	at   time.Time
}

// take takes one of size tokens, which come back within the period. When there
// is none it returns how long until there is.
func (b *bucket) take(now time.Time, size int, period time.Duration) (wait time.Duration) {
	perToken := period / time.Duration(size)
	if passed := now.Sub(b.at); passed > 0 {
		b.used = max(0, b.used-float64(passed)/float64(perToken))
		b.at = now
	}
	if b.used+1 > float64(size) {
		return max(time.Duration((b.used+1-float64(size))*float64(perToken)), time.Millisecond)
	}
	b.used++
	return 0
}

func (b *bucket) idle(now time.Time) bool { return now.Sub(b.at) > time.Minute }

// seconds rounds up, for Retry-After.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// source is what the desk remembers of one client address. Its fields belong
// to the crowd's mutex.
type source struct {
	sockets, waiting     int
	opens, bad, requests bucket
	tests                bucket
	trusted              bool
}

// crowd counts per client address without knowing addresses: it keeps a keyed
// hash, under a random key that lives in memory for a day.
type crowd struct {
	limits *Limits

	mu      sync.Mutex
	key     [32]byte
	since   time.Time
	sources map[[16]byte]*source
	swept   time.Time
	tests   bucket
}

func newCrowd(l *Limits, now time.Time) *crowd {
	c := &crowd{limits: l}
	c.renewLocked(now)
	return c
}

// renewLocked forgets all sources. Sockets that still count on one keep it by
// pointer, so their counts stay true.
func (c *crowd) renewLocked(now time.Time) {
	_, _ = rand.Read(c.key[:]) // never fails: crypto/rand ends the process instead
	c.since, c.sources = now, make(map[[16]byte]*source)
}

// of returns the source of an address: /32 of IPv4, /64 of IPv6, because that
// is what one subscriber holds. nil: too many sources at once.
func (c *crowd) of(a netip.Addr, now time.Time) *source {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			a = p.Addr()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.since) >= keyLife {
		c.renewLocked(now)
	}
	m := hmac.New(sha256.New, c.key[:])
	m.Write(a.AsSlice())
	id := [16]byte(m.Sum(nil))
	s := c.sources[id]
	if s == nil {
		if len(c.sources) >= maxSources && now.Sub(c.swept) >= time.Second {
			c.sweepLocked(now)
		}
		if len(c.sources) >= maxSources {
			return nil
		}
		s = new(source)
		c.sources[id] = s
	}
	return s
}

// sweepLocked forgets who has been quiet. It looks at all sources, so that it must
// not be done for every stranger when they are many.
func (c *crowd) sweepLocked(now time.Time) {
	c.swept = now
	for id, s := range c.sources {
		if s.sockets == 0 && s.waiting == 0 && s.opens.idle(now) && s.bad.idle(now) && s.requests.idle(now) && s.tests.idle(now) {
			delete(c.sources, id)
		}
	}
}

func (s *source) factor() int {
	if s.trusted {
		return trustedFactor
	}
	return 1
}

// openSocket counts a socket in, or says why not. closeSocket counts it out.
func (c *crowd) openSocket(s *source, now time.Time) error {
	if s == nil {
		return retry(CodeUnavailable, 60)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := s.opens.take(now, c.limits.OpensPerIP*s.factor(), 10*time.Second); wait > 0 {
		return retry(CodeTooMany, seconds(wait))
	}
	if s.sockets >= c.limits.SocketsPerIP*s.factor() {
		return retry(CodeTooMany, 10)
	}
	s.sockets++
	return nil
}

func (c *crowd) closeSocket(s *source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.sockets--
}

// request counts a request that carries a secret.
func (c *crowd) request(s *source, now time.Time) error {
	if s == nil {
		return retry(CodeUnavailable, 60)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := s.requests.take(now, c.limits.RequestsPerIP*s.factor(), 10*time.Second); wait > 0 {
		return retry(CodeTooMany, seconds(wait))
	}
	return nil
}

// test counts a test room.
func (c *crowd) test(s *source, now time.Time) error {
	if s == nil {
		return retry(CodeUnavailable, 60)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range []struct {
		*bucket
		size int
	}{{&s.tests, c.limits.TestsPerIP}, {&c.tests, c.limits.Tests}} {
		if wait := b.take(now, b.size, time.Minute); wait > 0 {
			return retry(CodeTooMany, seconds(wait))
		}
	}
	return nil
}

// wrong counts a wrong secret and turns its error into a refusal when there
// were too many. Right secrets are served all the while: 128 bits cannot be
// guessed, and others behind the same address shall not be locked out.
func (c *crowd) wrong(s *source, now time.Time, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := s.bad.take(now, c.limits.BadLinksPerMinute, time.Minute); wait > 0 {
		return retry(CodeTooMany, seconds(wait))
	}
	return err
}

// right remembers that somebody at this address showed a right secret.
func (c *crowd) right(s *source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.trusted = true
}

// wait counts a waiting visitor in.
func (c *crowd) wait(s *source) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.waiting >= c.limits.WaitingPerIP {
		return false
	}
	s.waiting++
	return true
}

// waitAgain counts in whom a host has put back, whatever the limit.
func (c *crowd) waitAgain(s *source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.waiting++
}

// unwait counts out. Who was put back and has not been heard of since has no
// source yet.
func (c *crowd) unwait(s *source) {
	if s == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.waiting--
}
