// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/booking"
	"github.com/caddy-videoroom/videoroom/token"
)

const appointmentsPath = "api/v1/appointments"

// appointmentPath returns the segments of a path below the appointments.
func appointmentPath(path string) (below []string, ok bool) {
	rest, ok := strings.CutPrefix(path, appointmentsPath)
	if !ok || rest != "" && rest[0] != '/' {
		return nil, false
	}
	if rest == "" {
		return nil, true
	}
	return strings.Split(rest[1:], "/"), true
}

// secretary is a request about appointments, of a host or of booking software.
type secretary struct {
	d *Desk
	c Call
	// host is whose appointments it is about; "": those of all, where booking
	// software lists.
	host string
	// software is the key that booking software signed with, "" for hosts.
	software string
	// source marks what is created, so that it is found again; see [appointment.Appointment].
	source string
	// id, guest are of the path; empty where it has none.
	id, guest string
	query     url.Values
	body      []byte
}

// answer is what a request gets.
type answer struct {
	status int
	body   any
}

// appointmentRoutes maps method and shape of the path.
var appointmentRoutes = map[string]map[string]func(*secretary) (answer, error){
	"": {
		http.MethodGet:  (*secretary).list,
		http.MethodPost: (*secretary).create,
	},
	"id": {
		http.MethodPatch:  (*secretary).patch,
		http.MethodDelete: (*secretary).cancel,
	},
	"link":   {http.MethodPost: (*secretary).link},
	"revoke": {http.MethodPost: (*secretary).revoke},
	"remind": {http.MethodPost: (*secretary).remind},
}

// shape finds the routes of a path.
func shape(below []string, s *secretary) map[string]func(*secretary) (answer, error) {
	switch {
	case len(below) == 0:
		return appointmentRoutes[""]
	case len(below) == 1:
		s.id = below[0]
		return appointmentRoutes["id"]
	case len(below) == 4 && below[1] == "guests" && below[3] != "id" && below[3] != "":
		s.id, s.guest = below[0], below[2]
		return appointmentRoutes[below[3]]
	}
	return nil
}

// serveAppointments answers a host's request about appointments. The token in the
// header is the proof, which no other site's page can send, so that requests
// without Origin are fine.
func (d *Desk) serveAppointments(w http.ResponseWriter, r *http.Request, c Call, below []string) {
	s := &secretary{d: d, c: c, query: r.URL.Query()}
	methods := shape(below, s)
	origin := r.Header.Values("Origin")
	run := methods[r.Method]
	switch {
	case methods == nil:
		WriteError(w, fail(CodeNotFound))
		return
	case len(origin) > 1 || len(origin) == 1 && origin[0] != c.Origin:
		WriteError(w, fail(CodeForeignOrigin))
		return
	case run == nil:
		for m := range methods {
			w.Header().Add("Allow", m)
		}
		WriteError(w, fail(CodeMethod))
		return
	}
	a, err := s.serve(w, r, run)
	if err != nil {
		if coded(err).Code == CodeInternal {
			d.log.Error("a request about appointments failed", "error", err)
		}
		WriteError(w, err)
		return
	}
	d.replyWith(w, a.status, a.body)
}

func (s *secretary) serve(w http.ResponseWriter, r *http.Request, run func(*secretary) (answer, error)) (answer, error) {
	from, err := s.d.count(s.c)
	if err != nil {
		return answer{}, err
	}
	if booking.Speaks(r.Header.Get("Authorization")) {
		return s.serveSoftware(w, r, from, run)
	}
	if s.host, err = s.d.bearer(r, s.c); err != nil {
		return answer{}, s.d.crowd.wrong(from, time.Now(), err)
	}
	s.d.crowd.right(from)
	if err := s.d.plans(s.c.SiteID); err != nil {
		return answer{}, err
	}
	if s.body, err = readBody(w, r); err != nil {
		return answer{}, err
	}
	return run(s)
}

// plans tells whether appointments of a site can be asked for.
func (d *Desk) plans(site string) error {
	switch {
	case d.agenda == nil || d.isClosed():
		return fail(CodeUnavailable)
	case !d.agenda.known(site):
		return retry(CodeUnavailable, storageRetry)
	}
	return nil
}

// bearer returns the host whose session token a request carries.
func (d *Desk) bearer(r *http.Request, c Call) (string, error) {
	const scheme = "Bearer "
	header := r.Header.Get("Authorization")
	if len(header) <= len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", fail(CodeNotHost)
	}
	proof, err := d.proven(c, header[len(scheme):], time.Now())
	return proof.Host, err
}

// read decodes the body. Names that mean nothing are complaints: a misspelt one
// would otherwise be passed over in silence.
func (s *secretary) read(v any) error {
	if err := token.CheckJSON(s.body); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(s.body))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		return nil
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &Error{Code: CodeInvalid, Fields: complaints{strings.Trim(name, `"`): "unknown"}}
	}
	return fail(CodeBadRequest)
}

func (s *secretary) form() *form {
	return &form{site: s.c.Site, now: s.d.now(), mails: s.d.mails(s.c.Site), wrong: complaints{}}
}

func (s *secretary) creator() creator {
	return creator{keys: s.d.keys, site: s.c.SiteID, host: s.host, base: s.c.Origin + s.c.Base, source: s.source, e2ee: s.c.Site.E2EERequired()}
}

