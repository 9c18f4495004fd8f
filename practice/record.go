// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"crypto/sha256"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// record is what the desk knows of one room: opened by its host, ended, or
// merely knocked at. It belongs to the desk's mutex.
type record struct {
	key  roomKey
	host string
	site *config.Site
	// opened is zero until the host opens the room.
	opened  time.Time
	expires time.Time
	ended   bool
	// grant and link are what the host gets; empty until opened.
	grant, link string
	knocks      map[string]*knock
	arrivals    bucket
	// locked keeps newcomers waiting even where nobody has to wait.
	locked bool
	// removed holds the identities that must not return.
	removed map[string]struct{}
	// keys are those of the pages of people who were let in, by identity.
	keys map[string]string
	// seals are the names of people in the circle, by identity and by the key of the
	// host's page that can open it; listed are those that are on the list of guests.
	seals  map[string]map[string]seal
	listed map[string]string
	// appointment is the id of the appointment that the room belongs to; empty:
	// none.
	appointment string
	// most is how many people the room takes; 0: as many as the site's rooms do.
	most int
	// held keeps everybody waiting until the host comes, also where nobody has to
	// be admitted.
	held bool
	// lobby tells that this is no room but the place where visitors without a link
	// wait for one.
	lobby bool
	// kept keeps everybody waiting until the host admits them, whatever the site
	// says.
	kept bool
	// standing is the id of the host's standing room that this is; empty: none.
	standing string
	// shut is when a standing room was closed last; since then none but inside come
	// in with what they hold.
	shut   time.Time
	inside map[string]struct{}
	// emptied is when nobody was seen in a room of the open consultation first.
	emptied time.Time
	// lapsed tells that the room has ended because its time was over: a moved
	// appointment gives it a new one.
	lapsed bool
}

// maxKeys bounds the keys remembered of one room. Those in its circle are told
// in any case.
const maxKeys = 1000

type knockState uint8

const (
	waiting knockState = iota
	admitted
	declined
	closed
)

// Reasons told with a closed room.
const (
	reasonEnded   = "ended"
	reasonExpired = "expired"
)

type secretHash [sha256.Size]byte

// knock is one visitor at the door. It belongs to the desk's mutex.
type knock struct {
	// name is what the visitor said, where names are not sealed; listed is the one on
	// the list of the appointment's guests, where they are.
	id, name, listed, identity string
	// key is the page's public key; empty: it has none.
	key string
	// guest is the id of the appointment's guest whose link was shown.
	guest  string
	secret secretHash
	since  time.Time
	state  knockState
	reason string
	record *record
	source *source
	// session is the socket that hears the answer; nil while it is cut.
	session *visitorSession
	// idle is when session went, or when the answer was given.
	idle time.Time
	// dropped tells a session that is still there that nothing will follow.
	dropped bool
	// former is the identity of somebody who was put back from the room.
	former string
	// unlinked tells that this visitor came without a link.
	unlinked bool
	// messages is what the host wrote; sessions share it, so it is replaced,
	// never changed.
	messages []string
	// seals is the name by the key of the host's page that can open it. letters are
	// messages that the server cannot read; replaced, never changed.
	seals   map[string]seal
	letters []letter
	// handover is the host's question, from and moved its outcome: whose guest
	// this was, and where they wait now.
	handover *handover
	from     string
	moved    *moved
	// origin is the room before: a page that was cut off may know no other.
	origin roomKey
}

// unguarded tells that nobody has to be admitted once the room is open.
func (r *record) unguarded() bool { return !r.site.WaitingRoomOn() && !r.kept }

func (r *record) open() bool { return !r.opened.IsZero() && !r.ended }

func (r *record) waiting() (n int) {
	for _, k := range r.knocks {
		if k.state == waiting {
			n++
		}
	}
	return n
}

// over tells that the record says nothing any more that matters. An ended
// room's record outlives its links and all tokens that led into it.
func (r *record) over(now time.Time) bool {
	switch {
	case len(r.knocks) > 0 || r.open():
		return false
	case r.standing != "":
		return r.arrivals.idle(now) && (r.shut.IsZero() || now.After(r.shut.Add(token.MediaLife+token.LeewayOwn)))
	case r.lapsed:
		return true // its links tell by themselves that the time is over
	case r.ended:
		return now.After(r.expires.Add(token.MediaLife + token.LeewayOwn))
	default:
		return r.arrivals.idle(now) // leaving and knocking again shall not refill it
	}
}

