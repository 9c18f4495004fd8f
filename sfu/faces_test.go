// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// gathering is a meeting of people who all show themselves, and somebody who
// looks at them.
type gathering struct {
	*sim
	people []*simClient
	viewer *simClient
	sinks  []*simSink
	levels []uint8 // of their sound
}

func newGathering(t *testing.T, people int) *gathering {
	g := &gathering{sim: newSim(t, 41), levels: make([]uint8, people)}
	g.ticking()
	g.viewer = g.client("PA_viewer")
	for i := range people {
		cl := g.client(fmt.Sprintf("PA_%d", i))
		src := cl.publish(fmt.Sprintf("TR_%d", i), 1)[0]
		src.perFrame, src.size = 1, 100
		g.levels[i] = 127
		cl.publishAudio(fmt.Sprintf("TR_a%d", i), func() uint8 { return g.levels[i] })
		g.people = append(g.people, cl)
		g.sinks = append(g.sinks, g.viewer.subscribe(src.track))
	}
	return g
}

// speak has one of them speak for d.
func (g *gathering) speak(i int, d time.Duration) {
	g.levels[i] = 20
	g.run(d)
	g.levels[i] = 127
}

// seen lists whose picture moves in the next second.
func (g *gathering) seen() (who []int) {
	before := make([]int, len(g.sinks))
	for i, k := range g.sinks {
		before[i] = k.frames
	}
	g.run(time.Second)
	for i, k := range g.sinks {
		if k.frames > before[i] {
			who = append(who, i)
		}
	}
	return who
}

func upTo(n int) (who []int) {
	for i := range n {
		who = append(who, i)
	}
	return who
}

func (g *gathering) expect(t *testing.T, when string, want []int) {
	t.Helper()
	if got := g.seen(); !slices.Equal(got, want) {
		t.Errorf("%s: sees %v, want %v", when, got, want)
	}
	for i, k := range g.sinks {
		if hidden := k.d.settings.Disabled; k.d.paused != (!hidden && !slices.Contains(want, i)) {
			t.Errorf("%s: the client takes picture %d for paused: %t", when, i, k.d.paused)
		}
	}
}

func TestFacesOfASmallMeeting(t *testing.T) {
	g := newGathering(t, maxFaces)
	g.run(2 * time.Second)
	g.expect(t, "as many as there are places", upTo(maxFaces))
	if len(g.viewer.paused) != 0 {
		t.Errorf("told %v", g.viewer.paused)
	}
}

// TestFaces: of 25 cameras the first twelve are seen, then who speaks, in the
// place of who has been silent for longest; what is hidden takes no place.
func TestFaces(t *testing.T) {
	g := newGathering(t, 25)
	g.run(2 * time.Second)
	g.expect(t, "at the beginning", upTo(12))

	g.speak(20, 500*time.Millisecond)
	g.run(2 * time.Second)
	g.expect(t, "after a cough", upTo(12))

	began := g.c.now
	g.levels[20] = 20
	took, ok := g.until(3*time.Second, func() bool { return g.sinks[20].decoding })
	if !ok || took > 1500*time.Millisecond {
		t.Errorf("a new speaker is seen after %v", time.Duration(g.c.now-began))
	}
	g.levels[20] = 127
	g.run(2 * time.Second)
	g.expect(t, "after a speech", append(upTo(11), 20))

	for i := range 5 {
		g.speak(i, 1500*time.Millisecond)
		g.run(2 * time.Second)
	}
	g.expect(t, "after those in view spoke", append(upTo(11), 20))

	g.speak(24, 1500*time.Millisecond)
	g.run(2 * time.Second)
	g.expect(t, "after another speech", append(upTo(10), 20, 24))

	for _, i := range []int{0, 5} {
		g.sinks[i].d.configure(g.c, Settings{Disabled: true})
	}
	g.run(time.Second)
	g.expect(t, "with two hidden", []int{1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 20, 24})

	g.people[1].t.ups[0].muted = true
	g.c.removeTransport(g.people[2].t)
	g.run(time.Second)
	g.sinks[1].cl.t.allocate(g.c)
	if d := g.sinks[12].d; d.benched || d.current == noLayer {
		t.Error("nobody took the place of one who switched the camera off")
	}
}

// TestFacesOnPurpose: a pinned tile, a much larger one and screens are seen
// whoever speaks.
func TestFacesOnPurpose(t *testing.T) {
	g := newGathering(t, 20)
	for i, k := range g.sinks {
		s := Settings{Width: 320, Height: 180}
		switch i {
		case 17:
			s = Settings{Width: 1280, Height: 720}
		case 18:
			s.Priority = 1
		case 19:
			k.d.track.screen = true
		}
		k.d.configure(g.c, s)
	}
	for i := range 14 {
		g.speak(i, 1500*time.Millisecond)
		g.run(2 * time.Second)
	}
	g.expect(t, "with pinned tiles", []int{4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 18, 19})
}

// TestFacesAllocateNothing: the decision is made ten times a second for everybody.
func TestFacesAllocateNothing(t *testing.T) {
	g := newGathering(t, 25)
	g.run(2 * time.Second)
	if n := testing.AllocsPerRun(100, g.viewer.t.chooseFaces); n > 0 {
		t.Errorf("%.1f allocations for each decision", n)
	}
}
