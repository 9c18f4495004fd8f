// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
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
	pollTurn  = 2 * time.Second
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
	busy    bool

	have     Version
	whole    time.Time // when it was read last
	failures int
	// gone are the marks of appointments that were missing the last time, where
	// that was too many to be believed at once.
	gone map[string]bool
	// odd is how many events could not become appointments, as logged.
	odd int
}

func newSubscriber(d *Desk, fetch Fetch) *subscriber {
	if fetch == nil {
		fetch = feed.Fetcher{}.Fetch
	}
	return &subscriber{d: d, fetch: fetch, follows: make(map[followKey]*follow)}
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
}

// run works until the desk closes.
func (u *subscriber) run() {
	tick := time.NewTicker(pollTurn)
	defer tick.Stop()
	for {
		select {
		case <-u.d.leave:
			return
		case <-tick.C:
			u.turn()
		}
	}
}

// turn looks at the calendars whose time has come.
func (u *subscriber) turn() {
	for f, c := range u.due() {
		if u.d.plans(c.SiteID) != nil || !u.d.spawn(func() { u.poll(f, c) }) {
			u.free(f, 0) // the next turn tries again
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
}

// poll looks at one calendar.
func (u *subscriber) poll(f *follow, c Calendar) {
	err := u.look(f, c)
	every := pollEvery
	if err == nil {
		if f.failures > 0 {
			u.d.log.Info("a host's calendar can be read again")
		}
		f.failures = 0
	} else {
		f.failures++
		every = min(pollEvery<<min(f.failures-1, 10), pollSeldom)
		if f.failures == 3 {
			u.d.log.Warn("a host's calendar cannot be read; its appointments stay as they are until it can", "error", err)
		}
	}
	u.free(f, every*4/5+rand.N(every*2/5))
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

// reconciliation makes appointments what a calendar says.
type reconciliation struct {
	s   *secretary
	now time.Time
	// gone were missing the last time, missing are it now and wait for the next.
	gone, missing map[string]bool
	odd           int
}

// The marks of what comes from a calendar: host, series, and time within it.
func (r *reconciliation) seriesMark(uid string) string {
	return "feed " + digestID("feed", r.s.host) + " " + digestID("uid", uid) + " "
}

func (r *reconciliation) run(events []ics.Occurrence, unread []string) error {
	wanted := make(map[string]*booked)
	var order []string
	for _, e := range events {
		b := r.booking(e)
		if len(b.guests) > 0 && e.Start.Add(e.Duration).After(r.now) && wanted[b.source] == nil {
			wanted[b.source] = b
			order = append(order, b.source)
		}
	}
	have := make(map[string]*appointment.Appointment)
	for _, a := range r.s.d.agenda.choose(r.s.c.SiteID, func(a *appointment.Appointment) bool {
		return a.Host == r.s.host && a.Status == appointment.Planned && strings.HasPrefix(a.Source, r.hostMark()) && a.End().After(r.now)
	}) {
		have[a.Source] = a
	}
	r.pair(wanted, have, order)
	for _, source := range order {
		b := wanted[source]
		if have[source] == nil && len(b.before) == 0 && b.start.After(r.now.Add(bookAhead)) {
			continue // its time comes
		}
		if _, err := r.s.take(*b); isUnavailable(err) {
			return err
		} else if err != nil {
			if coded(err).Code == CodeInternal {
				return err
			}
			r.odd++
		}
	}
	return r.cancel(wanted, have, unread)
}

func (r *reconciliation) hostMark() string { return "feed " + digestID("feed", r.s.host) + " " }

// booking is an event as an appointment.
func (r *reconciliation) booking(e ics.Occurrence) *booked {
	site := r.s.c.Site
	b := &booked{
		source: r.seriesMark(e.UID) + digestID("key", e.Key), relabelling: true,
		start: e.Start, kind: usualKind(site), zone: e.Start.Location().String(), told: r.now.UTC(),
	}
	if _, err := time.LoadLocation(b.zone); err != nil || b.zone == "UTC" || b.zone == "Local" {
		b.zone = ""
	}
	if e.Duration > 0 {
		b.minutes = min(max(int(e.Duration/time.Minute), minMinutes), maxMinutes)
	}
	f := r.s.form()
	if b.label = f.label(e.Summary); len(f.wrong) > 0 {
		b.label = ""
	}
	own := []string{}
	if host, ok := site.Host(r.s.host); ok {
		own = append(own, host.Email)
	}
	if site.SMTP != nil {
		if from, err := mail.ParseAddress(site.SMTP.From); err == nil {
			own = append(own, from.Address)
		}
	}
	same := func(a string) func(string) bool { return func(b string) bool { return strings.EqualFold(a, b) } }
	for _, a := range e.Attendees {
		if a.Declined || slices.ContainsFunc(own, same(a.Address)) {
			continue
		}
		own = append(own, a.Address) // once is enough
		name, err := CleanName(a.Name)
		if err != nil {
			name = ""
		}
		b.guests = append(b.guests, guestBody{Name: name, Email: a.Address})
	}
	return b
}

// pair finds the appointments of a series that has moved as a whole: its times
// have other names then. Those that are missing and those that are new are the
// same, in their order.
func (r *reconciliation) pair(wanted map[string]*booked, have map[string]*appointment.Appointment, order []string) {
	lost := make(map[string][]*appointment.Appointment)
	for source, a := range have {
		if wanted[source] == nil {
			lost[seriesOf(source)] = append(lost[seriesOf(source)], a)
		}
	}
	for _, l := range lost {
		slices.SortFunc(l, func(a, b *appointment.Appointment) int { return a.Start.Compare(b.Start) })
	}
	for _, source := range order { // by start
		l := lost[seriesOf(source)]
		if have[source] != nil || len(l) == 0 {
			continue
		}
		wanted[source].before = []string{l[0].Source}
		delete(have, l[0].Source)
		lost[seriesOf(source)] = l[1:]
	}
}

// seriesOf is a mark without the time within the series.
func seriesOf(source string) string { return source[:strings.LastIndexByte(source, ' ')+1] }

// cancel calls off what is not in the calendar any more.
func (r *reconciliation) cancel(wanted map[string]*booked, have map[string]*appointment.Appointment, unread []string) error {
	spared := make(map[string]bool)
	for _, uid := range unread {
		if uid == "" {
			return nil // any of them could be the one
		}
		spared[r.seriesMark(uid)] = true
	}
	var missing []*appointment.Appointment
	for source, a := range have {
		if wanted[source] == nil && !spared[seriesOf(source)] && a.Start.Before(r.now.Add(lookAhead)) {
			missing = append(missing, a)
		}
	}
	if many := len(missing) > fewGone && 2*len(missing) > len(have); many {
		r.missing = make(map[string]bool)
		for _, a := range missing {
			r.missing[a.Source] = true
		}
		missing = slices.DeleteFunc(missing, func(a *appointment.Appointment) bool { return !r.gone[a.Source] })
	}
	for _, a := range missing {
		if _, err := r.s.apply(a.ID, r.drop); err != nil {
			return err
		}
		delete(r.missing, a.Source)
	}
	return nil
}

// drop calls an appointment off that has lost its event. Should the event come
// back, it is another appointment; one that a host has called off stays as it is.
func (r *reconciliation) drop(a *appointment.Appointment) error {
	if a.Source != "" {
		a.Former, a.Source = append(slices.Clone(a.Former), a.Source), ""
	}
	return r.s.callOff(a)
}
