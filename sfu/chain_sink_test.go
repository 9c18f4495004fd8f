// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	formats "github.com/pion/rtp/codecs"
)

// This file simulates receivers as browsers are: a jitter buffer that takes what
// to wait for from the descriptors alone, and a decoder that fails the test when
// it gets a picture without all that it was made from.

const (
	chainDelay  = int64(80 * time.Millisecond)  // from the first packet of a picture to its decoding
	chainWait   = int64(500 * time.Millisecond) // how long a picture is waited for
	chainPLI    = int64(400 * time.Millisecond) // without a picture a key frame is asked for
	chainRepeat = int64(50 * time.Millisecond)  // between requests for one packet
)

// chainSink receives one forwarded track.
type chainSink struct {
	cl     *simClient
	d      *downTrack
	src    *chainSource
	begins int64

	packets map[int64]*chainPacket // by extended sequence number
	first   int64
	highest int64
	asked   map[int64]*chainAsk
	units   map[int64]*chainUnit // by extended timestamp
	newest  int64                // timestamp received
	lastTS  int64                // timestamp decoded
	running bool                 // something was decoded
	soonest int64                // next request for a key frame

	finder  finder
	decoded map[chainFrame]bool
	shown   []chainShown
	repairs int
	fillers int
	plis    int
	useless int // whole pictures that depend on something that did not come
}

// chainShown is a decoded picture.
type chainShown struct {
	at int64
	chainInfo
}

type chainPacket struct {
	payload []byte
	marker  bool
	ts      int64
	desc    chainDescriptor
}

type chainAsk struct {
	tries int
	next  int64
}

// chainUnit is all that has come of a picture, by spatial layer.
type chainUnit struct {
	ts     int64
	came   int64
	layers [3][]int64 // extended sequence numbers, ascending
}

// chainDescriptor is what a jitter buffer takes from a packet.
type chainDescriptor struct {
	start, end, key, sync bool
	sid, tid, tl0         uint8
	id                    uint16
	inter                 bool // needs the spatial layer below
	diffs                 []uint8
	body                  []byte
}

// watchChain begins forwarding a track to the client.
func (cl *simClient) watchChain(src *chainSource) *chainSink {
	rng := cl.s.rng
	d := &downTrack{to: cl.t, track: src.track, pt: 100, rtxPT: 101, ssrc: rng.Uint32() | 1, rtx: rng.Uint32() | 1, settings: Settings{Quality: 2}}
	if cl.reporter != nil {
		d.twcc = 3
	}
	k := &chainSink{
		cl: cl, d: d, src: src, begins: cl.s.c.now, packets: make(map[int64]*chainPacket), asked: make(map[int64]*chainAsk),
		units: make(map[int64]*chainUnit), decoded: make(map[chainFrame]bool),
	}
	if src.shape.codec == codecVP8 {
		k.finder.groups = make(map[int64][3]int64)
	}
	k.finder.done = make(map[[2]int64]bool)
	if cl.sinks == nil {
		cl.sinks = make(map[uint32]*chainSink)
	}
	cl.sinks[d.ssrc], cl.sinks[d.rtx] = k, k
	cl.s.c.addDown(d)
	cl.s.every(10*time.Millisecond, k.tick)
	return k
}

func (k *chainSink) fatalf(format string, args ...any) {
	k.cl.s.t.Helper()
	k.cl.s.t.Fatalf("%s: "+format, append([]any{k.src.shape.name}, args...)...)
}

func (k *chainSink) receive(p *rtp.Packet) {
	seq, payload := p.SequenceNumber, p.Payload
	if p.SSRC == k.d.rtx {
		if p.PayloadType != 101 || len(payload) < 2 {
			return // padding used to probe the path
		}
		seq, payload = binary.BigEndian.Uint16(payload), payload[2:]
		k.repairs++
	}
	ext := int64(seq) + 1<<20
	if k.first != 0 {
		ext = k.highest + int64(int16(seq-uint16(k.highest)))
	} else {
		k.first, k.newest = ext, int64(p.Timestamp)+1<<33
	}
	k.first = min(k.first, ext)
	if was := k.packets[ext]; was != nil {
		if string(was.payload) != string(payload) || uint32(was.ts) != p.Timestamp || was.marker != p.Marker {
			k.fatalf("two different packets under sequence number %d", seq)
		}
		return
	}
	q := &chainPacket{payload: slices.Clone(payload), marker: p.Marker, ts: k.newest + int64(int32(p.Timestamp-uint32(k.newest)))}
	k.highest, k.newest = max(k.highest, ext), max(k.newest, q.ts)
	k.packets[ext] = q
	delete(k.asked, ext)
	delete(k.packets, ext-5000)
	if len(payload) == 0 {
		k.fillers++
		return
	}
	q.desc = describe(k.src.shape.codec, q)
	k.collect(ext, q)
}

func (k *chainSink) collect(ext int64, q *chainPacket) {
	u := k.units[q.ts]
	if u == nil {
		if k.running && q.ts <= k.lastTS {
			return // too late
		}
		u = &chainUnit{ts: q.ts, came: k.cl.s.c.now}
		k.units[q.ts] = u
	}
	l := &u.layers[q.desc.sid]
	at, _ := slices.BinarySearch(*l, ext)
	*l = slices.Insert(*l, at, ext)
}

