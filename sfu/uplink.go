// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"strings"
	"time"

	"github.com/pion/rtcp"

	"github.com/caddy-videoroom/videoroom/sfu/internal/allocation"
	"github.com/caddy-videoroom/videoroom/sfu/internal/cache"
	"github.com/caddy-videoroom/videoroom/sfu/internal/loss"
	"github.com/caddy-videoroom/videoroom/sfu/internal/meter"
	"github.com/caddy-videoroom/videoroom/sfu/internal/vp8"
	"github.com/caddy-videoroom/videoroom/sfu/internal/vp9"
)

const (
	// layerSilence is how long a video layer may be silent before it counts as
	// switched off by its publisher.
	layerSilence = int64(700 * time.Millisecond)
	// defaultRTT stands in until reports tell the true one.
	defaultRTT = int64(80 * time.Millisecond)

	cacheInitial = 64 << 10
	cacheMax     = 1 << 20
)

type codec uint8

const (
	codecOpus codec = iota + 1
	codecVP8
	codecH264
	codecVP9
)

// upTrack is a published track in the loop.
type upTrack struct {
	sid     string
	kind    Kind
	codec   codec
	clock   uint32
	pt      uint8
	rtxPT   uint8
	mid     string
	rids    []string // as offered, lowest first; empty: one layer
	pub     *transport
	layers  []*upLayer // index = layer id, lowest first
	spec    []LayerSpec
	downs   []*downTrack
	muted   bool
	screen  bool // a screen, not a camera
	noRED   bool
	nacks   bool // of sound: its publisher repeats what is asked for
	started bool
	// attached tells that the track is in its core.
	attached bool
	svc      *scalable // nil where spatial layers, if any, are sources of their own
	level    loudness
	flow     ceiling
}

// upLayer is one encoding of a published track: one SSRC.
type upLayer struct {
	track   *upTrack
	id      uint8
	rid     string
	ssrc    uint32
	rtxSSRC uint32
	loss    *loss.Tracker
	cache   *cache.Ring
	meter   *meter.Layer // video
	recent  *recentSound // sound that may be repeated

	measured   [allocation.Temporal]uint32
	measuredAt int64
	meteredTS  uint32

	lastPacket int64
	packets    uint64
	octets     uint64 // of packets with their headers
	lost       float64
	lostNow    float64 // within the last second
	sr         senderInfo
	keys       keyRequests
}

// senderInfo is the latest sender report of a layer (RFC 3550 §6.4.1).
type senderInfo struct {
	ntp uint64
	rtp uint32
	at  int64
}

// forwarding is what downlinks need to know of the packet at hand. It lives in
// the core and is valid during one call.
type forwarding struct {
	layer   *upLayer
	seq     uint16
	ts      uint32
	marker  bool
	mark    bool // the marker bit for the subscriber at hand
	key     bool
	tid     uint8 // temporal layer
	vp8     vp8.Descriptor
	vp9     vp9.Descriptor
	payload []byte
}

// addUp takes a published track into the core. ssrcs and rtxOf come from the
// offer where it told them.
func (c *core) addUp(u *upTrack, ssrcs []uint32, rtxOf map[uint32]uint32) {
	if _, ok := c.all[u.pub]; !ok {
		return // the peer ended meanwhile
	}
	u.svc = newScalable(u)
	n := max(1, len(u.rids))
	for i := range n {
		l := &upLayer{track: u, id: uint8(i), loss: loss.New(u.clock)}
		if len(u.rids) > 0 {
			l.rid = u.rids[i]
		}
		if u.kind == Video {
			l.cache = cache.New(cacheInitial, cacheMax)
			l.meter = new(meter.Layer)
		} else {
			l.loss.Limit(soundAsks, soundLate)
			if !u.noRED {
				l.recent = new(recentSound)
			}
		}
		u.layers = append(u.layers, l)
	}
	if len(u.rids) == 0 && len(ssrcs) > 0 {
		u.bind(c, u.layers[0], ssrcs[0])
		if r := rtxOf[ssrcs[0]]; r != 0 {
			u.bindRTX(u.layers[0], r)
		}
	}
	u.pub.ups = append(u.pub.ups, u)
	u.attached = true
	c.stats.tracks.Add(1)
}