// context bounds what a request asks of the storage. It does not end with the
// request: what has begun is better finished than half-done.
func (s *secretary) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.d.ctx, storageTime)
}

func (s *secretary) describe(a *appointment.Appointment, links map[string]string) appointmentBody {
	return s.d.describe(s.c.SiteID, s.c.Site, a, links)
}

type listBody struct {
	Appointments []appointmentBody `json:"appointments"`
}

// list answers with the host's appointments that touch a span of time, by default
// from now on.
func (s *secretary) list() (answer, error) {
	f := s.form()
	span := func(name string, otherwise time.Time) time.Time {
		text := s.query.Get(name)
		if text == "" {
			return otherwise
		}
		at, err := appointment.ParseTime(text, s.c.Site.Location())
		if err != nil {
			at, err = time.ParseInLocation(time.DateOnly, text, s.c.Site.Location())
		}
		if err != nil {
			f.wrong[name] = "malformed"
		}
		return at
	}
	from, to := span("from", f.now), span("to", f.now.Add(10*maxAhead))
	if err := f.wrong.err(); err != nil {
		return answer{}, err
	}
	body := listBody{[]appointmentBody{}}
	for _, a := range s.d.agenda.choose(s.c.SiteID, func(a *appointment.Appointment) bool {
		return (s.host == "" || a.Host == s.host) && a.End().After(from) && a.Start.Before(to)
	}) {
		body.Appointments = append(body.Appointments, s.describe(a, nil))
	}
	return answer{http.StatusOK, body}, nil
}

func (s *secretary) create() (answer, error) {
	var in createBody
	if err := s.read(&in); err != nil {
		return answer{}, err
	}
	f, by := s.form(), s.creator()
	all := f.invitation(&in, by)
	if err := f.wrong.err(); err != nil {
		return answer{}, err
	}
	planned := s.d.agenda.choose(s.c.SiteID, func(a *appointment.Appointment) bool {
		return a.Host == s.host && a.Status == appointment.Planned
	})
	if len(planned)+len(all) > maxAppointments {
		return answer{}, fail(CodeTooMany)
	}
	ctx, cancel := s.context()
	defer cancel()
	if err := s.d.agenda.create(ctx, s.c.SiteID, s.missing(all)); err != nil {
		return answer{}, err
	}
	s.changed()
	body := listBody{}
	for _, a := range all {
		links := make(map[string]string)
		for i := range a.Guests {
			links[a.Guests[i].ID] = by.secret(a, &a.Guests[i])
		}
		body.Appointments = append(body.Appointments, s.describe(a, links))
	}
	return answer{http.StatusCreated, body}, nil
}

// changed has the clerk send what has become due and the host's dashboards told.
func (s *secretary) changed() {
	s.d.clerk.wake.wake()
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	s.d.wakeHostLocked(hostKey{s.c.SiteID, s.host})
}

// apply changes the appointment of the path.
func (s *secretary) apply(id string, f func(*appointment.Appointment) error) (*appointment.Appointment, error) {
	ctx, cancel := s.context()
	defer cancel()
	a, err := s.d.agenda.change(ctx, s.c.SiteID, s.host, id, f)
	if err != nil {
		return nil, err
	}
	s.d.rearrange(s.c.SiteID, s.c.Site, a)
	s.changed()
	return a, nil
}

func (s *secretary) patch() (answer, error) {
	var in changeBody
	if err := s.read(&in); err != nil {
		return answer{}, err
	}
	var shown map[string]string
	a, err := s.apply(s.id, func(a *appointment.Appointment) (err error) {
		shown, err = s.form().change(a, &in, s.creator())
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, s.describe(a, shown)}, nil
}

// cancel calls an appointment off, or with series=following those of its series
// from it on, or with series=all those that are not over. Doing it again changes
// nothing, so that a request that failed half-way can be repeated.
func (s *secretary) cancel() (answer, error) {
	g := s.d.agenda
	a := g.find(s.c.SiteID, s.id)
	if a == nil || a.Host != s.host {
		return answer{}, fail(CodeNotFound)
	}
	chosen := []*appointment.Appointment{a}
	if which := s.query.Get("series"); which != "" {
		if which != "following" && which != "all" {
			return answer{}, complaints{"series": "unknown"}.err()
		}
		now := s.d.now()
		if a.Series != "" {
			chosen = g.choose(s.c.SiteID, func(b *appointment.Appointment) bool {
				return b.Series == a.Series && b.Host == s.host && b.End().After(now) && (which == "all" || !b.Start.Before(a.Start))
			})
		}
		if !slices.ContainsFunc(chosen, func(b *appointment.Appointment) bool { return b.ID == a.ID }) && which == "following" {
			chosen = append([]*appointment.Appointment{a}, chosen...)
		}
	}
	body := listBody{[]appointmentBody{}}
	for _, b := range chosen {
		off, err := s.apply(b.ID, s.callOff)
		if err != nil {
			return answer{}, err
		}
		body.Appointments = append(body.Appointments, s.describe(off, nil))
	}
	return answer{http.StatusOK, body}, nil
}

func (s *secretary) callOff(a *appointment.Appointment) error {
	if a.Status == appointment.Cancelled {
		return nil
	}
	now := s.d.now()
	a.Status, a.Changed = appointment.Cancelled, now.UTC()
	a.Next(a.Start)
	tell(a, appointment.Cancellation, now)
	return nil
}
