// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package red

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

const opus = 111

// build writes a payload of redundant blocks and a primary one.
func build(primary []byte, blocks ...Block) (b []byte) {
	for _, r := range blocks {
		n := len(r.Payload)
		b = append(b, r.PT|bitMore, byte(r.Offset>>6), byte(r.Offset<<2)|byte(n>>8), byte(n))
	}
	b = append(b, opus)
	for _, r := range blocks {
		b = append(b, r.Payload...)
	}
	return append(b, primary...)
}

func TestParse(t *testing.T) {
	a, b, c, d := []byte{1}, []byte{2, 2}, []byte{3, 3, 3}, bytes.Repeat([]byte{4}, 1023)
	tests := []struct {
		name string
		b    []byte
		pt   uint8
		main []byte
		want []Block
		err  error
	}{
		{name: "empty", err: ErrShort},
		{name: "header cut", b: []byte{0xEF, 0, 0}, err: ErrShort},
		{name: "no primary header", b: []byte{0xEF, 0, 0, 0}, err: ErrShort},
		{name: "block cut", b: []byte{0xEF, 0, 0, 2, 0x6F, 1}, err: ErrShort},
		{name: "too many", b: bytes.Repeat([]byte{0xEF, 0, 0, 0}, 20), err: ErrBlocks},
		{name: "primary alone", b: build(a), pt: opus, main: a},
		{name: "primary empty", b: build(nil), pt: opus, main: []byte{}},
		{name: "one", b: build(a, Block{opus, 960, b}), pt: opus, main: a, want: []Block{{opus, 960, b}}},
		{name: "greatest values", b: build(a, Block{127, 1<<14 - 1, d}), pt: opus, main: a, want: []Block{{127, 1<<14 - 1, d}}},
		{name: "the last three of four", b: build(a, Block{opus, 3840, d}, Block{opus, 2880, b}, Block{opus, 1920, c}, Block{opus, 960, a}),
			pt: opus, main: a, want: []Block{{opus, 2880, b}, {opus, 1920, c}, {opus, 960, a}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var p Packet
			if err := Parse(test.b, &p); !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			} else if err != nil {
				return
			}
			if p.PT != test.pt || !bytes.Equal(p.Payload, test.main) || fmt.Sprint(p.Redundant()) != fmt.Sprint(test.want) {
				t.Errorf("got %d %v %v", p.PT, p.Payload, p.Redundant())
			}
		})
	}
}

type sent struct {
	seq     uint16
	ts      uint32
	payload []byte
}

// recorded reads the packets of a browser.
func recorded(t *testing.T) (packets []sent) {
	t.Helper()
	file, err := os.Open("testdata/opus.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var p sent
		var text string
		if n, _ := fmt.Sscan(lines.Text(), &p.seq, &p.ts, &text); n != 3 {
			continue
		}
		if p.payload, err = hex.DecodeString(text); err != nil {
			t.Fatal(err)
		}
		packets = append(packets, p)
	}
	if len(packets) < 100 {
		t.Fatalf("only %d packets", len(packets))
	}
	return packets
}

// made builds packets with the given number of redundant blocks.
func made(n, redundant int) (packets []sent) {
	voice := func(i int) []byte { return []byte{byte(i), byte(i >> 8), 7} }
	for i := range n {
		var blocks []Block
		for k := min(redundant, i); k > 0; k-- {
			blocks = append(blocks, Block{opus, uint16(960 * k), voice(i - k)})
		}
		packets = append(packets, sent{uint16(65500 + i), uint32(1<<32-50_000) + uint32(960*i), build(voice(i), blocks...)})
	}
	return packets
}

// TestRecovery loses packets and reorders others, and compares what comes out
// with what was sent.
func TestRecovery(t *testing.T) {
	for name, packets := range map[string][]sent{"recorded": recorded(t), "one": made(3000, 1), "two": made(3000, 2), "four": made(3000, 4)} {
		depth := map[string]int{"recorded": 1, "one": 1, "two": 2, "four": 3}[name]
		for seed := range uint64(8) {
			random := rand.New(rand.NewPCG(seed, 3))
			primary := map[uint16]sent{}
			var order []sent
			lost, run, expected := 0, 0, 0
			for i, p := range packets {
				var taken Packet
				if Parse(p.payload, &taken) != nil {
					t.Fatalf("%s: packet %d not read", name, i)
				}
				primary[p.seq] = sent{p.seq, p.ts, taken.Payload}
				if i > 0 && random.IntN(10) < 1+run*4 && run < 6 {
					lost, run = lost+1, run+1
					continue
				}
				expected += min(run, depth)
				run = 0
				order = append(order, p)
				if n := len(order); random.IntN(15) == 0 && n > 2 {
					order[n-1], order[n-2] = order[n-2], order[n-1]
				}
			}
			var r Recovery
			var out [MaxRedundant]Recovered
			got := map[uint16]bool{}
			recovered := 0
			deliver := func(seq uint16, ts uint32, payload []byte) {
				want, known := primary[seq]
				if !known {
					return // the recording lacks it
				}
				if got[seq] || want.ts != ts || !bytes.Equal(want.payload, payload) {
					t.Fatalf("%s, seed %d: packet %d with %d bytes at %d, want %d at %d; seen %v",
						name, seed, seq, len(payload), ts, len(want.payload), want.ts, got[seq])
				}
				got[seq] = true
			}
			for _, p := range order {
				var taken Packet
				if err := Parse(p.payload, &taken); err != nil {
					t.Fatal(err)
				}
				found, fresh := r.Receive(out[:0], p.seq, p.ts, &taken)
				for _, f := range found {
					deliver(f.Seq, f.TS, f.Payload)
					recovered++
				}
				if fresh {
					deliver(p.seq, p.ts, taken.Payload)
				}
				if _, again := r.Receive(out[:0], p.seq, p.ts, &taken); again {
					t.Fatalf("packet %d is fresh twice", p.seq)
				}
			}
			if recovered < expected {
				t.Errorf("%s, seed %d: %d recovered of %d, at least %d expected", name, seed, recovered, lost, expected)
			}
		}
	}
}

