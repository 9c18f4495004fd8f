// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"time"

	"github.com/pion/rtp"

	"github.com/caddy-videoroom/videoroom/sfu/internal/allocation"
	"github.com/caddy-videoroom/videoroom/sfu/internal/rtpx"
	"github.com/caddy-videoroom/videoroom/sfu/internal/sequence"
	"github.com/caddy-videoroom/videoroom/sfu/internal/vp8"
	"github.com/caddy-videoroom/videoroom/sfu/internal/vp9"
)

const (
	historySize = 1024 // packets for which a retransmission can be rebuilt
	// repairShare bounds retransmissions to this share of the media sent, in
	// 1/256, beyond a small allowance for starting streams, where nothing is
	// known of the path; see mayRepair.
	repairShare     = 52
	repairAllowance = 32 << 10
	noLayer         = -1
	// catchUpGap packets in a row that are not there mean that no more are, and
	// catchUpMost bounds the search. A key frame leaves in a burst, and a line that
	// jitters by some milliseconds may bring its last packets first.
	catchUpGap, catchUpMost = 64, 256
	// answerTime is what a client may need to apply an answer, beyond half a
	// round trip. Media that comes before it belongs to nothing there: browsers
	// drop it and with it the key frame.
	answerTime = 80 * time.Millisecond
)

// downTrack forwards one published track to one subscriber.
type downTrack struct {
	to    *transport
	track *upTrack
	pt    uint8
	rtxPT uint8
	redPT uint8 // of repeated sound; 0: none
	nacks bool  // the client asks again for what it misses
	ssrc  uint32
	rtx   uint32

	id   uint64 // tells subscriptions of a core apart; 0 until asked for
	twcc uint8  // id of the extension that numbers packets for feedback; 0: none

	seq      *sequence.Sequencer
	munger   vp8.Munger
	filter   vp8.TemporalFilter
	selector *vp9.Selector // VP9
	joint    *vp9.Munger   // VP9 with sources of their own for its layers
	sent     []sentPacket  // video: by outgoing sequence number
	heard    *sentSound    // sound that may be asked for again

	settings Settings
	current  int  // layer being forwarded, noLayer before the first key frame
	target   int  // layer to forward, noLayer for none
	paused   bool // the path does not carry it, or it is benched; the client knows
	benched  bool // there are more faces than a client is sent at once
	pinned   bool // shown on purpose; of use to chooseFaces alone
	begun    bool // the next packet is the first of a layer

	begins   int64  // nothing is sent before
	lastTS   uint32 // source time stamp of the newest forwarded packet
	tsOffset uint32 // out = source + tsOffset
	lastAt   int64
	packets  uint32
	octets   uint32
	wire     uint64  // bytes sent with all headers, repairs included
	lost     float64 // smoothed, as the client reports it
	reason   allocation.Reason

	rtxSeq      uint16
	repairBytes uint32
	newest      uint16 // sequence number sent
	since       uint16 // how far back what is being forwarded began, bounded
	reports     [4]sentReport
	nextReport  int
	remote      remoteReport
	hdr         rtp.Header // scratch of the cipher
}

// sentPacket is what a retransmission must repeat of a forwarded packet.
type sentPacket struct {
	seq       uint16
	pictureID uint16
	number    uint16 // for the feedback on each packet
	tl0       uint8
	marker    bool
	valid     bool  // it has left
	repaired  int64 // when it last left
}

// addDown begins forwarding.
func (c *core) addDown(d *downTrack) {
	if _, ok := c.all[d.to]; !ok || !d.track.attached {
		return // one of the ends is gone already
	}
	d.seq = sequence.New(c.random16(), c.random32())
	d.rtxSeq = c.random16()
	d.begins = c.now + c.answerTime + d.to.rtt/2
	d.current, d.target = noLayer, noLayer
	if d.track.kind == Video {
		d.sent = make([]sentPacket, historySize)
	} else if d.nacks {
		d.rememberSound()
	}
	if d.track.codec == codecVP9 {
		d.selector = new(vp9.Selector)
		if d.track.svc == nil {
			d.joint = new(vp9.Munger)
		}
	}
	if d.twcc != 0 && d.to.line == nil {
		d.to.line = newLine()
	}
	d.track.downs = append(d.track.downs, d)
	d.to.downs = append(d.to.downs, d)
	d.to.bySSRC[d.ssrc] = d
	c.stats.subscriptions.Add(1)
	d.retarget(c)
}

