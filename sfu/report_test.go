// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"fmt"
	"testing"
	"time"
)

// receivedOf returns what a report says of a track that the client gets.
func receivedOf(t *testing.T, cl *simClient, sid string) TrackReport {
	t.Helper()
	for _, r := range reportOn(cl.t, cl.t, cl.s.c.now).Received {
		if r.SID == sid {
			return r
		}
	}
	t.Fatalf("nothing is said of %s", sid)
	return TrackReport{}
}

// TestReport describes a call over a line that is narrowed, limited and hidden.
func TestReport(t *testing.T) {
	s := newSim(t, 61)
	srcs, k, b := s.call()
	for i := range 3 {
		srcs[0].track.spec[i].Quality = i
	}
	b.down.rate = 3_000_000
	if _, ok := s.until(8*time.Second, func() bool { return k.layer == 2 }); !ok {
		t.Fatal("no large picture")
	}
	r := reportOn(b.t, b.t, s.c.now)
	if r.Route != RouteUDP || r.Limit != 0 || r.Capacity < 1_500_000 || len(r.Sent) != 0 || len(r.Received) != 2 {
		t.Errorf("the listener: %+v", r)
	}
	v := receivedOf(t, b, "TR_v")
	if v.Layer != 2 || v.Layers != 3 || v.Width != 1280 || v.Height != 720 || v.Halted != Running {
		t.Errorf("the picture: %+v", v)
	}
	s.run(4 * time.Second)
	rate := float64(receivedOf(t, b, "TR_v").Bytes-v.Bytes) * 8 / 4
	if rate < 1_200_000 || rate > 2_500_000 {
		t.Errorf("the picture takes %.0f bit/s", rate)
	}
	if a := receivedOf(t, b, "TR_a"); a.Layer != noLayer || a.Layers != 0 || a.Bytes == 0 || a.Halted != Running {
		t.Errorf("the sound: %+v", a)
	}
	who := reportOn(srcs[0].cl.t, srcs[0].cl.t, s.c.now)
	if len(who.Sent) != 2 || who.Sent[0].Bytes < 1_000_000 || who.Sent[0].Layers != 3 || len(who.Received) != 0 || who.Capacity != 0 {
		t.Errorf("the publisher: %+v", who)
	}

	for _, step := range []struct {
		want Halt
		do   func()
	}{
		{HaltLimit, func() { b.limit(50_000) }},
		{HaltHidden, func() { k.d.configure(s.c, Settings{Disabled: true}) }},
		{HaltMuted, func() { k.d.configure(s.c, Settings{Quality: 2}); srcs[0].track.muted = true }},
		{Running, func() { srcs[0].track.muted = false; b.limit(0) }},
		{HaltLine, func() { b.down.rate = 60_000 }},
	} {
		step.do()
		s.run(15 * time.Second)
		if got := receivedOf(t, b, "TR_v"); got.Halted != step.want || (got.Layer == noLayer) != (step.want != Running) {
			t.Errorf("want %q: %+v", step.want, got)
		}
	}
}

// TestReportOfLoss tells where packets are lost.
func TestReportOfLoss(t *testing.T) {
	s := newSim(t, 62)
	a, b := s.client("PA_a"), s.client("PA_b")
	a.up.loss = 0.1
	s.ticking()
	u := a.publishAudio("TR_a", func() uint8 { return 127 })
	d := &downTrack{to: b.t, track: u, pt: 111, ssrc: random32()}
	s.c.addDown(d)
	b.receives(d, 0.2, 30*time.Millisecond)
	s.run(20 * time.Second)
	up, down := reportOn(a.t, a.t, s.c.now), reportOn(b.t, b.t, s.c.now)
	if up.Up.Loss < 0.05 || up.Up.Loss > 0.2 || up.Down.Loss != 0 || up.Sent[0].Loss < 0.05 {
		t.Errorf("who sends: %+v", up)
	}
	if down.Down.Loss < 0.15 || down.Up.Loss != 0 || down.Received[0].Loss < 0.15 || down.Down.Jitter.Round(time.Millisecond) != 30*time.Millisecond {
		t.Errorf("who listens: %+v", down)
	}
}

// TestReportOfFaces tells whose picture has no place.
func TestReportOfFaces(t *testing.T) {
	g := newGathering(t, maxFaces+1)
	g.run(2 * time.Second)
	for i := range g.people {
		want := Running
		if i == maxFaces {
			want = HaltFaces
		}
		if got := receivedOf(t, g.viewer, fmt.Sprintf("TR_%d", i)).Halted; got != want {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
}

func TestRoutes(t *testing.T) {
	plane := testPlane(t, 1)
	send := func([]byte) bool { return true }
	for want, via := range map[Route]outbox{
		NoRoute: nil, RouteUDP: &simBox{}, RouteTCP: plane.OpenLink(send), RouteRelay: plane.OpenRelay(send),
	} {
		if got := (&transport{via: via}).route(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestPeerReports asks through the loop, also of a peer without media.
func TestPeerReports(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	p, err := room.NewPeer(PeerConfig{ID: "PA_1"}, newPeerEvents())
	if err != nil {
		t.Fatal(err)
	}
	p.Limit(300_000)
	got := make(chan Report, 1)
	p.Report(func(r Report) { got <- r })
	if r := <-got; r.Route != NoRoute || r.Limit != 300_000 || len(r.Received) != 0 {
		t.Errorf("%+v", r)
	}
}
