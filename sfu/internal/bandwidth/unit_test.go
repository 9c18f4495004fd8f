// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/caddy-videoroom/videoroom/sfu/internal/feedback"
	"github.com/caddy-videoroom/videoroom/sfu/internal/simnet"
)

func TestConfig(t *testing.T) {
	tests := []struct {
		in   Config
		want int64
	}{
		{Config{}, 300_000},
		{Config{Initial: 1_000_000}, 1_000_000},
		{Config{Initial: 1_000_000, Max: 500_000}, 500_000},
		{Config{Initial: 10_000}, 30_000},
		{Config{Initial: 10_000, Min: 5_000}, 10_000},
		{Config{Min: 400_000, Max: 100_000}, 400_000},
	}
	for _, tc := range tests {
		if got := New(tc.in).Target(); got != tc.want {
			t.Errorf("%+v: %d, want %d", tc.in, got, tc.want)
		}
	}
}

func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(Estimator{}); n > 9000 {
		t.Errorf("an estimator takes %d bytes", n)
	}
}

// traffic makes feedback results of a path that is never congested.
type traffic struct {
	seq     int64
	results []feedback.Result
}

// batch returns n results of packets sent every gap until now.
func (f *traffic) batch(now int64, n int, gap int64, size int32) []feedback.Result {
	f.results = f.results[:0]
	for i := range n {
		sent := now - 40*millisecond - int64(n-1-i)*gap
		f.results = append(f.results, feedback.Result{
			Seq: f.seq, Sent: sent, Arrival: (sent + 20*millisecond) / 1000, Size: size, Received: true,
		})
		f.seq++
	}
	return f.results
}

func TestGrowthIsBoundByWhatArrived(t *testing.T) {
	e := New(Config{})
	var f traffic
	for now := int64(0); now < 60*second; now += 50 * millisecond {
		e.Feedback(now, f.batch(now, 10, 5*millisecond, 625)) // 1 Mbit/s
	}
	if got := e.Target(); got < 1_000_000 || got > 1_500_000 {
		t.Errorf("%d after a minute of 1 Mbit/s", got)
	}
	if e.Overusing() || e.Stale() || e.RTT() < 35*millisecond || e.RTT() > 45*millisecond {
		t.Errorf("overusing %v, stale %v, round trip %d", e.Overusing(), e.Stale(), e.RTT())
	}
}

func TestStaleWithoutAnyReport(t *testing.T) {
	e := New(Config{Initial: 1_000_000})
	e.Tick(0, 0)
	var sent uint64
	for now := int64(0); now < 10*second; now += 100 * millisecond {
		sent += 10_000
		e.Tick(now, sent)
		if now < 1900*millisecond && e.Stale() {
			t.Fatalf("stale after %d ms", now/millisecond)
		}
	}
	if !e.Stale() {
		t.Fatal("not stale after 10 s without feedback")
	}
	if got := e.Target(); got > 500_000 {
		t.Errorf("%d after 10 s of silence", got)
	}
	var f traffic
	e.Feedback(10*second, f.batch(10*second, 10, 5*millisecond, 500))
	if e.Stale() {
		t.Error("stale with feedback")
	}
	if _, ok := New(Config{}).Probe(0, 5_000_000); ok {
		t.Error("a probe before any feedback")
	}
}

func TestIdleIsNotStale(t *testing.T) {
	e := New(Config{Initial: 1_000_000})
	var f traffic
	e.Tick(0, 0)
	e.Tick(50*millisecond, 5000)
	e.Feedback(100*millisecond, f.batch(100*millisecond, 5, millisecond, 1000))
	for now := 200 * millisecond; now < 60*second; now += 100 * millisecond {
		e.Tick(now, 5000)
	}
	if e.Stale() || e.Target() != 1_000_000 {
		t.Errorf("stale %v, %d after a minute in which nothing was sent", e.Stale(), e.Target())
	}
}