// removeDown ends forwarding.
func (c *core) removeDown(d *downTrack) {
	d.track.downs = without(d.track.downs, d)
	d.to.downs = without(d.to.downs, d)
	d.to.dropPaced(c, d)
	delete(d.to.bySSRC, d.ssrc)
	c.stats.subscriptions.Add(-1)
}

// dropDown ends forwarding if it has not ended with its track or peer already.
func (c *core) dropDown(d *downTrack) {
	if d.to.bySSRC[d.ssrc] == d {
		c.removeDown(d)
	}
}

// forward sends one packet to the subscriber if it is of the layer being
// forwarded, or begins the layer wanted.
func (d *downTrack) forward(c *core, f *forwarding) {
	if d.settings.Disabled || c.now < d.begins || !d.to.ready() {
		return
	}
	began := false
	if int(f.layer.id) != d.current {
		if int(f.layer.id) != d.target || !d.mayBegin(f) {
			return
		}
		d.begin(c, f)
		began = true
	} else if d.track.svc != nil && f.key && d.selector.Missed(&f.vp9, f.ts) {
		d.begin(c, f)
		began = true
	}
	d.pass(c, f)
	if began && d.sent != nil {
		d.catchUp(c, f)
	}
}

// catchUp sends what came of a layer before the packet that it began with: where
// that one was lost at first, the rest of its key frame is here already.
func (d *downTrack) catchUp(c *core, first *forwarding) {
	l := first.layer
	for seq, missed := first.seq+1, 0; missed < catchUpGap && seq-first.seq < catchUpMost; seq++ {
		e, ok := l.cache.Get(seq)
		if !ok || int32(e.TS-first.ts) < 0 {
			missed++
			continue
		}
		missed = 0
		f := forwarding{layer: l, seq: seq, ts: e.TS, marker: e.Marker, payload: e.Payload}
		if f.inspect(d.track.codec) {
			d.pass(c, &f)
		}
	}
}

// pass sends a packet of the layer that is being forwarded.
func (d *downTrack) pass(c *core, f *forwarding) {
	if !d.selected(f) {
		d.skip(c, f)
		return
	}
	seq, ts, ok := d.seq.Map(f.layer.id, f.seq, f.ts)
	if !ok {
		return
	}
	if ahead := seq - d.newest; d.begun {
		d.newest, d.since, d.begun = seq, 0, false
	} else if int16(ahead) > 0 {
		d.newest, d.since = seq, min(d.since+ahead, 1<<15)
	}
	d.send(c, f, seq, ts)
}

// mayBegin tells whether a layer can begin with this packet: any packet of
// sound, a key frame of a picture.
func (d *downTrack) mayBegin(f *forwarding) bool {
	return d.track.kind == Audio || f.key && (d.track.codec != codecH264 || f.hasParameters())
}

// begin moves the output to the layer of f without a break in its numbers.
func (d *downTrack) begin(c *core, f *forwarding) {
	d.seq.Switch(f.layer.id, f.seq, f.ts, d.advance(c, f))
	d.restartSelection(f)
	d.current, d.lastTS, d.begun = int(f.layer.id), f.ts, true
}

// advance is how far the output's time stamp moves at a switch: the capture time
// between the newest forwarded packet and f, as the publisher's reports tell it,
// else as the arrival tells it.
func (d *downTrack) advance(c *core, f *forwarding) uint32 {
	if d.packets == 0 {
		return 0
	}
	clock := int64(d.track.clock)
	elapsed := (c.now - d.lastAt) * clock / int64(time.Second)
	if d.current >= 0 && d.current < len(d.track.layers) {
		from := d.track.layers[d.current]
		if from == f.layer {
			elapsed = int64(int32(f.ts - d.lastTS))
		} else if a, ok := from.captured(d.lastTS, clock); ok {
			if b, ok := f.layer.captured(f.ts, clock); ok && abs(b-a-elapsed) < clock {
				elapsed = b - a
			}
		}
	}
	// A layer may begin with the very picture that the former layer ended on;
	// two pictures must never share a time stamp.
	return uint32(max(elapsed, clock/1000))
}

// captured converts a source time stamp to the publisher's clock, in units of
// the media clock, by the layer's latest sender report.
func (l *upLayer) captured(ts uint32, clock int64) (int64, bool) {
	if l.sr.at == 0 {
		return 0, false
	}
	sec, frac := int64(l.sr.ntp>>32), int64(l.sr.ntp&0xffffffff)
	return sec*clock + frac*clock>>32 + int64(int32(ts-l.sr.rtp)), true
}

