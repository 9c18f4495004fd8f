// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxSeen bounds the signatures remembered, of all keys together.
const maxSeen = 20000

// Once lets each signature pass once. It remembers as long as a signature could
// be accepted, and takes none that was made before it began to remember: another
// process, or this one before a restart, may have seen it.
type Once struct {
	since time.Time
	mu    sync.Mutex
	// Two generations, each as long as a signature may live.
	young, old map[[sha256.Size]byte]struct{}
	turned     time.Time
}

// NewOnce begins to remember now.
func NewOnce(now time.Time) *Once {
	// Signatures count whole seconds.
	return &Once{since: now.Truncate(time.Second), young: make(map[[sha256.Size]byte]struct{}), turned: now}
}

// Pass notes a signature whose check has succeeded. Errors are [ErrReplay],
// [ErrClock] for one from before the beginning, and [ErrCrowded].
func (o *Once) Pass(s Signature, now time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch away := now.Sub(o.turned); {
	case away >= 4*Tolerance:
		o.old, o.young, o.turned = nil, make(map[[sha256.Size]byte]struct{}), now
	case away >= 2*Tolerance || away < 0:
		o.old, o.young, o.turned = o.young, make(map[[sha256.Size]byte]struct{}), now
	}
	if s.Time.Before(o.since) {
		return ErrClock
	}
	if _, seen := o.young[s.mac]; seen {
		return ErrReplay
	}
	if _, seen := o.old[s.mac]; seen {
		return ErrReplay
	}
	if len(o.young)+len(o.old) >= maxSeen {
		return ErrCrowded
	}
	o.young[s.mac] = struct{}{}
	return nil
}
