// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// This file simulates publishers whose packets tell what each picture depends on,
// so that a receiver can check that nothing is decoded without it.

// chainShape is how a source encodes.
type chainShape struct {
	name      string
	codec     codec
	encodings int // sources of their own, lowest first
	spatial   int // layers within each
	temporal  bool
	keyMode   bool // spatial layers depend on each other in key pictures alone
}

var chainShapes = []chainShape{
	{"VP8 simulcast", codecVP8, 3, 1, true, false},
	{"H.264 simulcast", codecH264, 3, 1, false, false},
	{"VP9 L3T3_KEY", codecVP9, 1, 3, true, true},
	{"VP9 L2T3_KEY", codecVP9, 1, 2, true, true},
	{"VP9 L3T3", codecVP9, 1, 3, true, false},
	{"VP9 L1T3", codecVP9, 1, 1, true, false},
	{"VP9 L1T1", codecVP9, 1, 1, false, false},
	{"VP9 simulcast", codecVP9, 3, 1, true, false},
}

// chainFrame names one picture of one layer: what a decoder keeps.
type chainFrame struct {
	encoding, spatial uint8
	n                 uint32 // counts what the camera took
}

// chainInfo is what the body of every packet tells.
type chainInfo struct {
	chainFrame
	tid, part, parts uint8
	key              bool
	refs             []chainFrame
}

func (i *chainInfo) append(b []byte) []byte {
	b = append(b, i.encoding, i.spatial, i.tid, i.part, i.parts, 0, uint8(len(i.refs)))
	if i.key {
		b[len(b)-2] = 1
	}
	b = binary.BigEndian.AppendUint32(b, i.n)
	for _, r := range i.refs {
		b = append(b, r.encoding, r.spatial)
		b = binary.BigEndian.AppendUint32(b, r.n)
	}
	return b
}

func readInfo(b []byte) (i chainInfo) {
	i.encoding, i.spatial, i.tid, i.part, i.parts, i.key = b[0], b[1], b[2], b[3], b[4], b[5] == 1
	i.n = binary.BigEndian.Uint32(b[7:])
	for r := range int(b[6]) {
		at := b[11+6*r:]
		i.refs = append(i.refs, chainFrame{at[0], at[1], binary.BigEndian.Uint32(at[2:])})
	}
	return i
}

// chainSource is a camera with its encodings.
type chainSource struct {
	cl      *simClient
	track   *upTrack
	shape   chainShape
	streams []*chainStream
	n       uint32
	muted   bool
	active  int // spatial layers that are being encoded
	padding bool
	// sizes are bytes per packet, packets per layer frame and per key frame, by
	// layer, lowest first.
	sizes [3]struct{ size, parts, key int }
}

// chainStream is one source of RTP.
type chainStream struct {
	of            *chainSource
	encoding      uint8
	ssrc, rtxSSRC uint32
	seq, rtxSeq   uint16
	ts            uint32
	at            int64
	picture       uint16
	tl0           uint8
	keyAt         uint32 // the picture that was the latest key picture
	wantKey       bool
	begun         bool
	stopped       bool
	active        int
	requests      []int64
	history       map[uint16]*rtp.Packet
	tids          map[uint32]uint8       // of the pictures sent
	lose          func(*rtp.Packet) bool // at first
}

// publishChain adds a track that sends 25 pictures per second.
func (cl *simClient) publishChain(sid string, shape chainShape) *chainSource {
	u := &upTrack{sid: sid, kind: Video, codec: shape.codec, clock: 90000, pt: 96, rtxPT: 97, mid: sid, pub: cl.t}
	u.spec = []LayerSpec{{Width: 320, Height: 180}, {Width: 640, Height: 360}, {Width: 1280, Height: 720}}
	if shape.encodings > 1 {
		u.rids = []string{"q", "h", "f"}[:shape.encodings]
	}
	cl.s.c.addUp(u, nil, nil)
	src := &chainSource{cl: cl, track: u, shape: shape, active: shape.spatial}
	src.sizes = [3]struct{ size, parts, key int }{{200, 1, 4}, {300, 2, 6}, {400, 3, 8}}
	rng := cl.s.rng
	picture, tl0 := rng.Uint32(), rng.Uint32() // near each other, so that mistakes show
	for i := range shape.encodings {
		st := &chainStream{
			of: src, encoding: uint8(i), ssrc: rng.Uint32() | 1, rtxSSRC: rng.Uint32() | 1,
			seq: uint16(rng.Uint32()), ts: rng.Uint32(), picture: uint16(picture+rng.Uint32N(40)) & 0x7fff, tl0: uint8(tl0 + rng.Uint32N(10)),
			wantKey: true, history: make(map[uint16]*rtp.Packet), tids: make(map[uint32]uint8),
		}
		if shape.encodings == 1 {
			u.bind(cl.s.c, u.layers[0], st.ssrc)
			u.bindRTX(u.layers[0], st.rtxSSRC)
		}
		src.streams = append(src.streams, st)
	}
	cl.chain = append(cl.chain, src)
	cl.s.every(40*time.Millisecond, src.picture)
	cl.s.every(time.Second, src.report)
	return src
}

