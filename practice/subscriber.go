// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/feed"
	"github.com/caddy-videoroom/videoroom/practice/internal/ics"
)

const (
	// pollEvery is the time between two looks at a calendar, a fifth more or less;
	// after failures it doubles up to pollSeldom.
	pollEvery  = 5 * time.Minute
	pollSeldom = time.Hour
	// pollFirst bounds how soon after the start a calendar is looked at first.
	pollFirst = 10 * time.Second
	// readWhole is how often a calendar is read even where it has not changed:
	// time goes on, and its series come nearer.
	readWhole = time.Hour
	// pollTurn and pollTurnMost bound the time between two looks at the clock.
	pollTurn     = 2 * time.Second
	pollTurnMost = time.Minute
	// maxPolling bounds the calendars that are looked at at the same time.
	maxPolling = 4
	// bookAhead is how long before its start an event becomes an appointment;
	// lookAhead how far moves of those that did are followed.
	bookAhead = 14 * 24 * time.Hour
	lookAhead = 120 * 24 * time.Hour
	// fewGone are as many as may be deleted at once without a second look.
	fewGone = 3
)

// Calendar is a host's calendar that is to be followed.
type Calendar struct {
	Site         *config.Site
	SiteID, Host string
	// Origin and Base are where the site's links begin; see [Call].
	Origin, Base string
}

// Fetch gets a calendar from its address unless it is still the version that
// have describes.
type Fetch func(ctx context.Context, address string, have Version) (body []byte, now Version, changed bool, err error)

// Version is what a calendar's server said about the version it delivered.
type Version = feed.Validators

// Follow makes these the calendars that are followed.
func (d *Desk) Follow(all []Calendar) {
	if d.subscriber != nil {
		d.subscriber.set(all)
	}
}

// subscriber looks at hosts' calendars, and makes, moves and cancels appointments
// after them. It has one goroutine, and one for each calendar at the moment of
// looking.
type subscriber struct {
	d     *Desk
	fetch Fetch
	wake  signal

	mu      sync.Mutex
	follows map[followKey]*follow
	polling int
}

type followKey struct{ site, host, address string }

// follow is one calendar. Its fields belong to the subscriber's mutex, those
// below busy to whoever has set it.
type follow struct {
	Calendar
	address string
	next    time.Time
	// trouble is since when the host is told that it cannot be read; zero: it can.
	trouble time.Time
	busy    bool

	have     Version
	whole    time.Time // when it was read last
	failures int
	// gone are the marks of appointments that were missing the last time, where
	// that was too many to be believed at once.
	gone map[string]bool
	// since is the first failure of those in a row.
	since time.Time
	// odd is how many events could not become appointments, as logged.
	odd int
}

func newSubscriber(d *Desk, fetch Fetch) *subscriber {
	if fetch == nil {
		fetch = feed.Fetcher{}.Fetch
	}
	return &subscriber{d: d, fetch: fetch, wake: newSignal(), follows: make(map[followKey]*follow)}
}

// set replaces the calendars; what is known of those that stay is kept.
func (u *subscriber) set(all []Calendar) {
	now := u.d.now()
	u.mu.Lock()
	defer u.mu.Unlock()
	before := u.follows
	u.follows = make(map[followKey]*follow, len(all))
	for _, c := range all {
		host, ok := c.Site.Host(c.Host)
		if !ok || host.Calendar == "" {
			continue
		}
		key := followKey{c.SiteID, c.Host, host.Calendar}
		f := before[key]
		if f == nil {
			f = &follow{address: host.Calendar, next: now.Add(rand.N(pollFirst))}
		}
		f.Calendar = c
		u.follows[key] = f
	}
	u.wake.wake()
}

