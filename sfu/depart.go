// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import "encoding/binary"

// This file is the last step of a packet to a subscriber.

// depart numbers, encrypts and queues a packet of n bytes in a slot.
func (d *downTrack) depart(c *core, b []byte, n int) bool {
	number, seq := d.stamp(b), binary.BigEndian.Uint16(b[2:])
	out := d.encrypt(c, b, n)
	if out == nil {
		return false
	}
	if d.heard != nil {
		d.heard.put(c.now, seq, number, b[1]&0x7f == d.pt, out)
	}
	d.commit(c, out)
	d.note(c, number, n, 0)
	if d.sent == nil {
		d.to.sound.all.bytes += uint64(n + datagramOverhead)
		return true
	}
	if s := &d.sent[seq%historySize]; s.seq == seq {
		s.valid, s.repaired, s.number = true, c.now, number
	}
	return true
}

// seal encrypts the first n bytes of a slot in place and queues it.
func (d *downTrack) seal(c *core, b []byte, n int) bool {
	out := d.encrypt(c, b, n)
	if out == nil {
		return false
	}
	d.commit(c, out)
	return true
}

// encrypt encrypts the first n bytes of a slot in place; nil where that fails.
func (d *downTrack) encrypt(c *core, b []byte, n int) []byte {
	out, err := d.to.srtpOut.EncryptRTP(b[:0], b[:n], &d.hdr)
	if err != nil || len(out) > len(b) {
		c.stats.dropped.Add(1)
		return nil
	}
	return out
}

// commit queues what is in a slot.
func (d *downTrack) commit(c *core, out []byte) {
	d.wire += uint64(len(out) + datagramOverhead)
	d.to.via.Commit(&d.to.dest, len(out))
	c.stats.out.Add(1)
}
