// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"container/heap"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"

	"github.com/caddy-videoroom/videoroom/port"
)

// This file simulates clients and networks around one core: no socket, no
// goroutine, no clock. Minutes of media take milliseconds.

// simBox is an outbox that hands every datagram to the simulated network.
type simBox struct {
	sim *sim
	buf [port.MaxDatagram + 64]byte
	// sent counts what went through slots, written what went past them.
	sent, written int
}

func (b *simBox) Slot() []byte { return b.buf[:0] }
func (b *simBox) Commit(d *port.Dest, n int) {
	b.sent++
	b.sim.toClient(d.Addr, b.buf[:n])
}
func (b *simBox) Flush() {}
func (b *simBox) WriteTo(p []byte, to netip.AddrPort, _ netip.Addr) {
	b.written++
	b.sim.toClient(to, p)
}

// netem is what happens to packets on one direction of a client's line.
type netem struct {
	loss, reorder, duplicate float64
	delay, jitter            time.Duration
	// rate is in bit/s, 0 without limit; what would wait longer than lineQueue
	// is lost.
	rate float64
	// last is where packets wait for those before them; nil where they do not.
	last *int64
}

const lineQueue = 400 * time.Millisecond

type simEvent struct {
	at   int64
	n    uint64
	what func()
}

type simQueue []simEvent

func (q simQueue) Len() int { return len(q) }
func (q simQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].n < q[j].n
}
func (q simQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *simQueue) Push(x any)   { *q = append(*q, x.(simEvent)) }
func (q *simQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

type sim struct {
	t       testing.TB
	c       *core
	box     *simBox
	rng     *rand.Rand
	queue   simQueue
	n       uint64
	room    *roomMedia
	events  *simRoomEvents
	clients map[netip.AddrPort]*simClient
}

type simRoomEvents struct {
	speakers  []Speaker
	qualities []Quality
}

func (e *simRoomEvents) RoomSpeakers(s []Speaker) { e.speakers = append(e.speakers, s...) }
func (e *simRoomEvents) RoomQuality(q []Quality)  { e.qualities = append(e.qualities, q...) }

func newSim(t testing.TB, seed uint64) *sim {
	s := &sim{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)),
		clients: make(map[netip.AddrPort]*simClient), events: new(simRoomEvents),
	}
	s.box = &simBox{sim: s}
	s.c = newCore(0, newDirectory(), new(counters))
	s.c.now = int64(time.Hour)
	s.c.entropy = func(b []byte) {
		for i := range b {
			b[i] = byte(s.rng.Uint32())
		}
	}
	s.room = &roomMedia{events: s.events}
	s.c.rooms[s.room] = struct{}{}
	return s
}

func (s *sim) at(d time.Duration, f func()) {
	s.n++
	heap.Push(&s.queue, simEvent{at: s.c.now + int64(d), n: s.n, what: f})
}

// every runs f periodically for ever.
func (s *sim) every(d time.Duration, f func()) {
	var again func()
	again = func() { f(); s.at(d, again) }
	s.at(d, again)
}

// run lets d of simulated time pass.
func (s *sim) run(d time.Duration) {
	end := s.c.now + int64(d)
	for len(s.queue) > 0 && s.queue[0].at <= end {
		e := heap.Pop(&s.queue).(simEvent)
		s.c.now = e.at
		e.what()
	}
	s.c.now = end
}

// pass sends a packet over an impaired line.
func (s *sim) pass(n netem, b []byte, deliver func([]byte)) {
	if s.rng.Float64() < n.loss {
		return
	}
	delay := n.delay
	if n.jitter > 0 {
		delay += time.Duration(s.rng.Int64N(int64(n.jitter)))
	}
	if s.rng.Float64() < n.reorder {
		delay += 15 * time.Millisecond
	}
	if n.last != nil {
		delay = max(delay, time.Duration(*n.last-s.c.now))
		*n.last = s.c.now + int64(delay)
	}
	data := append([]byte(nil), b...)
	s.at(delay, func() { deliver(data) })
	if s.rng.Float64() < n.duplicate {
		again := append([]byte(nil), b...)
		s.at(delay+time.Millisecond, func() { deliver(again) })
	}
}

