// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package rtpx

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/pion/rtp"
)

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func fixed(first byte) []byte {
	return []byte{first, 0x80 | 96, 0x12, 0x34, 1, 2, 3, 4, 0xAA, 0xBB, 0xCC, 0xDD}
}

func TestParse(t *testing.T) {
	payload := []byte{9, 8, 7, 6}
	tests := []struct {
		name    string
		b       []byte
		err     error
		header  int
		padding int
	}{
		{name: "empty", err: ErrShort},
		{name: "eleven bytes", b: fixed(0x80)[:11], err: ErrShort},
		{name: "version 1", b: fixed(0x40), err: ErrVersion},
		{name: "no payload", b: fixed(0x80), header: 12},
		{name: "payload", b: join(fixed(0x80), payload), header: 12},
		{name: "csrc", b: join(fixed(0x82), make([]byte, 8), payload), header: 20},
		{name: "csrc cut off", b: join(fixed(0x82), make([]byte, 7)), err: ErrShort},
		{name: "extension without header", b: join(fixed(0x90), []byte{0xBE, 0xDE, 0}), err: ErrShort},
		{name: "extension cut off", b: join(fixed(0x90), []byte{0xBE, 0xDE, 0, 2, 0, 0, 0, 0}), err: ErrShort},
		{name: "empty extension", b: join(fixed(0x90), []byte{0xBE, 0xDE, 0, 0}, payload), header: 16},
		{name: "extension", b: join(fixed(0x90), []byte{0xBE, 0xDE, 0, 1, 0x10, 5, 0, 0}, payload), header: 20},
		{name: "padding", b: join(fixed(0xA0), []byte{1, 2, 0, 0, 3}), header: 12, padding: 3},
		{name: "padding only", b: join(fixed(0xA0), []byte{0, 0, 3}), header: 12, padding: 3},
		{name: "padding into header", b: join(fixed(0xA0), []byte{0, 0, 4}), err: ErrPadding},
		{name: "padding zero", b: join(fixed(0xA0), []byte{1, 2, 0}), err: ErrPadding},
		{name: "padding without payload", b: fixed(0xA0), err: ErrPadding},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var p Packet
			if err := p.Parse(test.b); !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if test.err != nil {
				return
			}
			if p.HeaderLen != test.header || p.Padding != test.padding {
				t.Errorf("header %d padding %d, want %d and %d", p.HeaderLen, p.Padding, test.header, test.padding)
			}
			if want := test.b[test.header : len(test.b)-test.padding]; !bytes.Equal(p.Payload(), want) {
				t.Errorf("payload %x, want %x", p.Payload(), want)
			}
			if p.PT != 96 || !p.Marker || p.Seq != 0x1234 || p.TS != 0x01020304 || p.SSRC != 0xAABBCCDD {
				t.Errorf("fixed header read as %+v", p)
			}
		})
	}
}

func TestExt(t *testing.T) {
	tests := []struct {
		name string
		ext  []byte
		id   uint8
		want []byte
	}{
		{"one byte", []byte{0xBE, 0xDE, 0, 1, 0x31, 1, 2, 0}, 3, []byte{1, 2}},
		{"one byte second", []byte{0xBE, 0xDE, 0, 2, 0x10, 7, 0, 0x51, 1, 2, 0, 0}, 5, []byte{1, 2}},
		{"one byte missing", []byte{0xBE, 0xDE, 0, 1, 0x31, 1, 2, 0}, 4, nil},
		{"id zero", []byte{0xBE, 0xDE, 0, 1, 0x31, 1, 2, 0}, 0, nil},
		{"id fifteen ends", []byte{0xBE, 0xDE, 0, 2, 0xF0, 7, 0x50, 1, 0, 0, 0, 0}, 5, nil},
		{"id fifteen is no id", []byte{0xBE, 0xDE, 0, 1, 0xF0, 7, 0, 0}, 15, nil},
		{"zero with length ends", []byte{0xBE, 0xDE, 0, 2, 0x01, 7, 7, 0x50, 1, 0, 0, 0}, 5, nil},
		{"one byte overrun", []byte{0xBE, 0xDE, 0, 1, 0x33, 1, 2, 3}, 3, nil},
		{"two byte", []byte{0x10, 0x00, 0, 2, 20, 3, 1, 2, 3, 0, 0, 0}, 20, []byte{1, 2, 3}},
		{"two byte with application bits", []byte{0x10, 0x05, 0, 1, 20, 1, 1, 0}, 20, []byte{1}},
		{"two byte empty", []byte{0x10, 0x00, 0, 1, 20, 0, 0, 0}, 20, []byte{}},
		{"two byte after padding", []byte{0x10, 0x00, 0, 2, 0, 0, 1, 0, 20, 1, 5, 0}, 20, []byte{5}},
		{"two byte overrun", []byte{0x10, 0x00, 0, 1, 20, 3, 1, 2}, 20, nil},
		{"two byte without length", []byte{0x10, 0x00, 0, 1, 0, 0, 0, 20}, 20, nil},
		{"other profile", []byte{0x99, 0x99, 0, 1, 0x31, 1, 2, 0}, 3, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var p Packet
			if err := p.Parse(join(fixed(0x90), test.ext, []byte{1, 2, 3})); err != nil {
				t.Fatal(err)
			}
			got := p.Ext(test.id)
			if !bytes.Equal(got, test.want) || (got == nil) != (test.want == nil) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
		})
	}
	var p Packet
	if err := p.Parse(fixed(0x80)); err != nil || p.Ext(1) != nil {
		t.Errorf("extension found in a packet without one (%v)", err)
	}
}

