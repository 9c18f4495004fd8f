// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/pion/rtcp"

	"github.com/caddy-videoroom/videoroom/sfu/internal/bandwidth"
	"github.com/caddy-videoroom/videoroom/sfu/internal/feedback"
	"github.com/caddy-videoroom/videoroom/sfu/internal/rtpx"
)

const (
	// lineInitial is what a path is taken to carry before anything is known, in
	// bit/s: sound and a picture of 360 lines. Probes find out more within a
	// second or two.
	lineInitial = 700_000
	lineMin     = 30_000
	lineMax     = 50_000_000
	// datagramOverhead is what IPv4, UDP and the cipher's tag (RFC 7714 §13.1) add
	// to a packet, in bytes.
	datagramOverhead = 28 + 16
	// soundOverhead is what there is around the payload of a packet of sound.
	soundOverhead = datagramOverhead + 12 + 8
	// padding is the longest that an RTP packet can have, in bytes (RFC 3550
	// §5.1).
	padding = 255
	// mostPads bounds the packets of a probe, where there are none but small ones
	// to repeat.
	mostPads = 60
	// While probes for everything find nothing for so long, every other one of
	// these periods is for the next step alone.
	modestAfter = int64(8 * time.Second)
	// soundPeriod is how often the rate of sound is measured.
	soundPeriod = int64(250 * time.Millisecond)
)

// repeatable is how many of the newest packets probes are made of.
const repeatable = 16

// unlimited is the budget of pictures where the path's is not known.
const unlimited = math.MaxUint32

// line estimates what the path to a subscriber carries. It exists once the
// subscriber has agreed to report on each packet.
type line struct {
	est     *bandwidth.Estimator
	hist    feedback.History
	results []feedback.Result
	pacer   pacer
	roomy   bool   // the path carries much more than is sent, see paceRoom
	sent    uint64 // bytes, of the packets that are reported on

	wanted int64             // bit/s in all that pictures would use
	probe  bandwidth.Cluster // being sent; Packets is 0 when none is
	padded int               // bytes of it sent
	pads   int               // packets of it sent
	nextAt int64             // when its next packet is due
	back   uint16            // which packet is repeated next, from the newest
	best   int64             // the target when it last rose
	roseAt int64

	easeFrom, easeUntil, easeWait int64 // see ease
}

func newLine() *line {
	return &line{est: bandwidth.New(bandwidth.Config{Initial: lineInitial, Min: lineMin, Max: lineMax})}
}

// reset begins anew on another path.
func (l *line) reset() {
	at := min(max(l.est.Target(), lineMin), lineInitial)
	l.est = bandwidth.New(bandwidth.Config{Initial: at, Min: lineMin, Max: lineMax})
}

// note remembers a packet that left. Whatever it is, pictures that wait make room
// for it.
func (l *line) note(c *core, seq uint16, size int, cluster uint8) {
	size += datagramOverhead
	l.hist.Sent(seq, c.now, size, cluster)
	l.sent += uint64(size)
	l.pacer.credit -= int64(size) * 8
}

// transportFeedback takes the reports on packets out of a compound, and returns
// what else is in it.
func (t *transport) transportFeedback(c *core, compound []byte) []byte {
	if t.line == nil {
		return compound
	}
	rest := compound[:0]
	for len(compound) >= 4 {
		n := 4 + 4*int(binary.BigEndian.Uint16(compound[2:]))
		if n > len(compound) {
			break
		}
		one := compound[:n]
		compound = compound[n:]
		if one[1] == byte(rtcp.TypeTransportSpecificFeedback) && one[0]&0x1f == rtcp.FormatTCC {
			t.reported(c, one)
			continue
		}
		rest = append(rest, one...) // moves down in place
	}
	return append(rest, compound...)
}

// reported hears what arrived of what was sent.
func (t *transport) reported(c *core, b []byte) {
	l := t.line
	results, _, err := l.hist.Read(b, c.now, l.results[:0])
	if err != nil {
		c.stats.dropped.Add(1)
		return
	}
	l.results = results
	l.est.Feedback(c.now, results)
	if l.est.Overusing() && c.now >= t.nextRelief {
		t.nextRelief = c.now + reliefPeriod
		t.allocate(c)
	}
}