func (s *sim) toClient(to netip.AddrPort, b []byte) {
	cl := s.clients[to]
	if cl == nil {
		return
	}
	n := cl.down
	if n.rate > 0 {
		began := max(cl.busy, s.c.now)
		if began-s.c.now > int64(lineQueue) {
			return
		}
		cl.busy = began + int64(float64(len(b)+28)*8/n.rate*1e9)
		n.delay += time.Duration(cl.busy - s.c.now)
	}
	s.pass(n, b, cl.receive)
}

// simClient is a client with keys in place: it publishes, subscribes, answers
// NACKs and key-frame requests, and checks what it receives.
type simClient struct {
	s        *sim
	addr     netip.AddrPort
	up, down netem
	t        *transport
	own      credentials
	in, out  *srtp.Context
	// deaf clients answer no probe.
	deaf    bool
	probed  [][]byte // requests received
	checked int      // answers received
	state   []PeerState
	started []string

	pubs []*simSource
	subs map[uint32]*simSink // by media SSRC
	rtx  map[uint32]*simSink
	sr   map[uint32]*rtcp.SenderReport
	twcc int
	rrs  int

	busy     int64          // when the line down has sent what waits
	reporter *twcc.Recorder // nil: no feedback for each packet
	paused   []bool         // PeerStreamState
	sound    []int64        // delays of the sound received
	hears    func(*rtp.Packet)
	narrow   []bool // PeerUplink
	onReport func(*rtcp.ReceptionReport)
	again    map[uint32]func(uint16) // repeats what is asked for of an SSRC
	tap      func([]byte)            // takes all that arrives, in place of the checks here
	chain    []*chainSource
	sinks    map[uint32]*chainSink // by SSRC of media and of repairs
}

func (cl *simClient) PeerState(s PeerState)              { cl.state = append(cl.state, s) }
func (cl *simClient) PeerTrackStarted(sid string)        { cl.started = append(cl.started, sid) }
func (cl *simClient) PeerUplink(narrow bool)             { cl.narrow = append(cl.narrow, narrow) }
func (cl *simClient) PeerStreamState(_ string, p bool)   { cl.paused = append(cl.paused, p) }
func (cl *simClient) PeerData(_ DataKind, _ []byte) bool { return true }
func simContexts(t testing.TB) (a, b, c, d *srtp.Context) {
	t.Helper()
	mk := func(fill byte, opts ...srtp.ContextOption) *srtp.Context {
		key, salt := make([]byte, 16), make([]byte, 12)
		for i := range key {
			key[i] = fill + byte(i)
		}
		ctx, err := srtp.CreateContext(key, salt, srtp.ProtectionProfileAeadAes128Gcm, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return ctx
	}
	// As browsers have it: a number that the server left open may come that late.
	replay := []srtp.ContextOption{srtp.SRTPReplayProtection(1024), srtp.SRTCPReplayProtection(64)}
	return mk(1, replay...), mk(2), mk(2, replay...), mk(1)
}

// client adds a client on its own address.
func (s *sim) client(id string) *simClient {
	cl := &simClient{
		s: s, addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(len(s.clients) + 1)}), 5000),
		subs: make(map[uint32]*simSink), rtx: make(map[uint32]*simSink), sr: make(map[uint32]*rtcp.SenderReport),
	}
	s.clients[cl.addr] = cl
	cl.own = credentials{ufrag: "rmt" + id, pwd: "the password of " + id}
	cl.t = &transport{peerID: id, events: cl, room: s.room, cred: newCredentials(0), remote: cl.own}
	cl.t.exts = extensionIDs{mid: 4, rid: 10, repairedRID: 11, level: 1, twcc: 3}
	s.c.addTransport(cl.t)
	s.c.receive(cl.check(true), cl.addr, netip.Addr{}, s.box)
	serverIn, serverOut, clientIn, clientOut := simContexts(s.t)
	cl.in, cl.out = clientIn, clientOut
	cl.t.setKeys(s.c, serverIn, serverOut)
	return cl
}

func (cl *simClient) send(b []byte) {
	cl.s.pass(cl.up, b, func(b []byte) { cl.s.c.receive(b, cl.addr, netip.Addr{}, cl.s.box) })
}

func (cl *simClient) sendRTP(p *rtp.Packet) {
	raw, err := p.Marshal()
	if err != nil {
		cl.s.t.Fatal(err)
	}
	enc, err := cl.out.EncryptRTP(nil, raw, nil)
	if err != nil {
		cl.s.t.Fatal(err)
	}
	cl.send(enc)
}

