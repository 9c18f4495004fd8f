// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package simnet simulates one direction of a network path for tests: a
// bottleneck with a drop-tail queue, delay, jitter, reordering, loss and
// duplicates.
//
// A Link owns its packets, its random numbers and no clock: the caller passes
// the time, in nanoseconds, and never backwards. The same seed and the same
// calls give the same deliveries. It refuses to know what the packets are. It is
// not safe for concurrent use.
package simnet

import (
	"container/heap"
	"math/rand/v2"
)

// Config describes a link. The zero Config delivers everything at once.
type Config struct {
	Rate  int64 // of the bottleneck, bit/s; 0 is unlimited
	Delay int64 // one way, ns, after the bottleneck

	// QueueBytes and QueueTime bound what waits at the bottleneck, the packet in
	// service not counted; a packet that finds more waiting is dropped. QueueTime
	// (ns) is at the present Rate. With both zero the queue is unlimited, with
	// both set the smaller bound holds.
	QueueBytes int
	QueueTime  int64

	// Jitter is added to Delay, evenly distributed from 0 to Jitter (ns).
	// Packets keep their order, so that one delayed packet holds up those behind
	// it, unless Reorder is set.
	Jitter  int64
	Reorder bool

	// Swap is the probability that a packet is held back and delivered behind up
	// to SwapDepth later ones (at least 1), or after SwapTime (ns, 0 means 50 ms).
	Swap      float64
	SwapDepth int
	SwapTime  int64

	Loss      float64 // probability of losing a packet, before the queue
	Burst     Gilbert
	Duplicate float64 // probability that a packet arrives twice
}

// Gilbert is bursty loss: a chain of two states, changed once per packet. The
// zero Gilbert loses nothing.
type Gilbert struct {
	Enter float64 // probability of going from good to bad
	Leave float64 // probability of going from bad to good
	Loss  float64 // loss probability in the bad state
}

// Stats counts packets since New.
type Stats struct {
	Sent, Delivered, Duplicated int
	Lost                        int // by chance
	Dropped                     int // at the full queue
}

// Delivery is one packet at the far end.
type Delivery struct {
	At      int64 // ns
	Sent    int64 // ns, when it was passed to Send
	Size    int
	Payload any
}

// Link is one direction of a path.
type Link struct {
	cfg    Config
	rng    *rand.Rand
	bad    bool // state of the bursty loss
	queue  []queued
	head   int     // first of queue that is not served
	bytes  int     // waiting, including the packet in service
	clock  int64   // up to here the bottleneck is simulated
	served float64 // bits of the packet at the head already sent
	flight flights
	last   int64 // delivery time of the newest packet in order
	order  int64
	held   []heldBack
	stats  Stats
}

type queued struct {
	Delivery
	jitter    int64
	duplicate bool
	depth     int // how many packets may overtake it
}

type flying struct {
	Delivery
	order int64
}

type heldBack struct {
	flying
	left int
}

// New returns a link with its own source of random numbers.
func New(cfg Config, seed uint64) *Link {
	return &Link{cfg: cfg, rng: rand.New(rand.NewPCG(seed, 0x6c696e6b))}
}

// Set changes the link at now. Packets that wait are served at the new rate and
// not dropped.
func (l *Link) Set(now int64, cfg Config) {
	l.serve(now)
	l.cfg = cfg
}

// Config returns the link's present description.
func (l *Link) Config() Config {
	return l.cfg
}

// Stats returns the counts up to the last call.
func (l *Link) Stats() Stats {
	return l.stats
}

// Queued returns the bytes at the bottleneck at now, the packet in service
// included.
func (l *Link) Queued(now int64) int {
	l.serve(now)
	return l.bytes
}

// Send puts a packet of size bytes on the link. It reports whether the packet
// got past random loss and the queue; the caller is not to act on that, a sender
// could not know.
func (l *Link) Send(now int64, size int, payload any) bool {
	l.serve(now)
	l.stats.Sent++
	if l.unlucky() {
		l.stats.Lost++
		return false
	}
	if l.full() {
		l.stats.Dropped++
		return false
	}
	q := queued{Delivery: Delivery{Sent: now, Size: size, Payload: payload}}
	if l.cfg.Jitter > 0 {
		q.jitter = l.rng.Int64N(l.cfg.Jitter + 1)
	}
	q.duplicate = l.cfg.Duplicate > 0 && l.rng.Float64() < l.cfg.Duplicate
	if l.cfg.Swap > 0 && l.rng.Float64() < l.cfg.Swap {
		q.depth = 1 + l.rng.IntN(max(l.cfg.SwapDepth, 1))
	}
	l.queue = append(l.queue, q)
	l.bytes += size
	l.serve(now)
	return true
}

