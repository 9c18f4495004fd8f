// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/caddy-videoroom/videoroom/port"
	"github.com/caddy-videoroom/videoroom/sfu/internal/demux"
	"github.com/caddy-videoroom/videoroom/sfu/internal/rtpx"
)

// Periods of the loop's housekeeping. The tick is the finest of them: key-frame
// requests and NACKs leave at most one tick late.
const (
	tickPeriod     = 20 * time.Millisecond
	layerPeriod    = int64(100 * time.Millisecond)
	feedbackPeriod = int64(100 * time.Millisecond)
	reportPeriod   = int64(time.Second)
	speakerPeriod  = int64(200 * time.Millisecond)
	qualityPeriod  = int64(5 * time.Second)
)

// outbox takes what a core sends. Slots are filled in place and leave at the end
// of a batch, in trains per destination.
type outbox interface {
	// Slot returns the next free send buffer, nil when Flush is due.
	Slot() []byte
	// Commit queues the slot just taken.
	Commit(d *port.Dest, n int)
	// Flush sends what is queued. Where nothing is ever queued it does nothing.
	Flush()
	// WriteTo sends one datagram at once, past the slots.
	WriteTo(b []byte, to netip.AddrPort, local netip.Addr)
}

// counters are read by Stats from other goroutines.
type counters struct {
	in, out, dropped        atomic.Uint64
	rooms, peers            atomic.Int64
	tracks, subscriptions   atomic.Int64
	handshakes              atomic.Int64
	stunRefused, rtpUnknown atomic.Uint64
	faults                  atomic.Uint64
}

// core is the media plane of one loop without sockets and clocks: datagrams,
// time and commands go in, datagrams and events come out. One goroutine owns it
// and all that hangs below it; nothing in it is locked.
type core struct {
	index int
	now   int64 // nanoseconds since an arbitrary start, monotonic
	wall  func() time.Time
	// entropy fills its argument with random bytes; tests seed it.
	entropy func([]byte)
	// answerTime is what clients get to apply an answer before media comes.
	answerTime int64
	dir        *directory
	stats      *counters
	lastDown   uint64 // id of the newest subscription
	probing    []*transport
	pacing     []*transport
	spare      [][]byte // buffers for packets that wait
	byAddr     map[netip.AddrPort]*transport
	byUfrag    map[string]*transport
	byProbe    map[probeID]*transport
	bySource   map[uint32]*transport // by SSRC of published media
	all        map[*transport]struct{}
	order      []*transport // the same, in an order that does not change by itself
	rooms      map[*roomMedia]struct{}

	// Scratch space of the packet path; valid within one datagram.
	hdr rtp.Header
	pkt rtpx.Packet
	fwd forwarding
	seq []uint16

	strangers strangers
}

func newCore(index int, dir *directory, stats *counters) *core {
	return &core{
		index:      index,
		wall:       time.Now,
		entropy:    readRandom,
		answerTime: int64(answerTime),
		dir:        dir,
		stats:      stats,
		byAddr:     make(map[netip.AddrPort]*transport),
		byUfrag:    make(map[string]*transport),
		byProbe:    make(map[probeID]*transport),
		bySource:   make(map[uint32]*transport),
		all:        make(map[*transport]struct{}),
		rooms:      make(map[*roomMedia]struct{}),
		seq:        make([]uint16, 0, 512),
		strangers:  strangers{seed: maphash.MakeSeed()},
	}
}

// receive handles one datagram in place; via is where it came in and where
// answers leave. It returns false when the datagram belongs to no transport of
// this core, so that the caller may try another one.
func (c *core) receive(data []byte, from netip.AddrPort, local netip.Addr, via outbox) bool {
	class := demux.Classify(data)
	if class == demux.STUN {
		return c.receiveSTUN(data, from, local, via)
	}
	t := c.byAddr[from]
	if t == nil {
		if t = c.strayOwner(class, data); t == nil {
			return false
		}
		if !c.strangers.allow(c.now, from.Addr()) {
			c.stats.dropped.Add(1)
			return true
		}
	}
	switch class {
	case demux.RTP:
		t.receiveRTP(c, data, from, local, via)
	case demux.RTCP:
		t.receiveRTCP(c, data, from, local, via)
	case demux.DTLS:
		t.receiveDTLS(c, data)
	default:
		c.stats.dropped.Add(1)
	}
	return true
}

// strayOwner finds the transport of media from an unknown address by its source:
// a NAT may give a client another address in the middle of a call.
func (c *core) strayOwner(class demux.Class, data []byte) *transport {
	ssrc, ok := demux.Source(class, data)
	if !ok {
		return nil
	}
	return c.bySource[ssrc]
}

// know notes whose a source is. The first to send with an SSRC keeps it.
func (c *core) know(ssrc uint32, t *transport) {
	if ssrc != 0 && c.bySource[ssrc] == nil {
		c.bySource[ssrc] = t
		c.dir.setSource(ssrc, c.index)
	}
}

// forgetSource drops a source that t does not use any more.
func (c *core) forgetSource(ssrc uint32, t *transport) {
	if c.bySource[ssrc] == t {
		delete(c.bySource, ssrc)
		c.dir.removeSource(ssrc, c.index)
	}
}

// tick does the housekeeping that is due at c.now.
func (c *core) tick() {
	for i := 0; i < len(c.order); i++ {
		c.order[i].tick(c)
	}
	for r := range c.rooms {
		r.tick(c)
	}
}

// idle tells that no ticks are needed.
func (c *core) idle() bool { return len(c.all) == 0 && len(c.rooms) == 0 }