func (src *chainSource) picture() {
	src.n++
	for _, st := range src.streams {
		st.ts += 3600
		st.at = src.cl.s.c.now
		if !src.muted && !st.stopped {
			st.send(src.n)
		} else {
			st.begun = false // it goes on with a key picture
		}
	}
}

func (src *chainSource) report() {
	for _, st := range src.streams {
		if now := src.cl.s.c.now; !src.muted && !st.stopped {
			src.cl.sendRTCP(&rtcp.SenderReport{SSRC: st.ssrc, NTPTime: ntp(now), RTPTime: st.ts + uint32((now-st.at)*90/1e6)})
		}
	}
}

// hears takes feedback; false where it is not for this source.
func (src *chainSource) hears(p rtcp.Packet) bool {
	for _, st := range src.streams {
		switch p := p.(type) {
		case *rtcp.TransportLayerNack:
			if st.ssrc == p.MediaSSRC {
				for _, n := range p.Nacks {
					n.Range(func(seq uint16) bool { st.resend(seq); return true })
				}
				return true
			}
		case *rtcp.PictureLossIndication:
			if st.ssrc == p.MediaSSRC {
				st.requests = append(st.requests, src.cl.s.c.now)
				st.wantKey = true
				return true
			}
		}
	}
	return false
}

// layering is what a picture depends on in time: its temporal layer, whether it
// depends on lower layers alone, and the distances to what it depends on.
type layering struct {
	tid  uint8
	sync bool // VP8: Y; VP9: U
	refs []uint32
}

// at returns the layering of the n-th picture behind a key picture. Temporal
// layers come in groups of 0 2 1 2. In every other group the middle layer
// depends on that of the group before, so that it cannot be begun there.
func (shape *chainShape) at(n uint32) layering {
	if n == 0 {
		return layering{sync: true}
	}
	if !shape.temporal {
		return layering{sync: true, refs: []uint32{1}}
	}
	odd := n/4%2 == 1
	switch n % 4 {
	case 0:
		return layering{0, !odd, []uint32{4}}
	case 1:
		return layering{2, true, []uint32{1}}
	case 2:
		if odd {
			return layering{1, false, []uint32{2, 4}}
		}
		return layering{1, true, []uint32{2}}
	default:
		if shape.codec == codecVP8 {
			return layering{2, false, []uint32{1, 2, 3}}
		}
		return layering{2, true, []uint32{1}}
	}
}

// send makes picture n of all layers of the stream.
func (st *chainStream) send(n uint32) {
	shape := &st.of.shape
	key := st.wantKey || !st.begun
	active := min(st.of.active, shape.spatial)
	if key {
		st.keyAt, st.wantKey, st.begun = n, false, true
	}
	lay := shape.at(n - st.keyAt)
	if !key && active > st.active && (!shape.keyMode || (n-st.keyAt)%8 != 0) {
		// Without a key picture layers begin where nothing refers to before.
		active, st.wantKey = st.active, !shape.keyMode
	}
	added := !key && active > st.active
	changed := active != st.active
	st.picture = (st.picture + 1) & 0x7fff
	if lay.tid == 0 {
		st.tl0++
	}
	st.tids[n] = lay.tid
	delete(st.tids, n-3000)
	for sid := range uint8(active) {
		info := chainInfo{chainFrame: chainFrame{st.encoding, sid, n}, tid: lay.tid, key: key}
		fresh := added && int(sid) >= st.active // begins within the stream
		if !key && !fresh {
			for _, back := range lay.refs {
				info.refs = append(info.refs, chainFrame{st.encoding, sid, n - back})
			}
		}
		if sid > 0 && (key || fresh || !shape.keyMode) {
			info.refs = append(info.refs, chainFrame{st.encoding, sid - 1, n})
		}
		st.layer(&info, lay, fresh, int(sid) == active-1, changed || key, active)
	}
	st.active = active
	if st.of.padding && n%17 == 0 {
		st.packet(nil, false)
	}
}

