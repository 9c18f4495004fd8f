// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"
)

const millisecond = time.Millisecond

// arrived is a packet's number and when it came out.
type arrived struct {
	n  int
	at time.Duration
}

// through sends n packets of size bytes, one every gap, through a fresh pipe.
func through(t *testing.T, n, size int, gap time.Duration, words ...string) (*pipe, []arrived) {
	t.Helper()
	s, err := Shape{}.With(words)
	if err != nil {
		t.Fatal(err)
	}
	p := newPipe(7)
	p.set(0, s)
	var got []arrived
	for i := range n {
		now := time.Duration(i) * gap
		got = drain(p, now, got)
		p.push(now, packet(i, size))
	}
	return p, drain(p, time.Hour, got)
}

func packet(i, size int) []byte {
	b := make([]byte, size, mtu)
	binary.BigEndian.PutUint32(b, uint32(i))
	return b
}

// drain plays the pipe's own schedule until the time until.
func drain(p *pipe, until time.Duration, got []arrived) []arrived {
	for {
		at, ok := p.next()
		if !ok || at > until {
			return got
		}
		for b := p.pop(at); b != nil; b = p.pop(at) {
			got = append(got, arrived{int(binary.BigEndian.Uint32(b)), at})
			p.free(b)
		}
	}
}

func TestNothingSetIsNothingDone(t *testing.T) {
	p := newPipe(1)
	in := packet(5, 200)
	want := bytes.Clone(in)
	p.push(3*millisecond, in)
	if got := p.pop(3 * millisecond); !bytes.Equal(got, want) {
		t.Errorf("got %x", got)
	}
	if p.pop(time.Hour) != nil {
		t.Error("a second packet came out")
	}
}

func TestDelay(t *testing.T) {
	_, got := through(t, 100, 100, millisecond, "delay=25")
	for i, a := range got {
		if a.n != i || a.at != time.Duration(i)*millisecond+25*millisecond {
			t.Fatalf("packet %d was number %d at %v", i, a.n, a.at)
		}
	}
}

func TestJitter(t *testing.T) {
	tests := map[string]struct {
		words []string
		free  bool
	}{
		"free": {[]string{"delay=100", "jitter=50", "order=free"}, true},
		"kept": {[]string{"delay=100", "jitter=50"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, got := through(t, 40_000, 100, 5*millisecond, tt.words...)
			var delays []float64
			overtaken := 0
			for i, a := range got {
				delays = append(delays, ms(a.at-time.Duration(a.n)*5*millisecond))
				if i > 0 && a.n < got[i-1].n {
					overtaken++
				}
			}
			slices.Sort(delays)
			if low, high := delays[0], delays[len(delays)-1]; low < 50 || high > 150 || low > 52 || high < 148 {
				t.Errorf("delays of %.1f…%.1f ms, want 50…150", low, high)
			}
			if mean := mean(delays); mean < 95 || mean > 122 {
				t.Errorf("mean delay %.1f ms", mean)
			}
			if spread := delays[len(delays)*9/10] - delays[len(delays)/10]; spread < 60 || spread > 85 {
				t.Errorf("80 %% of the delays are within %.1f ms, want about 80", spread)
			}
			if (overtaken > 0) != tt.free {
				t.Errorf("%d packets were overtaken", overtaken)
			}
		})
	}
}

func mean(all []float64) float64 {
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}

func TestLoss(t *testing.T) {
	tests := map[string]struct {
		words       []string
		share, long float64 // of lost packets, and how many in a row
	}{
		"random": {[]string{"loss=3"}, .03, 1 / .97},
		"much":   {[]string{"loss=30"}, .30, 1 / .7},
		"burst":  {[]string{"loss=5", "burst=8"}, .05, 8},
		"ge":     {[]string{"ge=1,20"}, .01 / .21, 5},
		"all":    {[]string{"loss=100"}, 1, 200_000},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			const n = 200_000
			p, got := through(t, n, 20, millisecond, tt.words...)
			runs, next := 0, 0
			for _, a := range append(got, arrived{n: n}) {
				if a.n > next {
					runs++
				}
				next = a.n + 1
			}
			lost := float64(n - len(got))
			if uint64(lost) != p.counts.Lost {
				t.Errorf("%v are missing, %d counted", lost, p.counts.Lost)
			}
			if share := lost / n; math.Abs(share-tt.share) > .005 {
				t.Errorf("lost %.4f, want %.4f", share, tt.share)
			}
			if long := lost / float64(runs); math.Abs(long/tt.long-1) > .08 {
				t.Errorf("%.2f lost in a row, want %.2f", long, tt.long)
			}
		})
	}
}

func TestSameSeedSameLoss(t *testing.T) {
	_, one := through(t, 1000, 20, millisecond, "loss=20", "jitter=10", "order=free")
	_, two := through(t, 1000, 20, millisecond, "loss=20", "jitter=10", "order=free")
	if !slices.Equal(one, two) {
		t.Error("two runs differ")
	}
}

