// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"math"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu/internal/allocation"
)

// reliefPeriod is how often layers are dropped at most, between the regular
// decisions, while a path is being overused.
const reliefPeriod = int64(50 * time.Millisecond)

const (
	// wishMargin is what is probed for, in percent of the pictures' rates: what
	// the allocator wants to see before a step up, and some more.
	wishMargin = 150
	maxWish    = 20_000_000
	// leastWish is the least that is probed for where there is no picture yet, in
	// percent of what the path is known to carry.
	leastWish = 106
	// easeShare is what is probed for now and then once all wishes are met, in
	// percent of the same: pictures leave at the rate that the path is known to
	// carry, and the more that is, the sooner they are seen.
	easeShare = 300
	// easeTime is how long that is tried, easeWait how long it is given up after
	// the first failure, and easeMost after many.
	easeTime = int64(6 * time.Second)
	easeWait = int64(20 * time.Second)
	// On a line that carries less than thinLine, in bit/s, a key frame holds sound
	// up for a third of a second: pictures get thinShare percent of what sound
	// leaves, so that they come only where they fit well.
	thinLine, thinShare = 72_000, 60
	easeMost            = int64(5 * time.Minute)
)

// allotment is the memory of what a subscriber's pictures get.
type allotment struct {
	state allocation.State
	in    allocation.Input
	downs []*downTrack // of in.Tracks
	faces []*downTrack // scratch of chooseFaces
}

// allocate decides which layers of all pictures t gets for what its path
// carries. Sound is never decided about: it goes first.
func (t *transport) allocate(c *core) {
	a := &t.allot
	a.in.Tracks, a.downs = a.in.Tracks[:0], a.downs[:0]
	sending := uint64(0)
	t.chooseFaces()
	for _, d := range t.downs {
		if d.track.kind != Video {
			continue
		}
		a.in.Tracks = append(a.in.Tracks, d.demand(c))
		a.downs = append(a.downs, d)
		sending += d.sending(c)
	}
	if len(a.downs) == 0 {
		if t.line != nil {
			t.line.wanted = 0
		}
		return
	}
	sound := t.soundRate()
	a.in.Budget = unlimited
	if t.line != nil {
		a.in.Budget = allocation.Video(clamp32(t.line.est.Target()), sound)
		if t.line.est.Target() < thinLine {
			a.in.Budget = a.in.Budget * thinShare / 100
		}
	}
	a.in.Saver = t.saving(sound)
	r := a.state.Allocate(c.now, &a.in)
	// Over budget, a layer that is to go does not stay until the next one has a
	// key frame: what queues meanwhile would delay sound for seconds.
	congested := sending > uint64(a.in.Budget)
	for i, d := range a.downs {
		d.grant(c, r.Decisions[i], congested)
	}
	if t.line != nil {
		t.line.roomy = uint64(t.line.est.Target())*100 >= (max(sending, uint64(r.Total))+uint64(sound))*paceRoom
		want := r.Wanted
		switch {
		case want != 0 && !t.line.modest(c):
			want = max(want, a.within(a.wish(wishMargin)))
		case want == 0 && !r.Starved:
			want = t.line.ease(c, a.within(a.wish(easeShare)))
		}
		t.line.wanted = 0
		if want != 0 {
			t.line.wanted = int64(allocation.Estimate(want, sound))
			if r.Total == 0 { // any picture at all is worth a probe
				t.line.wanted = max(t.line.wanted, t.line.est.Target()*leastWish/100)
			}
		}
	}
	clear(a.downs)
}

// wish is the budget at which every picture would get all that it is shown at, and
// margin percent of it. Probing for that, instead of one step after the other,
// saves the waits between.
func (a *allotment) wish(margin uint64) uint32 {
	total := uint64(0)
	for i := range a.in.Tracks {
		t := &a.in.Tracks[i]
		if t.Hidden || t.Muted {
			continue
		}
		best := uint64(0)
		for s := range t.Encodings {
			if e := &t.Encodings[s]; int8(s) <= t.MaxSpatial && e.Live {
				if r := sum(e.Rate); t.SVC {
					best += r
				} else {
					best = max(best, r)
				}
			}
		}
		total += best
	}
	return uint32(min(total*margin/100, maxWish))
}

