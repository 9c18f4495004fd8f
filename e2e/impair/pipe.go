// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"time"
)

// counts is what a direction did to packets so far.
type counts struct {
	In         uint64  `json:"in"`
	Out        uint64  `json:"out"`
	OutBytes   uint64  `json:"outBytes"`
	Lost       uint64  `json:"lost"`       // by chance
	Overflowed uint64  `json:"overflowed"` // found the queue full
	Cut        uint64  `json:"cut"`
	Duplicated uint64  `json:"duplicated"`
	Waiting    int     `json:"waiting"`   // in the rate limit's queue
	LongestMs  float64 `json:"longestMs"` // longest wait for the rate limit
	Late       float64 `json:"latestMs"`  // furthest behind its own schedule
	Bad        bool    `json:"bad"`       // state of the loss model
}

// pipe is one direction: a line with a queue before it. It has no clock and no
// locks; times are those of its owner and must not run backwards.
type pipe struct {
	shape Shape
	model Elliott
	rng   *rand.Rand
	bad   bool

	// The rate limit: queue[0] is being sent and done at the time done.
	queue  []waiting
	queued int // bytes
	done   time.Duration

	// Packets on the way, by time of arrival.
	heap heap
	seq  uint64
	last time.Duration // latest arrival of those that keep their order

	offset    time.Duration // jitter that holds
	holdUntil time.Duration

	spare  [][]byte
	counts counts
}

type waiting struct {
	since time.Duration
	data  []byte
}

func newPipe(seed uint64) *pipe {
	p := &pipe{}
	p.reseed(seed)
	return p
}

// reseed starts all chance anew.
func (p *pipe) reseed(seed uint64) {
	p.rng = rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	p.bad = false
}

// set changes what happens from now on. Packets on the way arrive as planned;
// those in the queue follow the new rate.
func (p *pipe) set(now time.Duration, s Shape) {
	p.serve(now)
	was := p.shape.Rate
	p.shape, p.model = s, s.model()
	p.holdUntil = 0
	if s.Cut {
		p.drop()
		return
	}
	switch {
	case len(p.queue) == 0:
	case s.Rate == 0:
		for _, w := range p.queue {
			p.depart(now, w)
		}
		p.queue, p.queued = p.queue[:0], 0
	default:
		p.done = now + time.Duration(float64(p.done-now)*was/s.Rate)
		for len(p.queue) > 1 && p.full(now, 0) {
			tail := p.queue[len(p.queue)-1]
			p.queue, p.queued = p.queue[:len(p.queue)-1], p.queued-len(tail.data)
			p.free(tail.data)
			p.counts.Overflowed++
		}
	}
}

// drop forgets all packets.
func (p *pipe) drop() {
	p.counts.Cut += uint64(len(p.queue) + len(p.heap))
	for _, w := range p.queue {
		p.free(w.data)
	}
	p.queue, p.queued = p.queue[:0], 0
	for len(p.heap) > 0 {
		p.free(p.heap.pop().data)
	}
}

// push takes a packet in; the pipe owns data, which came from buffer, from then
// on.
func (p *pipe) push(now time.Duration, data []byte) {
	p.counts.In++
	if p.shape.Cut {
		p.counts.Cut++
		p.free(data)
		return
	}
	if p.loses() {
		p.counts.Lost++
		p.free(data)
		return
	}
	if p.shape.Duplicate > 0 && p.rng.Float64() < p.shape.Duplicate {
		p.counts.Duplicated++
		p.enqueue(now, append(p.buffer()[:0], data...))
	}
	p.enqueue(now, data)
}

// loses moves the loss model by one packet.
func (p *pipe) loses() bool {
	m := &p.model
	if p.bad {
		p.bad = !(m.Good > 0 && p.rng.Float64() < m.Good)
	} else {
		p.bad = m.Bad > 0 && p.rng.Float64() < m.Bad
	}
	loss := m.LossGood
	if p.bad {
		loss = m.LossBad
	}
	return loss > 0 && p.rng.Float64() < loss
}