func TestParseForgetsThePacketBefore(t *testing.T) {
	var p Packet
	if err := p.Parse(join(fixed(0xB0), []byte{0xBE, 0xDE, 0, 1, 0x10, 5, 0, 0}, []byte{1, 1})); err != nil {
		t.Fatal(err)
	}
	if err := p.Parse(join(fixed(0x80), []byte{1, 2, 3, 4})); err != nil {
		t.Fatal(err)
	}
	if p.Padding != 0 || p.Ext(1) != nil || len(p.Payload()) != 4 {
		t.Errorf("left over: padding %d, ext %x, payload %x", p.Padding, p.Ext(1), p.Payload())
	}
}

func TestPutHeaderRefuses(t *testing.T) {
	good := HeaderSpec{NExt: 2, Ext: [2]ExtElement{{ID: 1, Len: 4}, {ID: 14, Len: 4}}}
	if got := PutHeader(make([]byte, MaxHeaderLen), &good); got != MaxHeaderLen {
		t.Fatalf("longest header is %d bytes, want %d", got, MaxHeaderLen)
	}
	for n := range MaxHeaderLen {
		if got := PutHeader(make([]byte, n), &good); got != 0 {
			t.Errorf("wrote %d bytes into %d", got, n)
		}
	}
	for name, e := range map[string]ExtElement{
		"id 0": {ID: 0, Len: 1}, "id 15": {ID: 15, Len: 1}, "no data": {ID: 1}, "five bytes": {ID: 1, Len: 5},
	} {
		bad := good
		bad.Ext[1] = e
		if got := PutHeader(make([]byte, 64), &bad); got != 0 {
			t.Errorf("%s: wrote %d bytes", name, got)
		}
	}
	for _, n := range []int{-1, 3} {
		bad := good
		bad.NExt = n
		if got := PutHeader(make([]byte, 64), &bad); got != 0 {
			t.Errorf("%d elements: wrote %d bytes", n, got)
		}
	}
}

// specFrom builds an arbitrary valid HeaderSpec.
func specFrom(a, b uint64, data []byte) HeaderSpec {
	h := HeaderSpec{
		PT: uint8(a) & 0x7F, Marker: a&0x80 != 0, Seq: uint16(a >> 8),
		TS: uint32(a >> 24), SSRC: uint32(b), NExt: int(b>>32) % 3,
	}
	for i := range h.NExt {
		h.Ext[i].ID = uint8(b>>(36+4*i))%(maxOneByteID/2) + 1 + uint8(i)*maxOneByteID/2
		h.Ext[i].Len = uint8(b>>(50+2*i))%4 + 1
		copy(h.Ext[i].Data[:h.Ext[i].Len], data)
	}
	return h
}

func checkPut(t *testing.T, h HeaderSpec, payload []byte) {
	t.Helper()
	buf := make([]byte, MaxHeaderLen+len(payload))
	n := PutHeader(buf, &h)
	if n == 0 || n%4 != 0 {
		t.Fatalf("header of %d bytes for %+v", n, h)
	}
	copy(buf[n:], payload)
	buf = buf[:n+len(payload)]
	var p Packet
	if err := p.Parse(buf); err != nil {
		t.Fatalf("parsing what was put: %v", err)
	}
	if p.PT != h.PT || p.Marker != h.Marker || p.Seq != h.Seq || p.TS != h.TS || p.SSRC != h.SSRC || p.HeaderLen != n {
		t.Fatalf("put %+v, read %+v", h, p)
	}
	if !bytes.Equal(p.Payload(), payload) {
		t.Fatalf("payload %x, want %x", p.Payload(), payload)
	}
	for i := range h.NExt {
		if got, want := p.Ext(h.Ext[i].ID), h.Ext[i].Data[:h.Ext[i].Len]; !bytes.Equal(got, want) {
			t.Fatalf("extension %d is %x, want %x", h.Ext[i].ID, got, want)
		}
	}
	comparePion(t, &p, buf)
}