func (r *record) wakeVisitors() {
	for _, k := range r.knocks {
		k.wake()
	}
}

func (k *knock) wake() {
	if k.session != nil {
		k.session.wake()
	}
}

// settleLocked answers a knock. The answer waits for the grace, because the
// socket may be cut at this moment.
func (d *Desk) settleLocked(k *knock, s knockState, reason string, now time.Time) {
	if k.state != waiting {
		return
	}
	k.state, k.reason, k.idle = s, reason, now
	if s == admitted {
		k.record.remember(k.identity, k.key)
		if k.listed != "" && len(k.record.listed) < maxKeys {
			k.record.listed[k.identity] = k.listed
		}
		k.record.letIn(k.identity)
	}
	d.crowd.unwait(k.source)
	k.wake()
}

// remember notes the key of somebody's page, for the hosts' dashboards.
func (r *record) remember(identity, key string) {
	if key != "" && len(r.keys) < maxKeys {
		r.keys[identity] = key
	}
}

// dropLocked forgets a knock.
func (d *Desk) dropLocked(k *knock) {
	if k.state == waiting {
		d.crowd.unwait(k.source)
	}
	k.dropped = true
	delete(d.secrets, k.secret)
	delete(k.record.knocks, k.id)
}

func (d *Desk) sweepLocked(r *record, now time.Time) {
	changed := false
	for _, k := range r.knocks {
		switch {
		case k.session == nil && now.Sub(k.idle) > d.limits.Grace,
			k.state != waiting && now.Sub(k.idle) > d.limits.Grace:
			changed = changed || k.state == waiting
			d.dropLocked(k)
		case k.state == waiting && now.Sub(k.since) > d.limits.MaxWait:
			changed = true
			d.settleLocked(k, closed, reasonExpired, now)
		}
	}
	if changed {
		d.wakeHostLocked(hostKey{r.key.site, r.host})
	}
}

// endLocked closes a room for good and sends its visitors away.
func (d *Desk) endLocked(r *record, reason string) {
	if r.standing != "" {
		r.close(time.Now())
	} else {
		r.ended = true
	}
	d.hall.end(r.key)
	clear(r.seals)
	for _, k := range r.knocks {
		if k.state == admitted {
			d.dropLocked(k) // not even a lost answer leads back in
			k.wake()
			continue
		}
		d.settleLocked(k, closed, reason, time.Now())
	}
	d.wakeHostLocked(hostKey{r.key.site, r.host})
}

// openLocked opens a room that is new or was merely knocked at, and lets the
// visitors in where nobody has to wait.
func (d *Desk) openLocked(key roomKey, site *config.Site, g token.Grant, grant, link string) *record {
	r := d.recordLocked(key, g.Host, site, g.Expires)
	r.opened, r.expires, r.grant, r.link, r.site, r.locked = g.Opened, g.Expires, grant, link, site, g.Locked
	r.kept = g.Kept
	if r.unguarded() && !r.locked {
		for _, k := range r.knocks {
			d.settleLocked(k, admitted, "", time.Now())
		}
	}
	d.wakeHostLocked(hostKey{key.site, g.Host})
	r.wakeVisitors()
	return r
}

// recordLocked finds or makes the record of a room.
func (d *Desk) recordLocked(key roomKey, host string, site *config.Site, expires time.Time) *record {
	r := d.records[key]
	if r == nil {
		r = &record{
			key: key, host: host, site: site, expires: expires,
			knocks: make(map[string]*knock), removed: make(map[string]struct{}), keys: make(map[string]string),
			seals: make(map[string]map[string]seal), listed: make(map[string]string),
		}
		d.records[key] = r
	}
	return r
}

// openCountsLocked counts a host's open rooms, but for standing ones and those of
// appointments, and all.
func (d *Desk) openCountsLocked(k hostKey) (own, all int) {
	for key, r := range d.records {
		if !r.open() {
			continue
		}
		all++
		if key.site == k.site && r.host == k.id && r.appointment == "" && r.standing == "" {
			own++
		}
	}
	return own, all
}

// fullLocked reports whether a site has as many open rooms as it may.
func (d *Desk) fullLocked(siteID string, site *config.Site) bool {
	if site.MaxRooms == 0 {
		return false
	}
	n := 0
	for key, r := range d.records {
		if key.site == siteID && r.open() {
			n++
		}
	}
	return n >= site.MaxRooms
}
