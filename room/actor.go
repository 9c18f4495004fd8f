// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// Room is one call: an actor whose goroutine owns everything below the line in
// this struct. Its methods may be called from any goroutine except, where they
// return an error, from a Watch function: those wait for the room's goroutine.
type Room struct {
	key     Key
	sid     string
	created time.Time
	dir     *Directory
	log     *slog.Logger
	codec   DataCodec
	mail    mailbox
	// drained is closed when every connection has ended after a drain, ended
	// when the room's goroutine is about to return.
	drained, ended chan struct{}
	roster         atomic.Pointer[[]ParticipantInfo]
	lost           atomic.Uint64 // data packets not delivered
	watchers       watchers

	// ----- owned by the room's goroutine

	policy   Policy
	metadata string
	media    MediaRoom
	agenda   agenda
	members  map[string]*participant // by identity
	bySID    map[string]*participant
	order    []*participant // by time of joining
	tracks   map[string]*track
	over     bool
	final    Leave // what the last ones are told

	draining bool
	flushing map[*session]struct{}
	empty    *task

	// updates on their way to everybody, see roster.go
	seq       uint64
	left      []departure
	dirty     []*participant
	fresh     []*track
	lastFlush time.Time
	flushTask *task
	toldInfo  Info
	departed  map[string]departure // by identity

	unsettled []*participant // whose need of sections may have changed
	watched   []*track       // whose watchers may have changed
	stale     bool           // roster must be rebuilt
	events    []Event
	replies   []func()
}

func newRoom(d *Directory, key Key, policy Policy) *Room {
	r := &Room{
		key: key, sid: newSID("RM_"), created: time.Now(), dir: d,
		log: d.options.Log, codec: d.options.Codec,
		mail:    mailbox{wake: make(chan struct{}, 1)},
		drained: make(chan struct{}), ended: make(chan struct{}),
		policy: policy.withDefaults(), metadata: policy.Metadata,
		members: make(map[string]*participant), bySID: make(map[string]*participant),
		tracks: make(map[string]*track), flushing: make(map[*session]struct{}),
		departed: make(map[string]departure),
	}
	r.roster.Store(&[]ParticipantInfo{})
	r.toldInfo = r.info()
	return r
}

func (p Policy) withDefaults() Policy {
	if p.MaxParticipants <= 0 {
		p.MaxParticipants = defaultMaxParticipants
	}
	if p.EmptyGrace <= 0 {
		p.EmptyGrace = defaultEmptyGrace
	}
	if p.ResumeGrace <= 0 {
		p.ResumeGrace = defaultResumeGrace
	}
	return p
}

