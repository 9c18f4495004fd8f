// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"reflect"
	"testing"
)

const ms = int64(1e6)

// run sends n packets of size bytes, one per gap, and drains the link.
func run(l *Link, n, size int, gap int64) []Delivery {
	var out []Delivery
	for i := range n {
		now := int64(i) * gap
		out = l.Advance(now, out)
		l.Send(now, size, i)
	}
	for {
		at, ok := l.Next()
		if !ok {
			return out
		}
		out = l.Advance(at, out)
	}
}

func TestDelayAndSerialisation(t *testing.T) {
	l := New(Config{Rate: 800_000, Delay: 20 * ms}, 1)
	got := run(l, 3, 1000, 0)
	for i, d := range got {
		if want := 20*ms + int64(i+1)*10*ms; d.At != want || d.Payload != i || d.Size != 1000 {
			t.Errorf("packet %d: %+v, want at %d", i, d, want)
		}
	}
	if len(got) != 3 {
		t.Fatalf("%d delivered", len(got))
	}
}

func TestRateChangesInMidPacket(t *testing.T) {
	l := New(Config{Rate: 800_000}, 1)
	l.Send(0, 1000, nil)
	l.Set(5*ms, Config{Rate: 80_000})
	at, ok := l.Next()
	if !ok || at != 55*ms {
		t.Fatalf("done at %d, want half at each rate: 55 ms", at)
	}
}

func TestQueueDropsTheTail(t *testing.T) {
	for _, cfg := range []Config{
		{Rate: 800_000, QueueBytes: 5000},
		{Rate: 800_000, QueueTime: 50 * ms},
		{Rate: 800_000, QueueTime: 50 * ms, QueueBytes: 9000},
	} {
		l := New(cfg, 1)
		got := run(l, 20, 1000, 0)
		if len(got) != 6 || l.Stats().Dropped != 14 {
			t.Errorf("%+v: %d delivered, %+v; want one in service and five waiting", cfg, len(got), l.Stats())
		}
	}
}

func TestThroughputIsTheRate(t *testing.T) {
	l := New(Config{Rate: 1_000_000, Delay: 10 * ms, QueueBytes: 10_000}, 1)
	got := run(l, 10_000, 1200, 5*ms)
	span := got[len(got)-1].At - got[0].At
	rate := float64(len(got)-1) * 1200 * 8 / (float64(span) / 1e9)
	if rate < 990_000 || rate > 1_010_000 {
		t.Errorf("%.0f bit/s through a link of 1 Mbit/s", rate)
	}
}

func TestLossRates(t *testing.T) {
	const n = 100_000
	tests := []struct {
		name string
		cfg  Config
		want float64
	}{
		{"random", Config{Loss: 0.05}, 0.05},
		{"bursts", Config{Burst: Gilbert{Enter: 0.01, Leave: 0.19, Loss: 1}}, 0.05},
	}
	for _, tc := range tests {
		l := New(tc.cfg, 7)
		got := run(l, n, 100, ms)
		lost := 1 - float64(len(got))/n
		if lost < tc.want*0.9 || lost > tc.want*1.1 {
			t.Errorf("%s: %.3f lost, want %.3f", tc.name, lost, tc.want)
		}
	}
}

func TestJitterKeepsTheOrder(t *testing.T) {
	l := New(Config{Delay: 20 * ms, Jitter: 50 * ms}, 3)
	got := run(l, 5000, 100, 5*ms)
	spread := map[int64]bool{}
	for i, d := range got {
		if d.Payload != i {
			t.Fatalf("delivery %d is packet %v", i, d.Payload)
		}
		if i > 0 && d.At < got[i-1].At {
			t.Fatal("time goes backwards")
		}
		if w := d.At - d.Sent; w < 20*ms || w > 70*ms {
			t.Fatalf("delay %d", w)
		}
		spread[(d.At-d.Sent)/(10*ms)] = true
	}
	if len(spread) < 4 {
		t.Errorf("delays in %d classes of 10 ms only", len(spread))
	}
}

func TestReordering(t *testing.T) {
	tests := []struct {
		name  string
		cfg   Config
		depth int
	}{
		{"jitter", Config{Jitter: 25 * ms, Reorder: true}, 5},
		{"swap", Config{Swap: 0.1, SwapDepth: 5}, 5},
	}
	for _, tc := range tests {
		l := New(tc.cfg, 3)
		got := run(l, 5000, 100, 5*ms)
		if len(got) != 5000 {
			t.Fatalf("%s: %d delivered", tc.name, len(got))
		}
		newest, late, deepest := -1, 0, 0
		for _, d := range got {
			if n := d.Payload.(int); n < newest {
				late++
				deepest = max(deepest, newest-n)
			} else {
				newest = n
			}
		}
		if late < 200 || deepest > 2*tc.depth || deepest < 3 {
			t.Errorf("%s: %d late, the latest by %d", tc.name, late, deepest)
		}
	}
}

func TestDuplicates(t *testing.T) {
	l := New(Config{Delay: ms, Duplicate: 0.1}, 3)
	got := run(l, 5000, 100, ms)
	s := l.Stats()
	if s.Duplicated < 400 || s.Duplicated > 600 || len(got) != 5000+s.Duplicated || s.Delivered != len(got) {
		t.Errorf("%+v", s)
	}
}

func TestSeedDecidesEverything(t *testing.T) {
	cfg := Config{
		Rate: 1e6, Delay: 20 * ms, QueueTime: 100 * ms, Jitter: 10 * ms, Reorder: true, Loss: 0.05,
		Burst: Gilbert{0.01, 0.2, 0.8}, Duplicate: 0.01, Swap: 0.01, SwapDepth: 3,
	}
	a := run(New(cfg, 5), 3000, 900, 6*ms)
	b := run(New(cfg, 5), 3000, 900, 6*ms)
	c := run(New(cfg, 6), 3000, 900, 6*ms)
	if !reflect.DeepEqual(a, b) {
		t.Error("one seed, two outcomes")
	}
	if reflect.DeepEqual(a, c) {
		t.Error("two seeds, one outcome")
	}
}

func TestQueued(t *testing.T) {
	l := New(Config{Rate: 800_000}, 1)
	for range 4 {
		l.Send(0, 1000, nil)
	}
	if n := l.Queued(15 * ms); n != 3000 {
		t.Errorf("%d bytes at 15 ms, want 3000", n)
	}
}