// run works until the desk closes. Where nothing is followed it sleeps.
func (u *subscriber) run() {
	for {
		var due <-chan time.Time
		timer := u.timer()
		if timer != nil {
			due = timer.C
		}
		select {
		case <-u.d.leave:
			return
		case <-u.wake:
		case <-due:
			u.turn()
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// timer runs until the next calendar is due, though not for long: clocks are set.
// nil: none is followed.
func (u *subscriber) timer() *time.Timer {
	now := u.d.now()
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.follows) == 0 {
		return nil
	}
	wait := pollTurnMost
	for _, f := range u.follows {
		if !f.busy {
			wait = min(wait, f.next.Sub(now))
		}
	}
	return time.NewTimer(max(wait, pollTurn))
}

// turn looks at the calendars whose time has come.
func (u *subscriber) turn() {
	for f, c := range u.due() {
		if u.d.plans(c.SiteID) != nil || !u.d.spawn(func() { u.poll(f, c) }) {
			u.free(f, pollTurn)
		}
	}
}

// due takes the calendars whose time has come, as many as may be looked at.
func (u *subscriber) due() map[*follow]Calendar {
	now := u.d.now()
	u.mu.Lock()
	defer u.mu.Unlock()
	due := make(map[*follow]Calendar)
	for _, f := range u.follows {
		// A time that is too far ahead comes from a clock that was set back.
		waits := now.Before(f.next) && f.next.Before(now.Add(2*pollSeldom))
		if f.busy || waits || u.polling >= maxPolling {
			continue
		}
		f.busy = true
		u.polling++
		due[f] = f.Calendar
	}
	return due
}

// free gives a calendar back.
func (u *subscriber) free(f *follow, wait time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f.next = u.d.now().Add(wait)
	f.busy = false
	u.polling--
	u.wake.wake()
}

// poll looks at one calendar.
func (u *subscriber) poll(f *follow, c Calendar) {
	err := u.look(f, c)
	every := pollEvery
	if err == nil {
		if f.failures > 0 {
			u.d.log.Info("a host's calendar can be read again")
			u.tell(f, time.Time{})
		}
		f.failures = 0
	} else {
		if f.failures++; f.failures == 1 {
			f.since = u.d.now()
		}
		every = min(pollEvery<<min(f.failures-1, 10), pollSeldom)
		if f.failures == 3 {
			u.tell(f, f.since)
			u.d.log.Warn("a host's calendar cannot be read; its appointments stay as they are until it can", "error", err)
		}
	}
	u.free(f, every*4/5+rand.N(every*2/5))
}

// tell has a calendar's host told since when it cannot be read.
func (u *subscriber) tell(f *follow, since time.Time) {
	u.mu.Lock()
	f.trouble = since
	key := hostKey{f.SiteID, f.Host}
	u.mu.Unlock()
	u.d.mu.Lock()
	defer u.d.mu.Unlock()
	u.d.wakeHostLocked(key)
}

// trouble returns since when a host's calendar cannot be read; zero: it can, or the
// host has none.
func (u *subscriber) trouble(k hostKey) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	for key, f := range u.follows {
		if key.site == k.site && key.host == k.id && !f.trouble.IsZero() {
			return f.trouble
		}
	}
	return time.Time{}
}

func (u *subscriber) look(f *follow, c Calendar) error {
	d := u.d
	have := f.have
	if past(f.whole, readWhole, d.now()) || len(f.gone) > 0 {
		have = Version{}
	}
	body, version, changed, err := u.fetch(d.work, f.address, have)
	if err != nil || !changed {
		return err
	}
	calendar, err := ics.Read(bytes.NewReader(body), c.Site.Location())
	if err != nil {
		return err
	}
	now := d.now()
	events, err := calendar.Between(now.Add(-maxMinutes*time.Minute), now.Add(lookAhead))
	if err != nil {
		return err
	}
	s := &secretary{d: d, host: c.Host, c: Call{Site: c.Site, SiteID: c.SiteID, Base: c.Base, Origin: c.Origin}}
	r := &reconciliation{s: s, now: now, gone: f.gone}
	if err := s.importing(func() error { return r.run(events, calendar.Unread) }); err != nil {
		return err
	}
	if r.odd != f.odd && r.odd > 0 {
		d.log.Warn("some events of a host's calendar cannot become appointments", "events", r.odd)
	}
	f.have, f.whole, f.gone, f.odd = version, now, r.missing, r.odd
	return nil
}
