// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"time"
)

// This file is about sound that gets lost. There is no time to ask for it again;
// instead a listener that loses packets gets earlier ones once more together with
// the next (RFC 2198), where it knows how to take them and its path has room. And
// the publisher hears of the loss of its worst listener, so that its encoder adds
// what a decoder needs to make up for a lost packet (RFC 6716 §2.1.7).

const (
	// repeatFrom and repeatTwice are shares of lost packets from which one and two
	// earlier packets go along.
	repeatFrom, repeatTwice = 0.01, 0.10
	// repeatHold is how long that goes on after the last loss: losses come in
	// spells.
	repeatHold = int64(10 * time.Second)
	// repeatRoom is what the path must carry beside it, in percent.
	repeatRoom = 120
	// mostRepeated bounds the packets that are remembered, mostSound their size
	// in bytes; Opus packets of speech have 60 to 160.
	mostRepeated = 4
	mostSound    = 500

	redHeader  = 4         // bytes for each earlier packet
	mostOffset = 1<<14 - 1 // of its time stamp
	mostLength = 1<<10 - 1 // of it, in bytes

	// lossMemory is how long a listener's report of loss is believed.
	lossMemory = int64(6 * time.Second)
)

// recentSound remembers the newest packets of a source.
type recentSound [mostRepeated]struct {
	seq   uint16
	ts    uint32
	n     int
	bytes [mostSound]byte
}

func (r *recentSound) put(seq uint16, ts uint32, payload []byte) {
	e := &r[seq%mostRepeated]
	e.seq, e.ts, e.n = seq, ts, 0
	if len(payload) <= mostSound {
		e.n = copy(e.bytes[:], payload)
	}
}

// soundRepair decides how much sound is repeated for one listener.
type soundRepair struct {
	packets int // earlier ones that go along with each
	until   int64
}

// judge looks at the loss and at the room there is. plain is what sound takes
// without repetition, in bit/s, and carries what the path does; 0: unknown.
func (r *soundRepair) judge(now int64, loss float64, plain uint32, carries int64) {
	want := 0
	switch {
	case loss >= repeatTwice:
		want = 2
	case loss >= repeatFrom:
		want = 1
	}
	if want >= r.packets {
		r.packets, r.until = want, now+repeatHold
	} else if now >= r.until {
		r.packets = want
	}
	for r.packets > 0 && carries > 0 && int64(plain)*int64(1+r.packets)*repeatRoom/100 > carries {
		r.packets--
	}
}

// repairSound decides for a listener.
func (t *transport) repairSound(c *core) {
	loss, carries := t.loss, int64(0)
	if t.line != nil {
		loss = max(loss, t.line.est.LossShare())
		// Heavy loss lowers the estimate also where it does not come from the
		// rate. Without a queue there is nothing that more sound would lengthen.
		if loss < repeatTwice || t.line.est.Queues() {
			carries = t.line.est.Target()
		}
	}
	t.sound.repair.judge(c.now, loss, uint32(t.sound.plain.rate), carries)
}

// repeatSound writes earlier packets before the payload that goes to b[n:], and
// returns where it goes then; 0 where there are none to repeat.
func (d *downTrack) repeatSound(f *forwarding, b []byte, n int) int {
	recent, most := f.layer.recent, d.to.sound.repair.packets
	if d.redPT == 0 || recent == nil || most == 0 {
		return 0
	}
	head, size := n, 0
	for i := most; i > 0; i-- {
		e := &recent[(f.seq-uint16(i))%mostRepeated]
		age := f.ts - e.ts
		if e.seq != f.seq-uint16(i) || e.n == 0 || age == 0 || age > mostOffset || head+size+redHeader+e.n+len(f.payload)+64 > len(b) {
			continue
		}
		binary.BigEndian.PutUint32(b[head:], 1<<31|uint32(d.pt)<<24|age<<10|uint32(e.n))
		head, size = head+redHeader, size+e.n
	}
	if size == 0 {
		return 0
	}
	b[1] = b[1]&0x80 | d.redPT
	at := head + 1
	for h := n; h < head; h += redHeader {
		age := binary.BigEndian.Uint32(b[h:]) >> 10 & mostOffset
		for i := range recent {
			if e := &recent[i]; f.ts-e.ts == age && e.n > 0 {
				at += copy(b[at:], e.bytes[:e.n])
				break
			}
		}
	}
	b[head] = d.pt
	return at
}

// heardLoss returns the greatest loss that listeners of a track have told lately,
// in 1/256.
func (u *upTrack) heardLoss(now int64) uint8 {
	worst := uint8(0)
	for _, d := range u.downs {
		if d.remote.at != 0 && now-d.remote.at < lossMemory {
			worst = max(worst, d.remote.fractionLost)
		}
	}
	return worst
}
