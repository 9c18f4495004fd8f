// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"
)

const (
	// chaosTime is how long lines are bad and layers change, calmTime how long
	// then nothing happens. Within recoveryTime of calm every picture is decoded
	// again, and none is missing from there on.
	chaosTime    = 4 * time.Second
	recoveryTime = 2 * time.Second
	calmTime     = 4 * time.Second
	// pathTime is what it takes at most to find out that a path has become wide
	// again, beyond calmTime.
	pathTime = 12 * time.Second
)

// chain is a call in which everything happens that can.
type chain struct {
	*sim
	src   *chainSource
	a     *simClient
	sinks []*chainSink
}

func newChain(t testing.TB, seed uint64, shape chainShape) *chain {
	s := newSim(t, seed)
	ch := &chain{sim: s, a: s.client("PA_a")}
	s.ticking()
	ch.src = ch.a.publishChain("TR_v", shape)
	ch.src.padding = seed%3 == 0
	for i := range 3 {
		b := s.client(fmt.Sprintf("PA_%c", 'b'+i))
		if i == 2 {
			b.reports()
		}
		ch.sinks = append(ch.sinks, b.watchChain(ch.src))
	}
	return ch
}

// rounds is how many of n random runs there is time for.
func rounds(n uint64) uint64 {
	if testing.Short() || racing {
		return n / 10
	}
	return n
}

// wreck makes the lines bad.
func (ch *chain) wreck() {
	bad := func() netem {
		return netem{
			loss: ch.rng.Float64() * 0.12, reorder: ch.rng.Float64() * 0.2, duplicate: ch.rng.Float64() * 0.05,
			delay: time.Duration(ch.rng.Int64N(int64(40 * time.Millisecond))), jitter: time.Duration(1 + ch.rng.Int64N(int64(20*time.Millisecond))),
		}
	}
	ch.a.up, ch.a.down = bad(), bad()
	for _, k := range ch.sinks {
		k.cl.up, k.cl.down = bad(), bad()
	}
	if ch.rng.IntN(3) == 0 {
		ch.sinks[2].cl.down.rate = 60_000 + ch.rng.Float64()*400_000
	}
}

// mend makes the lines good.
func (ch *chain) mend() {
	good := netem{delay: 15 * time.Millisecond}
	ch.a.up, ch.a.down = good, good
	for _, k := range ch.sinks {
		k.cl.up, k.cl.down = good, good
	}
}

// disturb does something that changes what is forwarded.
func (ch *chain) disturb() {
	switch k := ch.sinks[ch.rng.IntN(len(ch.sinks))]; ch.rng.IntN(9) {
	case 0, 1, 2:
		k.d.configure(ch.c, Settings{Quality: ch.rng.IntN(3), FPS: []uint32{0, 0, 8, 15}[ch.rng.IntN(4)]})
	case 3:
		k.d.configure(ch.c, Settings{Width: 1 + ch.rng.Uint32N(1300), Height: 1 + ch.rng.Uint32N(720)})
	case 4:
		k.d.configure(ch.c, Settings{Disabled: !k.d.settings.Disabled, Quality: 2})
	case 5:
		ch.mute(!ch.src.muted)
	case 6:
		ch.src.active = 1 + ch.rng.IntN(3)
	case 7:
		st := ch.src.streams[ch.rng.IntN(len(ch.src.streams))]
		st.stopped = !st.stopped && len(ch.src.streams) > 1
	case 8:
		ch.wreck()
	}
}

// mute does what Peer.Mute has the core do.
func (ch *chain) mute(muted bool) {
	ch.src.muted, ch.src.track.muted = muted, muted
	for _, d := range ch.src.track.downs {
		d.retarget(ch.c)
		if !muted {
			d.wantKey(ch.c)
		}
	}
}

// settle ends the chaos: everybody sends and watches again.
func (ch *chain) settle() {
	ch.mend()
	if ch.src.muted {
		ch.mute(false)
	}
	ch.src.active = 3
	for _, st := range ch.src.streams {
		st.stopped = false
	}
	for _, k := range ch.sinks {
		k.d.configure(ch.c, Settings{Quality: ch.rng.IntN(3), FPS: []uint32{0, 8, 15}[ch.rng.IntN(3)]})
	}
}