// layer sends the picture of one layer.
func (st *chainStream) layer(info *chainInfo, lay layering, fresh, last, structure bool, active int) {
	size := st.of.sizes[max(int(info.spatial), int(info.encoding))]
	info.parts = uint8(size.parts)
	if info.key {
		info.parts = uint8(size.key)
	}
	for part := range info.parts {
		info.part = part
		var b []byte
		switch st.of.shape.codec {
		case codecVP8:
			b = st.vp8(info, lay)
		case codecVP9:
			b = st.vp9(info, lay, fresh, structure && info.spatial == 0 && part == 0, active)
		default:
			b = h264Header(info)
		}
		b = info.append(b)
		for len(b) < size.size {
			b = append(b, byte(len(b)))
		}
		st.packet(b, last && part == info.parts-1)
	}
}

// vp8 writes a descriptor (RFC 7741 §4.2) and the byte that tells key frames.
func (st *chainStream) vp8(info *chainInfo, lay layering) []byte {
	b := []byte{0x80, 0xe0, 0x80 | byte(st.picture>>8), byte(st.picture), st.tl0, lay.tid << 6, 1}
	if info.part == 0 {
		b[0] |= 0x10
	}
	if lay.sync && lay.tid > 0 {
		b[5] |= 0x20
	}
	if info.key {
		b[6] = 0
	}
	return b
}

// vp9 writes a descriptor (RFC 9628 §4.2) in flexible mode.
func (st *chainStream) vp9(info *chainInfo, lay layering, fresh, structure bool, active int) []byte {
	b := []byte{0xb0, 0x80 | byte(st.picture>>8), byte(st.picture), lay.tid<<5 | info.spatial<<1}
	if info.part == 0 {
		b[0] |= 0x08
	}
	if info.part == info.parts-1 {
		b[0] |= 0x04
	}
	if lay.sync {
		b[3] |= 0x10
	}
	if info.spatial > 0 && (info.key || fresh || !st.of.shape.keyMode) {
		b[3] |= 1
	}
	if !info.key && !fresh {
		b[0] |= 0x40
		for i, back := range lay.refs {
			more := byte(0)
			if i < len(lay.refs)-1 {
				more = 1
			}
			b = append(b, byte(back)<<1|more)
		}
	}
	if structure {
		b[0] |= 0x02
		b = append(b, byte(active-1)<<5|0x10)
		for i := range active {
			s := st.of.track.spec[len(st.of.track.spec)-st.of.shape.spatial+i]
			b = binary.BigEndian.AppendUint16(b, uint16(s.Width))
			b = binary.BigEndian.AppendUint16(b, uint16(s.Height))
		}
	}
	return b
}

// h264Header writes an aggregate with parameter sets at the start of a key frame,
// else a fragment (RFC 6184 §5.7.1, §5.8); the body belongs to its last unit.
func h264Header(info *chainInfo) []byte {
	if info.key && info.part == 0 {
		return []byte{0x78, 0, 2, 0x67, 1, 0, 120, 0x68}
	}
	b := []byte{0x7c, 1}
	if info.key {
		b[1] = 5
	}
	if info.part == 0 || info.key && info.part == 1 {
		b[1] |= 0x80
	}
	if info.part == info.parts-1 {
		b[1] |= 0x40
	}
	return b
}

func (st *chainStream) packet(body []byte, marker bool) {
	p := &rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: st.seq, Timestamp: st.ts, SSRC: st.ssrc, Marker: marker},
		Payload: body,
	}
	_ = p.SetExtension(4, []byte(st.of.track.mid))
	if rids := st.of.track.rids; len(rids) > 0 {
		_ = p.SetExtension(10, []byte(rids[st.encoding]))
	}
	st.history[st.seq] = p
	delete(st.history, st.seq-2000)
	st.seq++
	if st.lose == nil || !st.lose(p) {
		st.of.cl.sendRTP(p)
	}
}

func (st *chainStream) resend(seq uint16) {
	was := st.history[seq]
	if was == nil {
		return
	}
	p := &rtp.Packet{Header: was.Header, Payload: append(binary.BigEndian.AppendUint16(nil, seq), was.Payload...)}
	p.Header.Extension, p.Header.Extensions = false, nil
	p.PayloadType, p.SSRC, p.SequenceNumber = 97, st.rtxSSRC, st.rtxSeq
	_ = p.SetExtension(4, []byte(st.of.track.mid))
	if rids := st.of.track.rids; len(rids) > 0 {
		_ = p.SetExtension(11, []byte(rids[st.encoding]))
	}
	st.rtxSeq++
	st.of.cl.sendRTP(p)
}