// tick looks after the estimate and begins the probes that it asks for.
func (l *line) tick(c *core, t *transport) {
	l.est.Tick(c.now, l.sent)
	// Before there is a path nothing can be learned of it.
	if l.probe.Packets > 0 || !t.ready() {
		return
	}
	if cluster, ok := l.est.Probe(c.now, l.wanted); ok {
		l.probe, l.padded, l.pads, l.nextAt = cluster, 0, 0, c.now
		c.probing = append(c.probing, t)
	}
}

// modest tells that the next step is all that is to be probed for.
func (l *line) modest(c *core) bool {
	at := l.est.Target()
	if at < l.best*9/10 || at > l.best*21/20 || l.roseAt == 0 {
		l.best, l.roseAt = at, c.now
	}
	return (c.now-l.roseAt)/modestAfter%2 == 1
}

// ease returns what to probe for where all wishes are met: want, for a while, and
// again after ever longer pauses as long as the path does not show that much.
func (l *line) ease(c *core, want uint32) uint32 {
	switch {
	case l.est.Target() >= int64(want):
		l.easeUntil, l.easeWait = 0, 0
		return 0
	case l.easeUntil == 0:
		l.easeFrom, l.easeUntil = c.now, c.now+easeTime
	case c.now >= l.easeUntil:
		l.easeWait = min(max(2*l.easeWait, easeWait), easeMost)
		l.easeFrom, l.easeUntil = c.now+l.easeWait, c.now+l.easeWait+easeTime
	}
	if c.now < l.easeFrom {
		return 0
	}
	return want
}

// advance sends what is due of a probe; false when there is no more to come.
func (l *line) advance(c *core, t *transport) bool {
	for l.nextAt <= c.now {
		enough := l.pads >= l.probe.Packets && l.padded >= l.probe.Packets*l.probe.Size*9/10
		if enough || l.pads >= mostPads || !l.est.Probing(l.probe.ID) {
			return false
		}
		size := t.pad(c, l.probe.ID, l.probe.Size)
		if size == 0 { // nothing can carry it
			l.est.Withdraw(c.now, l.probe.ID)
			return false
		}
		size += datagramOverhead
		l.padded += size
		l.pads++
		l.nextAt += l.probe.Interval * int64(size) / int64(l.probe.Size)
	}
	return true
}

// pad goes on with the probes of all transports. Between ticks they are due far
// more often than anything else.
func (c *core) pad() {
	for i := 0; i < len(c.probing); {
		t := c.probing[i]
		if t.line.advance(c, t) {
			i++
			continue
		}
		t.line.probe.Packets = 0
		c.probing = without(c.probing, t)
	}
}

// nextPad returns when pad is due, 0 for never.
func (c *core) nextPad() (at int64) {
	for _, t := range c.probing {
		if at == 0 || t.line.nextAt < at {
			at = t.line.nextAt
		}
	}
	return at
}

// pad sends a packet that a receiver needs not have, of about size bytes with
// the headers of the network: padding alone, or, where that cannot be so long,
// the repetition of a recent packet. The picture need not have begun: one that does
// not fit the first guess could never begin otherwise. It returns its size without
// them, 0 where there is no stream for it.
func (t *transport) pad(c *core, cluster uint8, size int) int {
	if !t.ready() {
		return 0
	}
	var carrier *downTrack
	for _, d := range t.downs {
		if d.rtx == 0 || d.twcc == 0 || c.now < d.begins {
			continue
		}
		last, _, started := d.seq.LastOut()
		if carrier == nil || started {
			carrier = d
		}
		if !started || d.current == noLayer || size <= padding+datagramOverhead+rtpx.MaxHeaderLen {
			continue
		}
		for range repeatable { // the newest may still wait for their turn
			t.line.back = (t.line.back + 1) % repeatable
			if n := d.repeat(c, last-t.line.back, cluster); n > 0 {
				return n
			}
		}
	}
	if carrier == nil {
		return 0
	}
	return carrier.sendPadding(c, cluster, size)
}
