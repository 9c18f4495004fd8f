// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package loss

import (
	"math/rand/v2"
	"slices"
	"testing"
)

const ms = int64(1e6)

// feed receives the given packets 5 ms apart, starting at now.
func feed(t *Tracker, now int64, seqs ...uint16) int64 {
	for _, seq := range seqs {
		t.Receive(seq, uint32(seq)*960, now)
		now += 5 * ms
	}
	return now - 5*ms
}

func TestDuplicates(t *testing.T) {
	tracker := New(90000)
	steps := []struct {
		seq uint16
		dup bool
	}{
		{65533, false}, {65533, true}, {65535, false}, {65534, false}, {65534, true},
		{1, false}, {0, false}, {0, true}, {65535, true}, {65532, false}, {65532, true},
		{700, false}, {300, false}, {300, true}, {1, true}, {699, false},
	}
	for i, step := range steps {
		if got := tracker.Receive(step.seq, 0, int64(i)); got != step.dup {
			t.Errorf("step %d, packet %d: duplicate is %v", i, step.seq, got)
		}
	}
}

func TestNackTimes(t *testing.T) {
	tracker := New(90000)
	now := feed(tracker, 0, 10, 12)
	if got := tracker.Nacks(now, 0, nil); len(got) != 0 {
		t.Fatalf("asked for %v at once", got)
	}
	if got := tracker.Nacks(now+10*ms-1, 0, nil); len(got) != 0 {
		t.Fatalf("asked for %v before 10 ms", got)
	}
	var asked []int64
	for at := now + 10*ms; at < now+900*ms; at += ms {
		if got := tracker.Nacks(at, 0, nil); len(got) > 0 {
			if !slices.Equal(got, []uint16{11}) {
				t.Fatalf("asked for %v", got)
			}
			asked = append(asked, (at-now)/ms)
		}
	}
	if want := []int64{10, 50, 110, 190, 290, 410, 550, 710}; !slices.Equal(asked, want) {
		t.Errorf("asked at %v ms, want %v", asked, want)
	}
	if tracker.Missing() != 0 {
		t.Error("the packet is still being waited for")
	}
}

func TestLimit(t *testing.T) {
	for _, tc := range []struct {
		tries  uint8
		giveUp int64
		want   []int64
	}{{2, 300 * ms, []int64{10, 50}}, {8, 120 * ms, []int64{10, 50, 110}}} {
		tracker := New(48000)
		tracker.Limit(tc.tries, tc.giveUp)
		now := feed(tracker, 0, 10, 12)
		var asked []int64
		for at := now; at < now+tc.giveUp+ms; at += ms {
			if len(tracker.Nacks(at, 0, nil)) > 0 {
				asked = append(asked, (at-now)/ms)
			}
		}
		if !slices.Equal(asked, tc.want) || tracker.Missing() != 0 {
			t.Errorf("%+v: asked at %v ms, %d still missing", tc, asked, tracker.Missing())
		}
	}
}

func TestNackFollowsRoundTrip(t *testing.T) {
	tracker := New(90000)
	now := feed(tracker, 0, 10, 12)
	var asked []int64
	for at := now; at < now+900*ms; at += ms {
		if len(tracker.Nacks(at, 200*ms, nil)) > 0 {
			asked = append(asked, (at-now)/ms)
		}
	}
	if want := []int64{10, 210, 510}; !slices.Equal(asked, want) {
		t.Errorf("asked at %v ms, want %v", asked, want)
	}
}

func TestNackAfterThreeNewerPackets(t *testing.T) {
	tracker := New(90000)
	for i, seq := range []uint16{10, 12, 13} {
		tracker.Receive(seq, 0, int64(i))
	}
	if got := tracker.Nacks(3, 0, nil); len(got) != 0 {
		t.Fatalf("asked for %v after two newer packets", got)
	}
	tracker.Receive(14, 0, 3)
	if got := tracker.Nacks(4, 0, nil); !slices.Equal(got, []uint16{11}) {
		t.Errorf("asked for %v after three newer packets", got)
	}
	// One newer packet behind a long gap is one packet only.
	tracker.Receive(30, 0, 5)
	if got := tracker.Nacks(6, 0, nil); len(got) != 0 {
		t.Errorf("asked for %v after one newer packet", got)
	}
}

