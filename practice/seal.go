// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"cmp"
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// Sizes in octets, by PROTOCOL-E2EE.md.
const (
	doorKEMSize = 1216
	// sealSize is the one size of a sealed name, however long the name is.
	sealSize = 1120 + 288 + 16 + ed25519.SignatureSize
	// letterStep and maxLetterSteps: a host's message is filled up to a step, so that
	// its size tells little.
	letterStep, maxLetterSteps = 256, 8
	letterTag                  = 16
	// maxDoors bounds the pages of a host for which a visitor seals: the newest.
	maxDoors = 8
)

// What is said of names that the server cannot read.
type (
	// doorKey is what a host's page announces, so that names are sealed for it: its page
	// key, its KEM key, and the signature of the one over the other. All are
	// base64url.
	doorKey struct {
		Key string `json:"key"`
		KEM string `json:"kem"`
		Sig string `json:"sig"`
	}
	doorsFrame struct {
		Type string `json:"type"`
		// Knock is the id that seals are bound to.
		Knock string    `json:"knock"`
		Pages []doorKey `json:"pages"`
	}
	// seal is a name that one door can open.
	seal struct{ kem, data string }
	// letter is what a host's page wrote to one waiting visitor: N counts within the
	// page of Key.
	letter struct {
		Key  string `json:"key"`
		N    uint64 `json:"n"`
		Data string `json:"data"`
	}
)

// hintNoName tells what to do instead.
const hintNoName = "names are not told to this site's server: leave name out and send it sealed (type sealed)"

// checkNoName refuses a name in the clear where names are sealed.
func checkNoName(site *config.Site, name string) error {
	if site.E2EERequired() && name != "" {
		return &Error{Code: CodeBadRequest, hint: hintNoName}
	}
	return nil
}

// nameOf is the name that a visitor gave, as others see it; empty where names are
// sealed.
func nameOf(site *config.Site, name string) (string, error) {
	if site.E2EERequired() {
		return "", checkNoName(site, name)
	}
	return CleanName(name)
}

// unpack decodes base64url in its one form; nil where it is not of the size.
func unpack(text string, size int) []byte {
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(data) != size || base64.RawURLEncoding.EncodedLen(size) != len(text) {
		return nil
	}
	return data
}

// check holds a door against its form and its signature.
func (d doorKey) check() error {
	kem, sig := unpack(d.KEM, doorKEMSize), unpack(d.Sig, ed25519.SignatureSize)
	key, err := token.ParseKey(d.Key)
	if err != nil || kem == nil || sig == nil || !ed25519.Verify(key, append([]byte("vr1 door"), kem...), sig) {
		return fail(CodeBadRequest)
	}
	return nil
}

func (l letter) check() error {
	for n := range maxLetterSteps {
		if unpack(l.Data, (n+1)*letterStep+letterTag) != nil {
			return nil
		}
	}
	return fail(CodeBadRequest)
}

// announce takes the key for names of a host's page, for as long as its socket
// lives. A later one takes its place.
func (h *hostSession) announce(f hostFrame) error {
	own := doorKey{f.Key, f.KEM, f.Sig}
	if err := own.check(); err != nil {
		return err
	}
	d := h.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if !h.site.E2EERequired() {
		return fail(CodeBadRequest)
	}
	d.announced++
	h.door, h.announced = own, d.announced
	d.doorsChangedLocked(h.key)
	h.wake()
	return nil
}

// doorsChangedLocked has those who wait for a host told of its pages.
func (d *Desk) doorsChangedLocked(k hostKey) {
	for key, r := range d.records {
		if key.site == k.site && r.host == k.id {
			r.wakeVisitors()
		}
	}
}

// doorsLocked lists the doors of a host, the newest first, each page once.
func (d *Desk) doorsLocked(k hostKey) []doorKey {
	var sessions []*hostSession
	for h := range d.hosts[k] {
		if h.door.Key != "" && !h.dismissed {
			sessions = append(sessions, h)
		}
	}
	slices.SortFunc(sessions, func(a, b *hostSession) int { return cmp.Compare(b.announced, a.announced) })
	var list []doorKey
	for _, h := range sessions {
		// A page that lost its connection may be here twice for a while.
		known := slices.ContainsFunc(list, func(o doorKey) bool { return o.Key == h.door.Key })
		if !known && len(list) < maxDoors {
			list = append(list, h.door)
		}
	}
	return list
}

