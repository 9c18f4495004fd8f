// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net/netip"
	"testing"
	"time"
)

// TestTakeover moves transports from one outbox to another at once, and leaves
// those behind that the new one does not suit.
func TestTakeover(t *testing.T) {
	s := newSim(t, 1)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	k := b.subscribe(src.track)
	s.run(time.Second)
	sent := 0
	next := &Link{plane: &Plane{}, send: func([]byte) bool { sent++; return true }}
	all := func(netip.Addr) bool { return true }
	paths, selected := len(b.t.paths), b.t.selected

	// Nothing of b's fits.
	s.c.moveVia(s.box, next, func(netip.Addr) bool { return false })
	if before := k.frames; !b.t.on(selected, s.box) {
		t.Error("moved to where it does not belong")
	} else if s.run(time.Second); k.frames == before || sent > 0 {
		t.Error("media has left its path")
	}

	// One check of a client has come in over the new one before.
	early := b.t.addPath(s.c, selected, next)
	early.local = netip.MustParseAddr("192.0.2.1")
	s.c.moveVia(s.box, next, all)
	s.c.dropVia(s.box)
	for _, x := range []*transport{a.t, b.t} {
		if x.via != next || !x.selected.IsValid() || !x.ready() {
			t.Errorf("a transport stays behind: %v", x.selected)
		}
		if p := x.path(x.selected, next); p == nil || !p.nominated {
			t.Error("the path has lost its nomination")
		}
		if s.c.byAddr[x.selected] != x {
			t.Error("the address is forgotten")
		}
	}
	if len(b.t.paths) != paths || b.t.dest.Local != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("%d paths, want %d; sends from %v", len(b.t.paths), paths, b.t.dest.Local)
	}
	s.run(100 * time.Millisecond)
	if sent == 0 {
		t.Error("no media comes through the new outbox")
	}
}
