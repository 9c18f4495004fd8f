// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/booking"
	records "github.com/caddy-videoroom/videoroom/practice/internal/record"
	"github.com/caddy-videoroom/videoroom/token"
)

// Options is what a desk is made of.
type Options struct {
	// Keys and Rooms are required.
	Keys  Keys
	Rooms Rooms
	// Version is told to clients.
	Version string
	// Limits that are not zero replace the defaults.
	Limits Limits
	// Log takes failures of the server's own; nil: none. It never gets a name,
	// address, room or token.
	Log *slog.Logger
	// Storage keeps appointments; nil: there are none.
	Storage Storage
	// Mail replaces the mail servers of the sites' settings, for tests; a nil
	// Mailer sends nothing. nil: those of the settings.
	Mail func(*config.Site) Mailer
	// Fetch gets hosts' calendars; nil: from the network.
	Fetch Fetch
	// Now is the clock of appointments; nil: the machine's.
	Now func() time.Time
}

// Storage is where appointments are kept. certmagic.Storage satisfies it. It may
// be slow and may fail; no call and no admission waits for it.
type Storage = records.Storage

// Desk is the reception of all sites. Create it with [New]; it runs until
// [Desk.Close].
//
// One mutex guards all state but that of the circles, which is the hall's.
// Nothing is called under it but the crowd's counters, the hall and the agenda's
// memory, whose mutexes are leaves. Sessions learn of changes by a wake-up and read the state anew, so
// no queue can overflow.
type Desk struct {
	keys    Keys
	rooms   Rooms
	version string
	limits  Limits
	log     *slog.Logger
	crowd   *crowd
	hall    *hall
	now     func() time.Time
	agenda  *agenda // nil: no appointments
	mail    func(*config.Site) Mailer
	clerk   *clerk
	// once lets every signature of booking software pass once; calls remembers
	// what was carried out for it.
	once  *booking.Once
	calls *calls
	// subscriber follows hosts' calendars.
	subscriber *subscriber
	// find returns the sites in force that may serve a site id.
	find atomic.Pointer[func(siteID string) []*config.Site]
	// present says where a site is reached now; nil: where its links say.
	present atomic.Pointer[func(siteID, base string) string]

	// ctx ends sessions at once, leave asks them to end politely.
	// work ends with leave: what need not be finished.
	ctx    context.Context
	cancel context.CancelFunc
	work   context.Context
	stop   context.CancelFunc
	leave  chan struct{}
	wg     sync.WaitGroup

	mu sync.Mutex
	// minute is the one in which opening hours and empty rooms were looked at last.
	minute int64
	// announced counts the keys that hosts' pages have announced for names.
	announced uint64
	closed    bool
	records   map[roomKey]*record
	hosts     map[hostKey]map[*hostSession]struct{}
	secrets   map[secretHash]*knock
}

type (
	roomKey struct{ site, id string }
	hostKey struct{ site, id string }
)

// New opens the desk and starts its one goroutine beside the sessions', which
// clears away what is over. Close ends it.
func New(o Options) *Desk {
	ctx, cancel := context.WithCancel(context.Background())
	d := &Desk{
		keys: o.Keys, rooms: o.Rooms, version: o.Version, limits: o.Limits, log: o.Log,
		ctx: ctx, cancel: cancel, leave: make(chan struct{}),
		records: make(map[roomKey]*record),
		hosts:   make(map[hostKey]map[*hostSession]struct{}),
		secrets: make(map[secretHash]*knock),
		now:     o.Now, mail: o.Mail,
	}
	d.work, d.stop = context.WithCancel(ctx)
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.now == nil {
		d.now = time.Now
	}
	d.limits.setDefaults()
	d.once = booking.NewOnce(d.now())
	d.crowd = newCrowd(&d.limits, time.Now())
	d.hall = newHall(&d.limits)
	unwatch := d.rooms.Watch(d.changed)
	d.wg.Go(func() { // ends with leave
		defer unwatch()
		d.clear()
	})
	if o.Storage != nil {
		d.agenda = newAgenda(o.Storage, d.log, d.now)
		d.calls = newCalls(d.agenda.store, d.now)
		d.clerk = newClerk(d)
		d.wg.Go(d.clerk.run) // ends with leave
		d.subscriber = newSubscriber(d, o.Fetch)
		d.wg.Go(d.subscriber.run) // ends with leave
	}
	return d
}

// Close takes nobody any more and ends all sessions, telling clients to come
// back (close code 1012). It returns when all have ended; when ctx ends before,
// it cuts the rest.
func (d *Desk) Close(ctx context.Context) {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.leave)
		d.stop()
	}
	d.mu.Unlock()
	stop := context.AfterFunc(ctx, d.cancel)
	defer stop()
	d.wg.Wait()
	d.hall.close()
	d.cancel()
}

// spawn runs a session on a goroutine of the desk's. It returns false when the
// desk is closed.
func (d *Desk) spawn(session func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.wg.Go(session) // ends with leave, ctx or its client
	return true
}

// Stats counts without naming.
type Stats struct {
	// OpenRooms are rooms that hosts have opened; Waiting the visitors waiting
	// now; Hosts the dashboards connected.
	OpenRooms, Waiting, Hosts int
}

// Stats returns the present counts.
func (d *Desk) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	var s Stats
	for _, r := range d.records {
		if r.open() {
			s.OpenRooms++
		}
		s.Waiting += r.waiting()
	}
	for _, sessions := range d.hosts {
		s.Hosts += len(sessions)
	}
	return s
}

