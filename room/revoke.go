// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"sync"
	"time"
)

// revocations remembers whose tokens were revoked, beyond the life of rooms.
// An entry is kept for 15 minutes, longer than our own tokens live. There are at
// most 4096 of each sort; then the oldest gives way.
type revocations struct {
	mu         sync.Mutex
	tokens     map[subject]time.Time
	identities map[subject]time.Time
}

// subject is a token id or an identity within a room.
type subject struct {
	key Key
	id  string
}

// add revokes these tokens, and all tokens of the identity minted until now.
func (v *revocations) add(key Key, identity string, tokens []string) {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens == nil {
		v.tokens, v.identities = make(map[subject]time.Time), make(map[subject]time.Time)
	}
	putLocked(v.identities, subject{key, identity}, now)
	for _, id := range tokens {
		putLocked(v.tokens, subject{key, id}, now)
	}
}

func putLocked(m map[subject]time.Time, s subject, now time.Time) {
	if len(m) >= maxRevocations {
		oldest, first := s, now
		for k, at := range m {
			if now.Sub(at) >= revocationLife {
				delete(m, k)
			} else if at.Before(first) {
				oldest, first = k, at
			}
		}
		if len(m) >= maxRevocations {
			delete(m, oldest)
		}
	}
	m[s] = now
}

// covers tells whether a token is revoked. issued is when it was minted; the
// zero time counts as before any removal.
func (v *revocations) covers(key Key, identity, token string, issued time.Time) bool {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if at, ok := v.tokens[subject{key, token}]; ok && token != "" && now.Sub(at) < revocationLife {
		return true
	}
	at, ok := v.identities[subject{key, identity}]
	return ok && now.Sub(at) < revocationLife && !issued.After(at)
}
