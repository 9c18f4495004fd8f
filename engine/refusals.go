// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/caddy-videoroom/videoroom/token"
)

const (
	refusalsKey = "videoroom/refusals.json"
	// refusalLife is how long a token handed out before a removal may still be
	// presented: its life and the clock's leeway.
	refusalLife = token.MediaLife + time.Minute
)

// refusals remembers, over restarts of the process, who has been removed and
// which rooms have been ended, for as long as a token of theirs is valid. The
// running process knows by itself; this is for the next one, whose clients come
// back with their tokens alone. What is stored are digests: they name nobody.
type refusals struct {
	store Store
	log   *currentLog

	mu    sync.Mutex
	until map[string]time.Time
	dirty chan struct{} // holds one element when there is something to write
	quit  chan struct{}
	done  chan struct{}
}

// openRefusals reads what a former process has left. Unreadable records are an
// error: they must not let anybody back in silently.
func openRefusals(ctx context.Context, s Store, log *currentLog) (*refusals, error) {
	r := &refusals{
		store: s, log: log, until: make(map[string]time.Time),
		dirty: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	raw, err := s.Load(ctx, refusalsKey)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", refusalsKey, err)
	default:
		if err := json.Unmarshal(raw, &r.until); err != nil {
			return nil, fmt.Errorf("reading %s: %w; delete it when it is older than %s", refusalsKey, err, refusalLife)
		}
	}
	go r.run() // ends when close closes quit
	return r, nil
}

func digest(site, room, identity string) string {
	sum := sha256.Sum256([]byte(site + "\x00" + room + "\x00" + identity))
	return hex.EncodeToString(sum[:16])
}

// add refuses an identity in a room, or the whole room when identity is empty.
func (r *refusals) add(site, room, identity string) {
	now := time.Now()
	r.mu.Lock()
	for k, t := range r.until {
		if t.Before(now) {
			delete(r.until, k)
		}
	}
	r.until[digest(site, room, identity)] = now.Add(refusalLife).UTC()
	r.mu.Unlock()
	select {
	case r.dirty <- struct{}{}:
	default: // a write that covers this one is due already
	}
}

// has tells whether an identity is refused in a room, or the whole room when
// identity is empty.
func (r *refusals) has(site, room, identity string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.until[digest(site, room, identity)].After(time.Now())
}

// run writes changes to the store, so that a slow one keeps nobody waiting.
func (r *refusals) run() {
	defer close(r.done)
	for {
		select {
		case <-r.dirty:
			r.write()
		case <-r.quit:
			select {
			case <-r.dirty:
				r.write()
			default:
			}
			return
		}
	}
}

func (r *refusals) write() {
	r.mu.Lock()
	raw, err := json.Marshal(r.until)
	r.mu.Unlock()
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), storeTime)
		err = r.store.Store(ctx, refusalsKey, raw)
		cancel()
	}
	if err != nil {
		r.log.logger().Error("removals could not be stored: after a restart within the next minutes removed people could return",
			"error", err)
	}
}

// close writes what is left and ends the writer.
func (r *refusals) close() {
	close(r.quit)
	<-r.done
}
