// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	records "github.com/caddy-videoroom/videoroom/practice/internal/record"
)

var (
	errNotServed = errors.New("no site in force has this host")
	errNoMailer  = errors.New("the site has no mail server")
)

const (
	// clerkTurn is the time between two looks at what is due.
	clerkTurn = 5 * time.Second
	// discoverEvery is how often sites of other processes are looked for,
	// retainEvery how often what is over is deleted.
	discoverEvery = lookEvery
	retainEvery   = 10 * time.Minute
	// maxMailing bounds the sites that send at the same time.
	maxMailing = 8
)

// clerk looks after the appointments of all sites: it keeps the agenda up to
// date, sends what is due and deletes what is over. It has one goroutine, and one
// more for each site that is sending, so that one slow mail server makes nobody
// else late.
type clerk struct {
	d    *Desk
	wake signal
	// What follows belongs to run's goroutine.
	discovered time.Time
	retained   map[string]time.Time
	failing    bool

	mu      sync.Mutex
	mailing map[string]bool
}

func newClerk(d *Desk) *clerk {
	return &clerk{d: d, wake: newSignal(), retained: make(map[string]time.Time), mailing: make(map[string]bool)}
}

// run works until the desk closes.
func (k *clerk) run() {
	tick := time.NewTicker(clerkTurn)
	defer tick.Stop()
	for {
		k.turn()
		select {
		case <-k.d.leave:
			return
		case <-k.wake:
		case <-tick.C:
		}
	}
}

// turn does what is due now. Sending goes on beside it.
func (k *clerk) turn() {
	before := k.d.agenda.version.Load()
	err := k.keep(k.d.work)
	if failing := err != nil; failing != k.failing && k.d.work.Err() == nil {
		k.failing = failing
		if failing {
			k.d.log.Error("the storage does not answer as it should: appointments cannot be changed until it does, mail waits, calls go on", "error", err)
		} else {
			k.d.log.Info("the storage answers again: appointments can be changed")
		}
	}
	for _, site := range k.d.agenda.sites() {
		if due := k.due(site); len(due) > 0 {
			k.send(site, due)
		}
	}
	if k.d.agenda.version.Load() != before {
		k.d.wakeHosts()
	}
}

// keep brings the agenda up to date and deletes what is over. It ends at the
// first failure, which concerns every site.
func (k *clerk) keep(ctx context.Context) error {
	g, now := k.d.agenda, k.d.now()
	if past(k.discovered, discoverEvery, now) {
		if err := g.discover(ctx); err != nil {
			return err
		}
		k.discovered = now
	}
	var first error
	for _, site := range g.sites() {
		if err := k.keepSite(ctx, site, now); err != nil {
			if errors.Is(err, records.ErrUnavailable) {
				return err
			}
			first = err
		}
	}
	return first
}

func (k *clerk) keepSite(ctx context.Context, site string, now time.Time) error {
	g := k.d.agenda
	if err := g.box.Flush(ctx, site); err != nil {
		return err
	}
	if err := g.clean(ctx, site); err != nil {
		return err
	}
	if err := g.refresh(ctx, site); err != nil {
		return err
	}
	if !past(k.retained[site], retainEvery, now) {
		return nil
	}
	retention, closes := 24*time.Hour, 2*time.Hour // of a site that nobody serves any more
	if find := k.d.find.Load(); find != nil {
		if sites := (*find)(site); len(sites) > 0 {
			retention, closes = time.Duration(sites[0].Retention), time.Duration(sites[0].ClosesAfter)
		}
	}
	if err := g.retain(ctx, site, min(retention, appointment.MaxRetention), closes); err != nil {
		return err
	}
	if err := k.d.calls.forget(ctx, site); err != nil {
		return err
	}
	k.retained[site] = now
	return nil
}

// due returns the letters of a site that are to leave now, at most one for each
// guest: what comes of it decides about the next.
func (k *clerk) due(site string) []appointment.Letter {
	g := k.d.agenda
	var due []appointment.Letter
	for _, a := range g.choose(site, func(*appointment.Appointment) bool { return true }) {
		c := k.d.siteFor(site, a.Host)
		if c == nil || !k.d.mails(c) {
			continue
		}
		served := ""
		for _, l := range a.Letters(reminder(c), func(id string) appointment.Outcome { return g.box.Outcome(site, id) }) {
			if l.Guest != served && g.box.Due(site, &l) {
				due, served = append(due, l), l.Guest
			}
		}
	}
	slices.SortStableFunc(due, func(a, b appointment.Letter) int { return a.Due.Compare(b.Due) })
	return due
}

// send makes an attempt at each letter, unless the site is sending already or
// too many others are.
func (k *clerk) send(site string, due []appointment.Letter) {
	k.mu.Lock()
	busy := k.mailing[site] || len(k.mailing) >= maxMailing
	if !busy {
		k.mailing[site] = true
	}
	k.mu.Unlock()
	if busy {
		return
	}
	started := k.d.spawn(func() {
		k.deliver(site, due)
		k.mu.Lock()
		delete(k.mailing, site)
		k.mu.Unlock()
		k.wake.wake() // what was due meanwhile
	})
	if !started {
		k.mu.Lock()
		delete(k.mailing, site)
		k.mu.Unlock()
	}
}

func (k *clerk) deliver(site string, due []appointment.Letter) {
	g := k.d.agenda
	for i := range due {
		if k.d.isClosed() {
			return
		}
		if err := g.box.Deliver(k.d.ctx, site, &due[i], k.d.prepare(site, &due[i])); err != nil {
			k.d.log.Warn("a letter could not be tried and waits", "error", err)
		}
		if e := g.box.Entry(site, due[i].ID); e.Trouble() {
			k.d.log.Warn("a letter has not been sent as it should; its host is told", "state", e.State, "reason", e.Reason, "attempts", e.Attempts)
		}
		g.version.Add(1)
		k.d.wakeHosts()
	}
}

// wakeHosts has all dashboards told anew.
func (d *Desk) wakeHosts() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key := range d.hosts {
		d.wakeHostLocked(key)
	}
}
