// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/booking"
	records "github.com/caddy-videoroom/videoroom/practice/internal/record"
	"github.com/caddy-videoroom/videoroom/token"
)

const (
	idempotencyHeader = "Idempotency-Key"
	maxIdempotency    = 128
	// callLife is how long a request that was carried out is remembered.
	callLife = 24 * time.Hour
	// maxCalls bounds what is remembered of a site.
	maxCalls = 5000
)

// serveSoftware answers a request that booking software has signed.
func (s *secretary) serveSoftware(w http.ResponseWriter, r *http.Request, from *source, run func(*secretary) (answer, error)) (answer, error) {
	body, err := readBody(w, r)
	if err != nil {
		return answer{}, err
	}
	s.body = body
	signature, err := s.d.signed(r, s.c, body)
	if err != nil {
		return answer{}, s.d.crowd.wrong(from, time.Now(), unsigned(err))
	}
	s.d.crowd.right(from)
	// A good signature at a bad time is no attempt to guess one.
	if err := signature.timely(); err != nil {
		return answer{}, unsigned(err)
	}
	if err := s.d.plans(s.c.SiteID); err != nil {
		return answer{}, err
	}
	s.software = signature.key
	if err := s.choose(r.Method); err != nil {
		return answer{}, err
	}
	if r.Method == http.MethodGet {
		return run(s)
	}
	return s.onlyOnce(r, run)
}

// proof is a signature that is right.
type proof struct {
	key string
	// timely passes the signature once, at its time.
	timely func() error
}

// signed finds out which key has signed a request.
func (d *Desk) signed(r *http.Request, c Call, body []byte) (proof, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return proof{}, booking.ErrNoSignature
	}
	s, err := booking.Parse(headers[0])
	if err != nil {
		return proof{}, err
	}
	secret, known := bookingSecret(c, s.Key)
	now := d.now()
	err = s.Check(secret, r.Method, target(r, c), body, now)
	switch {
	case !known || errors.Is(err, booking.ErrWrong):
		return proof{}, booking.ErrWrong
	case err != nil:
		return proof{s.Key, func() error { return err }}, nil //nolint:nilerr // told after the limits have been settled
	}
	return proof{s.Key, func() error { return d.once.Pass(s, now) }}, nil
}

// target is the path with its query as the client wrote it in the request line.
func target(r *http.Request, c Call) string {
	path := c.Base + "/" + c.Path
	if r.URL.RawQuery == "" {
		return path
	}
	return path + "?" + r.URL.RawQuery
}

// bookingSecret returns the secret of a key; an unknown one has a secret that
// nobody knows.
func bookingSecret(c Call, key string) (secret string, known bool) {
	for _, k := range c.Site.Booking {
		if k.Key == key {
			return k.Secret, true
		}
	}
	return token.NewSecret(), false
}

// unsigned says what is wrong with a signature. Which part of it is wrong, or
// whether the key exists, is nobody's business.
func unsigned(err error) error {
	reasons := []struct {
		err    error
		reason string
	}{{booking.ErrClock, "clock"}, {booking.ErrReplay, "replayed"}}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return &Error{Code: CodeNotHost, Fields: complaints{"signature": r.reason}, cause: err}
		}
	}
	if errors.Is(err, booking.ErrCrowded) {
		return retry(CodeTooMany, seconds(booking.Tolerance))
	}
	return &Error{Code: CodeNotHost, Fields: complaints{"signature": "wrong"}, cause: err}
}

// choose finds the host that a request of booking software is about: the one it
// names, the one whose appointment it is, or the only one.
func (s *secretary) choose(method string) error {
	named := s.query.Get("host")
	switch {
	case named != "":
		if _, ok := s.c.Site.Host(named); !ok {
			return complaints{"host": "unknown"}.err()
		}
		s.host = named
	case s.id != "":
		a := s.d.agenda.find(s.c.SiteID, s.id)
		if a == nil {
			return fail(CodeNotFound)
		}
		if _, ok := s.c.Site.Host(a.Host); !ok {
			return fail(CodeNotFound)
		}
		s.host = a.Host
	case len(s.c.Site.Hosts) == 1:
		s.host = s.c.Site.Hosts[0].ID
	case method != http.MethodGet:
		return complaints{"host": "required"}.err()
	}
	return nil
}

