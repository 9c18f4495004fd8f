// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// mailbox is what reaches a room from other goroutines. Nothing in it blocks,
// and everything in it is bounded:
//
//   - requests: 64 per session, 4096 per room; beyond that they are refused and
//     the session's connection ends;
//   - joins, resumes, moderation: 1024; beyond that ErrBusy;
//   - the end of a connection, the end of the room and its draining: a slot
//     each, never lost;
//   - states of media paths, speakers, qualities: the latest value per
//     participant, never lost; states of pictures: the latest value per
//     subscription, never lost;
//   - data packets: 512 messages or 4 MiB per sender; beyond that the media
//     plane is told that there is no room (see sfu.PeerEvents).
type mailbox struct {
	// wake holds one token while there is something to take.
	wake chan struct{}

	mu     sync.Mutex
	closed bool
	batch  batch
}

// batch is everything that waited in a mailbox.
type batch struct {
	queue    []func()
	requests int
	detached []*session
	ready    []*inbox
	speakers map[string]sfu.Speaker
	quality  map[string]sfu.Quality
	end      *Leave
	drain    bool
}

func (b *batch) empty() bool {
	return len(b.queue) == 0 && len(b.detached) == 0 && len(b.ready) == 0 &&
		len(b.speakers) == 0 && len(b.quality) == 0 && b.end == nil && !b.drain
}

// packet is one message from a data channel.
type packet struct {
	kind    sfu.DataKind
	payload []byte
}

// inbox collects what the media plane tells of one participant. Its fields
// belong to the mailbox's lock, except the two counters.
type inbox struct {
	p        *participant
	queued   bool
	hasState bool
	state    sfu.PeerState
	started  []string
	paused   map[string]bool // by sid
	uplink   uplink
	data     []packet
	// messages and bytes count the data that the room holds for this sender,
	// here and in its backlog.
	messages, bytes atomic.Int64
}

// news is what take found in one inbox.
type news struct {
	p        *participant
	hasState bool
	state    sfu.PeerState
	started  []string
	paused   map[string]bool
	uplink   uplink
	data     []packet
}

// uplink is what is new of a participant's own line.
type uplink uint8

const (
	uplinkSame uplink = iota
	uplinkNarrow
	uplinkWide
)

// put runs f under the lock unless the mailbox is closed or f refuses, and
// wakes the room.
func (m *mailbox) put(f func(b *batch) bool) bool {
	m.mu.Lock()
	ok := !m.closed && f(&m.batch)
	m.mu.Unlock()
	if ok {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
	return ok
}

// command queues f, which the room's goroutine will run. It returns ErrBusy
// when the mailbox is full and ErrEnded when it is closed.
func (m *mailbox) command(f func()) error {
	full := false
	ok := m.put(func(b *batch) bool {
		full = len(b.queue)-b.requests >= maxCommands
		if !full {
			b.queue = append(b.queue, f)
		}
		return !full
	})
	switch {
	case ok:
		return nil
	case full:
		return ErrBusy
	}
	return ErrEnded
}

func (m *mailbox) request(f func()) bool {
	return m.put(func(b *batch) bool {
		if b.requests >= maxRequests {
			return false
		}
		b.requests++
		b.queue = append(b.queue, f)
		return true
	})
}

func (m *mailbox) detach(s *session) {
	m.put(func(b *batch) bool {
		b.detached = append(b.detached, s)
		return true
	})
}

func (m *mailbox) end(l Leave) {
	m.put(func(b *batch) bool {
		if b.end == nil {
			b.end = &l
		}
		return true
	})
}

func (m *mailbox) drain() {
	m.put(func(b *batch) bool {
		b.drain = true
		return true
	})
}

// news changes an inbox and queues it.
func (m *mailbox) news(in *inbox, f func()) bool {
	return m.put(func(b *batch) bool {
		f()
		if !in.queued {
			in.queued = true
			b.ready = append(b.ready, in)
		}
		return true
	})
}

func (m *mailbox) take() (batch, []news) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.batch
	m.batch = batch{}
	fresh := make([]news, 0, len(b.ready))
	for _, in := range b.ready {
		fresh = append(fresh, news{in.p, in.hasState, in.state, in.started, in.paused, in.uplink, in.data})
		in.queued, in.hasState, in.started, in.paused, in.uplink, in.data = false, false, nil, nil, uplinkSame, nil
	}
	return b, fresh
}