func (cl *simClient) sendRTCP(pkts ...rtcp.Packet) {
	raw, err := rtcp.Marshal(pkts)
	if err != nil {
		cl.s.t.Fatal(err)
	}
	enc, err := cl.out.EncryptRTCP(nil, raw, nil)
	if err != nil {
		cl.s.t.Fatal(err)
	}
	cl.send(enc)
}

// check builds a connectivity check as browsers send them.
func (cl *simClient) check(nominate bool) []byte {
	setters := []stun.Setter{
		stun.TransactionID, stun.BindingRequest, stun.NewUsername(cl.t.cred.ufrag + ":" + cl.own.ufrag),
		stun.RawAttribute{Type: stun.AttrPriority, Value: make([]byte, 4)},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
	}
	if nominate {
		setters = append(setters, stun.RawAttribute{Type: stun.AttrUseCandidate})
	}
	return stun.MustBuild(append(setters, stun.NewShortTermIntegrity(cl.t.cred.pwd), stun.Fingerprint)...).Raw
}

// receiveSTUN answers requests as RFC 8445 §7.3 has it.
func (cl *simClient) receiveSTUN(b []byte) {
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	if err := m.Decode(); err != nil {
		cl.s.t.Fatalf("server sent bad STUN: %v", err)
	}
	if m.Type == stun.BindingSuccess {
		cl.checked++
		return
	}
	cl.probed = append(cl.probed, m.Raw)
	if !cl.deaf {
		cl.send(cl.answer(m, cl.own.pwd))
	}
}

// answer builds the answer to a probe.
func (cl *simClient) answer(m *stun.Message, pwd string) []byte {
	return stun.MustBuild(m, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(192, 0, 2, 1), Port: 443},
		stun.NewShortTermIntegrity(pwd), stun.Fingerprint).Raw
}

func (cl *simClient) receive(b []byte) {
	if cl.tap != nil {
		cl.tap(b)
		return
	}
	if b[0] < 4 {
		cl.receiveSTUN(b)
		return
	}
	if b[1] >= 192 && b[1] <= 223 {
		raw, err := cl.in.DecryptRTCP(nil, b, nil)
		if err != nil {
			return // duplicates
		}
		pkts, err := rtcp.Unmarshal(raw)
		if err != nil {
			cl.s.t.Fatalf("server sent bad RTCP: %v", err)
		}
		for _, p := range pkts {
			cl.control(p)
		}
		return
	}
	raw, err := cl.in.DecryptRTP(nil, b, nil)
	if err != nil {
		return // duplicates
	}
	var p rtp.Packet
	if err := p.Unmarshal(raw); err != nil {
		cl.s.t.Fatalf("server sent bad RTP: %v", err)
	}
	if e := p.GetExtension(3); e != nil && cl.reporter != nil {
		cl.reporter.Record(p.SSRC, binary.BigEndian.Uint16(e), cl.s.c.now/1000)
	}
	if cl.hears != nil && (p.PayloadType == 111 || p.PayloadType == simRED) {
		cl.hears(&p)
		return
	}
	if p.PayloadType == 111 {
		cl.sound = append(cl.sound, cl.s.c.now-int64(binary.BigEndian.Uint64(p.Payload)))
		return
	}
	if k := cl.sinks[p.SSRC]; k != nil {
		k.receive(&p)
		return
	}
	if len(p.Payload) == 0 {
		return // padding
	}
	if k := cl.rtx[p.SSRC]; k != nil {
		p.SequenceNumber = binary.BigEndian.Uint16(p.Payload)
		p.Payload = p.Payload[2:]
		p.SSRC = k.d.ssrc
		k.repaired++
		k.packet(&p)
		return
	}
	k := cl.subs[p.SSRC]
	if k == nil {
		cl.s.t.Fatalf("packet of unknown SSRC %d", p.SSRC)
	}
	k.packet(&p)
}

