// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"math/rand/v2"
	"testing"
)

const (
	ms     = int64(1e6)
	second = int64(1e9)
)

// play sends frames of two packets at fps from start on, in temporal layers 0 2
// 1 2, and returns the time after the last one.
func play(l *Layer, start, length int64, fps int64, sizes [3]int) int64 {
	pattern := [4]uint8{0, 2, 1, 2}
	for i := int64(0); ; i++ {
		now := start + i*second/fps
		if now >= start+length {
			return now
		}
		tid := pattern[i%4]
		l.Add(now, tid, sizes[tid], true)
		l.Add(now, tid, sizes[tid], false)
	}
}

func within(t *testing.T, what string, got, want uint32, percent uint32) {
	t.Helper()
	if uint64(got)*100 < uint64(want)*uint64(100-percent) || uint64(got)*100 > uint64(want)*uint64(100+percent) {
		t.Errorf("%s is %d, want %d ±%d %%", what, got, want, percent)
	}
}

func TestRates(t *testing.T) {
	var l Layer
	if r := l.Rates(5 * second); r != [Temporal]uint32{} {
		t.Fatalf("an unused meter shows %v", r)
	}
	now := play(&l, 7*second, 3*second, 30, [3]int{600, 400, 300})
	r, f := l.Rates(now), l.FrameRates(now)
	within(t, "temporal layer 0", r[0], 7.5*2*600*8, 8)
	within(t, "temporal layer 1", r[1], 7.5*2*400*8, 8)
	within(t, "temporal layer 2", r[2], 15*2*300*8, 8)
	within(t, "frames of 0", f[0], 7500, 10)
	within(t, "frames of 0 and 1", f[1], 15000, 8)
	within(t, "frames of all", f[2], 30000, 5)
	if r[3] != 0 || f[3] != f[2] {
		t.Errorf("temporal layer 3 shows %d bit/s and %d frames of %d", r[3], f[3], f[2])
	}
}

func TestYoungLayer(t *testing.T) {
	var l Layer
	l.Add(second, 0, 1000, true)
	if r := l.Rates(second)[0]; r > 1000*8*4 {
		t.Errorf("one packet counts as %d bit/s", r)
	}
	l.Reset()
	now := play(&l, second, 400*ms, 30, [3]int{600, 600, 600})
	r := l.Rates(now)
	within(t, "the rate after 400 ms", r[0]+r[1]+r[2], 30*2*600*8, 10)
}

func TestRateEndsWithThePackets(t *testing.T) {
	var l Layer
	now := play(&l, 0, 2*second, 30, [3]int{500, 500, 500})
	last := uint32(1 << 31)
	for ; now < 4*second; now += 10 * ms {
		r := l.Rates(now)
		sum := r[0] + r[1] + r[2]
		if sum > last+last/10 {
			t.Fatalf("the rate grows from %d to %d without packets", last, sum)
		}
		last = sum
	}
	if last != 0 {
		t.Errorf("%d bit/s two seconds after the last packet", last)
	}
	silence, started := l.Silent(now)
	if !started || silence < 2*second {
		t.Errorf("silent for %d, %v", silence, started)
	}
	l.Add(now+600*second, 1, 900, true)
	if r := l.Rates(now + 600*second); r[1] == 0 || r[0] != 0 {
		t.Errorf("after a long silence: %v", r)
	}
}

// TestAgainstAList compares with a plain list of packets.
func TestAgainstAList(t *testing.T) {
	type packet struct {
		at   int64
		tid  uint8
		size int
	}
	random := rand.New(rand.NewPCG(1, 2))
	var l Layer
	var list []packet
	now := int64(0)
	for i := range 20000 {
		now += random.Int64N(12 * ms)
		if random.IntN(2000) == 0 {
			now += random.Int64N(3 * second)
		}
		p := packet{now, uint8(random.IntN(5)), 50 + random.IntN(1150)}
		l.Add(p.at, p.tid, p.size, true)
		p.tid = min(p.tid, Temporal-1)
		list = append(list, p)
		if i%50 != 0 || now < 2*second {
			continue
		}
		var want [Temporal]uint32
		oldest := now>>bucketShift - bucketMask
		for j := len(list) - 1; j >= 0 && list[j].at>>bucketShift >= oldest; j-- {
			want[list[j].tid] += uint32(list[j].size)
		}
		got := l.Rates(now)
		for tid := range want {
			span := now - oldest<<bucketShift
			within(t, "a rate", got[tid]+1, uint32(int64(want[tid])*8*second/span)+1, 1)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

func TestNoAllocation(t *testing.T) {
	var l Layer
	now := int64(0)
	var sink uint32
	if n := testing.AllocsPerRun(1000, func() {
		now += 3 * ms
		l.Add(now, uint8(now&3), 1100, true)
		sink += l.Rates(now)[0] + l.FrameRates(now)[1]
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
	if sink == 0 {
		t.Error("nothing was measured")
	}
}

func BenchmarkAdd(b *testing.B) {
	var l Layer
	now := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		now += 2 * ms
		l.Add(now, uint8(now>>20&3), 1100, now&(1<<22) == 0)
	}
}

func BenchmarkRates(b *testing.B) {
	var l Layer
	now := play(&l, 0, 2*second, 30, [3]int{600, 400, 300})
	b.ReportAllocs()
	var sink uint32
	for b.Loop() {
		sink += l.Rates(now)[0]
	}
	_ = sink
}