// calls remembers the requests of booking software that were carried out.
type calls struct {
	store *records.Records
	now   func() time.Time

	mu    sync.Mutex
	known map[string]map[string]time.Time // by site and id: when
}

func newCalls(store *records.Records, now func() time.Time) *calls {
	return &calls{store: store, now: now, known: make(map[string]map[string]time.Time)}
}

// callRecord is what is kept of a request: what it was, and whom the answer
// spoke of. The answer itself holds links, which are never stored.
type callRecord struct {
	Digest string     `json:"digest"`
	Status int        `json:"status"`
	List   bool       `json:"list,omitempty"`
	Items  []callItem `json:"items"`
	At     time.Time  `json:"at"`
}

type callItem struct {
	ID    string   `json:"id"`
	Shown []string `json:"shown,omitempty"` // guests whose link was shown
}

// onlyOnce carries a request out unless that has been done: then the answer is
// given again. Without a key of its own a request is known by its signature, and
// refused the second time, even by another process.
func (s *secretary) onlyOnce(r *http.Request, run func(*secretary) (answer, error)) (answer, error) {
	named := r.Header.Get(idempotencyHeader)
	if len(named) > maxIdempotency || strings.ContainsFunc(named, func(c rune) bool { return c < '!' || c > '~' }) {
		return answer{}, complaints{idempotencyHeader: "malformed"}.err()
	}
	name := named
	if name == "" {
		name = r.Header.Get("Authorization")
	}
	id := digestID("call", s.software, name)
	if named != "" {
		s.source = "call " + id
	}
	digest := sha256.Sum256([]byte(strings.Join([]string{r.Method, target(r, s.c), string(s.body)}, "\n")))
	c, site := s.d.calls, s.c.SiteID
	ctx, cancel := s.context()
	defer cancel()
	var out answer
	err := c.store.Locked(ctx, site, string(records.Call), func() error {
		before, err := c.find(ctx, site, id)
		switch {
		case err != nil:
			return err
		case before == nil:
		case named == "":
			return unsigned(booking.ErrReplay)
		case before.Digest != hex.EncodeToString(digest[:]):
			return &Error{Code: CodeConflict, Fields: complaints{idempotencyHeader: "used"}}
		default:
			out, err = s.again(before)
			return err
		}
		if out, err = run(s); err != nil {
			return err
		}
		record := note24(out)
		record.Digest, record.At = hex.EncodeToString(digest[:]), c.now().UTC()
		if err := c.keep(ctx, site, id, record); err != nil {
			// What was asked for is done. A repetition finds what it created, and
			// does everything else to the same end.
			s.d.log.Warn("a request of booking software could not be noted", "error", err)
		}
		return nil
	})
	return out, err
}

// note24 is what is kept of an answer for 24 hours.
func note24(a answer) *callRecord {
	record := &callRecord{Status: a.status}
	bodies := []appointmentBody{}
	switch body := a.body.(type) {
	case listBody:
		record.List, bodies = true, body.Appointments
	case appointmentBody:
		bodies = []appointmentBody{body}
	}
	for _, b := range bodies {
		item := callItem{ID: b.ID}
		for _, g := range b.Guests {
			if g.Link != "" {
				item.Shown = append(item.Shown, g.ID)
			}
		}
		record.Items = append(record.Items, item)
	}
	return record
}