// send writes one packet and sends it, or has it wait for its turn.
func (d *downTrack) send(c *core, f *forwarding, seq uint16, ts uint32) {
	var b []byte
	wait := d.mustWait(c)
	if wait {
		b = c.take()
	} else if slot := d.to.slot(); slot != nil {
		b = slot[:cap(slot)]
	} else {
		c.stats.dropped.Add(1)
		return
	}
	h := rtpx.HeaderSpec{PT: d.pt, Marker: f.mark, Seq: seq, TS: ts, SSRC: d.ssrc}
	d.leaveRoom(&h)
	n := rtpx.PutHeader(b, &h)
	if n+len(f.payload)+32 > len(b) {
		c.stats.dropped.Add(1)
		if wait {
			c.give(b)
		}
		return
	}
	if repeated := d.repeatSound(f, b, n); repeated > 0 {
		n = repeated
	}
	copy(b[n:], f.payload)
	if d.sent != nil {
		s := sentPacket{seq: seq, marker: f.mark}
		d.renumber(f, &s, b[n:n+len(f.payload)])
		d.sent[seq%historySize] = s
	}
	if n += len(f.payload); wait {
		d.wait(c, b, n)
	} else if !d.depart(c, b, n) {
		return
	}
	if d.packets == 0 || int32(f.ts-d.lastTS) > 0 {
		d.lastTS = f.ts
	}
	d.tsOffset, d.lastAt = ts-f.ts, c.now
	d.packets++
	d.octets += uint32(len(f.payload))
	if d.sent == nil {
		d.to.sound.plain.bytes += uint64(len(f.payload) + soundOverhead)
	}
	if d.packets == 1 {
		// An early report gives the receiver its lip sync without a second's wait.
		d.to.nextReport = min(d.to.nextReport, c.now+int64(tickPeriod))
	}
}

// skip closes the output's numbers over a source packet without payload. Where
// later packets have left already the gap stays, so an empty packet fills it:
// otherwise the receiver would ask for it in vain.
func (d *downTrack) skip(c *core, f *forwarding) {
	if int(f.layer.id) != d.current || d.settings.Disabled || !d.seq.Skip(f.layer.id, f.seq) {
		return
	}
	seq, ts, ok := d.seq.Map(f.layer.id, f.seq, f.ts)
	if !ok || !d.to.ready() {
		return
	}
	slot := d.to.slot()
	if slot == nil {
		return
	}
	h := rtpx.HeaderSpec{PT: d.pt, Seq: seq, TS: ts, SSRC: d.ssrc}
	b := slot[:cap(slot)]
	d.seal(c, b, rtpx.PutHeader(b, &h))
}

// wantKey passes the subscriber's request for a key frame on.
func (d *downTrack) wantKey(c *core) {
	if d.settings.Disabled || d.track.kind != Video {
		return
	}
	if l := d.layer(d.target); l != nil {
		l.wantKey(c)
	}
}

func (d *downTrack) layer(i int) *upLayer {
	if i < 0 || i >= len(d.track.layers) {
		return nil
	}
	return d.track.layers[i]
}

// configure applies new settings.
func (d *downTrack) configure(c *core, s Settings) {
	if s.Disabled && !d.settings.Disabled {
		// The decoder loses its reference: start again with a key frame.
		d.current = noLayer
		d.to.dropPaced(c, d)
	}
	d.settings = s
	d.retarget(c)
}

// retarget begins what there is to forward: sound at once, pictures as the path
// allows.
func (d *downTrack) retarget(c *core) {
	if d.track.kind == Audio {
		d.target = 0
		return
	}
	d.to.allocate(c)
}

// wanted is the layer that the settings ask for. Of layers of one size, as screens
// have them, it is the best.
func (d *downTrack) wanted() int {
	s := d.settings
	if d.track.svc != nil {
		return d.track.svc.wanted(s, d.track.spec)
	}
	top := len(d.track.layers) - 1
	if s.Width == 0 || s.Height == 0 {
		return min(s.Quality, top)
	}
	specs := d.track.spec
	for i, spec := range specs {
		same := i+1 < len(specs) && specs[i+1].Width == spec.Width && specs[i+1].Height == spec.Height
		if i <= top && spec.Width >= s.Width && spec.Height >= s.Height && !same {
			return i
		}
	}
	return top
}