func (u *upTrack) bind(c *core, l *upLayer, ssrc uint32) {
	if l.ssrc != 0 {
		delete(u.pub.bySrc, l.ssrc)
		c.forgetSource(l.ssrc, u.pub)
	}
	l.ssrc = ssrc
	u.pub.bySrc[ssrc] = l
	c.know(ssrc, u.pub)
	u.pub.last = nil
}

func (u *upTrack) bindRTX(l *upLayer, ssrc uint32) {
	if l.rtxSSRC != 0 {
		delete(u.pub.rtx, l.rtxSSRC)
	}
	l.rtxSSRC = ssrc
	u.pub.rtx[ssrc] = l
}

// removeUp forgets a published track and ends its forwarding.
func (c *core) removeUp(u *upTrack) {
	if !u.attached {
		return
	}
	u.attached = false
	for len(u.downs) > 0 {
		c.removeDown(u.downs[0])
	}
	for _, l := range u.layers {
		delete(u.pub.bySrc, l.ssrc)
		delete(u.pub.rtx, l.rtxSSRC)
		c.forgetSource(l.ssrc, u.pub)
	}
	u.pub.last = nil
	u.pub.ups = without(u.pub.ups, u)
	c.stats.tracks.Add(-1)
}

// learn binds an SSRC that the offer did not tell, by the header extensions of
// its first packets (RFC 8843 §9.2, RFC 8852), else by an unambiguous payload
// type. It returns nil where the packet belongs to nothing published.
func (t *transport) learn(c *core) (l *upLayer, isRTX bool) {
	mid, rid, repaired := string(c.pkt.Ext(t.exts.mid)), string(c.pkt.Ext(t.exts.rid)), string(c.pkt.Ext(t.exts.repairedRID))
	for _, u := range t.ups {
		if mid != "" && u.mid != mid {
			continue
		}
		isRTX = u.rtxPT != 0 && c.pkt.PT == u.rtxPT
		if !isRTX && c.pkt.PT != u.pt {
			continue
		}
		if l = u.layerFor(rid, repaired, isRTX, mid != "" || t.only(u)); l != nil {
			break
		}
	}
	switch {
	case l == nil:
		return nil, false
	case isRTX:
		l.track.bindRTX(l, c.pkt.SSRC)
	default:
		l.track.bind(c, l, c.pkt.SSRC)
	}
	return l, isRTX
}

// layerFor finds the layer that a first packet belongs to.
func (u *upTrack) layerFor(rid, repaired string, isRTX, sure bool) *upLayer {
	if len(u.rids) == 0 {
		if sure {
			return u.layers[0]
		}
		return nil
	}
	if isRTX {
		rid = repaired
	}
	for _, l := range u.layers {
		if rid != "" && l.rid == rid {
			return l
		}
	}
	return nil
}

// only tells that u is the transport's only track with its payload type.
func (t *transport) only(u *upTrack) bool {
	for _, o := range t.ups {
		if o != u && o.pt == u.pt {
			return false
		}
	}
	return true
}

// receive takes the packet in c.pkt as media of this layer.
func (l *upLayer) receive(c *core) {
	u := l.track
	if c.pkt.PT != u.pt {
		if u.rtxPT == 0 || c.pkt.PT != u.rtxPT {
			c.stats.dropped.Add(1)
		}
		return
	}
	if !u.within(c, len(c.pkt.Buf)) {
		c.stats.dropped.Add(1)
		return
	}
	if l.loss.Receive(c.pkt.Seq, c.pkt.TS, c.now) {
		return
	}
	if u.kind == Audio && u.pub.exts.level != 0 {
		if e := c.pkt.Ext(u.pub.exts.level); len(e) == 1 {
			u.level.add(e[0] & 0x7f)
		}
	}
	l.media(c, c.pkt.Seq, c.pkt.Payload())
}