// forgetPaused drops a state that waits of a track whose subscription has ended.
func (m *mailbox) forgetPaused(in *inbox, sid string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(in.paused, sid)
}

// close refuses whatever comes from now on. With onlyIdle it does so only when
// nothing waits, and returns whether it did.
func (m *mailbox) close(onlyIdle bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if onlyIdle && !m.batch.empty() {
		return false
	}
	m.closed = true
	return true
}

// peerEvents puts the events of one participant's media path into the mailbox.
type peerEvents struct {
	mail *mailbox
	in   *inbox
}

// PeerState implements sfu.PeerEvents. Only the latest state is kept.
func (e peerEvents) PeerState(s sfu.PeerState) {
	e.mail.news(e.in, func() { e.in.state, e.in.hasState = s, true })
}

// PeerTrackStarted implements sfu.PeerEvents.
func (e peerEvents) PeerTrackStarted(sid string) {
	e.mail.news(e.in, func() {
		if len(e.in.started) < maxPublished+maxPending && !slices.Contains(e.in.started, sid) {
			e.in.started = append(e.in.started, sid)
		}
	})
}

// PeerStreamState implements sfu.PeerEvents. Only the latest state per track is
// kept; the media plane tells of subscribed tracks alone.
func (e peerEvents) PeerStreamState(sid string, paused bool) {
	e.mail.news(e.in, func() {
		if e.in.paused == nil {
			e.in.paused = make(map[string]bool)
		}
		e.in.paused[sid] = paused
	})
}

// PeerUplink implements sfu.PeerEvents. Only the latest state is kept.
func (e peerEvents) PeerUplink(narrow bool) {
	e.mail.news(e.in, func() {
		e.in.uplink = uplinkWide
		if narrow {
			e.in.uplink = uplinkNarrow
		}
	})
}

// PeerData implements sfu.PeerEvents.
func (e peerEvents) PeerData(kind sfu.DataKind, payload []byte) bool {
	size := int64(len(payload))
	messages, bytes := e.in.messages.Add(1), e.in.bytes.Add(size)
	if messages > maxDataQueue || bytes > maxDataBytes {
		e.in.release(size)
		return false
	}
	if !e.mail.news(e.in, func() { e.in.data = append(e.in.data, packet{kind, payload}) }) {
		e.in.release(size)
		return false
	}
	return true
}

// release gives back the room that one message took.
func (in *inbox) release(size int64) {
	in.messages.Add(-1)
	in.bytes.Add(-size)
}

// roomEvents puts what concerns the whole room into the mailbox.
type roomEvents struct{ mail *mailbox }

// RoomSpeakers implements sfu.RoomEvents. Only the latest value per
// participant is kept.
func (e roomEvents) RoomSpeakers(speakers []sfu.Speaker) {
	e.mail.put(func(b *batch) bool {
		if b.speakers == nil {
			b.speakers = make(map[string]sfu.Speaker, len(speakers))
		}
		for _, s := range speakers {
			b.speakers[s.PeerID] = s
		}
		return len(speakers) > 0
	})
}

// RoomQuality implements sfu.RoomEvents. Only the latest value per participant
// is kept.
func (e roomEvents) RoomQuality(qualities []sfu.Quality) {
	e.mail.put(func(b *batch) bool {
		if b.quality == nil {
			b.quality = make(map[string]sfu.Quality, len(qualities))
		}
		for _, q := range qualities {
			b.quality[q.PeerID] = q
		}
		return len(qualities) > 0
	})
}

var (
	_ sfu.PeerEvents = peerEvents{}
	_ sfu.RoomEvents = roomEvents{}
)