// again answers as before, with what has become of the appointments since.
func (s *secretary) again(before *callRecord) (answer, error) {
	body := listBody{[]appointmentBody{}}
	for _, item := range before.Items {
		a := s.d.agenda.find(s.c.SiteID, item.ID)
		if a == nil {
			continue
		}
		by, links := s.creator(), make(map[string]string)
		for _, id := range item.Shown {
			if g := a.Guest(id); g != nil {
				links[id] = by.secret(a, g)
			}
		}
		body.Appointments = append(body.Appointments, s.describe(a, links))
	}
	switch {
	case before.List:
		return answer{before.Status, body}, nil
	case len(body.Appointments) == 0:
		return answer{}, fail(CodeNotFound)
	}
	return answer{before.Status, body.Appointments[0]}, nil
}

// missing returns which of the appointments that are about to be created are not
// there yet from an earlier attempt at the same request, and puts those that are
// in their places.
func (s *secretary) missing(all []*appointment.Appointment) []*appointment.Appointment {
	if s.source == "" {
		return all
	}
	there := s.d.agenda.choose(s.c.SiteID, func(a *appointment.Appointment) bool {
		return a.Source == s.source && a.Host == s.host
	})
	var missing []*appointment.Appointment
	for i, a := range all {
		same := slices.IndexFunc(there, func(b *appointment.Appointment) bool { return b.Start.Equal(a.Start) })
		if same >= 0 {
			all[i] = there[same]
			continue
		}
		if len(there) > 0 {
			a.Series = there[0].Series
		}
		missing = append(missing, a)
	}
	return missing
}

// find reads a request that was carried out; nil: none is known.
func (c *calls) find(ctx context.Context, site, id string) (*callRecord, error) {
	record := new(callRecord)
	err := c.store.Get(ctx, site, records.Call, id, record)
	switch {
	case errors.Is(err, records.ErrNotFound), errors.Is(err, records.ErrDamaged):
		return nil, nil //nolint:nilnil // as documented
	case err != nil:
		return nil, err
	}
	if past(record.At, callLife, c.now()) {
		return nil, nil //nolint:nilnil // as documented
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ofLocked(site)[id] = record.At
	return record, nil
}

func (c *calls) ofLocked(site string) map[string]time.Time {
	m := c.known[site]
	if m == nil {
		m = make(map[string]time.Time)
		c.known[site] = m
	}
	return m
}

func (c *calls) keep(ctx context.Context, site, id string, record *callRecord) error {
	c.mu.Lock()
	m := c.ofLocked(site)
	if len(m) >= maxCalls {
		c.mu.Unlock()
		return fail(CodeTooMany)
	}
	m[id] = record.At
	c.mu.Unlock()
	return c.store.Put(ctx, site, records.Call, id, record)
}

// forget deletes what is remembered long enough.
func (c *calls) forget(ctx context.Context, site string) error {
	ids, err := c.store.List(ctx, site, records.Call)
	if err != nil {
		return err
	}
	c.mu.Lock()
	before := c.known[site]
	c.mu.Unlock()
	now, listed := c.now(), make(map[string]bool, len(ids))
	for _, id := range ids {
		listed[id] = true
		c.mu.Lock()
		at, known := before[id]
		c.mu.Unlock()
		if !known {
			var record callRecord
			if err := c.store.Get(ctx, site, records.Call, id, &record); errors.Is(err, records.ErrUnavailable) {
				return err
			}
			at = record.At // what cannot be read is old enough
		}
		if past(at, callLife, now) {
			if err := c.store.Delete(ctx, site, records.Call, id); err != nil {
				return err
			}
			listed[id] = false
		} else {
			c.mu.Lock()
			c.ofLocked(site)[id] = at
			c.mu.Unlock()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, at := range c.known[site] {
		if !listed[id] && past(at, callLife, now) {
			delete(c.known[site], id)
		}
	}
	return nil
}

// digestID makes an id of texts, none of which contains a NUL.
func digestID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return token.IDFrom([16]byte(sum[:16]))
}