func TestFallbackToReceiverReports(t *testing.T) {
	e := New(Config{Initial: 500_000})
	var sent uint64
	now := int64(0)
	run := func(seconds int64, rate, loss float64, rtt int64) {
		for end := now + seconds*second; now < end; now += 100 * millisecond {
			sent += uint64(min(rate, float64(e.Target())) / 80)
			e.Tick(now, sent)
			if now%second == 0 {
				e.Loss(now, loss, rtt)
			}
		}
	}
	run(30, 2_000_000, 0, 50*millisecond)
	grown := e.Target()
	if !e.Stale() || grown < 1_000_000 || grown > 3_000_000 {
		t.Fatalf("stale %v, %d after 30 s without loss", e.Stale(), grown)
	}
	run(10, 2_000_000, 0.05, 50*millisecond)
	if got := e.Target(); got != grown {
		t.Errorf("%d to %d at 5 %% loss", grown, got)
	}
	run(5, 2_000_000, 0.3, 50*millisecond)
	cut := e.Target()
	if cut > grown*6/10 || !e.Overusing() {
		t.Errorf("%d to %d at 30 %% loss, overusing %v", grown, cut, e.Overusing())
	}
	run(5, 2_000_000, 0, 50*millisecond)
	if e.Overusing() || e.Target() <= cut {
		t.Errorf("%d to %d without loss, overusing %v", cut, e.Target(), e.Overusing())
	}
	before := e.Target()
	run(10, 2_000_000, 0.03, 400*millisecond)
	if got := e.Target(); got >= before {
		t.Errorf("%d to %d at 3 %% loss and a full queue", before, got)
	}
	limited := e.Target()
	run(30, float64(limited)/4, 0, 50*millisecond)
	if got := e.Target(); got != limited {
		t.Errorf("%d to %d although little was sent", limited, got)
	}
}

// A cluster that the caller never sends, or does not finish, is no result.
func TestUnsentProbe(t *testing.T) {
	e := New(Config{})
	var f traffic
	clusters := 0
	for now := int64(0); now < 30*second; now += 50 * millisecond {
		e.Feedback(now, f.batch(now, 10, 5*millisecond, 180)) // 288 kbit/s
		if c, ok := e.Probe(now, 2_000_000); ok {
			clusters++
			if !e.Probing(c.ID) || e.Probing(c.ID+1) {
				t.Fatal("the probe that was begun is not the one that runs")
			}
			if _, again := e.Probe(now, 2_000_000); again {
				t.Fatal("two probes at once")
			}
		}
	}
	if clusters < 4 || clusters > 12 {
		t.Errorf("%d probes in 30 s", clusters)
	}
	if e.Target() > 450_000 {
		t.Errorf("%d without a single packet above 288 kbit/s", e.Target())
	}
}

// A probe whose report was lost says nothing, and the next one follows soon; so
// does one after a probe that could not be sent.
func TestUnheardProbe(t *testing.T) {
	for _, withdraw := range []bool{false, true} {
		e := New(Config{})
		var f traffic
		var begun []int64
		for now := int64(0); now < 4*second; now += 50 * millisecond {
			e.Feedback(now, f.batch(now, 10, 5*millisecond, 180))
			if c, ok := e.Probe(now, 2_000_000); ok {
				begun = append(begun, now)
				if withdraw {
					e.Withdraw(now, c.ID)
				}
			}
		}
		if len(begun) < 3 || begun[1]-begun[0] > 800*millisecond {
			t.Errorf("withdrawn %v: probes at %v", withdraw, begun)
		}
	}
}

// Times and sizes that no receiver would report keep the target in its bounds.
func TestHostileFeedback(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		e := New(Config{Min: 50_000, Max: 5_000_000})
		now, seq, clock := int64(0), int64(0), int64(0)
		var id uint8
		var results []feedback.Result
		for range 300 {
			now += rng.Int64N(200 * millisecond)
			results = results[:0]
			for range rng.IntN(60) {
				seq += 1 + rng.Int64N(2)
				switch rng.IntN(40) {
				case 0:
					clock += rng.Int64N(1<<40) - 1<<39
				case 1:
					clock = rng.Int64() - rng.Int64()
				default:
					clock += rng.Int64N(9000) - 2000
				}
				results = append(results, feedback.Result{
					Seq: seq, Sent: now - rng.Int64N(second), Arrival: clock, Size: int32(rng.IntN(1 << 16)),
					Cluster: id * uint8(rng.IntN(2)), Received: rng.IntN(3) > 0, Late: rng.IntN(20) == 0,
				})
			}
			e.Feedback(now, results)
			e.Tick(now, rng.Uint64())
			e.Loss(now, rng.Float64()*2-0.5, rng.Int64N(second))
			if c, ok := e.Probe(now, rng.Int64N(1<<40)); ok {
				id = c.ID
				if c.Packets > mostPackets || c.Size > mostSize || c.Size < leastSize || c.Interval < 0 ||
					int64(c.Packets)*c.Interval > longestProbe+millisecond {
					t.Fatalf("cluster out of bounds: %+v", c)
				}
			}
			if v := e.Target(); v < 50_000 || v > 5_000_000 || math.IsNaN(e.target) {
				t.Fatalf("seed %d: target %d", seed, v)
			}
		}
	}
}

