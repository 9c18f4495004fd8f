// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	// A track may carry twice what the best sound or the largest screen needs;
	// what exceeds that over a window is dropped, so that a publisher gone wild
	// takes nothing from others.
	ceilingWindow = int64(2 * time.Second)
	audioCeiling  = 2 * 510_000 / 8 // bytes per second
	videoCeiling  = 2 * 6_000_000 / 8

	// strangerRate is how many checks per second an address may send before one
	// of them has passed.
	strangerRate    = 200
	strangerBuckets = 1024
)

// ceiling counts what a track sends within a window.
type ceiling struct {
	since int64
	bytes int64
}

// within counts n bytes and tells whether they may pass.
func (l *ceiling) within(now int64, n int, perSecond int64) bool {
	if now-l.since >= ceilingWindow {
		l.since, l.bytes = now, 0
	}
	l.bytes += int64(n)
	return l.bytes <= perSecond*ceilingWindow/int64(time.Second)
}

func (u *upTrack) within(c *core, n int) bool {
	if u.kind == Audio {
		return u.flow.within(c.now, n, audioCeiling)
	}
	return u.flow.within(c.now, n, videoCeiling)
}

// strangers counts the checks of addresses that have passed none yet, in a fixed
// table: addresses that share a place share its limit.
type strangers struct {
	seed  maphash.Seed
	since int64
	count [strangerBuckets]uint16
}

// allow counts one check.
func (s *strangers) allow(now int64, from netip.Addr) bool {
	if now-s.since >= int64(time.Second) {
		s.since = now
		clear(s.count[:])
	}
	n := &s.count[maphash.Comparable(s.seed, from)%strangerBuckets]
	if *n >= strangerRate {
		return false
	}
	*n++
	return true
}
