// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/caddy-videoroom/videoroom/sfu/internal/vp9"
)

func shapeOf(t testing.TB, name string) chainShape {
	t.Helper()
	for _, s := range chainShapes {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no shape %s", name)
	return chainShape{}
}

// shownNow returns the layers of the newest picture.
func (k *chainSink) shownNow() (spatial, tid int) {
	n := len(k.shown)
	if n == 0 {
		return -1, -1
	}
	for _, p := range k.shown[max(0, n-8):] {
		tid = max(tid, int(p.tid))
	}
	return int(k.shown[n-1].spatial), tid
}

// longestGap is the longest time without a picture since from.
func (k *chainSink) longestGap(from int64) time.Duration {
	gap, last := int64(0), from
	for _, p := range k.shown {
		if p.at >= from {
			gap, last = max(gap, p.at-last), p.at
		}
	}
	return time.Duration(max(gap, k.cl.s.c.now-last))
}

// Spatial and temporal layers follow the settings: down with the next picture
// and without a key frame, up with one.
func TestSpatialLayersBySettings(t *testing.T) {
	for _, name := range []string{"VP9 L3T3_KEY", "VP9 L3T3"} {
		s := newSim(t, 21)
		a, b := s.client("PA_a"), s.client("PA_b")
		s.ticking()
		src := a.publishChain("TR_v", shapeOf(t, name))
		k := b.watchChain(src)
		s.run(2 * time.Second)
		if spatial, tid := k.shownNow(); spatial != 2 || tid != 2 {
			t.Fatalf("%s: began with %d/%d", name, spatial, tid)
		}
		for _, step := range []struct {
			what         string
			set          Settings
			spatial, tid int
			keys         int
		}{
			{"low", Settings{Quality: 0}, 0, 2, 0},
			{"medium", Settings{Quality: 1}, 1, 2, 1},
			{"high", Settings{Quality: 2}, 2, 2, 1},
			{"medium again", Settings{Quality: 1}, 1, 2, 0},
			{"small", Settings{Width: 300, Height: 100}, 0, 2, 0},
			{"upright", Settings{Width: 300, Height: 600}, 1, 2, 1},
			{"large", Settings{Width: 1280, Height: 720}, 2, 2, 1},
			{"slow", Settings{Quality: 2, FPS: 8}, 2, 0, 0},
			{"less slow", Settings{Quality: 2, FPS: 15}, 2, 1, 0},
			{"slow and small", Settings{Quality: 0, FPS: 8}, 0, 0, 0},
			{"all", Settings{Quality: 2}, 2, 2, 1},
		} {
			from, requests := s.c.now, len(src.streams[0].requests)
			k.d.configure(s.c, step.set)
			s.run(400 * time.Millisecond)
			if spatial, _ := k.shownNow(); spatial != step.spatial {
				t.Errorf("%s, %s: layer %d after 400 ms, want %d", name, step.what, spatial, step.spatial)
			}
			s.run(2 * time.Second)
			if spatial, tid := k.shownNow(); spatial != step.spatial || tid != step.tid {
				t.Errorf("%s, %s: %d/%d, want %d/%d", name, step.what, spatial, tid, step.spatial, step.tid)
			}
			// What is asked for again before it comes is made up for later.
			if n := len(src.streams[0].requests) - requests; n < step.keys || n > 2*step.keys {
				t.Errorf("%s, %s: %d key frames asked for, want %d", name, step.what, n, step.keys)
			}
			if gap := k.longestGap(from); gap > 170*time.Millisecond {
				t.Errorf("%s, %s: no picture for %v", name, step.what, gap)
			}
		}
	}
}

// The picture shrinks with the line, at once, and grows with it by itself.
func TestSpatialLayersFollowTheLine(t *testing.T) {
	for seed := range uint64(3) {
		s := newSim(t, 200+seed)
		a, b := s.client("PA_a"), s.client("PA_b")
		b.reports()
		ordinary := netem{loss: 0.005, delay: 20 * time.Millisecond, jitter: 6 * time.Millisecond}
		a.up, b.down, b.up = ordinary, ordinary, ordinary
		s.ticking()
		src := a.publishChain("TR_v", shapeOf(t, "VP9 L3T3_KEY"))
		src.sizes = [3]struct{ size, parts, key int }{{290, 1, 8}, {700, 3, 20}, {880, 8, 40}} // 70, 450, 1500 kbit/s
		b.listen(a.speak("TR_a"))
		k := b.watchChain(src)
		b.down.rate = 3_000_000
		top := func() bool { spatial, _ := k.shownNow(); return spatial == 2 }
		if took, ok := s.until(8*time.Second, top); !ok {
			t.Fatalf("seed %d: not at the top after %v, target %d", seed, took, b.t.line.est.Target())
		}
		s.run(5 * time.Second)
		for cycle := range 3 {
			b.heard(time.Second)
			b.down.rate = 300_000
			cut := s.c.now
			took, ok := s.until(2*time.Second, func() bool { spatial, _ := k.shownNow(); return spatial == 0 })
			if !ok {
				t.Fatalf("seed %d, cycle %d: large still, target %d", seed, cycle, b.t.line.est.Target())
			}
			s.run(10*time.Second - took)
			share, p95 := b.heard(10 * time.Second)
			gap := k.longestGap(cut)
			if gap > 1500*time.Millisecond || share < 0.95 || p95 > 450*time.Millisecond {
				t.Errorf("seed %d, cycle %d: no picture for %v; %.1f %% of the sound, p95 %v late", seed, cycle, gap, 100*share, p95)
			}
			b.down.rate = 3_000_000
			back, ok := s.until(25*time.Second, top)
			if !ok {
				t.Fatalf("seed %d, cycle %d: small still after %v, target %d", seed, cycle, back, b.t.line.est.Target())
			}
			s.run(5 * time.Second)
			t.Logf("seed %d, cycle %d: down after %v, longest gap %v, sound p95 %v, up after %v", seed, cycle, took, gap, p95, back)
		}
	}
}

// A line that carries the picture no more is probed until it does, also where no
// sound is sent that would tell.
func TestPictureReturnsWithoutSound(t *testing.T) {
	for seed := range uint64(4) {
		s := newSim(t, 300+seed)
		a, b := s.client("PA_a"), s.client("PA_b")
		b.reports()
		b.down, b.up = netem{delay: 20 * time.Millisecond}, netem{delay: 20 * time.Millisecond}
		s.ticking()
		src := a.publishChain("TR_v", shapeOf(t, "VP9 L1T1"))
		src.sizes[0] = struct{ size, parts, key int }{900, 1, 4}
		k := b.watchChain(src)
		b.down.rate = 40_000
		if _, ok := s.until(20*time.Second, func() bool { return k.d.paused }); !ok {
			t.Fatalf("seed %d: a line of 40 kbit/s carries 180", seed)
		}
		s.run(20 * time.Second)
		b.down.rate = 0
		took, ok := s.until(15*time.Second, func() bool {
			return !k.d.paused && len(k.shown) > 0 && s.c.now-k.shown[len(k.shown)-1].at < int64(100*time.Millisecond)
		})
		if !ok {
			t.Errorf("seed %d: no picture %v after the line became wide, target %d", seed, took, b.t.line.est.Target())
		}
		t.Logf("seed %d: back after %v", seed, took)
	}
}

// What is paused or hidden goes on with a key frame, however the layers were.
func TestScalablePause(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	src := a.publishChain("TR_v", shapeOf(t, "VP9 L3T3_KEY"))
	k := b.watchChain(src)
	s.run(time.Second)
	for range 10 {
		k.d.configure(s.c, Settings{Disabled: true, Quality: 2})
		s.run(time.Second)
		before := len(k.shown)
		s.run(time.Second)
		if len(k.shown) != before {
			t.Fatal("a disabled track was forwarded")
		}
		k.d.configure(s.c, Settings{Quality: s.rng.IntN(3)})
		s.run(time.Second)
		if len(k.shown) < before+20 {
			t.Fatalf("only %d pictures in the second after enabling", len(k.shown)-before)
		}
	}
}

func TestScalableWanted(t *testing.T) {
	spec := []LayerSpec{{Width: 320, Height: 180}, {Width: 640, Height: 360}, {Width: 1280, Height: 720}}
	told := &scalable{count: 3, sizes: [vp9.MaxSpatial]vp9.Resolution{{Width: 240, Height: 135}, {Width: 480, Height: 270}, {Width: 960, Height: 540}}}
	for name, tc := range map[string]struct {
		s    *scalable
		want Settings
		top  int
	}{
		"nothing known":           {new(scalable), Settings{Quality: 2}, 2},
		"two layers":              {&scalable{count: 2}, Settings{Quality: 2}, 1},
		"one layer":               {&scalable{count: 1}, Settings{Quality: 1}, 0},
		"more than are forwarded": {&scalable{count: 5}, Settings{Quality: 2}, 2},
		"low":                     {told, Settings{Quality: 0}, 0},
		"below":                   {told, Settings{Quality: -1}, 0},
		"sizes announced":         {&scalable{count: 3}, Settings{Width: 300, Height: 170}, 0},
		"sizes in the stream":     {told, Settings{Width: 300, Height: 170}, 1},
		"upright":                 {told, Settings{Width: 270, Height: 480}, 1},
		"one side too large":      {told, Settings{Width: 100, Height: 500}, 2},
		"larger than all":         {told, Settings{Width: 4000, Height: 3000}, 2},
	} {
		if got := tc.s.wanted(tc.want, spec); got != tc.top {
			t.Errorf("%s: %d, want %d", name, got, tc.top)
		}
	}
}

// The packet path allocates nothing, whether a layer is forwarded or left out.
func TestForwardVP9AllocatesNothing(t *testing.T) {
	for _, name := range []string{"VP9 L3T3_KEY", "VP9 simulcast"} {
		s := newSim(t, 5)
		a := s.client("PA_a")
		src := a.publishChain("TR_v", shapeOf(t, name))
		for i := range 9 {
			b := s.client("PA_" + string(rune('b'+i)))
			if i == 0 {
				b.reports()
			}
			b.watchChain(src).d.configure(s.c, Settings{Quality: i % 3, FPS: uint32(i%2) * 8})
		}
		s.ticking()
		s.run(3 * time.Second)
		drained := &drainBox{}
		for t := range s.c.all {
			t.via = drained
		}
		a.up.loss = 1 // collect instead of delivering
		var packets [][]byte
		for range 150 {
			first := make(map[*chainStream]uint16)
			for _, st := range src.streams {
				first[st] = st.seq
			}
			src.picture()
			for _, st := range src.streams {
				for seq := first[st]; seq != st.seq; seq++ {
					packets = append(packets, seal(t, a, st.history[seq]))
				}
			}
		}
		i, every := 0, time.Millisecond // more than the path is known to carry
		send := func() {
			s.c.now += int64(every)
			s.c.receive(packets[i], a.addr, netip.Addr{}, drained)
			s.c.pace()
			i++
		}
		for range 600 {
			send()
		}
		every = 6 * time.Millisecond
		n := len(packets) - 610
		before := drained.n
		if allocs := testing.AllocsPerRun(n, send); allocs != 0 {
			t.Errorf("%s: %v allocations per received packet", name, allocs)
		}
		if drained.n-before < n || drained.n-before > 9*n {
			t.Errorf("%s: forwarded %d of %d packets", name, drained.n-before, 9*n)
		}
	}
}

func seal(t testing.TB, cl *simClient, p *rtp.Packet) []byte {
	t.Helper()
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	enc, err := cl.out.EncryptRTP(nil, raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return enc
}

// H.264 tells no temporal layers: its rate counts as that of the lowest, whatever
// other tracks of the loop send.
func TestTemporalLayersAreNotMixedUp(t *testing.T) {
	s := newSim(t, 6)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	a.publishChain("TR_v", shapeOf(t, "VP8 simulcast"))
	other := b.publishChain("TR_w", shapeOf(t, "H.264 simulcast"))
	s.run(3 * time.Second)
	for i, l := range other.track.layers {
		if r := l.rates(s.c); r[0] == 0 || r[1]+r[2]+r[3] != 0 {
			t.Errorf("encoding %d: rates %v", i, r)
		}
	}
}

// VP9 is negotiated where the publisher names it, VP8 where it names nothing;
// profile 0 alone.
func TestNegotiateVP9(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a, b := newRTCClient(t, room, "PA_a"), newRTCClient(t, room, "PA_b")
	for sid, names := range map[string][]string{"TR_plain": nil, "TR_vp9": {"vp9", "vp8"}, "TR_vp8": {"vp8"}} {
		tr, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP9}, "cid-"+sid, "stream")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.pc.AddTransceiverFromTrack(tr, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
			t.Fatal(err)
		}
		if err := a.peer.Publish(TrackSpec{SID: sid, CID: "cid-" + sid, Kind: Video, Codecs: names}); err != nil {
			t.Fatal(err)
		}
	}
	offer, err := a.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	ans, err := a.peer.Offer(offer.SDP)
	if err != nil {
		t.Fatal(err)
	}
	if len(ans.Published) != 3 {
		t.Fatalf("published %+v", ans.Published)
	}
	want := map[string]string{"TR_plain": "video/VP8", "TR_vp9": "video/VP9", "TR_vp8": "video/VP8"}
	for _, p := range ans.Published {
		section := mediaSection(ans.SDP, p.Mid)
		if p.Mime != want[p.SID] || strings.Count(section, "a=rtpmap:") != 2 || !strings.Contains(section, " "+strings.TrimPrefix(p.Mime, "video/")+"/90000") {
			t.Errorf("%s: %s, want %s\n%s", p.SID, p.Mime, want[p.SID], section)
		}
		if p.Mime == "video/VP9" && !strings.Contains(section, "profile-id=0") {
			t.Errorf("no profile 0:\n%s", section)
		}
	}
	if err := b.peer.Subscribe("PA_a", "TR_vp9"); err != nil {
		t.Fatal(err)
	}
	got := b.negotiate()
	for mid := range got.MidToTrack {
		section := mediaSection(got.SDP, mid)
		if !strings.Contains(section, "a=sendonly") || !strings.Contains(section, " VP9/90000") || strings.Contains(section, " VP8/90000") {
			t.Errorf("the subscriber gets\n%s", section)
		}
	}
	if len(got.MidToTrack) != 1 {
		t.Errorf("sections %v", got.MidToTrack)
	}
}

// mediaSection returns the section with a mid.
func mediaSection(sdp, mid string) string {
	for _, s := range strings.Split(sdp, "\r\nm=") {
		if strings.Contains(s, "\r\na=mid:"+mid+"\r\n") {
			return s
		}
	}
	return ""
}