// Nothing allocates, in calm and in congestion.
func TestDoesNotAllocate(t *testing.T) {
	e := New(Config{})
	var f traffic
	now, sent := int64(0), uint64(0)
	f.batch(0, 64, millisecond, 1000)
	for _, delay := range []int64{0, 30_000} {
		late := int64(0)
		allocs := testing.AllocsPerRun(300, func() {
			now += 50 * millisecond
			results := f.batch(now, 40, millisecond, 1000)
			late += delay
			for i := range results {
				results[i].Arrival += late * int64(i) / 40
				results[i].Received = i%17 != 0
			}
			e.Feedback(now, results)
			sent += 40_000
			e.Tick(now, sent)
			e.Loss(now, 0.01, 50*millisecond)
			e.Probe(now, 8_000_000)
		})
		if allocs != 0 {
			t.Errorf("%v allocations per feedback", allocs)
		}
	}
}

// A path that ends for some seconds is used again when it is back.
func TestBlackout(t *testing.T) {
	s := newSim(newOurs(Config{}), queue(2_500_000, 400), 50*millisecond, 16)
	s.run(10 * second)
	s.change(func(c *simnet.Config) { c.Loss = 1 })
	s.run(15 * second)
	if s.c.(*ours).stales == 0 {
		t.Error("never stale in 5 s without feedback")
	}
	s.change(func(c *simnet.Config) { c.Loss = 0 })
	s.run(25 * second)
	defer s.dump(t)
	took := s.first(15*second, s.now, func(v float64) bool { return v > 2_000_000 })
	t.Logf("%.0f at its end, 2 Mbit/s after %s", float64(s.targets[1499]), seconds(took))
	if took < 0 || took > 8 {
		t.Error("not used again")
	}
}

// BenchmarkFeedback gives the time per reported packet, estimator alone.
func BenchmarkFeedback(b *testing.B) {
	const perFeedback = 30
	e := New(Config{})
	var f traffic
	now := int64(0)
	results := f.batch(0, perFeedback, 2*millisecond, 1000)
	b.ReportAllocs()
	for i := 0; i < b.N; i += perFeedback {
		now += 60 * millisecond
		for j := range results {
			r := &results[j]
			r.Seq += perFeedback
			r.Sent += 60 * millisecond
			r.Arrival += 60_000
		}
		e.Feedback(now, results)
	}
}

// BenchmarkPerPacket gives the time per packet from Sent to the estimate.
func BenchmarkPerPacket(b *testing.B) {
	const perFeedback = 28
	var h feedback.History
	e := New(Config{})
	raw := make([]byte, 20+4+perFeedback)
	raw[0], raw[1], raw[3] = 0x8f, 205, byte(len(raw)/4-1)
	raw[15] = perFeedback
	raw[20], raw[21], raw[22], raw[23] = 0xbf, 0xff, 0xbf, 0xff
	for i := range perFeedback {
		raw[24+i] = 8 // 2 ms
	}
	results := make([]feedback.Result, 0, perFeedback)
	now, reference := int64(0), uint32(0)
	b.ReportAllocs()
	for i := 0; i < b.N; i += perFeedback {
		base := uint16(i / perFeedback * perFeedback)
		for range perFeedback {
			h.Sent(h.Next(), now, 1000, 0)
			now += 64 * millisecond / perFeedback
		}
		raw[12], raw[13] = byte(base>>8), byte(base)
		reference++
		raw[16], raw[17], raw[18] = byte(reference>>16), byte(reference>>8), byte(reference)
		var err error
		results, _, err = h.Read(raw, now+40*millisecond, results[:0])
		if err != nil || len(results) != perFeedback {
			b.Fatal(err, len(results))
		}
		e.Feedback(now+40*millisecond, results)
	}
}

// Where everything was stopped for a full path there is nothing left that could
// tell that it has become wide again, unless probes go on.
func TestProbesOnASilentPath(t *testing.T) {
	s := newSim(newOurs(Config{}), queue(60_000, 400), 50*millisecond, 18)
	s.run(10 * second)
	e := s.c.(*ours).e
	if e.Target() > 100_000 {
		t.Fatalf("%d on a path of 60 kbit/s", e.Target())
	}
	// Nothing is sent from here on, and the last that was heard is bad.
	e.overusing = true
	sent := s.c.(*ours).sent
	probes := 0
	for now := s.now; now < s.now+60*second; now += 50 * millisecond {
		e.Tick(now, sent)
		c, ok := e.Probe(now, 500_000)
		if !ok {
			continue
		}
		probes++
		if c.Packets > mostPackets || c.Rate < 2*e.Target() {
			t.Fatalf("a probe of %d packets at %d bit/s, target %d", c.Packets, c.Rate, e.Target())
		}
	}
	if probes < 8 || probes > 30 {
		t.Errorf("%d probes in a minute of silence", probes)
	}
}
