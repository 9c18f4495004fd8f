// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"time"

	"github.com/caddy-videoroom/videoroom/sfu/internal/cache"
	"github.com/caddy-videoroom/videoroom/sfu/internal/rtpx"
)

// This file is about sound that is asked for again (RFC 4585), where a client has
// offered that for Opus. It is what helps where the server cannot repeat sound on
// its own, because frames are encrypted from end to end.

const (
	// soundLate is the age from which sound is of no use any more: jitter buffers
	// have gone on without it.
	soundLate = int64(300 * time.Millisecond)
	// soundAsks is how often a publisher is asked for a packet, and soundTries how
	// often a listener gets one again.
	soundAsks, soundTries = 4, 2
	// soundKept packets are remembered for each listener: 640 ms of sound in
	// frames of 20 ms, 320 ms in frames of 10 ms.
	soundKept = 32
	// The payloads are kept once for all listeners: seconds of speech, a quarter
	// of a second of music at the highest rate there is.
	soundCacheInitial, soundCacheMax = 4 << 10, 32 << 10
	// soundDebt is how far sound may overdraw what repairs may take, in bit:
	// pictures wait for it, and not the other way round.
	soundDebt = int64(100_000)
	// tagged is how much of a packet's authentication tag is remembered, in bytes.
	tagged = 8
)

// sentSound is what was sent lately to one listener of a sound.
type sentSound [soundKept]struct {
	seq, number uint16
	marker      bool
	usable      bool // there is something, and it can be made again
	tries       uint8
	first, last int64 // when it left
	tag         [tagged]byte
}

// put remembers an encrypted packet before it leaves. alone tells that it holds
// one frame.
func (h *sentSound) put(now int64, seq, number uint16, alone bool, out []byte) {
	s := &h[seq%soundKept]
	s.seq, s.number, s.tries = seq, number, 0
	s.usable, s.marker = alone && len(out) >= tagged, out[1]&0x80 != 0
	s.first, s.last = now, now
	copy(s.tag[:], out[len(out)-tagged:])
}

// rememberSound begins to keep what a listener may ask for.
func (d *downTrack) rememberSound() {
	d.heard = new(sentSound)
	for _, l := range d.track.layers {
		if l.cache == nil {
			l.cache = cache.New(soundCacheInitial, soundCacheMax)
		}
	}
}

// resendSound answers one entry of a NACK for sound: with the packet as it left
// first, octet for octet, as long as it comes in time. Clients ask anew with every
// packet that they get, hence the pauses.
func (d *downTrack) resendSound(c *core, seq uint16) {
	if d.heard == nil || d.settings.Disabled || !d.to.ready() {
		return
	}
	s := &d.heard[seq%soundKept]
	if !s.usable || s.seq != seq || s.tries == soundTries {
		return
	}
	rtt := d.to.roundTrip()
	if rtt == 0 {
		rtt = defaultRTT
	}
	pause := rtt / 2
	if s.tries > 0 {
		pause = rtt * 7 / 8 // it may be on its way
	}
	if c.now-s.last < max(pause, int64(10*time.Millisecond)) || c.now-s.first+rtt/2 > soundLate {
		return
	}
	if d.to.line == nil && d.repairBytes > repairAllowance+d.octets/2 {
		return
	}
	if !d.to.mayRepair(c) && d.to.line.est.Queues() {
		return // it would only wait behind what is lost for that very reason
	}
	if n := d.repeatAlike(c, seq); n > 0 {
		s.tries++
		s.last = c.now
		d.repairBytes += uint32(n)
		d.to.repairs = max(d.to.repairs-int64(n+datagramOverhead)*8, -soundDebt)
	}
}

// repeatAlike makes a packet of sound again and sends it if it is the same, and
// returns how many bytes it took. One key stream never hides two different
// packets (RFC 7714 §8.1), so that the tag decides.
func (d *downTrack) repeatAlike(c *core, seq uint16) int {
	s := &d.heard[seq%soundKept]
	e, ts, b := d.recall(seq)
	if b == nil {
		return 0
	}
	h := rtpx.HeaderSpec{PT: d.pt, Marker: s.marker, Seq: seq, TS: ts, SSRC: d.ssrc}
	d.leaveRoom(&h)
	n := rtpx.PutHeader(b, &h)
	size := n + len(e.Payload)
	if size+32 > len(b) {
		return 0
	}
	copy(b[n:], e.Payload)
	d.stampAgain(b, s.number)
	out := d.encrypt(c, b, size)
	if len(out) < tagged || [tagged]byte(out[len(out)-tagged:]) != s.tag {
		s.usable = false
		return 0
	}
	d.commit(c, out)
	d.noteAgain(s.number, size)
	d.to.sound.all.bytes += uint64(size + datagramOverhead)
	return size
}