// demand describes a subscription to the allocator.
func (d *downTrack) demand(c *core) allocation.Track {
	u := d.track
	if d.id == 0 {
		c.lastDown++
		d.id = c.lastDown
	}
	out := allocation.Track{
		ID: d.id, MaxSpatial: int8(d.wanted()), MaxTemporal: allocation.Temporal - 1,
		Hidden: d.settings.Disabled || d.benched, Muted: u.muted, Priority: d.settings.Priority,
		Face: d.to.room.people == 2,
		Sent: allocation.Paused,
	}
	if u.screen {
		out.Kind = allocation.Screen
	}
	if u.pub.speaks() {
		out.SpeakerRank = 1
	}
	if u.svc != nil {
		d.demandScalable(c, &out)
		return out
	}
	for i, l := range u.layers {
		if i < allocation.Spatial {
			out.Encodings[i] = allocation.Encoding{Live: l.live(c), Rate: l.rates(c)}
			if u.screen && i < len(u.spec) {
				capRates(&out.Encodings[i].Rate, u.spec[i].Bitrate)
			}
		}
	}
	if d.current != noLayer {
		out.Sent = allocation.Layer{Spatial: int8(d.current), Temporal: int8(d.temporal())}
		if d.settings.FPS > 0 {
			out.MaxTemporal = allocation.TemporalCap(d.settings.FPS, u.layers[d.current].frameRates(c))
		}
	}
	return out
}

// capRates keeps what is measured of a screen's layer to what its sender may make
// of it for long, most in bit/s, 0 where unknown. A new page is a burst that a
// path carries within a second or two; taken for a rate it would have the screen
// paused, and begin with the next burst.
func capRates(rates *[allocation.Temporal]uint32, most uint32) {
	total := uint64(0)
	for _, r := range rates {
		total += uint64(r)
	}
	if most == 0 || total <= uint64(most) {
		return
	}
	for i, r := range rates {
		rates[i] = uint32(uint64(r) * uint64(most) / total)
	}
}

// grant puts a decision into effect.
func (d *downTrack) grant(c *core, decision allocation.Decision, congested bool) {
	d.reason = decision.Reason
	paused := decision.Reason == allocation.Starved || d.benched ||
		decision.Reason == allocation.Waiting && d.track.pub.choke.on
	if paused != d.paused {
		d.paused = paused
		d.to.events.PeerStreamState(d.track.sid, paused)
	}
	d.target = d.aim(decision.Choice)
	if d.target == noLayer {
		if d.current != noLayer {
			d.to.dropPaced(c, d)
		}
		d.current = noLayer // goes on with a key frame
		return
	}
	if congested && (d.target < d.current || d.falling()) {
		d.current = noLayer
		d.to.dropPaced(c, d)
	}
	d.request(c)
}

// request asks for the key frame that the wanted layer begins with.
func (d *downTrack) request(c *core) {
	if d.reached() || d.settings.Disabled || !d.to.ready() || c.now < d.begins {
		return
	}
	if l := d.layer(d.target); l != nil {
		l.wantKey(c)
	}
}

// measureSound counts what sound takes of the path, and decides what more of it
// is sent.
func (t *transport) measureSound(c *core) {
	if c.now < t.sound.next {
		return
	}
	if t.sound.next != 0 {
		passed := float64(soundPeriod+c.now-t.sound.next) / 1e9
		t.sound.all.close(passed)
		t.sound.plain.close(passed)
	}
	t.sound.next = c.now + soundPeriod
	t.repairSound(c)
}

func (t *transport) soundRate() uint32 { return uint32(t.sound.all.rate) }

// subscribedSound is what is known of the sound that a subscriber gets.
type subscribedSound struct {
	all, plain soundMeter // with and without what is repeated
	next       int64
	repair     soundRepair
}

// soundMeter measures sound.
type soundMeter struct {
	bytes uint64
	rate  float64 // bit/s
}

func (m *soundMeter) close(seconds float64) {
	now := float64(m.bytes) * 8 / seconds
	m.rate = max(now, m.rate*0.8+now*0.2) // more at once, less slowly
	m.bytes = 0
}

// speaks tells whether somebody is heard now.
func (t *transport) speaks() bool {
	for _, u := range t.ups {
		if u.kind == Audio && u.level.active {
			return true
		}
	}
	return false
}

// rates returns what each temporal layer carries, measured at most once per
// decision.
func (l *upLayer) rates(c *core) [allocation.Temporal]uint32 {
	if l.meter == nil {
		return [allocation.Temporal]uint32{}
	}
	if c.now-l.measuredAt >= reliefPeriod || l.measuredAt == 0 {
		l.measured, l.measuredAt = l.meter.Rates(c.now), c.now
	}
	return l.measured
}

func (l *upLayer) frameRates(c *core) [allocation.Temporal]uint32 {
	if l.meter == nil {
		return [allocation.Temporal]uint32{}
	}
	return l.meter.FrameRates(c.now)
}

func clamp32(v int64) uint32 { return uint32(min(max(v, 0), math.MaxUint32)) }
