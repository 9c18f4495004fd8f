// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/outbox"
	records "github.com/caddy-videoroom/videoroom/practice/internal/record"
)

const (
	// lookEvery is how often records of other processes are looked for,
	// readEvery how often all are read again.
	lookEvery = 20 * time.Second
	readEvery = 5 * time.Minute
)

// agenda is the appointments of all sites: records on the storage, and a copy in
// memory, so that nothing that people wait for waits for the storage. What is
// written goes to the storage first.
//
// Its mutex is a leaf: nothing is called under it. Appointments in memory are
// never changed, only replaced.
type agenda struct {
	store *records.Records
	box   *outbox.Box
	now   func() time.Time
	log   *slog.Logger
	// version counts changes of anything that hosts see.
	version atomic.Uint64

	mu sync.Mutex
	// ready tells that the sites with records are known.
	ready bool
	books map[string]*book
}

// book is the appointments of one site.
type book struct {
	all    map[string]*appointment.Appointment
	loaded bool
	// looked and read are when the storage was looked at and read as a whole.
	looked, read time.Time
	// doomed are records whose creation failed half-way.
	doomed map[string]struct{}
}

func newAgenda(s records.Storage, log *slog.Logger, now func() time.Time) *agenda {
	store := records.New(s, log, now)
	return &agenda{store: store, box: outbox.New(store, now), now: now, log: log, books: make(map[string]*book)}
}

func (g *agenda) bookLocked(site string) *book {
	b := g.books[site]
	if b == nil {
		// A site that was not among those with records has none.
		b = &book{all: make(map[string]*appointment.Appointment), doomed: make(map[string]struct{}), loaded: g.ready}
		g.books[site] = b
	}
	return b
}

// sites returns the sites there are books of.
func (g *agenda) sites() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(maps.Keys(g.books))
}

// discover learns which sites have records.
func (g *agenda) discover(ctx context.Context) error {
	sites, err := g.store.Sites(ctx)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, site := range sites {
		if g.books[site] == nil {
			g.bookLocked(site).loaded = false
		}
	}
	g.ready = true
	return nil
}

// known tells whether the appointments of a site are in memory. A site that had
// none at the start has none but those made since.
func (g *agenda) known(site string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.books[site]
	return g.ready && (b == nil || b.loaded)
}

// find returns an appointment of a site, or nil.
func (g *agenda) find(site, id string) *appointment.Appointment {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b := g.books[site]; b != nil {
		return b.all[id]
	}
	return nil
}

// inRoom returns the appointment that a room belongs to, or nil.
func (g *agenda) inRoom(site, room string) *appointment.Appointment {
	return g.find(site, appointment.IDOf(room))
}

