// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"time"

	"github.com/caddy-videoroom/videoroom/port"
)

// Pictures come in bursts: a key frame alone can fill a narrow path for half a
// second, and sound would wait behind it. Where the path is known, pictures
// leave at paceShare of what it carries at most, and sound passes them.
const (
	// paceShare is the rate at which pictures leave, in percent of the estimate.
	paceShare = 100
	// paceLeast is the lowest such rate, in bit/s.
	paceLeast = 200_000
	// paceBurst is how much may leave at once, in nanoseconds of that rate, and
	// paceBurstLeast the same in bits.
	paceBurst      = int64(5 * time.Millisecond)
	paceBurstLeast = 1250 * 8
	// paceTrain is the same where the path is known to carry paceRoom percent of
	// what is sent: a picture then leaves in one train, for a fraction of the cost,
	// and its last packet does not wait.
	paceTrain = int64(12 * time.Millisecond)
	paceRoom  = 250
	// paceBeat is how often waiting packets are looked after.
	paceBeat = int64(3 * time.Millisecond)
	// paceQueue bounds the packets that wait for one transport. When there are
	// more all are dropped, and the pictures begin anew with a key frame.
	paceQueue = 512
	// paceSpare bounds the buffers that a core keeps.
	paceSpare = 1024
)

// pacer holds what cannot leave yet. It belongs to a line.
type pacer struct {
	credit int64 // bit
	filled int64 // when credit was last renewed
	queue  []paced
	head   int
	active bool // listed in the core
	next   int64
}

// paced is a packet that lacks nothing but its number and its cipher.
type paced struct {
	d   *downTrack
	buf []byte
	n   int
}

func (p *pacer) waiting() int { return len(p.queue) - p.head }

// refill renews the credit.
func (l *line) refill(c *core) {
	p := &l.pacer
	rate := max(l.est.Target()*paceShare/100, paceLeast)
	passed := min(c.now-p.filled, int64(time.Second))
	p.filled = c.now
	burst := paceBurst
	if l.roomy {
		burst = paceTrain
	}
	most := max(rate*burst/int64(time.Second), paceBurstLeast)
	p.credit = min(p.credit+rate*passed/int64(time.Second), most)
}

// mustWait tells whether a packet of d has to wait.
func (d *downTrack) mustWait(c *core) bool {
	l := d.to.line
	if l == nil || d.sent == nil {
		return false
	}
	l.refill(c)
	return l.pacer.credit <= 0 || l.pacer.waiting() > 0
}

// wait queues a packet that is in a buffer of the core.
func (d *downTrack) wait(c *core, buf []byte, n int) {
	p := &d.to.line.pacer
	if p.waiting() >= paceQueue {
		c.stats.dropped.Add(uint64(p.waiting() + 1))
		c.give(buf)
		d.to.dropPaced(c, nil)
		for _, other := range d.to.downs {
			if other.sent != nil {
				other.current = noLayer
			}
		}
		return
	}
	p.queue = append(p.queue, paced{d, buf, n})
	if !p.active {
		p.active, p.next = true, nextBeat(c.now)
		c.pacing = append(c.pacing, d.to)
	}
}

// dropPaced forgets what waits of d, or of everything where d is nil.
func (t *transport) dropPaced(c *core, d *downTrack) {
	if t.line == nil {
		return
	}
	p := &t.line.pacer
	kept := p.queue[:0]
	for _, w := range p.queue[p.head:] {
		if d == nil || w.d == d {
			c.give(w.buf)
			continue
		}
		kept = append(kept, w)
	}
	clear(p.queue[len(kept):])
	p.queue, p.head = kept, 0
}

// release sends what may leave now; false when nothing waits any more.
func (t *transport) release(c *core) bool {
	l := t.line
	p := &l.pacer
	l.refill(c)
	for p.credit > 0 && p.waiting() > 0 {
		w := p.queue[p.head]
		p.queue[p.head] = paced{}
		p.head++
		if slot := t.slot(); slot != nil && t.ready() {
			b := slot[:cap(slot)]
			copy(b, w.buf[:w.n])
			w.d.depart(c, b, w.n)
		}
		c.give(w.buf)
	}
	p.next = nextBeat(c.now)
	if p.waiting() > 0 {
		return true
	}
	p.queue, p.head, p.active = p.queue[:0], 0, false
	return false
}

// nextBeat is the same for all transports, so that the loop wakes once for all.
func nextBeat(now int64) int64 { return (now/paceBeat + 1) * paceBeat }

// pace goes on with all transports for which packets wait.
func (c *core) pace() {
	for i := 0; i < len(c.pacing); {
		t := c.pacing[i]
		if t.line.pacer.next > c.now || t.release(c) {
			i++
			continue
		}
		c.pacing = without(c.pacing, t)
	}
}

// nextDue returns when probes or waiting packets are due, 0 for never.
func (c *core) nextDue() int64 {
	at := c.nextPad()
	for _, t := range c.pacing {
		if at == 0 || t.line.pacer.next < at {
			at = t.line.pacer.next
		}
	}
	return at
}

// take returns a buffer for one packet.
func (c *core) take() []byte {
	if n := len(c.spare); n > 0 {
		b := c.spare[n-1]
		c.spare = c.spare[:n-1]
		return b
	}
	return make([]byte, port.MaxDatagram+64)
}

// give takes a buffer back.
func (c *core) give(b []byte) {
	if len(c.spare) < paceSpare {
		c.spare = append(c.spare, b)
	}
}