func (p *pipe) enqueue(now time.Duration, data []byte) {
	if p.shape.Rate == 0 {
		p.depart(now, waiting{now, data})
		return
	}
	p.serve(now)
	if p.full(now, len(data)) {
		p.counts.Overflowed++
		p.free(data)
		return
	}
	p.queue = append(p.queue, waiting{now, data})
	p.queued += len(data)
	if len(p.queue) == 1 {
		p.done = now + p.airtime(len(data))
	}
}

// full tells whether the queue has no room for so many bytes more. An idle
// line takes a packet of any size.
func (p *pipe) full(now time.Duration, more int) bool {
	if len(p.queue) == 0 {
		return false
	}
	if limit := p.shape.QueueBytes; limit > 0 && p.queued+more > limit {
		return true
	}
	limit := p.shape.queue()
	return limit > 0 && p.done-now+p.airtime(p.queued-len(p.queue[0].data)) > limit
}

func (p *pipe) airtime(bytes int) time.Duration {
	return time.Duration(float64(bytes) * 8 / p.shape.Rate * float64(time.Second))
}

// serve sends from the queue what the rate limit allows until now.
func (p *pipe) serve(now time.Duration) {
	n := 0
	for n < len(p.queue) && p.done <= now {
		w := p.queue[n]
		n++
		p.queued -= len(w.data)
		p.depart(p.done, w)
		if n < len(p.queue) {
			p.done += p.airtime(len(p.queue[n].data))
		}
	}
	if n > 0 {
		p.queue = append(p.queue[:0], p.queue[n:]...)
	}
}

// depart puts a packet on its way at the time at.
func (p *pipe) depart(at time.Duration, w waiting) {
	p.counts.LongestMs = max(p.counts.LongestMs, ms(at-w.since))
	s := &p.shape
	due := at + max(0, s.Delay+p.jitter(at))
	switch {
	case s.Reorder > 0 && p.rng.Float64() < s.Reorder:
		due += s.ReorderBy
	case !s.Free:
		due = max(due, p.last)
		p.last = due
	}
	p.seq++
	p.heap.push(flying{due: due, seq: p.seq, data: w.data})
}

func (p *pipe) jitter(at time.Duration) time.Duration {
	s := &p.shape
	if s.Jitter == 0 {
		return 0
	}
	if s.Free || at >= p.holdUntil {
		p.offset = time.Duration((2*p.rng.Float64() - 1) * float64(s.Jitter))
		p.holdUntil = at + s.hold()
	}
	return p.offset
}

// pop returns a packet that has arrived by now, or nil. The caller gives it
// back with free.
func (p *pipe) pop(now time.Duration) []byte {
	p.serve(now)
	if len(p.heap) == 0 || p.heap[0].due > now {
		return nil
	}
	f := p.heap.pop()
	p.counts.Out++
	p.counts.OutBytes += uint64(len(f.data))
	p.counts.Late = max(p.counts.Late, ms(now-f.due))
	return f.data
}

// next returns when something happens by itself, and false if nothing will.
func (p *pipe) next() (time.Duration, bool) {
	switch {
	case len(p.heap) > 0 && len(p.queue) > 0:
		return min(p.heap[0].due, p.done), true
	case len(p.heap) > 0:
		return p.heap[0].due, true
	case len(p.queue) > 0:
		return p.done, true
	}
	return 0, false
}

// mtu is the longest packet a device hands over.
const mtu = 2048

// buffer returns mtu bytes.
func (p *pipe) buffer() []byte {
	if n := len(p.spare); n > 0 {
		b := p.spare[n-1]
		p.spare = p.spare[:n-1]
		return b[:mtu]
	}
	return make([]byte, mtu)
}

func (p *pipe) free(b []byte) { p.spare = append(p.spare, b) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