// choose returns the appointments of a site that fulfil a condition, by start.
func (g *agenda) choose(site string, ok func(*appointment.Appointment) bool) []*appointment.Appointment {
	g.mu.Lock()
	var chosen []*appointment.Appointment
	if b := g.books[site]; b != nil {
		for _, a := range b.all {
			chosen = append(chosen, a)
		}
	}
	g.mu.Unlock()
	chosen = slices.DeleteFunc(chosen, func(a *appointment.Appointment) bool { return !ok(a) })
	slices.SortFunc(chosen, func(a, b *appointment.Appointment) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	return chosen
}

// remember keeps a copy of what is stored; read is what the copy was when it was
// asked for: what has been written since is not forgotten for it.
func (g *agenda) remember(site string, a, read *appointment.Appointment) {
	g.mu.Lock()
	b := g.bookLocked(site)
	before := b.all[a.ID]
	if _, doomed := b.doomed[a.ID]; doomed || before != read && before != nil && before.Revision > a.Revision {
		g.mu.Unlock()
		return
	}
	b.all[a.ID] = a
	g.mu.Unlock()
	if before == nil || before.Revision != a.Revision {
		g.version.Add(1)
	}
}

func (g *agenda) forget(site, id string) {
	g.mu.Lock()
	b := g.bookLocked(site)
	_, there := b.all[id]
	delete(b.all, id)
	delete(b.doomed, id)
	g.mu.Unlock()
	if there {
		g.version.Add(1)
	}
}

// fresh reads an appointment from the storage.
func (g *agenda) fresh(ctx context.Context, site, id string) (*appointment.Appointment, error) {
	a, before := new(appointment.Appointment), g.find(site, id)
	err := g.store.Get(ctx, site, records.Appointment, id, a)
	if err == nil && (a.ID != id || !a.Valid()) {
		err = records.ErrDamaged
		g.log.Error("a record is whole but says what cannot be; it is not used")
	}
	switch {
	case err == nil:
		g.remember(site, a, before)
		return a, nil
	case errors.Is(err, records.ErrNotFound), errors.Is(err, records.ErrDamaged):
		g.forget(site, id)
	}
	return nil, err
}

// refresh brings the copy of a site up to date: new and deleted records every
// twenty seconds, all every five minutes.
func (g *agenda) refresh(ctx context.Context, site string) error {
	now := g.now()
	g.mu.Lock()
	b := g.bookLocked(site)
	whole := !b.loaded || past(b.read, readEvery, now)
	if !whole && !past(b.looked, lookEvery, now) {
		g.mu.Unlock()
		return nil
	}
	before := maps.Clone(b.all)
	g.mu.Unlock()
	ids, err := g.store.List(ctx, site, records.Appointment)
	if err != nil {
		return err
	}
	listed := make(map[string]bool, len(ids))
	for _, id := range ids {
		listed[id] = true
		if before[id] != nil && !whole {
			continue
		}
		if _, err := g.fresh(ctx, site, id); errors.Is(err, records.ErrUnavailable) {
			return err
		}
	}
	for id := range before {
		if !listed[id] {
			// Asked for once more: it may have been written while the list was made.
			if _, err := g.fresh(ctx, site, id); errors.Is(err, records.ErrUnavailable) {
				return err
			}
		}
	}
	changed, err := g.box.Refresh(ctx, site)
	if changed {
		g.version.Add(1)
	}
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	b.loaded, b.looked = true, now
	if whole {
		b.read = now
	}
	return nil
}

// past tells whether a time lies longer ago than d, or ahead because the clock
// was set back.
func past(t time.Time, d time.Duration, now time.Time) bool {
	ago := now.Sub(t)
	return ago >= d || ago < 0
}

// create stores new appointments, all or none: what a failure leaves half-done is
// deleted as soon as the storage allows.
func (g *agenda) create(ctx context.Context, site string, all []*appointment.Appointment) error {
	for i, a := range all {
		err := g.store.Put(ctx, site, records.Appointment, a.ID, a)
		if err == nil {
			continue
		}
		g.mu.Lock()
		for _, a := range all[:i+1] {
			g.bookLocked(site).doomed[a.ID] = struct{}{}
		}
		g.mu.Unlock()
		return err
	}
	for _, a := range all {
		g.remember(site, a, nil)
	}
	return nil
}

// clean deletes what creations that failed have left.
func (g *agenda) clean(ctx context.Context, site string) error {
	g.mu.Lock()
	doomed := slices.Collect(maps.Keys(g.bookLocked(site).doomed))
	g.mu.Unlock()
	for _, id := range doomed {
		if err := g.store.Delete(ctx, site, records.Appointment, id); err != nil {
			return err
		}
		g.forget(site, id)
	}
	return nil
}

// change applies f to the stored appointment of a host. f may refuse; it is not
// called for an appointment of somebody else's, which does not exist for the host.
func (g *agenda) change(ctx context.Context, site, host, id string, f func(*appointment.Appointment) error) (*appointment.Appointment, error) {
	if a := g.find(site, id); a == nil || a.Host != host {
		return nil, fail(CodeNotFound)
	}
	var changed *appointment.Appointment
	err := g.store.Locked(ctx, site, string(records.Appointment), func() error {
		stored, err := g.fresh(ctx, site, id)
		if err != nil {
			return err
		}
		if stored.Host != host {
			return fail(CodeNotFound)
		}
		changed = stored.Clone()
		if err := f(changed); err != nil {
			return err
		}
		changed.Revision++
		if err := g.store.Put(ctx, site, records.Appointment, id, changed); err != nil {
			g.mistrust(site)
			return err
		}
		g.remember(site, changed, stored)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// mistrust has the site read again: nobody knows what the storage has.
func (g *agenda) mistrust(site string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bookLocked(site).read = time.Time{}
}

// retain deletes what is over, and what was set aside or never finished, after
// their time.
func (g *agenda) retain(ctx context.Context, site string, retention, closesAfter time.Duration) error {
	now := g.now()
	for _, a := range g.choose(site, func(a *appointment.Appointment) bool {
		return a.Expired(retention, a.Window(0, closesAfter), now)
	}) {
		if err := g.store.Delete(ctx, site, records.Appointment, a.ID); err != nil {
			return err
		}
		g.forget(site, a.ID)
	}
	err := g.box.Forget(ctx, site, func(e outbox.Entry) bool {
		return g.find(site, e.Appointment) != nil || now.Before(e.At.Add(retention)) || now.Before(e.Until)
	})
	if err != nil {
		return err
	}
	if err := g.store.Sweep(ctx, site); err != nil {
		return err
	}
	return g.store.Purge(ctx, site, now.Add(-max(retention, quarantineLife)))
}

// quarantineLife is how long a damaged record is kept for whoever wants to mend it.
const quarantineLife = 30 * 24 * time.Hour
