// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

const ms = int64(1e6)

// body returns a payload of n bytes that can be told from that of any other seq.
func body(seq uint16, n int) []byte {
	b := make([]byte, n)
	for i := 0; i+4 <= n; i += 4 {
		binary.BigEndian.PutUint32(b[i:], uint32(seq)<<16|uint32(i))
	}
	return b
}

func put(r *Ring, seq uint16, n int, now int64) {
	r.Put(seq, uint32(seq)*3, seq%5 == 0, uint32(seq)+7, body(seq, n), now)
}

func check(t *testing.T, r *Ring, seq uint16, n int) {
	t.Helper()
	e, ok := r.Get(seq)
	if !ok {
		t.Fatalf("packet %d is gone", seq)
	}
	if e.Seq != seq || e.TS != uint32(seq)*3 || e.Marker != (seq%5 == 0) || e.Meta != uint32(seq)+7 {
		t.Fatalf("packet %d came back as %+v", seq, e)
	}
	if !bytes.Equal(e.Payload, body(seq, n)) {
		t.Fatalf("payload of packet %d is another", seq)
	}
}

func TestEmpty(t *testing.T) {
	r := New(0, 0)
	for seq := range 1 << 16 {
		if _, ok := r.Get(uint16(seq)); ok {
			t.Fatalf("packet %d in an empty ring", seq)
		}
	}
	if r.Cap() != 0 {
		t.Errorf("an arena of %d bytes before the first packet", r.Cap())
	}
}

func TestGrowsToHoldThreeHundredPackets(t *testing.T) {
	r := New(4096, 1<<20)
	for i := range 5000 {
		put(r, uint16(i), 1000, int64(i)*10*ms)
	}
	for i := 5000 - 300; i < 5000; i++ {
		check(t, r, uint16(i), 1000)
	}
	if r.Cap() > 1<<19 {
		t.Errorf("arena grew to %d bytes for 300 packets of 1000", r.Cap())
	}
}

func TestGrowsToHoldSixHundredMilliseconds(t *testing.T) {
	r := New(4096, 1<<20)
	for i := range 20000 {
		put(r, uint16(i), 400, int64(i)*ms)
	}
	for i := 20000 - 600; i < 20000; i++ {
		check(t, r, uint16(i), 400)
	}
}

func TestLimit(t *testing.T) {
	r := New(4096, 10000)
	for i := range 1000 {
		put(r, uint16(i), 1000, int64(i)*ms)
	}
	if r.Cap() != 10000 {
		t.Errorf("arena of %d bytes, want the limit of 10000", r.Cap())
	}
	for i := 1000 - 10; i < 1000; i++ {
		check(t, r, uint16(i), 1000)
	}
	if _, ok := r.Get(989); ok {
		t.Error("an overwritten packet is still there")
	}
}

func TestGrowthForgetsWhatItLeavesBehind(t *testing.T) {
	r := New(30000, 60000)
	for i := range 306 {
		put(r, uint16(i), 98, int64(i)*10*ms)
	}
	for i := 306; i < 306+30; i++ {
		put(r, uint16(i), 1100, 3060*ms)
	}
	if r.Cap() != 60000 {
		t.Fatalf("arena of %d bytes, want it doubled", r.Cap())
	}
	for i := range 306 {
		if _, ok := r.Get(uint16(i)); ok {
			check(t, r, uint16(i), 98)
		}
	}
	for i := 306; i < 306+30; i++ {
		check(t, r, uint16(i), 1100)
	}
}

func TestSizes(t *testing.T) {
	r := New(2048, 200000)
	put(r, 1, 0, 0)
	put(r, 2, 5000, 0)
	put(r, 3, 65535, 0)
	check(t, r, 1, 0)
	check(t, r, 2, 5000)
	check(t, r, 3, 65535)
	r.Put(4, 0, false, 0, make([]byte, 65536), 0)
	if _, ok := r.Get(4); ok {
		t.Error("a payload longer than any packet was stored")
	}
	small := New(2048, 2048)
	small.Put(4, 0, false, 0, make([]byte, 2049), 0)
	if _, ok := small.Get(4); ok {
		t.Error("a payload longer than the arena was stored")
	}
	put(small, 5, 2048, 0)
	check(t, small, 5, 2048)
}

