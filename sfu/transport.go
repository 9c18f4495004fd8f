// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net/netip"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"

	"github.com/caddy-videoroom/videoroom/port"
)

// How long a path may be silent before its peer counts as disconnected and as
// failed. Browsers check the selected pair at least every 2.5 s.
const (
	disconnectAfter = int64(8 * time.Second)
	failAfter       = int64(30 * time.Second)
	// outage is a silence that media does not survive. Muted clients answer
	// probes before.
	outage = int64(time.Second)
)

// transport is the loop half of a peer: ICE, keys, and what it sends and
// receives. It belongs to one core.
type transport struct {
	peerID string
	events PeerEvents
	room   *roomMedia
	seat   uint64     // in the order of coming into the room
	spoke  int64      // when this peer was last heard to speak; 0: never
	mate   *transport // the other one of the same peer; nil: there is none
	second bool       // the mate is the primary one
	state  PeerState

	cred, formerCred     credentials
	remote, formerRemote credentials // the client's
	paths                []path
	selected             netip.AddrPort
	via                  outbox // of the selected path
	selectedUfrag        string
	dest                 port.Dest
	lastSeen, lastMedia  int64 // on the selected path

	probes               []probe
	unanswered           int
	nextProbe, nextStray int64
	tieBreaker           uint64

	dtls    *bridge
	srtpIn  *srtp.Context
	srtpOut *srtp.Context

	ssrc  uint32 // sender of our RTCP
	ups   []*upTrack
	bySrc map[uint32]*upLayer
	rtx   map[uint32]*upLayer
	last  *upLayer // layer of the previous packet: saves the map for runs
	exts  extensionIDs
	twcc  *twcc.Recorder

	downs  []*downTrack
	bySSRC map[uint32]*downTrack
	rtt    int64 // smoothed, from receiver reports; 0 unknown
	loss   float64

	repairs    int64 // bit that repairs may still take
	repairedAt int64

	line  *line // nil while nothing is reported on
	allot allotment
	sound subscribedSound
	saver uint32 // bit/s that the client wants to receive at most; 0: no bound

	choke choke

	nextFeedback, nextReport, nextLayers int64
	nextRelief                           int64
	rtcpOut                              []rtcp.Packet
	quality                              qualityState
}

// extensionIDs are the header-extension ids of the client's offer; 0: not
// negotiated. They are the same in all sections of a bundle (RFC 8843 §9.2).
type extensionIDs struct{ mid, rid, repairedRID, level, twcc uint8 }

// addTransport takes a new peer into the core.
func (c *core) addTransport(t *transport) {
	t.bySrc = make(map[uint32]*upLayer)
	t.rtx = make(map[uint32]*upLayer)
	t.bySSRC = make(map[uint32]*downTrack)
	t.ssrc = c.random32()
	t.tieBreaker = uint64(c.random32())<<32 | uint64(c.random32())
	t.twcc = twcc.NewRecorder(t.ssrc)
	t.lastSeen = c.now
	c.count(t, 1)
	c.all[t] = struct{}{}
	c.order = append(c.order, t)
	c.byUfrag[t.cred.ufrag] = t
	t.room.welcome(t)
}

// removeTransport forgets a peer and all it sent and received.
func (c *core) removeTransport(t *transport) {
	if _, ok := c.all[t]; !ok {
		return
	}
	for len(t.ups) > 0 {
		c.removeUp(t.ups[0])
	}
	for len(t.downs) > 0 {
		c.removeDown(t.downs[0])
	}
	for len(t.probes) > 0 {
		t.forgetProbe(c, 0)
	}
	delete(c.all, t)
	c.order = without(c.order, t)
	c.probing, c.pacing = without(c.probing, t), without(c.pacing, t)
	delete(c.byUfrag, t.cred.ufrag)
	delete(c.byUfrag, t.formerCred.ufrag)
	addrs := make([]netip.AddrPort, 0, len(t.paths))
	for _, p := range t.paths {
		if c.byAddr[p.addr] == t {
			delete(c.byAddr, p.addr)
			addrs = append(addrs, p.addr)
		}
	}
	c.dir.remove(addrs, c.index)
	t.room.forget(t)
	if t.dtls != nil {
		t.dtls.close()
	}
	c.count(t, -1)
	t.setState(PeerClosed)
}

func (t *transport) setState(s PeerState) {
	if t.state == s || t.state == PeerClosed {
		return
	}
	t.state = s
	t.events.PeerState(s)
}

// alive notes a sign of life on the selected path, or on any before there is
// one: a check, the answer to a probe, or an authenticated packet.
func (t *transport) alive(c *core) {
	silent := c.now - t.lastSeen
	t.lastSeen, t.unanswered = c.now, 0
	if !t.ready() {
		return
	}
	if silent > outage && t.state != PeerNew {
		t.revive(c)
	}
	t.setState(PeerConnected)
}

// revive begins pictures anew in both directions after an outage: what was sent
// meanwhile is lost, and so are the requests for key frames. Waiting until the
// receivers' decoders complain would take seconds.
func (t *transport) revive(c *core) {
	for _, u := range t.ups {
		for _, l := range u.layers {
			l.keys.forget()
		}
		for _, d := range u.downs {
			d.wantKey(c)
		}
	}
	for _, d := range t.downs {
		clear(d.sent) // too late for repairs
		d.wantKey(c)
	}
}

