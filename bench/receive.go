// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/caddy-videoroom/videoroom/check/client"
)

// subscription is one stream of one participant.
type subscription struct {
	mu     sync.Mutex
	s      sight
	frozen bool
	gone   uint64 // given up since restart
	end    int64  // the newest number when the window ended
}

func (s *subscription) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.restart()
	s.gone = 0
}

// freeze ends the window: what is missing up to here may still come.
func (s *subscription) freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen, s.end = true, s.s.highest
}

func (s *subscription) put(seq uint16) (fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh, lost := s.s.put(seq)
	if !s.frozen {
		s.gone += lost
	}
	return fresh
}

func (s *subscription) lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.s.highest-s.end >= sightSpan/2 {
		return s.gone // too long ago to tell
	}
	now := s.s.highest
	s.s.highest = s.end
	defer func() { s.s.highest = now }()
	return s.gone + s.s.missing()
}

func (l *load) eachSubscription(f func(*subscription)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.subs {
		f(s)
	}
}

// show asks for a track as large as this participant shows it.
func (l *load) show(c *client.Client, sid string) {
	l.mu.Lock()
	large := l.large[sid]
	l.mu.Unlock()
	w, h := uint32(320), uint32(180)
	if large {
		w, h = 1280, 720
	}
	_ = c.Show(sid, w, h) // without a session there is nothing to show
}

// receive counts and times a track's packets until its connection ends.
func (l *load) receive(t *webrtc.TrackRemote, first chan struct{}) {
	sub, begun, picture := new(subscription), false, firstPicture{}
	l.mu.Lock()
	l.subs = append(l.subs, sub)
	l.mu.Unlock()
	buf := make([]byte, 1600)
	var p rtp.Packet
	for {
		size, _, err := t.Read(buf)
		if err != nil {
			return
		}
		now := time.Now().UnixNano()
		if p.Unmarshal(buf[:size]) != nil {
			continue
		}
		fresh, open := sub.put(p.SequenceNumber), l.m.open.Load()
		if len(p.Payload) < 24 {
			continue // padding
		}
		if !begun {
			begun = true
			l.started.Add(1)
			if first != nil && !l.s.video {
				first <- struct{}{}
			}
		}
		if first != nil && t.Kind() == webrtc.RTPCodecTypeVideo && picture.put(&p) {
			first <- struct{}{}
		}
		switch {
		case !open:
		case fresh:
			l.m.packets.Add(1)
			l.m.note(time.Duration(now - int64(binary.BigEndian.Uint64(p.Payload[len(p.Payload)-8:]))))
		default:
			l.m.repeated.Add(1)
		}
	}
}

// firstPicture tells when the first picture that can be decoded is there: a key
// frame from its first packet to its last.
type firstPicture struct {
	begun, whole bool
	next         uint16
}

// put takes the next packet with a payload. It reports true once.
func (f *firstPicture) put(p *rtp.Packet) bool {
	if b := p.Payload; b[0]&0x10 != 0 && b[4]&1 == 0 { // begins a frame that needs none before
		f.begun = true
	} else if p.SequenceNumber != f.next {
		f.begun = false
	}
	f.next = p.SequenceNumber + 1
	if !f.begun || f.whole || !p.Marker {
		return false
	}
	f.whole = true
	return true
}

// drain reads until there is no more: pion handles RTCP only as it is read.
func drain(read func([]byte) error) {
	b := make([]byte, 1600)
	for read(b) == nil { //nolint:revive // reading is all
	}
}
