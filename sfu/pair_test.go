// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"slices"
	"testing"
)

func TestPairStates(t *testing.T) {
	const primary, other = 0, 1
	for name, c := range map[string]struct {
		changes [][2]int // which transport, to which state
		want    []PeerState
	}{
		"the other one comes first": {
			[][2]int{{other, int(PeerConnected)}, {primary, int(PeerConnected)}},
			[]PeerState{PeerConnected},
		},
		"only the primary one": {
			[][2]int{{primary, int(PeerConnected)}, {primary, int(PeerSilent)}, {primary, int(PeerConnected)}},
			[]PeerState{PeerConnected, PeerSilent, PeerConnected},
		},
		"the worse counts": {
			[][2]int{
				{primary, int(PeerConnected)}, {other, int(PeerConnected)}, {other, int(PeerSilent)},
				{primary, int(PeerDisconnected)}, {other, int(PeerConnected)}, {primary, int(PeerConnected)},
			},
			[]PeerState{PeerConnected, PeerSilent, PeerDisconnected, PeerConnected},
		},
		"the other one never connects": {
			[][2]int{{other, int(PeerFailed)}, {primary, int(PeerConnected)}},
			[]PeerState{PeerFailed},
		},
		"closed once and for good": {
			[][2]int{{other, int(PeerClosed)}, {primary, int(PeerConnected)}, {primary, int(PeerClosed)}},
			[]PeerState{PeerClosed},
		},
	} {
		e := newPeerEvents()
		ts := [2]*transport{{}, {}}
		couple(ts[primary], ts[other], e)
		for _, change := range c.changes {
			ts[change[0]].setState(PeerState(change[1]))
		}
		if !slices.Equal(e.state, c.want) {
			t.Errorf("%s: %v, want %v", name, e.state, c.want)
		}
	}
}

// TestPairCountsOnce counts people, not transports, whichever comes and goes first.
func TestPairCountsOnce(t *testing.T) {
	for first := range 2 {
		c := newCore(0, newDirectory(), new(counters))
		room := &roomMedia{events: new(simRoomEvents)}
		ts := [2]*transport{}
		for i := range ts {
			ts[i] = &transport{peerID: "PA_a", room: room, cred: newCredentials(0)}
		}
		couple(ts[0], ts[1], newPeerEvents())
		single := &transport{peerID: "PA_b", events: newPeerEvents(), room: room, cred: newCredentials(0)}
		counted := func(want int) {
			t.Helper()
			if n := c.stats.peers.Load(); room.people != want || n != int64(want) {
				t.Errorf("%d people, %d peers, want %d", room.people, n, want)
			}
		}
		c.addTransport(ts[first])
		counted(1)
		c.addTransport(ts[1-first])
		counted(1)
		c.addTransport(single)
		counted(2)
		c.removeTransport(ts[first])
		counted(2)
		c.removeTransport(ts[1-first])
		counted(1)
		c.removeTransport(single)
		counted(0)
	}
}

// TestPairGrade takes the worse of both directions and tells it once.
func TestPairGrade(t *testing.T) {
	var told []Quality
	c := newCore(0, newDirectory(), new(counters))
	room := &roomMedia{events: qualityEvents{&told}}
	up := &transport{peerID: "PA_a", room: room, cred: newCredentials(0)}
	down := &transport{peerID: "PA_a", room: room, cred: newCredentials(0)}
	couple(down, up, newPeerEvents())
	c.addTransport(up)
	c.addTransport(down)
	room.qualities(c.now) // not connected yet
	up.setState(PeerConnected)
	room.qualities(c.now)
	down.setState(PeerConnected)
	room.qualities(c.now)
	up.quality.lost = 0.04 // what the client sends gets lost
	room.qualities(c.now)
	down.rtt = 700_000_000
	room.qualities(c.now)
	var grades []int
	for _, q := range told {
		grades = append(grades, q.Grade)
	}
	if !slices.Equal(grades, []int{2, 1, 0}) {
		t.Errorf("told %v", told)
	}
	if up.roundTrip() != down.rtt {
		t.Error("the transport that only receives knows no round-trip time")
	}
}

type qualityEvents struct{ told *[]Quality }

func (qualityEvents) RoomSpeakers([]Speaker)    {}
func (e qualityEvents) RoomQuality(q []Quality) { *e.told = append(*e.told, q...) }

// TestFaceOfTwo takes two people for two, however many transports they have.
func TestFaceOfTwo(t *testing.T) {
	s := newSim(t, 1)
	a, b := s.client("PA_a"), s.client("PA_b")
	for _, cl := range []*simClient{a, b} {
		other := &transport{peerID: cl.t.peerID, room: s.room, cred: newCredentials(0)}
		couple(cl.t, other, cl)
		s.c.addTransport(other)
	}
	k := b.subscribe(a.publish("TR_v", 3)[0].track)
	if d := k.d.demand(s.c); !d.Face {
		t.Error("the only other person's picture is none of a face")
	}
	s.client("PA_c")
	if d := k.d.demand(s.c); d.Face {
		t.Error("one of two pictures is that of the only other person")
	}
}