// setKeys arms the transport after the DTLS handshake.
func (t *transport) setKeys(c *core, in, out *srtp.Context) {
	t.srtpIn, t.srtpOut = in, out
	t.alive(c)
	for _, d := range t.downs {
		d.retarget(c)
	}
}

func (t *transport) receiveDTLS(c *core, b []byte) {
	if t.dtls == nil {
		return
	}
	if !t.dtls.deliver(b) {
		c.stats.dropped.Add(1)
	}
}

// receiveRTP authenticates a packet, finds its layer and hands it on.
func (t *transport) receiveRTP(c *core, b []byte, from netip.AddrPort, local netip.Addr, via outbox) {
	if t.srtpIn == nil {
		c.stats.dropped.Add(1)
		return
	}
	plain, err := t.srtpIn.DecryptRTP(b[:0], b, &c.hdr)
	if err != nil || c.pkt.Parse(plain) != nil {
		c.stats.dropped.Add(1)
		return
	}
	c.stats.in.Add(1)
	t.followMedia(c, from, local, via)
	if t.exts.twcc != 0 {
		if e := c.pkt.Ext(t.exts.twcc); len(e) == 2 {
			t.twcc.Record(c.pkt.SSRC, uint16(e[0])<<8|uint16(e[1]), c.now/1000)
		}
	}
	l := t.last
	if l == nil || l.ssrc != c.pkt.SSRC {
		l = t.bySrc[c.pkt.SSRC]
		if l == nil {
			t.receiveRepair(c)
			return
		}
		t.last = l
	}
	l.receive(c)
}

// receiveRepair handles packets that are not of a known media SSRC: RTX, and the
// first packets of layers whose SSRC the offer did not tell.
func (t *transport) receiveRepair(c *core) {
	l := t.rtx[c.pkt.SSRC]
	if l == nil {
		var isRTX bool
		if l, isRTX = t.learn(c); l == nil {
			c.stats.rtpUnknown.Add(1)
			return
		}
		if !isRTX {
			l.receive(c)
			return
		}
	}
	l.receiveRTX(c)
}

// slot returns a send buffer on the selected path, flushing when none is left; nil
// also where there is no path.
func (t *transport) slot() []byte {
	if t.via == nil {
		return nil
	}
	if s := t.via.Slot(); s != nil {
		return s
	}
	t.via.Flush()
	return t.via.Slot()
}

// ready tells whether media can be sent.
func (t *transport) ready() bool { return t.srtpOut != nil && t.via != nil }

// sendRTCP encrypts and queues one compound packet.
func (t *transport) sendRTCP(pkts []rtcp.Packet) {
	if !t.ready() || len(pkts) == 0 {
		return
	}
	raw, err := rtcp.Marshal(pkts)
	if err != nil || len(raw) > port.MaxDatagram-64 {
		return
	}
	slot := t.slot()
	if slot == nil {
		return
	}
	out, err := t.srtpOut.EncryptRTCP(slot[:0], raw, nil)
	if err != nil || len(out) > cap(slot) {
		return
	}
	t.via.Commit(&t.dest, len(out))
}

// tick sends what is due and watches for silence.
func (t *transport) tick(c *core) {
	t.watch(c)
	if t.srtpOut == nil {
		return
	}
	if c.now >= t.nextLayers {
		t.nextLayers = c.now + layerPeriod
		t.allocate(c)
	}
	t.measureSound(c)
	if t.line != nil {
		t.line.tick(c, t)
	}
	t.rtcpOut = t.rtcpOut[:0]
	for _, u := range t.ups {
		u.tick(c)
	}
	if c.now >= t.nextFeedback {
		t.nextFeedback = c.now + feedbackPeriod
		if t.twcc.PacketsHeld() > 0 {
			t.rtcpOut = append(t.rtcpOut, t.twcc.BuildFeedbackPacket()...)
		}
	}
	if c.now >= t.nextReport {
		t.nextReport = c.now + reportPeriod
		t.report(c)
	}
	t.flushRTCP()
}

// flushRTCP sends the collected packets in compounds that fit a datagram.
func (t *transport) flushRTCP() {
	from, size := 0, 0
	for i, p := range t.rtcpOut {
		n := p.MarshalSize()
		if size+n > 1100 && i > from {
			t.sendRTCP(t.rtcpOut[from:i])
			from, size = i, 0
		}
		size += n
	}
	t.sendRTCP(t.rtcpOut[from:])
}

func (t *transport) watch(c *core) {
	silent := c.now - t.lastSeen
	switch {
	case silent > failAfter && t.state == PeerDisconnected:
		t.setState(PeerFailed)
	case silent > disconnectAfter && (t.state == PeerConnected || t.state == PeerSilent):
		t.setState(PeerDisconnected)
	case silent >= probeAfter && t.state == PeerConnected:
		t.ask(c)
	case silent > failAfter && t.state == PeerNew:
		t.setState(PeerFailed)
	}
}