func TestReorderAndDuplicate(t *testing.T) {
	p, got := through(t, 20_000, 20, millisecond, "delay=10", "reorder=5", "reorderby=30", "duplicate=10")
	late, seen := 0, map[int]int{}
	for _, a := range got {
		seen[a.n]++
		if a.at-time.Duration(a.n)*millisecond == 40*millisecond {
			late++
		}
	}
	if len(seen) != 20_000 {
		t.Errorf("%d of 20000 arrived", len(seen))
	}
	if twice := len(got) - len(seen); uint64(twice) != p.counts.Duplicated || twice < 1800 || twice > 2200 {
		t.Errorf("%d arrived twice, %d counted", twice, p.counts.Duplicated)
	}
	if share := float64(late) / float64(len(got)); share < .04 || share > .06 {
		t.Errorf("%.3f were late, want .05", share)
	}
}

func TestRateAndQueue(t *testing.T) {
	// 1000 B each ms are 8 Mbit/s into 2 Mbit/s.
	p, got := through(t, 4000, 1000, millisecond, "rate=2000", "queue=100")
	span := got[len(got)-1].at - got[0].at
	if rate := float64(len(got)-1) * 8000 / span.Seconds(); math.Abs(rate/2e6-1) > .001 {
		t.Errorf("%.0f bit/s", rate)
	}
	longest := time.Duration(0)
	for _, a := range got {
		longest = max(longest, a.at-time.Duration(a.n)*millisecond)
	}
	if longest < 95*millisecond || longest > 105*millisecond {
		t.Errorf("the longest wait is %v, want about 100 ms", longest)
	}
	if lost := 4000 - len(got); uint64(lost) != p.counts.Overflowed {
		t.Errorf("%d are missing, %d counted", lost, p.counts.Overflowed)
	}
}

func TestQueueInBytes(t *testing.T) {
	p, _ := Shape{}.With([]string{"rate=80", "queuebytes=3000"})
	q := newPipe(1)
	q.set(0, p)
	for i := range 10 {
		q.push(0, packet(i, 1000))
	}
	if len(q.queue) != 3 || q.counts.Overflowed != 7 {
		t.Errorf("%d wait, %d were dropped", len(q.queue), q.counts.Overflowed)
	}
}

func TestRateChangesUnderWay(t *testing.T) {
	p := newPipe(1)
	fast, _ := Shape{}.With([]string{"rate=8000", "queue=100"}) // 1 ms for 1000 B
	p.set(0, fast)
	for i := range 50 {
		p.push(0, packet(i, 1000))
	}
	got := drain(p, 10*millisecond, nil)
	if len(got) != 10 {
		t.Fatalf("%d came out in 10 ms", len(got))
	}
	slow := fast
	slow.Rate = 8e5 // 10 ms for 1000 B
	p.set(10*millisecond+millisecond/2, slow)
	// Half of the eleventh packet is left, which takes 5 ms, not half a ms.
	got = drain(p, time.Hour, got)
	if at := got[10].at; at != 15*millisecond+millisecond/2 {
		t.Errorf("the eleventh came at %v", at)
	}
	if end := got[len(got)-1].at; end > 10*millisecond+105*millisecond || len(got) < 19 {
		t.Errorf("%d packets, the last at %v: the queue is not 100 ms", len(got), end)
	}
	p.push(time.Hour, packet(1, 1000))
	p.push(time.Hour, packet(2, 1000))
	p.set(time.Hour, Shape{})
	if got := drain(p, time.Hour, nil); len(got) != 2 {
		t.Errorf("%d packets came out of a lifted limit at once", len(got))
	}
}

func TestCut(t *testing.T) {
	s, _ := Shape{}.With([]string{"delay=50", "rate=800"})
	p := newPipe(1)
	p.set(0, s)
	for i := range 5 {
		p.push(0, packet(i, 1000))
	}
	drain(p, 20*millisecond, nil)
	s.Cut = true
	p.set(20*millisecond, s)
	p.push(21*millisecond, packet(6, 1000))
	if got := drain(p, time.Hour, nil); len(got) != 0 || p.counts.Cut != 6 {
		t.Errorf("%d came through, %d counted", len(got), p.counts.Cut)
	}
	s.Cut = false
	p.set(time.Hour, s)
	p.push(time.Hour, packet(7, 1000))
	if got := drain(p, 2*time.Hour, nil); len(got) != 1 || got[0].at != time.Hour+60*millisecond {
		t.Errorf("after the cut: %v", got)
	}
}

func TestHeap(t *testing.T) {
	var h heap
	rng := newPipe(3).rng
	for i := range 1000 {
		h.push(flying{due: time.Duration(rng.IntN(50)), seq: uint64(i)})
	}
	last := h.pop()
	for len(h) > 0 {
		f := h.pop()
		if !last.before(&f) {
			t.Fatalf("%v after %v", f, last)
		}
		last = f
	}
}

func BenchmarkPipe(b *testing.B) {
	s, _ := Shape{}.With([]string{"delay=50", "jitter=20", "loss=1", "rate=200000"})
	p := newPipe(1)
	p.set(0, s)
	for i := 0; b.Loop(); i++ {
		now := time.Duration(i) * 60 * time.Microsecond
		p.push(now, p.buffer()[:1200])
		for out := p.pop(now); out != nil; out = p.pop(now) {
			p.free(out)
		}
	}
}