func (cl *simClient) control(p rtcp.Packet) {
	for _, src := range cl.chain {
		if src.hears(p) {
			return
		}
	}
	switch p := p.(type) {
	case *rtcp.TransportLayerNack:
		if again := cl.again[p.MediaSSRC]; again != nil {
			for _, n := range p.Nacks {
				n.Range(func(seq uint16) bool { again(seq); return true })
			}
		}
		for _, src := range cl.pubs {
			if src.ssrc == p.MediaSSRC {
				for _, n := range p.Nacks {
					n.Range(func(seq uint16) bool { src.resend(seq); return true })
				}
			}
		}
	case *rtcp.PictureLossIndication:
		for _, src := range cl.pubs {
			if src.ssrc == p.MediaSSRC {
				src.keyRequests = append(src.keyRequests, cl.s.c.now)
				src.wantKey = true
			}
		}
	case *rtcp.SenderReport:
		cl.sr[p.SSRC] = p
	case *rtcp.TransportLayerCC:
		cl.twcc++
	case *rtcp.ReceiverReport:
		cl.rrs += len(p.Reports)
		for i := range p.Reports {
			if cl.onReport != nil {
				cl.onReport(&p.Reports[i])
			}
		}
	}
}

// simSource is one encoding that a client publishes.
type simSource struct {
	cl          *simClient
	track       *upTrack
	ssrc        uint32
	rtxSSRC     uint32
	seq         uint16
	rtxSeq      uint16
	ts          uint32
	picture     uint16
	tl0         uint8
	size        int // bytes per packet
	perFrame    int
	perKey      int // packets of a key frame, perFrame unless set
	layer       byte
	wantKey     bool
	keyRequests []int64
	stopped     bool
	history     map[uint16]*rtp.Packet
	sentFrames  int
	frameAt     int64
	twcc        *uint16
}

// publish adds a track with n layers that send 25 pictures per second.
func (cl *simClient) publish(sid string, layers int) []*simSource {
	u := &upTrack{sid: sid, kind: Video, codec: codecVP8, clock: 90000, pt: 96, rtxPT: 97, mid: sid, pub: cl.t}
	if layers > 1 {
		u.rids = []string{"q", "h", "f"}[:layers]
		u.spec = []LayerSpec{{Width: 320, Height: 180}, {Width: 640, Height: 360}, {Width: 1280, Height: 720}}[:layers]
	}
	cl.s.c.addUp(u, nil, nil)
	var out []*simSource
	var counter uint16
	for i := range layers {
		src := &simSource{
			cl: cl, track: u, ssrc: cl.s.rng.Uint32() | 1, rtxSSRC: cl.s.rng.Uint32() | 1,
			seq: uint16(cl.s.rng.Uint32()), ts: cl.s.rng.Uint32(), picture: uint16(cl.s.rng.Uint32()) & 0x7fff,
			size: 900, perFrame: 2 + i, layer: byte(i), wantKey: true,
			history: make(map[uint16]*rtp.Packet), twcc: &counter,
		}
		if layers == 1 {
			u.bind(cl.s.c, u.layers[0], src.ssrc)
			u.bindRTX(u.layers[0], src.rtxSSRC)
		}
		cl.pubs = append(cl.pubs, src)
		out = append(out, src)
		cl.s.every(40*time.Millisecond, src.frame)
		cl.s.every(time.Second, src.report)
	}
	return out
}

func (src *simSource) report() {
	if src.stopped {
		return
	}
	now := src.cl.s.c.now
	src.cl.sendRTCP(&rtcp.SenderReport{
		SSRC: src.ssrc, NTPTime: ntp(now), RTPTime: src.ts + uint32((now-src.frameAt)*90/1e6),
	})
}

func ntp(ns int64) uint64 {
	return uint64(ns/1e9)<<32 | uint64(ns%1e9)<<32/1e9
}