// run is the room's goroutine. It ends with ctx, with End, or when the room
// has been empty for the grace.
func (r *Room) run(ctx context.Context) {
	defer close(r.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	r.media = r.dir.options.Media.NewRoom(roomEvents{&r.mail})
	r.emit(Event{Kind: EventRoomStarted})
	r.checkEmpty()
	if r.policy.MaxAge > 0 {
		r.agenda.after(r.policy.MaxAge, func() { r.stop(Leave{ReasonRoomClosed, ActionDisconnect}) })
	}
	for !r.over {
		select {
		case <-r.mail.wake:
		case <-timer.C:
		case <-ctx.Done():
			r.stop(Leave{ReasonServerShutdown, ActionReconnect})
		}
		r.guard(r.turn)
		if d, ok := r.agenda.next(time.Now()); ok {
			timer.Reset(d)
		} else {
			timer.Stop()
		}
	}
	r.mail.close(false)
	r.dir.forget(r)
	r.guard(r.finish)
}

// guard ends the room instead of the process when f panics: everybody joins
// anew. What was panicked with may hold a participant's words and is not logged.
func (r *Room) guard(f func()) {
	defer func() {
		if recover() != nil {
			r.log.Error("room: a room panicked", "stack", string(debug.Stack()))
			r.stop(Leave{ReasonStateMismatch, ActionReconnect})
		}
	}()
	f()
}

// turn does what has come in and what is due, and tells whom it concerns.
func (r *Room) turn() {
	b, fresh := r.mail.take()
	// States of pictures come first: they speak of the subscriptions from before
	// this turn's requests.
	for _, n := range fresh {
		r.streamStates(n)
	}
	for _, f := range b.queue {
		f()
	}
	for _, s := range b.detached {
		r.detached(s)
	}
	for _, n := range fresh {
		r.news(n)
	}
	r.speakers(b.speakers)
	r.qualities(b.quality)
	if b.drain {
		r.drain()
	}
	if b.end != nil {
		r.stop(*b.end)
	}
	if !r.over {
		r.agenda.run(time.Now())
	}
	r.settle()
}

// settle brings everybody up to date at the end of a turn: updates first, then
// what they make possible, then the callers who wait for the turn's outcome.
func (r *Room) settle() {
	if !r.over {
		r.flushUpdates()
		if !r.updatesPending() {
			r.negotiateAll()
		}
		r.updateWatched()
	}
	if r.stale {
		r.stale = false
		all := make([]ParticipantInfo, 0, len(r.order))
		for _, p := range r.order {
			all = append(all, p.info())
		}
		r.roster.Store(&all)
	}
	r.deliverEvents()
	for _, f := range r.replies {
		f()
	}
	r.replies = nil
}

// stop makes the current turn the last one.
func (r *Room) stop(l Leave) {
	if !r.over {
		r.over, r.final = true, l
	}
}

// finish ends everything in the room. Callers still in the mailbox learn it
// from r.ended.
func (r *Room) finish() {
	defer r.media.Close()
	for _, p := range slices.Clone(r.order) {
		r.guard(func() { r.leave(p, r.final.Reason, r.final.Action) })
	}
	r.dir.census.forget(r)
	r.emit(Event{Kind: EventRoomEnded})
	r.settle()
}

// checkEmpty starts or ends the grace of an empty room.
func (r *Room) checkEmpty() {
	if len(r.order) > 0 {
		r.agenda.cancel(r.empty)
		r.empty = nil
		return
	}
	if r.empty == nil && !r.over {
		r.empty = r.agenda.after(r.policy.EmptyGrace, r.expire)
	}
}

// expire ends an empty room, unless somebody is at the door at this moment.
func (r *Room) expire() {
	r.empty = nil
	if r.mail.close(true) {
		r.stop(Leave{ReasonRoomClosed, ActionDisconnect})
		return
	}
	r.checkEmpty()
}

// later runs f when the turn's effects can be seen from outside.
func (r *Room) later(f func()) { r.replies = append(r.replies, f) }

// news takes what the media plane tells of one participant.
func (r *Room) news(n news) {
	if n.p.gone {
		return
	}
	if n.hasState {
		r.mediaState(n.p, n.state)
	}
	if n.uplink != uplinkSame {
		r.uplinkChanged(n.p, n.uplink == uplinkNarrow)
	}
	for _, sid := range n.started {
		if t := r.tracks[sid]; t != nil && t.owner == n.p {
			r.emit(Event{Kind: EventTrackStarted, Participant: n.p.info(), Track: t.info.clone()})
		}
	}
	if len(n.data) > 0 {
		r.receive(n.p, n.data)
	}
}

// mediaState follows a participant's media path.
func (r *Room) mediaState(p *participant, s sfu.PeerState) {
	if p.broken {
		return
	}
	switch s {
	case sfu.PeerSilent:
		r.silent(p)
	case sfu.PeerConnected:
		r.agenda.cancel(p.nudgeTask)
		r.agenda.cancel(p.failTask)
		r.setLost(p, false)
		if p.state < StateActive {
			p.state = StateActive
			r.changed(p)
			r.emit(Event{Kind: EventParticipantChanged, Participant: p.info()})
		}
	case sfu.PeerDisconnected:
		r.setLost(p, true)
	case sfu.PeerFailed:
		r.setLost(p, true)
		r.agenda.cancel(p.failTask)
		p.failTask = r.agenda.after(r.policy.ResumeGrace, func() { r.giveUp(p) })
	case sfu.PeerClosed:
		r.giveUp(p)
	}
}

// ask runs f in the room's goroutine and waits for its outcome, which callers
// see together with everything that f caused. When ctx ends first, f has not
// run and will not.
func ask[T any](ctx context.Context, r *Room, f func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	var zero T
	var claimed atomic.Bool
	done := make(chan outcome, 1)
	if err := r.mail.command(func() {
		if !claimed.CompareAndSwap(false, true) {
			return
		}
		v, err := f()
		r.later(func() { done <- outcome{v, err} })
	}); err != nil {
		return zero, err
	}
	cancelled := ctx.Done()
	for {
		select {
		case o := <-done:
			return o.value, o.err
		case <-r.ended:
			select {
			case o := <-done:
				return o.value, o.err
			default:
				return zero, ErrEnded
			}
		case <-cancelled:
			if claimed.CompareAndSwap(false, true) {
				return zero, ctx.Err()
			}
			cancelled = nil // under way: the outcome is near
		}
	}
}