// receiveRTX takes the packet in c.pkt as a retransmission (RFC 4588): the first
// two payload bytes are the original sequence number.
func (l *upLayer) receiveRTX(c *core) {
	p := c.pkt.Payload()
	if c.pkt.PT != l.track.rtxPT || len(p) < 2 {
		return // padding used to probe the path
	}
	seq := uint16(p[0])<<8 | uint16(p[1])
	if !l.track.within(c, len(c.pkt.Buf)) || l.loss.Recovered(seq) {
		return
	}
	l.media(c, seq, p[2:])
}

// media stores and forwards one packet of this layer.
func (l *upLayer) media(c *core, seq uint16, payload []byte) {
	u := l.track
	l.lastPacket = c.now
	l.packets++
	l.octets += uint64(len(c.pkt.Buf) + datagramOverhead)
	f := &c.fwd
	f.layer, f.seq, f.ts, f.marker = l, seq, c.pkt.TS, c.pkt.Marker
	f.payload = payload
	if !u.started {
		u.started = true
		u.pub.events.PeerTrackStarted(u.sid)
	}
	if len(payload) == 0 { // padding only: the output closes up over it
		for _, d := range u.downs {
			d.skip(c, f)
		}
		return
	}
	if !f.inspect(u.codec) {
		c.stats.dropped.Add(1)
		return
	}
	if f.key {
		l.keys.arrived(c.now)
	}
	l.measure(c, f)
	if l.cache != nil {
		l.cache.Put(seq, f.ts, f.marker, 0, payload, c.now)
	}
	for _, d := range u.downs {
		d.forward(c, f)
	}
	if l.recent != nil {
		l.recent.put(seq, f.ts, payload)
	}
}

// live tells that the layer has sent lately.
func (l *upLayer) live(c *core) bool {
	return l.ssrc != 0 && l.packets > 0 && c.now-l.lastPacket < layerSilence
}

// tick collects the RTCP that is due for the publisher.
func (u *upTrack) tick(c *core) {
	t := u.pub
	for _, l := range u.layers {
		if l.ssrc == 0 {
			continue
		}
		if l.keys.wanted && l.mayAsk(c) {
			t.rtcpOut = append(t.rtcpOut, l.keyRequest(c)...)
		}
		if !u.repeats() || l.loss.Missing() == 0 {
			continue
		}
		rtt := t.roundTrip()
		if rtt == 0 {
			rtt = defaultRTT
		}
		c.seq = l.loss.Nacks(c.now, rtt, c.seq[:0])
		if len(c.seq) > 0 {
			t.rtcpOut = append(t.rtcpOut, &rtcp.TransportLayerNack{
				SenderSSRC: t.ssrc, MediaSSRC: l.ssrc, Nacks: nackPairs(c.seq),
			})
		}
	}
}

// repeats tells whether the publisher can be asked for what is missing.
func (u *upTrack) repeats() bool { return u.kind == Video || u.nacks }

func nackPairs(seqs []uint16) []rtcp.NackPair {
	pairs := loss.AppendNackPairs(nil, seqs)
	out := make([]rtcp.NackPair, len(pairs))
	for i, p := range pairs {
		out[i] = rtcp.NackPair{PacketID: p.PID, LostPackets: rtcp.PacketBitmap(p.BLP)}
	}
	return out
}

// orderRIDs sorts offered rids lowest layer first: by the names that browsers
// and SDKs use, else as offered.
func orderRIDs(rids []string) []string {
	const known = "qhf"
	out := append([]string(nil), rids...)
	for _, r := range rids {
		if len(r) != 1 || !strings.Contains(known, r) {
			return out
		}
	}
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if strings.Index(known, out[j]) < strings.Index(known, out[i]) {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}

// without returns s less its element e, order not kept.
func without[T comparable](s []T, e T) []T {
	for i := range s {
		if s[i] == e {
			last := len(s) - 1
			s[i] = s[last]
			var zero T
			s[last] = zero
			return s[:last]
		}
	}
	return s
}
