// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// hostile is a room with all codecs in which one participant sends, and one who
// receives reports, what the fuzzer wants. Two others have a call of their own.
type hostile struct {
	*sim
	script []byte
	a, b   *simClient
	srcs   []*chainSource
	sound  *upTrack
	downs  []*downTrack
	seen   map[uint32]*seenStream
	honest *chainSink
}

// seenStream is what arrived under the numbers of one stream.
type seenStream struct {
	highest int64
	packets map[int64]seenPacket
}

// seenPacket is a packet that came, at first or again: what waits to be sent may
// be overtaken by its own repetition in a probe.
type seenPacket struct {
	content string
	itself  bool
}

func newHostile(t testing.TB, script []byte) *hostile {
	s := newSim(t, 1)
	h := &hostile{sim: s, script: script, a: s.client("PA_a"), b: s.client("PA_b"), seen: make(map[uint32]*seenStream)}
	h.b.tap = h.arrive
	h.a.tap = h.arriveAtPublisher
	h.b.reports()
	for i, shape := range chainShapes {
		h.srcs = append(h.srcs, h.a.publishChain(fmt.Sprintf("TR_%d", i), shape))
	}
	h.sound = h.a.speak("TR_s")
	tracks := []*upTrack{h.sound}
	for _, src := range h.srcs {
		tracks = append(tracks, src.track)
	}
	for i, u := range tracks {
		d := &downTrack{to: h.b.t, track: u, pt: 100, ssrc: uint32(1000 + i), settings: Settings{Quality: 2}}
		if u.kind == Video {
			d.rtxPT, d.rtx = 101, uint32(2000+i)
		}
		if i%4 != 3 {
			d.twcc = 3
		}
		s.c.addDown(d)
		h.downs = append(h.downs, d)
	}
	c, d := s.client("PA_c"), s.client("PA_d")
	h.honest = d.watchChain(c.publishChain("TR_h", chainShapes[2]))
	s.ticking()
	s.run(300 * time.Millisecond)
	return h
}

// arrive checks what reaches the subscriber: everything opens, for no number was
// given twice, and what is sent again is what was sent.
func (h *hostile) arrive(b []byte) {
	t := h.t
	if b[0] < 4 {
		return // STUN
	}
	if b[1] >= 192 && b[1] <= 223 {
		h.arriveControl(h.b, b)
		return
	}
	raw, err := h.b.in.DecryptRTP(nil, b, nil)
	if err != nil {
		t.Fatalf("a packet does not open: %v", err)
	}
	var p rtp.Packet
	if err := p.Unmarshal(raw); err != nil {
		t.Fatalf("bad RTP: %v", err)
	}
	if e := p.GetExtension(3); e != nil {
		h.b.reporter.Record(p.SSRC, binary.BigEndian.Uint16(e), h.c.now/1000)
	}
	content := fmt.Sprint(p.Timestamp, p.Marker, p.Payload)
	h.number(p.SSRC, p.SequenceNumber, content, true)
	if p.SSRC >= 2000 && p.PaddingSize == 0 && len(p.Payload) >= 2 {
		again := fmt.Sprint(p.Timestamp, p.Marker, p.Payload[2:])
		h.number(p.SSRC-1000, binary.BigEndian.Uint16(p.Payload), again, false)
	}
}

func (h *hostile) number(ssrc uint32, seq uint16, content string, itself bool) {
	k := h.seen[ssrc]
	if k == nil {
		k = &seenStream{highest: int64(seq) + 1<<20, packets: make(map[int64]seenPacket)}
		h.seen[ssrc] = k
	}
	ext := k.highest + int64(int16(seq-uint16(k.highest)))
	was, known := k.packets[ext]
	if known && (was.content != content || was.itself && itself) {
		h.t.Fatalf("number %d of stream %d was given to\n%s\nand to\n%s", seq, ssrc, was.content, content)
	}
	k.packets[ext], k.highest = seenPacket{content, was.itself || itself}, max(k.highest, ext)
}