// comparePion reads buf with an independent implementation and compares. That
// one also refuses malformed extension elements and reads a padding of 0, so
// only what both accept is compared.
func comparePion(t *testing.T, p *Packet, buf []byte) {
	t.Helper()
	var other rtp.Packet
	if err := other.Unmarshal(buf); err != nil {
		return
	}
	if other.PayloadType != p.PT || other.Marker != p.Marker || other.SequenceNumber != p.Seq ||
		other.Timestamp != p.TS || other.SSRC != p.SSRC {
		t.Fatalf("fixed header differs: %+v and %+v", other.Header, p)
	}
	if !bytes.Equal(other.Payload, p.Payload()) || int(other.PaddingSize) != p.Padding {
		t.Fatalf("payload %x padding %d, other %x padding %d", p.Payload(), p.Padding, other.Payload, other.PaddingSize)
	}
	if other.ExtensionProfile != profileOneByte && other.ExtensionProfile != profileTwoByte {
		return
	}
	seen := map[uint8]bool{}
	for _, id := range other.GetExtensionIDs() {
		if id == 0 || seen[id] {
			continue
		}
		seen[id] = true
		if got, want := p.Ext(id), other.GetExtension(id); !bytes.Equal(got, want) {
			t.Fatalf("extension %d is %x, other %x", id, got, want)
		}
	}
}

func TestPutHeaderRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		payload := make([]byte, random.IntN(40))
		checkPut(t, specFrom(random.Uint64(), random.Uint64(), []byte{1, 2, 3, 4}), payload)
	}
}

func TestAgainstPion(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 20000 {
		in := rtp.Packet{Header: rtp.Header{
			Version: 2, Marker: i%2 == 0, PayloadType: uint8(random.IntN(128)), SequenceNumber: uint16(random.Uint32()),
			Timestamp: random.Uint32(), SSRC: random.Uint32(), CSRC: make([]uint32, random.IntN(4)),
		}, Payload: make([]byte, random.IntN(50))}
		two := random.IntN(2) == 0
		for range random.IntN(4) {
			id, n := uint8(random.IntN(maxOneByteID)+1), random.IntN(16)+1
			if two {
				id, n = uint8(random.IntN(255)+1), random.IntN(40)
			}
			if in.Header.ExtensionProfile == 0 {
				in.Header.Extension = true
				in.Header.ExtensionProfile = profileOneByte
				if two {
					in.Header.ExtensionProfile = profileTwoByte
				}
			}
			if err := in.SetExtension(id, make([]byte, n)); err != nil {
				t.Fatal(err)
			}
		}
		if random.IntN(3) == 0 {
			in.Header.Padding = true
			in.PaddingSize = uint8(random.IntN(255) + 1)
		}
		buf, err := in.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var p Packet
		if err := p.Parse(buf); err != nil {
			t.Fatalf("%v for %x", err, buf)
		}
		comparePion(t, &p, buf)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	f.Add(join(fixed(0xB2), make([]byte, 8), []byte{0xBE, 0xDE, 0, 1, 0x10, 5, 0, 0}, []byte{1, 1}))
	f.Add(join(fixed(0x90), []byte{0x10, 0x00, 0, 2, 20, 3, 1, 2, 3, 0, 0, 0}, []byte{1, 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Packet
		if err := p.Parse(b); err != nil {
			return
		}
		if p.HeaderLen+len(p.Payload())+p.Padding != len(b) {
			t.Fatalf("%d + %d + %d bytes of %d", p.HeaderLen, len(p.Payload()), p.Padding, len(b))
		}
		for id := range 256 {
			if e := p.Ext(uint8(id)); len(e) > 255 {
				t.Fatalf("extension %d of %d bytes", id, len(e))
			}
		}
		comparePion(t, &p, b)
	})
}

func FuzzPutHeader(f *testing.F) {
	f.Add(uint64(1), uint64(1)<<32, []byte{1, 2})
	f.Fuzz(func(t *testing.T, a, b uint64, payload []byte) {
		checkPut(t, specFrom(a, b, payload), payload)
	})
}

func TestNoAllocation(t *testing.T) {
	buf := join(fixed(0x90), []byte{0xBE, 0xDE, 0, 2, 0x10, 7, 0, 0x51, 1, 2, 0, 0}, make([]byte, 1000))
	h := specFrom(1<<40|5, 2<<32, []byte{1, 2, 3, 4})
	var p Packet
	out := make([]byte, MaxHeaderLen)
	if n := testing.AllocsPerRun(1000, func() {
		if p.Parse(buf) != nil || p.Ext(5) == nil || len(p.Payload()) == 0 || PutHeader(out, &h) == 0 {
			t.Fatal("packet not handled")
		}
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func BenchmarkParse(b *testing.B) {
	buf := join(fixed(0x90), []byte{0xBE, 0xDE, 0, 2, 0x10, 7, 0, 0x51, 1, 2, 0, 0}, make([]byte, 1000))
	var p Packet
	b.ReportAllocs()
	for b.Loop() {
		if p.Parse(buf) != nil || p.Ext(5) == nil {
			b.Fatal("packet not read")
		}
	}
}

func BenchmarkPutHeader(b *testing.B) {
	h := HeaderSpec{PT: 96, Seq: 7, TS: 9, SSRC: 11, NExt: 2, Ext: [2]ExtElement{{ID: 3, Len: 2}, {ID: 4, Len: 3}}}
	out := make([]byte, MaxHeaderLen)
	b.ReportAllocs()
	for b.Loop() {
		h.Seq++
		if PutHeader(out, &h) != 24 {
			b.Fatal("header not written")
		}
	}
}