func TestArrivalEndsWaiting(t *testing.T) {
	tracker := New(90000)
	now := feed(tracker, 0, 65530, 2)
	if got := tracker.Missing(); got != 7 {
		t.Fatalf("%d missing, want 7", got)
	}
	tracker.Receive(65535, 0, now)
	if tracker.Recovered(0) {
		t.Error("a restored packet was called a duplicate")
	}
	if !tracker.Recovered(0) || !tracker.Recovered(65530) {
		t.Error("a second copy was not called a duplicate")
	}
	want := []uint16{65531, 65532, 65533, 65534, 1}
	if got := tracker.Nacks(now+20*ms, 0, nil); !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}

func TestRecoveredAhead(t *testing.T) {
	tracker := New(90000)
	if !tracker.Recovered(5) {
		t.Error("a packet was restored before the stream began")
	}
	now := feed(tracker, 0, 10)
	if tracker.Recovered(13) || !tracker.Recovered(13) || !tracker.Recovered(13+maxGap) {
		t.Error("packets ahead of the stream judged wrongly")
	}
	if tracker.Receive(12, 0, now) || !tracker.Receive(13, 0, now) {
		t.Error("the stream behind a restored packet judged wrongly")
	}
	if got := tracker.Nacks(now+20*ms, 0, nil); !slices.Equal(got, []uint16{11}) {
		t.Errorf("asked for %v, want 11", got)
	}
	// 10, 12 and the duplicate 13 arrived on the stream itself; 11 is lost.
	if got := tracker.Report(now); got.CumulativeLost != 1 || got.HighestSeq != 13 {
		t.Errorf("report %+v", got)
	}
}

func TestBounds(t *testing.T) {
	tracker := New(90000)
	tracker.Receive(0, 0, 0)
	tracker.Receive(513, 0, 0)
	if got := tracker.Missing(); got != 512 {
		t.Errorf("%d missing after a gap of 512, want 512", got)
	}
	tracker.Receive(515, 0, 0)
	got := tracker.Nacks(20*ms, 0, nil)
	if len(got) != 512 || got[0] != 2 || got[511] != 514 {
		t.Errorf("%d missing from %d, want 512 from 2", len(got), got[0])
	}
	tracker.Receive(515+514, 0, 0)
	if got := tracker.Missing(); got != 0 {
		t.Errorf("%d missing after a gap of more than 512", got)
	}
	if got := tracker.Report(0).CumulativeLost; got != 512+1+513 {
		t.Errorf("%d lost, want %d", got, 512+1+513)
	}
	if tracker.Receive(600, 0, 0) || !tracker.Receive(515, 0, 0) {
		t.Error("packets around a long gap judged wrongly")
	}
}

func TestRestart(t *testing.T) {
	for _, jump := range []uint16{3000, 20000, 40000, 65536 - 1100} {
		tracker := New(90000)
		now := feed(tracker, 0, 10, 11, 12, 14)
		tracker.Receive(14+jump, 0, now)
		if got := tracker.Report(now); got.HighestSeq != 14 || got.CumulativeLost != 1 || tracker.Restarts() != 0 {
			t.Fatalf("jump %d: one strange packet changed the figures: %+v", jump, got)
		}
		tracker.Receive(15+jump, 0, now)
		tracker.Receive(16+jump, 0, now)
		got := tracker.Report(now)
		if got.HighestSeq != uint32(16+jump) || got.CumulativeLost != 0 || got.FractionLost != 0 || tracker.Restarts() != 1 {
			t.Errorf("jump %d: after the restart %+v", jump, got)
		}
		if tracker.Missing() != 0 {
			t.Errorf("jump %d: %d missing", jump, tracker.Missing())
		}
	}
}

// TestEveryLossIsAskedFor sends random loss and answers some requests: what is
// asked for was never received, and whatever was lost is asked for.
func TestEveryLossIsAskedFor(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	tracker := New(90000)
	lost, asked := map[uint16]bool{}, map[uint16]bool{}
	var now int64
	var nacks []uint16
	for seq := range uint16(60000) {
		now += 3 * ms
		if seq > 0 && random.IntN(10) == 0 && seq < 59000 {
			lost[seq] = true
		} else {
			tracker.Receive(seq, 0, now)
		}
		nacks = tracker.Nacks(now, 30*ms, nacks[:0])
		for _, n := range nacks {
			if !lost[n] {
				t.Fatalf("asked for %d, which had come", n)
			}
			asked[n] = true
			if random.IntN(3) == 0 {
				if tracker.Recovered(n) {
					t.Fatalf("answer %d is called a duplicate", n)
				}
				delete(lost, n)
			}
		}
	}
	for seq := range lost {
		if !asked[seq] {
			t.Errorf("never asked for %d", seq)
		}
	}
}