// describe reads a descriptor with another parser than the server's.
func describe(codec codec, p *chainPacket) (d chainDescriptor) {
	switch codec {
	case codecVP8:
		var v formats.VP8Packet
		d.body, _ = v.Unmarshal(p.payload)
		d.start, d.end, d.id, d.tl0, d.tid, d.sync = v.S == 1 && v.PID == 0, p.marker, v.PictureID, v.TL0PICIDX, v.TID, v.Y == 1
		d.key = d.start && d.body[0]&1 == 0
		d.body = d.body[1:]
	case codecVP9:
		var v formats.VP9Packet
		d.body, _ = v.Unmarshal(p.payload)
		d.start, d.end, d.id, d.tid, d.sid, d.sync = v.B, v.E, v.PictureID, v.TID, v.SID, v.U
		d.key, d.inter, d.diffs = !v.P, v.D, v.PDiff
	default:
		d.end = p.marker
		if p.payload[0]&31 == 24 {
			d.start, d.key, d.body = true, true, p.payload[8:]
			break
		}
		d.start, d.body = p.payload[1]&0x9f == 0x81, p.payload[2:]
	}
	return d
}

// tick asks for what is missing and decodes what is due.
func (k *chainSink) tick() {
	now := k.cl.s.c.now
	k.ask(now)
	for {
		u := k.oldest()
		if u == nil || now-u.came < chainDelay {
			break
		}
		if !k.whole(u) {
			if now-u.came < chainWait {
				break
			}
		} else {
			k.decode(u)
		}
		delete(k.units, u.ts)
	}
	last := k.begins
	if n := len(k.shown); n > 0 {
		last = k.shown[n-1].at
	}
	if now-last > chainPLI && now >= k.soonest {
		k.soonest = now + chainPLI
		k.plis++
		k.cl.sendRTCP(&rtcp.PictureLossIndication{MediaSSRC: k.d.ssrc})
	}
}

func (k *chainSink) ask(now int64) {
	var seqs []uint16
	for ext := max(k.first, k.highest-400); ext < k.highest; ext++ {
		if k.packets[ext] != nil {
			continue
		}
		a := k.asked[ext]
		if a == nil {
			a = &chainAsk{next: now + int64(10*time.Millisecond)}
			k.asked[ext] = a
		}
		if now >= a.next && a.tries < 10 {
			a.tries, a.next = a.tries+1, now+chainRepeat
			seqs = append(seqs, uint16(ext))
		}
	}
	if len(seqs) > 0 {
		k.cl.sendRTCP(&rtcp.TransportLayerNack{MediaSSRC: k.d.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)})
	}
}

func (k *chainSink) oldest() (first *chainUnit) {
	for _, u := range k.units {
		if first == nil || u.ts < first.ts {
			first = u
		}
	}
	return first
}

// whole tells that all layers of a picture up to the one with the marker are
// there without a gap.
func (k *chainSink) whole(u *chainUnit) bool {
	marked := false
	for sid, l := range u.layers {
		if len(l) == 0 {
			break
		}
		first, last := k.packets[l[0]], k.packets[l[len(l)-1]]
		if marked {
			k.fatalf("picture %d goes on with layer %d behind its marker", first.desc.id, sid)
		}
		if !first.desc.start || !last.desc.end || l[len(l)-1]-l[0] != int64(len(l)-1) {
			return false
		}
		marked = last.marker
	}
	return marked
}

// decode gives a picture to the decoder if the jitter buffer takes all that it
// depends on for decoded.
func (k *chainSink) decode(u *chainUnit) {
	for sid, l := range u.layers {
		if len(l) == 0 {
			break
		}
		first := k.packets[l[0]]
		if !k.finder.decodable(k.src.shape.codec, first, k.before(l[0])) {
			if sid > 0 {
				k.fatalf("picture %d: layer %d misses something, the layers below do not", first.desc.id, sid)
			}
			k.useless++
			return
		}
		info := k.frame(u, l)
		if info.spatial == 0 {
			k.shown = append(k.shown, chainShown{at: k.cl.s.c.now, chainInfo: info})
		}
		k.shown[len(k.shown)-1].spatial = info.spatial
	}
	if k.running && u.ts <= k.lastTS {
		k.fatalf("timestamps do not rise")
	}
	k.running, k.lastTS = true, u.ts
}

// frame is the decoder: it checks one picture of one layer.
func (k *chainSink) frame(u *chainUnit, l []int64) chainInfo {
	info := readInfo(k.packets[l[0]].desc.body)
	if int(info.parts) != len(l) {
		k.fatalf("picture %d layer %d has %d of %d parts", info.n, info.spatial, len(l), info.parts)
	}
	for i, ext := range l {
		if got := readInfo(k.packets[ext].desc.body); got.chainFrame != info.chainFrame || int(got.part) != i {
			k.fatalf("picture %+v is mixed up with %+v", info, got)
		}
	}
	for _, r := range info.refs {
		if !k.decoded[r] {
			k.fatalf("picture %d of encoding %d, layer %d/%d was decoded without picture %d layer %d, which it depends on (forwarding %d/%d)",
				info.n, info.encoding, info.spatial, info.tid, r.n, r.spatial, k.d.current, k.d.temporal())
		}
	}
	if info.key && info.spatial == 0 {
		clear(k.decoded) // a key picture replaces all that decoders keep
	}
	k.decoded[info.chainFrame] = true
	return info
}

// before tells whether the packet before ext is there, so that nothing is
// missing between two pictures.
func (k *chainSink) before(ext int64) int64 {
	for ext--; k.packets[ext] != nil; ext-- {
		if p := k.packets[ext]; len(p.payload) > 0 {
			return p.ts
		}
	}
	return -1
}