// Size returns how many people the room of an appointment takes; 0: it belongs to
// none, or not to one that is known.
func (d *Desk) Size(site, room string) int {
	if d.agenda == nil {
		return 0
	}
	a := d.agenda.inRoom(site, room)
	if a == nil || a.Room != room {
		return 0
	}
	c := d.siteFor(site, a.Host)
	if c == nil {
		return 0
	}
	kind, _ := c.Kind(a.Kind)
	return kind.MaxParticipants
}

// Admitted checks a participant with an authentic media token of ours: it
// returns [ErrEnded] after the room's end and [ErrRemoved] after the
// participant's removal. A room the desk knows nothing of is none of its
// business: after a restart, people come back before the host does.
func (d *Desk) Admitted(site, room, identity string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.records[roomKey{site, room}]
	switch {
	case r == nil:
		return nil
	case r.ended || r.standing != "" && !r.shut.IsZero() && !r.open():
		return ErrEnded
	case r.shutOut(identity):
		return ErrRemoved
	}
	if _, removed := r.removed[identity]; removed {
		return ErrRemoved
	}
	return nil
}

// Reopened tells whether a room is a standing one that its host has open: that it
// was ended concerns a talk before.
func (d *Desk) Reopened(site, room string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.records[roomKey{site, room}]
	return r != nil && r.standing != "" && r.open()
}

// Locate says where sites are reached from now on: present returns the address
// that links of a site begin with, "https://host/video", where base is what they
// began with when their appointment was made; "" where nothing leads to the site.
// It comes before the [Desk.Install] of the same configuration. Links that are
// written later, in letters too, begin with it; those that people have are as good
// as before wherever the former address still leads to the site.
func (d *Desk) Locate(present func(siteID, base string) string) { d.present.Store(&present) }

// baseOf returns what links of an appointment begin with now.
func (d *Desk) baseOf(site string, a *appointment.Appointment) string {
	if present := d.present.Load(); present != nil {
		return or((*present)(site, a.Base), a.Base)
	}
	return a.Base
}

// leads tells whether there is an address that leads to an appointment's site.
func (d *Desk) leads(site string, a *appointment.Appointment) bool {
	present := d.present.Load()
	return present == nil || (*present)(site, a.Base) != ""
}

// Install applies a new configuration to what is running. find returns the
// sites that may serve a site id: hosts that none of them knows, or whose
// private link has been revoked, are signed out; rooms of an id that nobody serves are closed and their visitors sent
// away. Ending what goes on in such rooms is the caller's business.
func (d *Desk) Install(find func(siteID string) []*config.Site) {
	d.find.Store(&find)
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, sessions := range d.hosts {
		sites := find(key.site)
		for h := range sessions {
			site := siteOf(sites, h.proof)
			if site != nil {
				h.site = site
			}
			h.dismissed = site == nil
			h.wake()
		}
	}
	for key, r := range d.records {
		sites := find(key.site)
		if len(sites) == 0 {
			d.endLocked(r, reasonEnded)
		} else if site := siteOf(sites, token.HostSession{Host: r.host}); site != nil {
			r.site = site
		}
	}
}

func siteOf(sites []*config.Site, who token.HostSession) *config.Site {
	for _, s := range sites {
		if welcome(s, who) {
			return s
		}
	}
	return nil
}

// changed is called by the rooms.
func (d *Desk) changed(site, room string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.records[roomKey{site, room}]
	if r == nil {
		r = d.reviveLocked(roomKey{site, room})
	}
	if r == nil {
		r = d.reviveStandingLocked(roomKey{site, room})
	}
	if r != nil {
		d.wakeHostLocked(hostKey{site, r.host})
	}
}

// presentLocked tells whether any dashboard of a host is connected.
func (d *Desk) presentLocked(k hostKey) bool { return len(d.hosts[k]) > 0 }

func (d *Desk) wakeHostLocked(k hostKey) {
	for h := range d.hosts[k] {
		h.wake()
	}
}

// presenceLocked tells waiting visitors and colleagues that the host has come
// or gone.
func (d *Desk) presenceLocked(k hostKey) {
	for key, r := range d.records {
		if key.site == k.site && r.host == k.id {
			r.wakeVisitors()
		}
	}
	for other := range d.hosts {
		if other.site == k.site {
			d.wakeHostLocked(other)
		}
	}
}

// clear removes what is over, once a second, until the desk closes.
func (d *Desk) clear() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-d.leave:
			return
		case now := <-tick.C:
			d.sweep(now)
		}
	}
}

func (d *Desk) sweep(now time.Time) {
	var old []roomKey
	d.mu.Lock()
	for key, r := range d.records {
		d.sweepLocked(r, now)
		if r.lapses(now) {
			old = append(old, key)
		}
		if r.over(now) {
			delete(d.records, key)
		}
	}
	minute := now.Unix() / 60
	turned := minute != d.minute
	d.minute = minute
	d.mu.Unlock()
	if turned {
		d.minutely(now)
	}
	for _, key := range old {
		// A consultation that runs past its link's end is not torn apart.
		if len(d.rooms.Participants(key.site, key.id)) > 0 {
			continue
		}
		d.mu.Lock()
		if r := d.records[key]; r != nil {
			d.endLocked(r, reasonExpired)
			r.lapsed = r.standing == ""
		}
		d.mu.Unlock()
	}
}

func (d *Desk) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}