// putSealLocked keeps a name for one of a host's pages and tells whether the page is
// there; what is for nobody is dropped, for the page may have gone meanwhile. seals
// stays bounded: only those of present pages outlive the ninth.
func (d *Desk) putSealLocked(k hostKey, seals map[string]seal, to, data string) bool {
	doors := d.doorsLocked(k)
	i := slices.IndexFunc(doors, func(o doorKey) bool { return o.Key == to })
	if i < 0 {
		return false
	}
	if _, known := seals[to]; !known && len(seals) >= maxDoors {
		for key := range seals {
			if !slices.ContainsFunc(doors, func(o doorKey) bool { return o.Key == key }) {
				delete(seals, key)
			}
		}
	}
	seals[to] = seal{doors[i].KEM, data}
	for h := range d.hosts[k] {
		if h.door.Key == to {
			h.wake()
		}
	}
	return true
}

// sealFor is what a door can open.
func sealFor(seals map[string]seal, to doorKey) string {
	if s := seals[to.Key]; to.Key != "" && s.kem == to.KEM {
		return s.data
	}
	return ""
}

// putSeal keeps the name of a waiting visitor for one of the host's pages.
func (s *visitorSession) putSeal(f visitorFrame) error {
	if unpack(f.Data, sealSize) == nil || !token.ValidKey(f.For) {
		return fail(CodeBadRequest)
	}
	d, k := s.d, s.k
	d.mu.Lock()
	defer d.mu.Unlock()
	if !k.record.site.E2EERequired() {
		return fail(CodeBadRequest)
	}
	if k.session != s || k.state != waiting {
		return nil
	}
	if k.seals == nil {
		k.seals = make(map[string]seal)
	}
	d.putSealLocked(hostKey{k.record.key.site, k.record.host}, k.seals, f.For, f.Data)
	return nil
}

// serveDoor tells somebody who has been let in which pages of the host names are
// sealed for, and takes a name: hosts who see them ask for keys learn so who it is,
// also where nobody waited at the door and after the host's page was opened anew.
func (d *Desk) serveDoor(w http.ResponseWriter, r *http.Request, c Call) {
	var in struct {
		Token string `json:"token"`
		For   string `json:"for"`
		Data  string `json:"data"`
	}
	from, err := d.request(w, r, c, &in)
	if err != nil {
		WriteError(w, err)
		return
	}
	now := time.Now()
	claims, err := d.keys.VerifyMedia(c.SiteID, in.Token, now)
	if err != nil {
		WriteError(w, d.crowd.wrong(from, now, fail(CodeNotAllowed)))
		return
	}
	d.crowd.right(from)
	if in.Data != "" && (unpack(in.Data, sealSize) == nil || !token.ValidKey(in.For)) || !c.Site.E2EERequired() {
		WriteError(w, fail(CodeBadRequest))
		return
	}
	pages, err := d.nameInside(roomKey{c.SiteID, claims.Video.Room}, &claims, in.For, in.Data)
	if err != nil {
		WriteError(w, err)
		return
	}
	d.reply(w, struct {
		Pages []doorKey `json:"pages"`
	}{pages})
}

// nameInside keeps the name of somebody in the circle of a room, by the page whose
// key the token has. Names of those who have left the circle go.
func (d *Desk) nameInside(room roomKey, claims *token.Claims, to, data string) ([]doorKey, error) {
	if claims.Key == "" || d.hall.pageKey(room, claims.Subject) != claims.Key {
		return nil, fail(CodeNotAllowed)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.records[room]
	if r == nil {
		return []doorKey{}, nil // a host who comes back opens it again
	}
	host := hostKey{room.site, r.host}
	if data != "" {
		for identity := range r.seals {
			if d.hall.pageKey(room, identity) == "" {
				delete(r.seals, identity)
			}
		}
		if r.seals[claims.Subject] == nil {
			r.seals[claims.Subject] = make(map[string]seal)
		}
		d.putSealLocked(host, r.seals[claims.Subject], to, data)
	}
	return append([]doorKey{}, d.doorsLocked(host)...), nil
}

// news leaves out the seals that this connection has been told.
func (h *hostSession) news(rooms []roomState) {
	told := make(map[string]string)
	once := func(id string, sealed *string) {
		if *sealed == "" {
			return
		}
		told[id] = *sealed
		if h.toldSeals[id] == *sealed {
			*sealed = ""
		}
	}
	for i := range rooms {
		for j := range rooms[i].Waiting {
			once(rooms[i].Waiting[j].ID, &rooms[i].Waiting[j].Sealed)
		}
		for j := range rooms[i].Participants {
			once(rooms[i].Participants[j].Identity, &rooms[i].Participants[j].Sealed)
		}
	}
	h.toldSeals = told
}
