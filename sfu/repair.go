// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu/internal/cache"
	"github.com/caddy-videoroom/videoroom/sfu/internal/rtpx"
)

// This file sends packets again: what a subscriber asks for (RFC 4585), and what
// probes of its path are made of.

// pathRepairShare is how much of a path repairs may take, in percent, over a
// second.
const pathRepairShare = 30

// resend answers one entry of a NACK.
func (d *downTrack) resend(c *core, seq uint16) {
	if d.sent == nil {
		d.resendSound(c, seq)
		return
	}
	s := &d.sent[seq%historySize]
	if !s.valid || s.seq != seq || c.now-s.repaired < max(d.to.rtt/2, int64(10*time.Millisecond)) {
		return
	}
	if d.to.line == nil && d.repairBytes > repairAllowance+d.octets/256*repairShare {
		return
	}
	// Nobody waits for a layer that has ended: a key frame follows it.
	if d.current == noLayer || d.newest-seq > d.since || !d.to.mayRepair(c) {
		return
	}
	if n := d.repeat(c, seq, 0); n > 0 {
		s.repaired = c.now
		d.repairBytes += uint32(n)
		d.to.repairs -= int64(n+datagramOverhead) * 8
	}
}

// mayRepair bounds repairs to a share of what the path carries: on a path that
// has become narrow they would take the place of what is still of use.
func (t *transport) mayRepair(c *core) bool {
	if t.line == nil {
		return true
	}
	rate := t.line.est.Target() * pathRepairShare / 100
	passed := c.now - t.repairedAt
	t.repairedAt = c.now
	t.repairs = min(t.repairs+int64(float64(rate)*float64(passed)/1e9), rate)
	return t.repairs > 0
}

// recall finds what a packet of this number carried and the time that it had, and a
// buffer to make it again in; no buffer where one of them is not there.
func (d *downTrack) recall(seq uint16) (e cache.Entry, ts uint32, b []byte) {
	layer, srcSeq, tsOffset, ok := d.seq.Lookup(seq)
	if !ok || int(layer) >= len(d.track.layers) {
		return e, 0, nil
	}
	if e, ok = d.track.layers[layer].cache.Get(srcSeq); !ok {
		return e, 0, nil
	}
	slot := d.to.slot()
	return e, e.TS + tsOffset, slot[:cap(slot)]
}

// repeat sends a packet again, from the layer's shared cache, and returns how
// many bytes it took; 0 where it is not remembered.
func (d *downTrack) repeat(c *core, seq uint16, cluster uint8) int {
	if d.sent == nil {
		return 0
	}
	s := &d.sent[seq%historySize]
	if !s.valid || s.seq != seq {
		return 0
	}
	e, ts, b := d.recall(seq)
	if b == nil {
		return 0
	}
	h := rtpx.HeaderSpec{PT: d.pt, Marker: s.marker, Seq: seq, TS: ts, SSRC: d.ssrc}
	osn := 0
	if d.rtx != 0 {
		h.PT, h.SSRC, h.Seq = d.rtxPT, d.rtx, d.rtxSeq
		osn = 2
	}
	d.leaveRoom(&h)
	n := rtpx.PutHeader(b, &h)
	size := n + osn + len(e.Payload)
	if size+32 > len(b) {
		return 0
	}
	if osn != 0 {
		b[n], b[n+1] = byte(seq>>8), byte(seq)
		d.rtxSeq++
	}
	body := b[n+osn : size]
	copy(body, e.Payload)
	if !d.renumberAgain(s, body) {
		return 0
	}
	if d.rtx == 0 {
		// The same key stream hides it: it must be the very same packet.
		d.stampAgain(b, s.number)
		if !d.seal(c, b, size) {
			return 0
		}
		d.noteAgain(s.number, size)
		return size
	}
	number := d.stamp(b)
	if !d.seal(c, b, size) {
		return 0
	}
	d.note(c, number, size, cluster)
	return size
}

// sendPadding sends a packet of padding alone on the repair stream, of size bytes
// with the headers of the network as far as that is possible. It returns how
// many bytes it took without them.
func (d *downTrack) sendPadding(c *core, cluster uint8, size int) int {
	slot := d.to.slot()
	if slot == nil {
		return 0
	}
	_, ts, _ := d.seq.LastOut()
	b := slot[:cap(slot)]
	h := rtpx.HeaderSpec{PT: d.rtxPT, Seq: d.rtxSeq, TS: ts, SSRC: d.rtx}
	d.leaveRoom(&h)
	n := rtpx.PutHeader(b, &h)
	fill := min(max(size-datagramOverhead-n, 1), padding)
	if n == 0 || n+fill+32 > len(b) {
		return 0
	}
	d.rtxSeq++
	clear(b[n : n+fill])
	b[0] |= 1 << 5 // P
	b[n+fill-1] = byte(fill)
	number := d.stamp(b)
	if !d.seal(c, b, n+fill) {
		return 0
	}
	d.note(c, number, n+fill, cluster)
	return n + fill
}

// leaveRoom makes room in a header for the packet's number for the feedback,
// where that is agreed on.
func (d *downTrack) leaveRoom(h *rtpx.HeaderSpec) {
	if d.twcc != 0 && d.to.line != nil {
		h.Ext[0], h.NExt = rtpx.ExtElement{ID: d.twcc, Len: 2}, 1
	}
}

// numberAt is where leaveRoom's room begins: behind the fixed header, the
// extension's own and the element's (RFC 8285 §4.2).
const numberAt = 12 + 4 + 1

// stamp writes the number of a packet that leaves now.
func (d *downTrack) stamp(b []byte) uint16 {
	if d.twcc == 0 || d.to.line == nil || b[0]&0x10 == 0 {
		return 0
	}
	n := d.to.line.hist.Next()
	binary.BigEndian.PutUint16(b[numberAt:], n)
	return n
}

// stampAgain writes the number that a packet had when it left first.
func (d *downTrack) stampAgain(b []byte, number uint16) {
	if d.twcc != 0 && d.to.line != nil && b[0]&0x10 != 0 {
		binary.BigEndian.PutUint16(b[numberAt:], number)
	}
}

// noteAgain remembers that a numbered packet left once more.
func (d *downTrack) noteAgain(number uint16, size int) {
	if l := d.to.line; d.twcc != 0 && l != nil {
		l.hist.Again(number)
		l.sent += uint64(size + datagramOverhead)
		l.pacer.credit -= int64(size+datagramOverhead) * 8
	}
}

// note remembers a numbered packet that left.
func (d *downTrack) note(c *core, number uint16, size int, cluster uint8) {
	if d.twcc != 0 && d.to.line != nil {
		d.to.line.note(c, number, size, cluster)
	}
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}
