// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"sync/atomic"
)

// session is the Session of one connection of one participant.
type session struct {
	r    *Room
	p    *participant
	conn Conn
	// pending counts requests in the mailbox.
	pending atomic.Int32
	// over is set when the connection no longer speaks for the participant.
	over     atomic.Bool
	detached atomic.Bool
	// gone tells that the page said farewell to the connection; of the room's
	// goroutine.
	gone bool
}

var _ Session = (*session)(nil)

// SID implements Session.
func (s *session) SID() string { return s.p.sid }

// Handle implements Session.
func (s *session) Handle(req Request) bool {
	if s.over.Load() {
		return false
	}
	if s.pending.Add(1) > maxSessionRequests {
		s.pending.Add(-1)
		return false
	}
	ok := s.r.mail.request(func() {
		s.pending.Add(-1)
		s.r.handle(s, req)
	})
	if !ok {
		s.pending.Add(-1)
	}
	return ok
}

// Detach implements Session. It is right to call it more than once, and after
// the room has ended the connection.
func (s *session) Detach() {
	if !s.detached.Swap(true) {
		s.r.mail.detach(s)
	}
}

// detached takes note of the end of a connection.
func (r *Room) detached(s *session) {
	if s.p.session == s {
		r.disconnect(s.p)
	}
	delete(r.flushing, s)
	r.checkDrained()
}

// send tells p something. A connection that does not take it is ended: the
// client resumes and is told the whole state then.
func (r *Room) send(p *participant, m Message) {
	if p.session == nil {
		return
	}
	if !p.session.conn.Send(m) {
		r.hangUp(p)
	}
}

// hangUp ends p's connection after what is queued has been written.
func (r *Room) hangUp(p *participant) {
	if s := p.session; s != nil {
		s.conn.End()
		if r.draining && !s.detached.Load() {
			r.flushing[s] = struct{}{}
		}
		r.disconnect(p)
	}
}

// disconnect notes that p has no connection, and starts the resume grace.
func (r *Room) disconnect(p *participant) {
	grace := r.policy.ResumeGrace
	if p.session.gone {
		grace = min(grace, goneGrace)
	}
	p.session.over.Store(true)
	p.session = nil
	p.graceTask = r.agenda.after(grace, func() {
		r.remove(p, ReasonSignalClose)
	})
}

// giveUp ends p's media path and makes the client join anew. The place is kept
// for the resume grace; tracks end at once.
func (r *Room) giveUp(p *participant) {
	if p.gone || p.broken {
		return
	}
	p.broken = true
	r.send(p, Leave{ReasonStateMismatch, ActionReconnect})
	r.hangUp(p)
	r.endMedia(p)
}

// endMedia ends what p publishes and receives.
func (r *Room) endMedia(p *participant) {
	for len(p.tracks) > 0 {
		r.dropTrack(p.tracks[0])
	}
	for _, t := range p.pending {
		r.agenda.cancel(t.expiry)
	}
	p.pending = nil
	for _, sub := range p.subs {
		if sub.active {
			sub.active = false
			r.forgetStream(p, sub)
			r.watch(sub.track)
		}
	}
	p.dropOutbox(r)
	p.dropBacklog(r)
	r.agenda.cancel(p.failTask)
	r.agenda.cancel(p.nudgeTask)
	r.agenda.cancel(p.offerTask)
	p.peer.Close()
}

// drain asks everybody to come back to the next instance.
func (r *Room) drain() {
	if r.draining {
		return
	}
	r.draining = true
	for _, p := range r.order {
		r.send(p, Leave{ReasonServerShutdown, ActionReconnect})
		r.hangUp(p)
	}
	r.checkDrained()
}

func (r *Room) checkDrained() {
	if !r.draining || len(r.flushing) > 0 {
		return
	}
	select {
	case <-r.drained:
	default:
		close(r.drained)
	}
}