// Next returns when something happens next, and whether anything will. At that
// time Advance may still deliver nothing: a packet only leaves the bottleneck.
func (l *Link) Next() (at int64, ok bool) {
	if l.head < len(l.queue) {
		at, ok = l.finish(), true
	}
	if len(l.flight) > 0 && (!ok || l.flight[0].At < at) {
		at, ok = l.flight[0].At, true
	}
	for i := range l.held {
		if !ok || l.held[i].At < at {
			at, ok = l.held[i].At, true
		}
	}
	return at, ok
}

// Advance appends to dst what is delivered up to now, in order of time.
func (l *Link) Advance(now int64, dst []Delivery) []Delivery {
	l.serve(now)
	for {
		if i := l.due(now); i >= 0 {
			d := l.held[i].Delivery
			l.held = append(l.held[:i], l.held[i+1:]...)
			dst = append(dst, d)
			l.stats.Delivered++
			continue
		}
		if len(l.flight) == 0 || l.flight[0].At > now {
			return dst
		}
		f := heap.Pop(&l.flight).(flying)
		dst = append(dst, f.Delivery)
		l.stats.Delivered++
		for i := range l.held {
			if h := &l.held[i]; h.order < f.order {
				if h.left--; h.left <= 0 {
					h.At = min(h.At, f.At)
				}
			}
		}
	}
}

// due returns the index of a held packet that is delivered before the next one
// in flight, or -1.
func (l *Link) due(now int64) int {
	found := -1
	for i := range l.held {
		at := l.held[i].At
		if at > now || len(l.flight) > 0 && l.flight[0].At < at {
			continue
		}
		if found < 0 || at < l.held[found].At {
			found = i
		}
	}
	return found
}

func (l *Link) unlucky() bool {
	g := l.cfg.Burst
	if g.Enter > 0 {
		p := g.Enter
		if l.bad {
			p = g.Leave
		}
		if l.rng.Float64() < p {
			l.bad = !l.bad
		}
	} else {
		l.bad = false
	}
	if l.bad && l.rng.Float64() < g.Loss {
		return true
	}
	return l.cfg.Loss > 0 && l.rng.Float64() < l.cfg.Loss
}

func (l *Link) full() bool {
	if l.cfg.Rate <= 0 || l.head >= len(l.queue) {
		return false
	}
	waiting := l.bytes - l.queue[l.head].Size
	if l.cfg.QueueBytes > 0 && waiting >= l.cfg.QueueBytes {
		return true
	}
	return l.cfg.QueueTime > 0 && int64(waiting)*8*1e9/l.cfg.Rate >= l.cfg.QueueTime
}

// finish returns when the packet in service leaves the bottleneck.
func (l *Link) finish() int64 {
	if l.cfg.Rate <= 0 {
		return l.clock
	}
	left := float64(l.queue[l.head].Size*8) - l.served
	return l.clock + int64(left/float64(l.cfg.Rate)*1e9)
}

// serve runs the bottleneck up to now.
func (l *Link) serve(now int64) {
	for l.head < len(l.queue) {
		done := l.finish()
		if done > now {
			l.served += float64(now-l.clock) / 1e9 * float64(l.cfg.Rate)
			break
		}
		q := l.queue[l.head]
		l.queue[l.head] = queued{}
		l.head++
		l.bytes -= q.Size
		l.served, l.clock = 0, done
		l.launch(q, done)
	}
	if l.head == len(l.queue) {
		l.queue, l.head = l.queue[:0], 0
	}
	l.clock = max(l.clock, now)
}

// launch puts a packet that left the bottleneck at the given time in flight.
func (l *Link) launch(q queued, at int64) {
	d := q.Delivery
	d.At = at + l.cfg.Delay + q.jitter
	if !l.cfg.Reorder {
		d.At = max(d.At, l.last)
		l.last = d.At
	}
	l.order++
	if q.depth > 0 {
		wait := l.cfg.SwapTime
		if wait == 0 {
			wait = 50e6
		}
		d.At += wait
		l.held = append(l.held, heldBack{flying{d, l.order}, q.depth})
	} else {
		heap.Push(&l.flight, flying{d, l.order})
	}
	if q.duplicate {
		l.stats.Duplicated++
		heap.Push(&l.flight, flying{d, l.order})
	}
}

// flights is a heap by time of delivery, equal times in order of sending.
type flights []flying

func (f flights) Len() int { return len(f) }
func (f flights) Less(i, j int) bool {
	return f[i].At < f[j].At || f[i].At == f[j].At && f[i].order < f[j].order
}
func (f flights) Swap(i, j int) { f[i], f[j] = f[j], f[i] }

// Push and Pop are for container/heap.
func (f *flights) Push(x any) { *f = append(*f, x.(flying)) }

// Pop removes the last element.
func (f *flights) Pop() any {
	old := *f
	x := old[len(old)-1]
	old[len(old)-1] = flying{}
	*f = old[:len(old)-1]
	return x
}