// frame sends one picture: a VP8 descriptor with 15-bit picture id and TL0, then
// a body that tells layer, picture and part, for the sink to check.
func (src *simSource) frame() {
	src.ts += 3600
	src.frameAt = src.cl.s.c.now
	if src.stopped {
		return
	}
	key := src.wantKey
	src.wantKey = false
	src.picture = (src.picture + 1) & 0x7fff
	src.tl0++
	src.sentFrames++
	parts := src.perFrame
	if key && src.perKey > 0 {
		parts = src.perKey
	}
	for i := range parts {
		body := make([]byte, src.size)
		body[0] = 0x80 // X
		if i == 0 {
			body[0] |= 0x10 // S
		}
		body[1] = 0xc0 // I, L
		binary.BigEndian.PutUint16(body[2:], 0x8000|src.picture)
		body[4] = src.tl0
		body[5] = 1 // inter frame
		if key {
			body[5] = 0
		}
		body[6] = src.layer
		binary.BigEndian.PutUint32(body[7:], uint32(src.sentFrames))
		body[11] = byte(i)
		p := &rtp.Packet{
			Header: rtp.Header{
				Version: 2, PayloadType: 96, SequenceNumber: src.seq, Timestamp: src.ts, SSRC: src.ssrc,
				Marker: i == parts-1,
			},
			Payload: body,
		}
		src.extend(p)
		src.history[src.seq] = p
		delete(src.history, src.seq-2000)
		src.seq++
		src.cl.sendRTP(p)
	}
}

// extend adds the header extensions that browsers send.
func (src *simSource) extend(p *rtp.Packet) {
	_ = p.SetExtension(4, []byte(src.track.mid))
	if len(src.track.rids) > 0 {
		_ = p.SetExtension(10, []byte(src.track.rids[src.layer]))
	}
	*src.twcc++
	_ = p.SetExtension(3, binary.BigEndian.AppendUint16(nil, *src.twcc))
}

func (src *simSource) resend(seq uint16) {
	was := src.history[seq]
	if was == nil {
		return
	}
	p := &rtp.Packet{Header: was.Header, Payload: append(binary.BigEndian.AppendUint16(nil, seq), was.Payload...)}
	p.Header.Extension, p.Header.Extensions = false, nil
	p.PayloadType, p.SSRC, p.SequenceNumber = 97, src.rtxSSRC, src.rtxSeq
	_ = p.SetExtension(4, []byte(src.track.mid))
	if len(src.track.rids) > 0 {
		_ = p.SetExtension(11, []byte(src.track.rids[src.layer]))
	}
	src.rtxSeq++
	src.cl.sendRTP(p)
}

// simSink checks one forwarded track as a jitter buffer and decoder would.
type simSink struct {
	cl       *simClient
	d        *downTrack
	packets  map[int64]*rtp.Packet // by extended sequence number
	highest  int64
	first    int64
	next     int64 // next to decode
	nacked   map[int64]int
	repaired int
	frames   int
	keys     int
	broken   int // pictures that could not be decoded for a gap
	layer    int
	decoding bool
	picture  int
	lastTS   uint32
	at       []int64 // when pictures were decoded
	pli      int64
}

// subscribe begins forwarding a track to the client.
func (cl *simClient) subscribe(u *upTrack) *simSink {
	d := &downTrack{to: cl.t, track: u, pt: 100, rtxPT: 101, ssrc: cl.s.c.random32(), rtx: cl.s.c.random32(), settings: Settings{Quality: 2}}
	if cl.reporter != nil {
		d.twcc = 3
	}
	k := &simSink{cl: cl, d: d, packets: make(map[int64]*rtp.Packet), nacked: make(map[int64]int), picture: -1, layer: -1}
	cl.subs[d.ssrc], cl.rtx[d.rtx] = k, k
	cl.s.c.addDown(d)
	cl.s.every(60*time.Millisecond, k.ask)
	return k
}

func (k *simSink) packet(p *rtp.Packet) {
	ext := int64(p.SequenceNumber)
	if k.highest == 0 {
		ext += 1 << 20
		k.first, k.next, k.highest = ext, ext, ext
	} else {
		ext = k.highest + int64(int16(p.SequenceNumber-uint16(k.highest)))
	}
	if was := k.packets[ext]; was != nil && string(was.Payload) != string(p.Payload) {
		k.cl.s.t.Fatalf("two different packets under sequence number %d", p.SequenceNumber)
	}
	if k.frames == 0 && ext < k.next && k.next-ext < 64 {
		k.next = ext // the very first packets came out of order
	}
	k.highest = max(k.highest, ext)
	k.packets[ext] = p
	delete(k.packets, ext-3000)
	k.decode()
}