// gapless fails unless k has decoded every picture of its layers since from.
func (k *chainSink) gapless(t testing.TB, seed uint64, from int64) {
	t.Helper()
	shown := k.shown
	for len(shown) > 0 && shown[0].at < from {
		shown = shown[1:]
	}
	now, tid := k.cl.s.c.now, uint8(0)
	for _, p := range shown {
		tid = max(tid, p.tid)
	}
	if k.cl.reporter != nil {
		tid = 0 // the frame rate may rise with the estimate
	}
	last, left := from, int64(0)
	for i, p := range shown {
		if p.at-last > int64(400*time.Millisecond) {
			t.Fatalf("%s, seed %d: nothing for %v", k.src.shape.name, seed, time.Duration(p.at-last))
		}
		last = p.at
		if i == 0 {
			continue
		}
		was := shown[i-1]
		for n := was.n + 1; n < p.n; n++ {
			if k.src.streams[p.encoding].tids[n] <= tid {
				t.Fatalf("%s, seed %d: picture %d follows %d, of temporal layers up to %d (forwarding %d/%d)",
					k.src.shape.name, seed, p.n, was.n, tid, k.d.current, k.d.temporal())
			}
		}
		left++
	}
	if now-last > int64(400*time.Millisecond) {
		t.Fatalf("%s, seed %d: nothing for %v at the end (%d shown, forwarding %d, to forward %d, disabled %v)",
			k.src.shape.name, seed, time.Duration(now-last), len(shown), k.d.current, k.d.target, k.d.settings.Disabled)
	}
	if spatial := max(shown[len(shown)-1].spatial, shown[len(shown)-1].encoding); k.cl.reporter == nil && int(spatial) != k.d.wanted() {
		t.Fatalf("%s, seed %d: layer %d, want %d", k.src.shape.name, seed, spatial, k.d.wanted())
	}
}

// switching changes settings while all lines are good: nothing that is sent is of
// no use.
func (ch *chain) switching(t testing.TB, seed uint64) {
	t.Helper()
	k := ch.sinks[ch.rng.IntN(2)]
	useless := k.useless
	for range 6 {
		k.d.configure(ch.c, Settings{Quality: ch.rng.IntN(3), FPS: []uint32{0, 8, 15}[ch.rng.IntN(3)]})
		ch.run(time.Duration(ch.rng.Int64N(int64(600 * time.Millisecond))))
	}
	if k.useless > useless {
		t.Fatalf("%s, seed %d: %d pictures were sent without what they depend on", k.src.shape.name, seed, k.useless-useless)
	}
}

// Whoever joins sees the very key frame that is asked for, also where its first
// packet reaches the server only when it is sent again.
func TestBeginWithoutFirstPacket(t *testing.T) {
	for _, shape := range chainShapes {
		s := newSim(t, 31)
		a, b := s.client("PA_a"), s.client("PA_b")
		good := netem{delay: 10 * time.Millisecond}
		a.up, a.down, b.up, b.down = good, good, good, good
		s.ticking()
		src := a.publishChain("TR_v", shape)
		s.run(3 * time.Second)
		lost := 0
		for _, st := range src.streams {
			first := true
			st.lose = func(p *rtp.Packet) bool {
				is := describe(shape.codec, &chainPacket{payload: p.Payload}).key
				is, first = is && first, first && !is
				if is {
					lost++
				}
				return is
			}
		}
		k := b.watchChain(src)
		s.run(600 * time.Millisecond)
		if lost == 0 {
			t.Fatalf("%s: no key frame", shape.name)
		}
		if len(k.shown) == 0 || k.plis > 0 {
			t.Errorf("%s: %d pictures, %d key frames asked for", shape.name, len(k.shown), k.plis)
			continue
		}
		if took := time.Duration(k.shown[0].at - k.begins); took > 300*time.Millisecond {
			t.Errorf("%s: first picture after %v", shape.name, took)
		}
	}
}

// For random loss, reordering, duplicates, layer switches, layers that come and
// go, and mutes, no decoder ever gets a picture without what it depends on, and
// within recoveryTime of calm each gets every picture of its layers.
func TestChain(t *testing.T) {
	seeds := rounds(40)
	for _, shape := range chainShapes {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			shown, plis, repairs := 0, 0, 0
			for seed := range seeds {
				ch := newChain(t, seed, shape)
				for range 3 {
					ch.wreck()
					for end := ch.c.now + int64(chaosTime); ch.c.now < end; {
						ch.run(time.Duration(ch.rng.Int64N(int64(500 * time.Millisecond))))
						ch.disturb()
					}
					ch.settle()
					ch.run(recoveryTime)
					from := ch.c.now
					ch.run(calmTime - recoveryTime)
					for _, k := range ch.sinks[:2] {
						k.gapless(t, seed, from)
					}
					ch.switching(t, seed)
				}
				ch.run(pathTime)
				from := ch.c.now
				ch.run(calmTime - recoveryTime)
				for _, k := range ch.sinks {
					k.gapless(t, seed, from)
				}
				for _, k := range ch.sinks {
					shown, plis, repairs = shown+len(k.shown), plis+k.plis, repairs+k.repairs
				}
			}
			if repairs == 0 || shown == 0 {
				t.Errorf("%d pictures, %d repairs", shown, repairs)
			}
			t.Logf("%d pictures decoded, %d key frames asked for, %d repairs", shown, plis, repairs)
		})
	}
}
