// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"sync"
	"time"
)

// turnUser is what the allocations of one participant share.
type turnUser struct {
	conns    map[*turnConn]struct{} // guarded by TURN.mu
	up, down bucket
}

// acquire gives c a share of what the participant may have, or nil if there is
// none left.
func (t *TURN) acquire(participant string, c *turnConn) *turnUser {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.users[participant]
	if u == nil {
		u = &turnUser{conns: make(map[*turnConn]struct{})}
		t.users[participant] = u
	}
	if len(u.conns) >= turnPerParticipant {
		return nil
	}
	u.conns[c] = struct{}{}
	return u
}

func (t *TURN) release(participant string, c *turnConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.users[participant]
	if u == nil {
		return
	}
	delete(u.conns, c)
	if len(u.conns) == 0 {
		delete(t.users, participant)
	}
}

// bucket limits a flow to turnRate octets per second, and turnBurst at once.
type bucket struct {
	mu   sync.Mutex
	full time.Time // when the bucket is full again
}

// take takes n octets, if they are there.
func (b *bucket) take(n int, now time.Time) bool {
	const perOctet = time.Second / turnRate
	b.mu.Lock()
	defer b.mu.Unlock()
	full := b.full
	if full.Before(now) {
		full = now
	}
	full = full.Add(time.Duration(n) * perOctet)
	if full.Sub(now) > turnBurst*perOctet {
		return false
	}
	b.full = full
	return true
}