func (h *hostile) arriveAtPublisher(b []byte) {
	if b[0] >= 4 && b[1] >= 192 && b[1] <= 223 {
		h.arriveControl(h.a, b)
	}
}

func (h *hostile) arriveControl(cl *simClient, b []byte) {
	raw, err := cl.in.DecryptRTCP(nil, b, nil)
	if err != nil {
		h.t.Fatalf("a report does not open: %v", err)
	}
	pkts, err := rtcp.Unmarshal(raw)
	if err != nil {
		h.t.Fatalf("bad RTCP: %v", err)
	}
	for _, p := range pkts {
		cl.control(p)
	}
}

// next takes bytes of the script, zeros at its end.
func (h *hostile) next(n int) []byte {
	out := make([]byte, n)
	h.script = h.script[copy(out, h.script):]
	return out
}

func (h *hostile) byte() int { return int(h.next(1)[0]) }

var hostileSteps = []func(*hostile){
	(*hostile).media, (*hostile).repair, (*hostile).rawMedia, (*hostile).publisherControl,
	(*hostile).subscriberControl, (*hostile).nacks, (*hostile).settings, (*hostile).time,
}

func (h *hostile) play() {
	for steps := 0; len(h.script) > 0 && steps < 60; steps++ {
		hostileSteps[h.byte()%len(hostileSteps)](h)
	}
}

func (h *hostile) stream() *chainStream {
	src := h.srcs[h.byte()%len(h.srcs)]
	return src.streams[h.byte()%len(src.streams)]
}

// media sends a packet with any payload near the end of a stream.
func (h *hostile) media() {
	st, how := h.stream(), h.byte()
	p := &rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: st.seq, Timestamp: st.ts, SSRC: st.ssrc, Marker: how&1 != 0},
		Payload: h.next(h.byte() % 64),
	}
	switch how >> 1 & 7 {
	case 0:
		p.SequenceNumber += uint16(int8(h.byte()))
	case 1:
		p.SequenceNumber += binary.BigEndian.Uint16(h.next(2))
	case 2:
		p.Timestamp += binary.BigEndian.Uint32(h.next(4))
	case 3:
		st.seq += binary.BigEndian.Uint16(h.next(2)) // the source goes on there
		p.SequenceNumber = st.seq
		st.seq++
	default:
		st.seq++
	}
	h.a.sendRTP(p)
}

// repair sends any payload as the retransmission of a recent packet.
func (h *hostile) repair() {
	st := h.stream()
	seq := st.seq - uint16(h.byte())
	p := &rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: 97, SequenceNumber: st.rtxSeq, Timestamp: st.ts, SSRC: st.rtxSSRC},
		Payload: append(binary.BigEndian.AppendUint16(nil, seq), h.next(h.byte()%64)...),
	}
	st.rtxSeq++
	h.a.sendRTP(p)
}

// rawMedia sends a packet whose header too is the fuzzer's.
func (h *hostile) rawMedia() {
	st := h.stream()
	raw := h.next(12 + h.byte()%64)
	raw[0] = raw[0]&0x3f | 0x80
	if h.byte()&1 == 0 {
		raw[1] = raw[1]&0x80 | 96
		binary.BigEndian.PutUint16(raw[2:], st.seq)
		binary.BigEndian.PutUint32(raw[8:], st.ssrc)
	}
	if enc, err := h.a.out.EncryptRTP(nil, raw, nil); err == nil {
		h.a.send(enc)
	}
}

func (h *hostile) publisherControl()  { h.control(h.a, h.stream().ssrc) }
func (h *hostile) subscriberControl() { h.control(h.b, uint32(1000+h.byte()%len(h.downs))) }

