// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// What is known of handing a guest to a colleague.
type (
	// handover is a question to a waiting guest. It belongs to the desk's mutex.
	handover struct {
		to      person
		refused bool
	}
	// handState is the question as the asking host sees it.
	handState struct {
		person
		Refused bool `json:"refused"`
	}
	// moved tells a guest where they wait now.
	moved struct {
		Room string `json:"room"`
		Cap  string `json:"cap"`
		Host person `json:"host"`
	}
	colleague struct {
		person
		Present bool `json:"present"`
	}
)

// colleaguesLocked lists the other hosts of a site, in the order of the
// configuration. The caller holds the desk's mutex.
func (d *Desk) colleaguesLocked(site *config.Site, own hostKey) []colleague {
	list := []colleague{}
	for _, h := range site.Hosts {
		if h.ID != own.id {
			list = append(list, colleague{person{h.ID, h.Name}, d.presentLocked(hostKey{own.site, h.ID})})
		}
	}
	return list
}

// hand asks a waiting guest whether they want to go to a colleague who is
// there. Until they agree nothing changes.
func (h *hostSession) hand(f hostFrame) (result, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	k, err := h.waitingLocked(f.Room, f.Knock)
	if err != nil {
		return result{}, err
	}
	to, known := k.record.site.Host(f.Host)
	switch {
	case !known || f.Host == h.key.id:
		return result{}, fail(CodeBadRequest)
	case k.record.keyed: // the key in the guest's link is this host's
		return result{}, fail(CodeNotAllowed)
	case !h.d.presentLocked(hostKey{h.key.site, f.Host}):
		return result{}, fail(CodeNotFound)
	}
	k.handover = &handover{to: person{to.ID, to.Name}}
	k.wake()
	h.d.wakeHostLocked(h.key)
	return result{}, nil
}

// decide takes a guest's answer to a handover. An answer to a question that is
// no longer asked changes nothing.
func (s *visitorSession) decide(f visitorFrame) error {
	d := s.d
	d.mu.Lock()
	o, site := s.k.handover, s.k.record.key.site
	asked := s.asked(f.Host)
	if asked && !f.Accept {
		s.refuseLocked()
	}
	d.mu.Unlock()
	if !asked || !f.Accept {
		return nil
	}
	// A room of its own: nobody is in it by mistake, and no talk is disturbed.
	now := time.Now()
	g := token.Grant{Room: token.NewID(), Host: o.to.ID, Opened: now, Expires: now.Add(d.limits.LinkLife), Kept: s.k.unlinked}
	grant, err := d.keys.Grant(site, g)
	if err != nil {
		return err
	}
	link, err := d.keys.Visit(site, g.Room, token.Visit{Host: g.Host, Expires: g.Expires, E2EE: s.k.record.site.E2EERequired()})
	if err != nil {
		return err
	}
	s.move(o, g, grant, link)
	return nil
}

// asked tells whether a host's name is in the question. The caller holds the
// desk's mutex.
func (s *visitorSession) asked(host string) bool {
	o := s.k.handover
	return s.k.state == waiting && s.k.session == s && o != nil && !o.refused && o.to.ID == host
}

func (s *visitorSession) refuseLocked() {
	// A new value: hosts' sessions read the old one outside the mutex.
	s.k.handover = &handover{to: s.k.handover.to, refused: true}
	s.d.wakeHostLocked(hostKey{s.k.record.key.site, s.k.record.host})
	s.wake()
}

// move lets the guest wait at the colleague's.
func (s *visitorSession) move(o *handover, g token.Grant, grant, link string) {
	d, k := s.d, s.k
	d.mu.Lock()
	defer d.mu.Unlock()
	if !s.asked(o.to.ID) || k.handover != o {
		return
	}
	old := k.record
	to := hostKey{old.key.site, o.to.ID}
	own, all := d.openCountsLocked(to)
	if _, known := old.site.Host(to.id); !known || own >= d.limits.RoomsPerHost || all >= d.limits.Rooms {
		s.refuseLocked()
		return
	}
	from, _ := old.site.Host(old.host)
	r := d.openLocked(roomKey{to.site, g.Room}, old.site, g, grant, link)
	delete(old.knocks, k.id)
	r.knocks[k.id] = k
	k.record, k.origin, k.handover, k.from = r, old.key, nil, from.Name
	k.moved = &moved{g.Room, link, o.to}
	d.wakeHostLocked(hostKey{old.key.site, old.host})
	s.wake()
}
