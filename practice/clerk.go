// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
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
	// maxSiteMailing bounds the letters of a site that are sent at the same time,
	// maxMailing those of all.
	maxSiteMailing = 4
	maxMailing     = 64
)

// clerk looks after the appointments of all sites: it keeps the agenda up to
// date, sends what is due and deletes what is over. It has one goroutine, and one
// to four more for each site that is sending, so that a slow mail server makes
// nobody late.
type clerk struct {
	d    *Desk
	wake signal
	// What follows belongs to run's goroutine.
	discovered time.Time
	retained   map[string]time.Time
	failing    bool
	// judged is the configuration in which appointments without an address were
	// counted last, and lost what was found, by site.
	judged map[string]*func(string) []*config.Site
	lost   map[string]loss

	mu      sync.Mutex
	mailing map[string]int // goroutines by site
	sending int            // goroutines of all
}

func newClerk(d *Desk) *clerk {
	return &clerk{
		d: d, wake: newSignal(), retained: make(map[string]time.Time), mailing: make(map[string]int),
		judged: make(map[string]*func(string) []*config.Site), lost: make(map[string]loss),
	}
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
			k.send(site, len(due))
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
	k.judge(site, now)
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

// What is said of appointments that a change of the configuration has cut off.
const (
	lostHosts = "appointments belong to hosts whom the configuration does not name any more: their links lead nowhere and no mail is sent until it does"
	lostSite  = "appointments belong to a site that the configuration does not have any more: their links lead nowhere; where it has moved to another host name, write this id as site into its block"
)

// loss is what was said of how many appointments.
type loss struct {
	said         string
	appointments int
}

// judge warns, once for each configuration that cuts off others, of appointments
// to which nothing leads.
func (k *clerk) judge(site string, now time.Time) {
	find := k.d.find.Load()
	if find == nil || k.judged[site] == find {
		return
	}
	k.judged[site] = find
	found := loss{said: lostHosts}
	found.appointments = len(k.d.agenda.choose(site, func(a *appointment.Appointment) bool {
		if a.Status != appointment.Planned || !now.Before(a.End()) {
			return false
		}
		if !k.d.leads(site, a) {
			found.said = lostSite
			return true
		}
		return k.d.siteFor(site, a.Host) == nil
	}))
	if found.appointments > 0 && found != k.lost[site] {
		k.d.log.Warn(found.said, "site", site, "appointments", found.appointments)
	}
	k.lost[site] = found
}

// due returns the letters of a site that are to leave now, reminders first, at
// most one for each guest: what comes of it decides about the next.
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
			switch {
			case l.Guest == served:
			case g.box.Busy(site, l.ID):
				served = l.Guest
			case g.box.Due(site, &l):
				due, served = append(due, l), l.Guest
			}
		}
	}
	slices.SortStableFunc(due, func(a, b appointment.Letter) int {
		return cmp.Or(cmp.Compare(urgency(a.What), urgency(b.What)), a.Due.Compare(b.Due))
	})
	return due
}

// urgency orders letters that are due at the same time: a reminder is worth
// nothing later.
func urgency(what appointment.What) int {
	if what == appointment.Reminder {
		return 0
	}
	return 1
}

// send has up to four goroutines of the site send what is due.
func (k *clerk) send(site string, due int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for ; due > 0 && k.mailing[site] < maxSiteMailing && k.sending < maxMailing; due-- {
		if !k.d.spawn(func() { k.deliver(site) }) {
			return
		}
		k.mailing[site]++
		k.sending++
	}
}

// deliver makes one attempt at each letter that is due, until none is. After an
// attempt a letter is not due for a while, so that this ends.
func (k *clerk) deliver(site string) {
	g := k.d.agenda
	for !k.d.isClosed() {
		due := k.due(site)
		if len(due) == 0 {
			break
		}
		l := &due[0]
		switch err := g.box.Deliver(k.d.ctx, site, l, k.d.prepare(site, l)); {
		case errors.Is(err, records.ErrUnavailable): // told once, by turn
		case err != nil:
			k.d.log.Warn("a letter could not be tried and waits", "error", err)
		}
		if e := g.box.Entry(site, l.ID); e.Trouble() {
			k.d.log.Warn("a letter has not been sent as it should; its host is told", "state", e.State, "reason", e.Reason, "attempts", e.Attempts)
		}
		g.version.Add(1)
		k.d.wakeHosts()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sending--
	if k.mailing[site]--; k.mailing[site] == 0 {
		delete(k.mailing, site)
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
