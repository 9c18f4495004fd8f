// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var testKey = Key{Site: "praxis.example", Name: "room"}

// host is a Directory with the fakes beneath it.
type host struct {
	t     *testing.T
	media *fakeMedia
	dir   *Directory
}

func newHost(t *testing.T, o Options) *host {
	h := &host{t: t, media: &fakeMedia{}}
	o.Media = h.media
	if o.Codec == nil {
		o.Codec = fakeCodec{}
	}
	h.dir = NewDirectory(o)
	return h
}

// bubble runs f with simulated time and a directory that is closed after it.
func bubble(t *testing.T, o Options, f func(t *testing.T, h *host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, o)
		defer h.dir.Close()
		f(t, h)
	})
}

// settle waits until everything that is under way has been done, and an update
// that waits for its turn has been sent.
func settle() {
	synctest.Wait()
	time.Sleep(2 * updateInterval)
	synctest.Wait()
}

// agree checks that everybody knows the same of everybody.
func (h *host) agree(clients ...*client) {
	h.t.Helper()
	r := h.dir.Find(testKey)
	if r == nil {
		h.t.Fatal("no room")
	}
	truth := r.Participants()
	for _, c := range clients {
		c.sound()
		n, self := 0, false
		for _, p := range truth {
			if p.Identity == c.identity {
				self = fmt.Sprint(c.me()) == fmt.Sprint(p)
				continue
			}
			got, ok := c.knows(p.Identity)
			if p.Permission.Hidden {
				if ok {
					h.t.Errorf("%s knows the hidden %s", c.identity, p.Identity)
				}
				continue
			}
			n++
			if !ok || fmt.Sprint(got) != fmt.Sprint(p) {
				h.t.Errorf("%s knows of %s\n%+v, but it is\n%+v", c.identity, p.Identity, got, p)
			}
		}
		if !self {
			h.t.Errorf("%s knows of oneself %+v", c.identity, c.me())
		}
		if c.mu.Lock(); len(c.roster) != n {
			h.t.Errorf("%s knows %d others instead of %d", c.identity, len(c.roster), n)
		}
		c.mu.Unlock()
	}
}