func TestOrderAndRepeats(t *testing.T) {
	r := New(1<<16, 1<<16)
	for _, seq := range []uint16{65534, 1, 65535, 0, 65534} {
		put(r, seq, 100+int(seq%7), 0)
	}
	for _, seq := range []uint16{65534, 65535, 0, 1} {
		check(t, r, seq, 100+int(seq%7))
	}
	put(r, 1+slots, 50, 0)
	if _, ok := r.Get(1); ok {
		t.Error("a packet whose index entry was reused is still there")
	}
	check(t, r, 1+slots, 50)
}

// TestAgainstModel runs random traffic and compares every answer with a map of
// all packets: whatever the ring returns must be right, and the newest packets
// must be there.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := New(2048+random.IntN(50000), 1<<17)
		type stored struct {
			size int
			at   int
		}
		model := map[uint16]stored{}
		seq := uint16(random.Uint32())
		now := int64(0)
		for i := range 6000 {
			n := random.IntN(1300)
			late := uint16(0)
			if random.IntN(20) == 0 {
				late = uint16(random.IntN(30))
			} else {
				seq += uint16(1 + random.IntN(20)/19)
			}
			put(r, seq-late, n, now)
			model[seq-late] = stored{n, i}
			now += int64(random.IntN(10)) * ms
			if i%50 != 0 {
				continue
			}
			for s, m := range model {
				if _, ok := r.Get(s); ok {
					check(t, r, s, m.size)
				} else if i-m.at < 40 {
					t.Fatalf("seed %d: packet %d stored %d packets ago is gone", seed, s, i-m.at)
				}
			}
		}
	}
}

func TestPayloadCannotReachItsNeighbour(t *testing.T) {
	r := New(4096, 4096)
	put(r, 1, 100, 0)
	put(r, 2, 100, 0)
	e, _ := r.Get(1)
	if cap(e.Payload) != 100 {
		t.Errorf("payload has room for %d bytes, want 100", cap(e.Payload))
	}
}

func FuzzRing(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 200, 100}, uint16(65530))
	f.Fuzz(func(t *testing.T, script []byte, seq uint16) {
		r := New(2048, 9000)
		sizes := map[uint16]int{}
		for i, op := range script {
			seq += uint16(op%11) - 3
			n := int(op) * 13
			put(r, seq, n, int64(i)*ms)
			sizes[seq] = n
			check(t, r, seq, n)
		}
		for s, n := range sizes {
			if _, ok := r.Get(s); ok {
				check(t, r, s, n)
			}
		}
	})
}

func TestNoAllocation(t *testing.T) {
	r := New(1<<20, 1<<20)
	payload := make([]byte, 1100)
	seq := uint16(0)
	put(r, 0, 10, 0)
	if n := testing.AllocsPerRun(5000, func() {
		seq++
		r.Put(seq, 1, true, 2, payload, int64(seq)*ms)
		if _, ok := r.Get(seq - 1); !ok {
			t.Fatal("packet not stored")
		}
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func BenchmarkPut(b *testing.B) {
	r := New(1<<19, 1<<20)
	payload := make([]byte, 1100)
	var seq uint16
	var now int64
	b.ReportAllocs()
	for b.Loop() {
		seq++
		now += 5 * ms
		r.Put(seq, 1, false, 0, payload, now)
	}
}

func BenchmarkGet(b *testing.B) {
	r := New(1<<19, 1<<20)
	for i := range 300 {
		put(r, uint16(i), 1100, int64(i)*5*ms)
	}
	var seq uint16
	b.ReportAllocs()
	for b.Loop() {
		seq = (seq + 1) % 300
		if _, ok := r.Get(seq); !ok {
			b.Fatal("packet not found")
		}
	}
}