// ask sends NACKs for gaps, and a PLI when decoding is stuck.
func (k *simSink) ask() {
	if k.highest == 0 {
		return
	}
	var seqs []uint16
	for ext := max(k.next, k.highest-500); ext < k.highest; ext++ {
		if k.packets[ext] == nil && k.nacked[ext] < 10 {
			k.nacked[ext]++
			seqs = append(seqs, uint16(ext))
		}
	}
	if len(seqs) > 0 {
		k.cl.sendRTCP(&rtcp.TransportLayerNack{MediaSSRC: k.d.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)})
	}
	if !k.decoding && k.cl.s.c.now-k.pli > int64(300*time.Millisecond) { // as decoders do without a key frame
		k.pli = k.cl.s.c.now
		k.cl.sendRTCP(&rtcp.PictureLossIndication{MediaSSRC: k.d.ssrc})
	}
	if k.highest-k.next > 200 && k.cl.s.c.now-k.pli > int64(300*time.Millisecond) {
		k.pli = k.cl.s.c.now
		k.broken++
		k.decoding = false
		k.next = k.highest // give up on the gap
		k.cl.sendRTCP(&rtcp.PictureLossIndication{MediaSSRC: k.d.ssrc})
	}
}

// decode takes whole pictures in order and checks what a VP8 decoder relies on.
func (k *simSink) decode() {
	for {
		frame, cut := k.picturesAt(k.next)
		switch {
		case cut: // the layer changed within a picture
			k.next += int64(len(frame))
			k.decoding = false
		case frame != nil:
			k.next += int64(len(frame))
			k.picturePackets(frame)
		case !k.jump():
			return
		}
	}
}

// picturesAt returns the whole picture that begins at ext, or nil. cut tells
// that it is followed by another one without having ended.
func (k *simSink) picturesAt(ext int64) (frame []*rtp.Packet, cut bool) {
	for ; ; ext++ {
		p := k.packets[ext]
		if p == nil {
			return nil, false
		}
		if len(frame) > 0 && p.Timestamp != frame[0].Timestamp {
			return frame, true
		}
		frame = append(frame, p)
		if p.Marker {
			return frame, false
		}
	}
}

// jump goes on at a later whole key frame, as decoders do.
func (k *simSink) jump() bool {
	for ext := k.next + 1; ext <= k.highest; ext++ {
		p := k.packets[ext]
		if p == nil || p.Payload[0]&0x10 == 0 || p.Payload[5] != 0 {
			continue
		}
		if frame, cut := k.picturesAt(ext); frame != nil && !cut {
			k.next, k.decoding = ext, false
			return true
		}
	}
	return false
}

func (k *simSink) picturePackets(frame []*rtp.Packet) {
	t := k.cl.s.t
	b := frame[0].Payload
	key := b[5] == 0
	if b[0]&0x10 == 0 {
		if k.decoding {
			t.Fatalf("a picture began in its middle")
		}
		return
	}
	if !k.decoding && !key {
		return
	}
	id := int(binary.BigEndian.Uint16(b[2:]) & 0x7fff)
	if k.decoding && id != (k.picture+1)&0x7fff {
		t.Fatalf("picture id %d after %d (layer %d after %d)", id, k.picture, b[6], k.layer)
	}
	if k.decoding && int(b[6]) != k.layer && !key {
		t.Fatalf("layer changed from %d to %d without a key frame", k.layer, b[6])
	}
	if k.frames > 0 {
		if step := int32(frame[0].Timestamp - k.lastTS); step <= 0 {
			t.Fatalf("time stamp went by %d", step)
		}
	}
	for i, p := range frame {
		if int(p.Payload[11]) != i || p.Payload[6] != b[6] || p.PayloadType != 100 && p.PayloadType != 101 {
			t.Fatalf("picture mixed up: part %d is %d", i, p.Payload[11])
		}
	}
	if key {
		k.keys++
	}
	k.decoding, k.picture, k.layer, k.lastTS = true, id, int(b[6]), frame[0].Timestamp
	k.frames++
	k.at = append(k.at, k.cl.s.c.now)
}

// longestGap is the longest time without a decoded picture since from.
func (k *simSink) longestGap(from int64) time.Duration {
	gap, last := int64(0), from
	for _, at := range k.at {
		if at >= from {
			gap, last = max(gap, at-last), at
		}
	}
	return time.Duration(max(gap, k.cl.s.c.now-last))
}

// ticking lets the core do its housekeeping.
func (s *sim) ticking() {
	s.every(tickPeriod, s.c.tick)
	s.every(time.Millisecond, s.c.pad)
	s.every(time.Millisecond, s.c.pace)
}
