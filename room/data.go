// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"errors"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// Data packets are stamped with their true sender and fanned out. A sender has
// 100 messages per second, 200 in a burst. Beyond that lossy ones are dropped
// and reliable ones wait, up to the bounds of the mailbox. A receiver that reads
// reliable packets too slowly has 64 of them, or 1 MiB, put by; then it loses
// its media path and joins anew.

// bucket is a token bucket: one token per message.
type bucket struct {
	tokens float64
	at     time.Time
}

func newBucket() bucket { return bucket{tokens: dataBurst, at: time.Now()} }

// take takes a token, or returns how long it will be until there is one.
func (b *bucket) take(now time.Time) (time.Duration, bool) {
	b.tokens = min(dataBurst, b.tokens+now.Sub(b.at).Seconds()*dataRate)
	b.at = now
	if b.tokens >= 1 {
		b.tokens--
		return 0, true
	}
	missing := time.Duration((1 - b.tokens) / dataRate * float64(time.Second))
	return max(missing, time.Millisecond), false
}

// receive takes data packets of p.
func (r *Room) receive(p *participant, data []packet) {
	for _, d := range data {
		if d.kind == sfu.Reliable {
			p.backlog = append(p.backlog, d)
			continue
		}
		if _, ok := p.bucket.take(time.Now()); ok && !p.broken {
			r.relay(p, d)
		} else {
			r.lost.Add(1)
		}
		p.in.release(int64(len(d.payload)))
	}
	r.pump(p)
}

// pump relays p's reliable packets at the rate that p has.
func (r *Room) pump(p *participant) {
	for len(p.backlog) > 0 && p.backlogTask == nil && !p.broken {
		wait, ok := p.bucket.take(time.Now())
		if !ok {
			p.backlogTask = r.agenda.after(wait, func() {
				p.backlogTask = nil
				r.pump(p)
			})
			return
		}
		d := p.backlog[0]
		p.backlog[0].payload = nil
		p.backlog = p.backlog[1:]
		r.relay(p, d)
		p.in.release(int64(len(d.payload)))
	}
	if p.broken {
		p.dropBacklog(r)
	}
}

// relay stamps a packet and sends it to whom it is for, never back to p.
func (r *Room) relay(p *participant, d packet) {
	if !p.perm.PublishData || r.codec == nil {
		r.lost.Add(1)
		return
	}
	out, to, sequence, err := r.codec.Stamp(d.payload, p.identity, p.sid)
	if err != nil {
		r.lost.Add(1)
		return
	}
	if d.kind == sfu.Reliable {
		p.lastReliable = max(p.lastReliable, sequence)
	}
	r.fanOut(p, d.kind, out, to)
}

// fanOut sends a packet to these identities, or to all, except to from.
func (r *Room) fanOut(from *participant, kind sfu.DataKind, payload []byte, to []string) {
	// The list is turned into a set: a name repeated in it must not multiply
	// the packet.
	var only map[string]bool
	if len(to) > 0 {
		only = make(map[string]bool, len(to))
		for _, identity := range to {
			only[identity] = true
		}
	}
	for _, q := range r.order {
		if q != from && !q.broken && (only == nil || only[q.identity]) {
			r.deliver(q, kind, payload)
		}
	}
}

// deliver sends one packet to one receiver.
func (r *Room) deliver(q *participant, kind sfu.DataKind, payload []byte) {
	if kind == sfu.Reliable && len(q.outbox) > 0 {
		r.putBy(q, payload)
		return
	}
	err := q.peer.SendData(kind, payload)
	switch {
	case err == nil:
	case kind == sfu.Reliable && errors.Is(err, sfu.ErrBufferFull):
		r.putBy(q, payload)
	default:
		r.lost.Add(1)
	}
}

// putBy keeps a reliable packet for a receiver that reads slowly.
func (r *Room) putBy(q *participant, payload []byte) {
	if len(q.outbox) >= maxOutbox || q.outboxBytes+len(payload) > maxOutboxBytes {
		r.giveUp(q)
		return
	}
	q.outbox = append(q.outbox, payload)
	q.outboxBytes += len(payload)
	if q.outboxTask == nil {
		q.outboxTask = r.agenda.after(outboxRetry, func() { r.retry(q) })
	}
}

// retry sends what was put by, in order, until the receiver is full again.
func (r *Room) retry(q *participant) {
	q.outboxTask = nil
	for len(q.outbox) > 0 {
		err := q.peer.SendData(sfu.Reliable, q.outbox[0])
		if errors.Is(err, sfu.ErrBufferFull) {
			q.outboxTask = r.agenda.after(outboxRetry, func() { r.retry(q) })
			return
		}
		if err != nil {
			r.lost.Add(1)
		}
		q.outboxBytes -= len(q.outbox[0])
		q.outbox[0] = nil
		q.outbox = q.outbox[1:]
	}
	q.outbox = nil
}

func (p *participant) dropOutbox(r *Room) {
	r.agenda.cancel(p.outboxTask)
	r.lost.Add(uint64(len(p.outbox)))
	p.outbox, p.outboxBytes, p.outboxTask = nil, 0, nil
}

func (p *participant) dropBacklog(r *Room) {
	r.agenda.cancel(p.backlogTask)
	r.lost.Add(uint64(len(p.backlog)))
	for _, d := range p.backlog {
		p.in.release(int64(len(d.payload)))
	}
	p.backlog, p.backlogTask = nil, nil
}