func TestNackPairs(t *testing.T) {
	tests := []struct {
		seqs []uint16
		want []NackPair
	}{
		{nil, nil},
		{[]uint16{5}, []NackPair{{5, 0}}},
		{[]uint16{5, 6, 21}, []NackPair{{5, 0x8001}}},
		{[]uint16{5, 22}, []NackPair{{5, 0}, {22, 0}}},
		{[]uint16{65535, 0, 15, 16}, []NackPair{{65535, 0x8001}, {16, 0}}},
		{[]uint16{5, 5, 6}, []NackPair{{5, 1}}},
		{[]uint16{9, 5}, []NackPair{{9, 0}, {5, 0}}},
	}
	for _, test := range tests {
		if got := AppendNackPairs(nil, test.seqs); !slices.Equal(got, test.want) {
			t.Errorf("%v packed as %v, want %v", test.seqs, got, test.want)
		}
	}
	before := []NackPair{{4, 0}}
	if got := AppendNackPairs(before, []uint16{5}); !slices.Equal(got, []NackPair{{4, 0}, {5, 0}}) {
		t.Errorf("pairs appended as %v", got)
	}
}

func FuzzTracker(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 3, 1, 200, 2}, uint16(65530))
	f.Fuzz(func(t *testing.T, script []byte, seq uint16) {
		tracker := New(90000)
		var now int64
		var dst []uint16
		for i := 0; i+1 < len(script); i += 2 {
			arg := uint16(script[i]) * uint16(script[i]) * 2
			now += int64(script[i]) * ms
			switch script[i+1] % 5 {
			case 0:
				seq += uint16(script[i] % 8)
				tracker.Receive(seq, uint32(now), now)
				if !tracker.Recovered(seq) && tracker.highest == uint32(seq) {
					t.Fatalf("packet %d arrived twice unnoticed", seq)
				}
			case 1:
				tracker.Receive(seq-arg, uint32(now), now)
			case 2:
				seq += arg
				tracker.Receive(seq, uint32(now), now)
			case 3:
				tracker.Recovered(seq - arg)
			case 4:
				tracker.Report(now)
			}
			dst = tracker.Nacks(now, int64(script[i])*ms, dst[:0])
			for _, n := range dst {
				if tracker.seen[uint32(n)&windowMask/64]&(1<<(n%64)) != 0 {
					t.Fatalf("asked for %d, which had come", n)
				}
			}
			if tracker.Missing() > maxMissing || !slices.IsSortedFunc(tracker.missing, func(a, b gap) int { return int(int32(a.ext - b.ext)) }) {
				t.Fatalf("%d missing, or out of order", tracker.Missing())
			}
			var unpacked []uint16
			for _, p := range AppendNackPairs(nil, dst) {
				unpacked = append(unpacked, p.PID)
				for bit := range uint16(16) {
					if p.BLP&(1<<bit) != 0 {
						unpacked = append(unpacked, p.PID+bit+1)
					}
				}
			}
			if !slices.Equal(unpacked, dst) {
				t.Fatalf("%v unpacked as %v", dst, unpacked)
			}
		}
	})
}

func TestNoAllocation(t *testing.T) {
	tracker := New(90000)
	dst := make([]uint16, 0, 512)
	pairs := make([]NackPair, 0, 512)
	var seq uint16
	var now int64
	if n := testing.AllocsPerRun(20000, func() {
		seq++
		now += ms
		if seq%10 == 0 {
			return
		}
		tracker.Receive(seq, 0, now)
		dst = tracker.Nacks(now, 0, dst[:0])
		pairs = AppendNackPairs(pairs[:0], dst)
		if seq%50 == 1 {
			tracker.Report(now)
		}
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func BenchmarkReceive(b *testing.B) {
	tracker := New(90000)
	var seq uint16
	var now int64
	b.ReportAllocs()
	for b.Loop() {
		seq++
		now += ms
		tracker.Receive(seq, uint32(seq)*90, now)
	}
}

func BenchmarkReceiveWithLoss(b *testing.B) {
	tracker := New(90000)
	dst := make([]uint16, 0, 512)
	var seq uint16
	var now int64
	b.ReportAllocs()
	for b.Loop() {
		seq++
		now += ms
		if seq%20 == 0 {
			continue
		}
		tracker.Receive(seq, uint32(seq)*90, now)
		if seq%32 == 1 {
			dst = tracker.Nacks(now, 0, dst[:0])
		}
	}
}