// control sends any RTCP, with a true source where the fuzzer wants.
func (h *hostile) control(cl *simClient, ssrc uint32) {
	raw := h.next(4 + 4*(1+h.byte()%12))
	raw[0], raw[1] = raw[0]&0x3f|0x80, 200+raw[1]%8
	switch h.byte() % 3 {
	case 0:
		binary.BigEndian.PutUint16(raw[2:], uint16(len(raw)/4-1))
		binary.BigEndian.PutUint32(raw[4:], ssrc)
	case 1:
		binary.BigEndian.PutUint16(raw[2:], uint16(len(raw)/4-1))
		if len(raw) >= 12 {
			binary.BigEndian.PutUint32(raw[8:], ssrc)
		}
	}
	if enc, err := cl.out.EncryptRTCP(nil, raw, nil); err == nil {
		cl.send(enc)
	}
}

// nacks asks for packets near the end of a stream.
func (h *hostile) nacks() {
	d := h.downs[h.byte()%len(h.downs)]
	last := uint16(0)
	if k := h.seen[d.ssrc]; k != nil {
		last = uint16(k.highest)
	}
	h.b.sendRTCP(&rtcp.TransportLayerNack{MediaSSRC: d.ssrc, Nacks: []rtcp.NackPair{{
		PacketID: last - uint16(h.byte()), LostPackets: rtcp.PacketBitmap(binary.BigEndian.Uint16(h.next(2))),
	}}})
}

func (h *hostile) settings() {
	d := h.downs[h.byte()%len(h.downs)]
	v := h.next(3)
	d.configure(h.c, Settings{Disabled: v[0]&3 == 3, Quality: int(v[0]>>2) % 4, FPS: uint32(v[1]) % 30, Width: uint32(v[2]&15) * 100, Height: uint32(v[2]>>4) * 60})
}

func (h *hostile) time() { h.run(time.Duration(h.byte()) * time.Millisecond) }

// FuzzChain lets one participant send any RTP and RTCP with true keys in a room
// with all codecs, and another any feedback: nothing fails, no number is given
// twice, nothing is repeated with other content, and the others' call goes on.
func FuzzChain(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 2, 0, 8, 20, 0xbe, 0x80, 1, 0, 0x18, 0, 64, 0, 36, 1, 2, 3, 7, 100, 5, 2, 3, 0xff, 0xff})
	f.Add([]byte{0, 0, 1, 1, 12, 0x90, 0xe0, 0x80, 1, 1, 0, 0, 7, 50, 1, 0, 1, 5, 9, 0x90, 0xe0, 0x80, 1, 1, 0, 0, 5, 1, 0, 0xff, 0xff})
	f.Add([]byte{0, 1, 0, 6, 4, 0x7c, 0x85, 1, 2, 0xf0, 0, 7, 200, 3, 0, 0, 5, 200, 0, 0, 6, 4, 5, 1, 8, 0, 0xff, 0xff})
	f.Add([]byte{4, 3, 8, 0x8f, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 6, 3, 0xff, 8, 0, 7, 80, 6, 3, 0, 0, 0})
	f.Add([]byte{2, 3, 0, 40, 0x9f, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xbe, 0xde, 0, 1, 0x31, 1, 2, 0, 0, 2, 4, 0, 20, 0xb0, 96, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte("0008\x801000@0202CA00\x02")) // a number more than 512 behind is filled
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 2000 {
			return
		}
		hostileCall(t, script)
	})
}

func hostileCall(t testing.TB, script []byte) {
	t.Helper()
	h := newHostile(t, script)
	h.play()
	shown := len(h.honest.shown)
	h.run(400 * time.Millisecond)
	if n := len(h.honest.shown) - shown; n < 8 {
		t.Fatalf("the others' call stopped: %d pictures in 400 ms", n)
	}
}

// What FuzzChain checks, for scripts drawn at random.
func TestHostileScripts(t *testing.T) {
	for seed := range rounds(150) {
		rng := rand.New(rand.NewPCG(seed, 3))
		script := make([]byte, 200+rng.IntN(1200))
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		hostileCall(t, script)
	}
}