func TestWhatIsNotRecovered(t *testing.T) {
	voice := []byte{1, 2, 3}
	tests := []struct {
		name    string
		payload []byte
		want    int
	}{
		{"fits", build(voice, Block{opus, 960, voice}), 1},
		{"another codec", build(voice, Block{9, 960, voice}), 0},
		{"no offset", build(voice, Block{opus, 0, voice}), 0},
		{"empty", build(voice, Block{opus, 960, nil}), 0},
		{"older than the gap", build(voice, Block{opus, 2880, voice}), 0},
		{"out of order", build(voice, Block{opus, 480, voice}, Block{opus, 960, voice}), 1},
		{"more blocks than packets", build(voice, Block{opus, 2000, voice}, Block{opus, 1920, voice}, Block{opus, 960, voice}), 0},
	}
	for _, test := range tests {
		var r Recovery
		var p Packet
		for _, first := range []uint16{8, 9} {
			if Parse(build(voice), &p) != nil {
				t.Fatal("not read")
			}
			if got, fresh := r.Receive(nil, first, uint32(first)*960, &p); len(got) != 0 || !fresh {
				t.Fatalf("%v, %v from a packet in order", got, fresh)
			}
		}
		if Parse(test.payload, &p) != nil {
			t.Fatal("not read")
		}
		if got, _ := r.Receive(nil, 12, 12*960, &p); len(got) != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	// Nothing is recovered from before the first packet, nor across a jump.
	var r Recovery
	var p Packet
	if Parse(build(voice, Block{opus, 960, voice}), &p) != nil {
		t.Fatal("not read")
	}
	for _, seq := range []uint16{500, 30_000, 29_000} {
		if got, fresh := r.Receive(nil, seq, 77, &p); len(got) != 0 || !fresh {
			t.Errorf("at %d: %v, %v", seq, got, fresh)
		}
	}
	if _, fresh := r.Receive(nil, 29_000-window, 78, &p); fresh {
		t.Error("a packet that is too late to tell is fresh")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(build([]byte{1, 2}, Block{opus, 960, []byte{3}}))
	f.Add(build([]byte{1, 2}, Block{opus, 1920, []byte{4, 4}}, Block{opus, 960, []byte{3}}))
	f.Add([]byte{0xEF, 0xFF, 0xFF, 0xFF, 0x6F})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Packet
		if Parse(b, &p) != nil {
			return
		}
		total := len(p.Payload)
		for _, r := range p.Redundant() {
			if r.PT > 127 || r.Offset >= 1<<14 {
				t.Fatalf("%x: %+v", b, r)
			}
			total += len(r.Payload)
		}
		if total >= len(b) || !bytes.HasSuffix(b, p.Payload) || p.PT > 127 {
			t.Fatalf("%x read as %+v", b, p)
		}
		if p.count < MaxRedundant {
			want := append([]byte(nil), build(p.Payload, p.Redundant()...)...)
			want[headerSize*p.count] = p.PT
			if !bytes.Equal(want, b) {
				t.Fatalf("%x written again is %x", b, want)
			}
		}
		var r Recovery
		r.Receive(nil, 10, 100_000, &Packet{PT: p.PT})
		found, _ := r.Receive(nil, 14, 104_000, &p)
		for i, one := range found {
			if one.Seq < 11 || one.Seq > 13 || int32(one.TS-100_000) <= 0 || i > 0 && (one.Seq != found[i-1].Seq+1 || one.TS <= found[i-1].TS) {
				t.Fatalf("%x: recovered %+v", b, found)
			}
		}
	})
}

func TestNoAllocation(t *testing.T) {
	packets := made(4000, 2)
	var r Recovery
	var p Packet
	var out [MaxRedundant]Recovered
	n, recovered := 0, 0
	if allocs := testing.AllocsPerRun(1000, func() {
		s := &packets[n]
		n += 1 + n%3
		if Parse(s.payload, &p) != nil {
			t.Fatal("not read")
		}
		found, _ := r.Receive(out[:0], s.seq, s.ts, &p)
		recovered += len(found)
	}); allocs != 0 || recovered == 0 {
		t.Errorf("%v allocations per packet, %d recovered", allocs, recovered)
	}
}

func BenchmarkParseAndReceive(b *testing.B) {
	packets := made(4000, 2)
	var r Recovery
	var p Packet
	var out [MaxRedundant]Recovered
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		s := &packets[n]
		if Parse(s.payload, &p) != nil {
			b.Fatal("not read")
		}
		r.Receive(out[:0], s.seq, s.ts, &p)
		if n++; n == len(packets) {
			n = 0
		}
	}
}
