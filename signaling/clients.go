// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// Limits per client address (an IPv6 /64 counts as one).
const (
	// maxPerClient is generous because a clinic may be one address; who gets
	// here holds a valid token.
	maxPerClient = 200
	// failuresPerMinute is how many bad tokens are answered as such.
	failuresPerMinute = 10
	// maxClients bounds the memory; when full, addresses without connection are
	// forgotten first, and if there are none, new ones are not limited.
	maxClients = 1 << 14
	// sweepEvery is how often a full table is searched for those to forget.
	sweepEvery = 10 * time.Second

	clientKeyLife = 24 * time.Hour
)

// clients counts connections and bad tokens per address. It keeps no address:
// its keys are MACs under a random key that is forgotten every day.
type clients struct {
	mu      sync.Mutex
	key     [32]byte
	keyed   time.Time
	swept   time.Time
	entries map[[16]byte]*client
}

type client struct {
	connections int
	failures    bucket
}

func newClients() *clients { return &clients{} }

// open counts a connection. release must be called when it ends; ok is false
// when the client has too many.
func (c *clients) open(a netip.Addr, now time.Time) (release func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(a, now)
	if e == nil {
		return func() {}, true
	}
	if e.connections >= maxPerClient {
		return nil, false
	}
	e.connections++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		e.connections--
	}, true
}

// failed counts a bad token. It returns false when the client had too many.
func (c *clients) failed(a netip.Addr, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(a, now)
	if e == nil {
		return true
	}
	if wait := e.failures.take(1, now); wait > 0 {
		e.failures.level = 0 // a flood does not lengthen the wait
		return false
	}
	return true
}

// entry returns the counters of an address; nil when it is not limited.
func (c *clients) entry(a netip.Addr, now time.Time) *client {
	if !a.IsValid() {
		return nil
	}
	if c.entries == nil || now.Sub(c.keyed) > clientKeyLife {
		_, _ = rand.Read(c.key[:]) // never fails
		c.keyed = now
		c.entries = make(map[[16]byte]*client)
	}
	k := c.mac(a)
	e := c.entries[k]
	if e != nil {
		return e
	}
	if len(c.entries) >= maxClients {
		c.forget(now)
		if len(c.entries) >= maxClients {
			return nil
		}
	}
	e = &client{failures: bucket{rate: failuresPerMinute / 60.0, burst: failuresPerMinute}}
	c.entries[k] = e
	return e
}

// forget drops addresses without connection and without recent failure.
func (c *clients) forget(now time.Time) {
	if now.Sub(c.swept) < sweepEvery {
		return
	}
	c.swept = now
	for k, e := range c.entries {
		if e.connections == 0 && now.Sub(e.failures.at) > time.Minute {
			delete(c.entries, k)
		}
	}
}

func (c *clients) mac(a netip.Addr) (k [16]byte) {
	a = a.Unmap()
	bits := 32
	if a.Is6() {
		bits = 64
	}
	prefix, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return k // cannot be: bits fit the address family
	}
	h := hmac.New(sha256.New, c.key[:])
	b := prefix.Addr().As16()
	h.Write(b[:])
	copy(k[:], h.Sum(nil))
	return k
}
