// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package feedback

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
)

const ms = int64(1e6)

// send numbers and sends n packets, 1 ms apart, of 100 bytes plus their number.
func send(h *History, n int, from int64) (first int64) {
	first = h.next
	for i := range n {
		seq := h.Next()
		h.Sent(seq, from+int64(i)*ms, 100+int(seq%1000), uint8(seq%7))
	}
	return first
}

// marshal writes a feedback packet for statuses: symbol and delta in ticks.
func marshal(t testing.TB, base uint16, count uint16, reference uint32, chunks []rtcp.PacketStatusChunk, deltas []*rtcp.RecvDelta) []byte {
	t.Helper()
	p := rtcp.TransportLayerCC{
		BaseSequenceNumber: base, PacketStatusCount: count, ReferenceTime: reference,
		FbPktCount: 7, PacketChunks: chunks, RecvDeltas: deltas,
	}
	length := p.MarshalSize()
	p.Header = rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: uint16(length/4 - 1)}
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func run(symbol uint16, n int) rtcp.PacketStatusChunk {
	return &rtcp.RunLengthChunk{Type: rtcp.TypeTCCRunLengthChunk, PacketStatusSymbol: symbol, RunLength: uint16(n)}
}

func vector(size uint16, symbols ...uint16) rtcp.PacketStatusChunk {
	return &rtcp.StatusVectorChunk{Type: rtcp.TypeTCCStatusVectorChunk, SymbolSize: size, SymbolList: symbols}
}

// ticks returns receive deltas in units of 250 µs.
func ticks(units ...int64) []*rtcp.RecvDelta {
	var out []*rtcp.RecvDelta
	for _, u := range units {
		typ := rtcp.TypeTCCPacketReceivedSmallDelta
		if u < 0 || u > 255 {
			typ = rtcp.TypeTCCPacketReceivedLargeDelta
		}
		out = append(out, &rtcp.RecvDelta{Type: typ, Delta: u * 250})
	}
	return out
}

func TestReadChunks(t *testing.T) {
	tests := []struct {
		name   string
		count  uint16
		chunks []rtcp.PacketStatusChunk
		deltas []*rtcp.RecvDelta
		want   []int64 // arrival in ticks after the reference, -1 for lost
	}{
		{"run of small deltas", 4, []rtcp.PacketStatusChunk{run(1, 4)}, ticks(0, 4, 255, 1), []int64{0, 4, 259, 260}},
		{"run of large deltas", 3, []rtcp.PacketStatusChunk{run(2, 3)}, ticks(256, -300, 32767), []int64{256, -44, 32723}},
		{"all lost", 5, []rtcp.PacketStatusChunk{run(0, 5)}, nil, []int64{-1, -1, -1, -1, -1}},
		{"run longer than the count", 2, []rtcp.PacketStatusChunk{run(1, 2)}, ticks(1, 1), []int64{1, 2}},
		{
			"vector of one bit", 14,
			[]rtcp.PacketStatusChunk{vector(0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)},
			ticks(1, 2, 3),
			[]int64{1, -1, 3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 6},
		},
		{
			"vector of two bits", 7,
			[]rtcp.PacketStatusChunk{vector(1, 1, 0, 2, 1, 0, 0, 2)},
			ticks(1, -4, 3, 1000),
			[]int64{1, -1, -3, 0, -1, -1, 1000},
		},
		{
			"mixed", 23,
			[]rtcp.PacketStatusChunk{run(0, 1), vector(1, 1, 1, 0, 0, 0, 0, 1), run(2, 1), vector(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)},
			ticks(1, 1, 1, -3, 1, 1),
			[]int64{-1, 1, 2, -1, -1, -1, -1, 3, 0, 1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2},
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var h History
			send(&h, 40, 5*ms)
			const reference = 1000
			b := marshal(t, 3, tc.count, reference, tc.chunks, tc.deltas)
			got, report, err := h.Read(b, 100*ms, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(tc.want) || report.Received+report.Missing != len(got) || report.Number != 7 {
				t.Fatalf("%d results, report %+v", len(got), report)
			}
			for i, r := range got {
				seq := int64(3 + i)
				want := Result{Seq: seq, Sent: (5 + seq) * ms, Size: int32(100 + seq), Cluster: uint8(seq % 7)}
				if tc.want[i] != -1 {
					want.Received, want.Arrival = true, reference*referenceTick+tc.want[i]*tick
				}
				if r != want {
					t.Errorf("result %d is %+v, want %+v", i, r, want)
				}
			}
		})
	}
}

func TestRTTIsOfTheLastArrival(t *testing.T) {
	var h History
	send(&h, 3, 10*ms)
	b := marshal(t, 0, 3, 5, []rtcp.PacketStatusChunk{vector(1, 1, 2, 2, 0, 0, 0, 0)}, ticks(10, 400, -300))
	_, report, err := h.Read(b, 60*ms, nil)
	if err != nil || report.RTT != 49*ms {
		t.Fatalf("round trip %d, error %v; the packet sent at 11 ms arrived last", report.RTT, err)
	}
}

func TestRepeatsAndLateReports(t *testing.T) {
	var h History
	send(&h, 4, 0)
	first := marshal(t, 0, 4, 5, []rtcp.PacketStatusChunk{vector(1, 1, 0, 0, 1, 0, 0, 0)}, ticks(1, 3))
	second := marshal(t, 1, 3, 5, []rtcp.PacketStatusChunk{vector(1, 1, 0, 1, 0, 0, 0, 0)}, ticks(8, 1))
	if got, report, _ := h.Read(first, 0, nil); len(got) != 4 || report.Missing != 2 {
		t.Fatalf("first report: %+v", got)
	}
	got, report, _ := h.Read(second, 0, nil)
	if len(got) != 1 || !got[0].Late || !got[0].Received || got[0].Seq != 1 || report.Repeated != 2 {
		t.Fatalf("second report: %+v, %+v", got, report)
	}
	if got, report, _ = h.Read(first, 0, nil); len(got) != 0 || report.Repeated != 4 {
		t.Fatalf("the first report once more: %+v, %+v", got, report)
	}
}

// A packet that left once more was lost, whatever is heard of it later.
func TestSentAgain(t *testing.T) {
	var h History
	send(&h, 4, 0)
	h.Again(1)
	all := marshal(t, 0, 4, 5, []rtcp.PacketStatusChunk{vector(1, 1, 1, 1, 0, 0, 0, 0)}, ticks(1, 9, 3))
	got, report, _ := h.Read(all, 0, nil)
	if len(got) != 4 || got[1].Received || !got[2].Received || got[3].Received || report.Missing != 2 {
		t.Fatalf("%+v, %+v", got, report)
	}
	h.Again(3) // called missing already
	h.Again(2) // received already
	h.Again(99)
	rest := marshal(t, 0, 4, 5, []rtcp.PacketStatusChunk{vector(1, 1, 1, 1, 1, 0, 0, 0)}, ticks(1, 1, 1, 9))
	if got, report, _ := h.Read(rest, 0, nil); len(got) != 0 || report.Repeated != 4 {
		t.Fatalf("%+v, %+v", got, report)
	}
}

func TestUnknownPacketsAreSkipped(t *testing.T) {
	var h History
	all := marshal(t, 65530, 60, 5, []rtcp.PacketStatusChunk{run(1, 60)}, ticks(make([]int64, 60)...))
	if got, report, err := h.Read(all, 0, nil); len(got) != 0 || report.Unknown != 60 || err != nil {
		t.Fatalf("an empty history yields %v, %+v, %v", got, report, err)
	}
	send(&h, 10, 0)
	h.Next() // never sent
	send(&h, 10, 20*ms)
	got, report, _ := h.Read(all, 30*ms, nil)
	if len(got) != 20 || report.Unknown != 40 {
		t.Fatalf("%d results, %+v; want those of the 20 packets sent", len(got), report)
	}
	for _, r := range got {
		if r.Seq == 10 {
			t.Error("the packet that was never sent is reported")
		}
	}
}

func TestSentIgnoresNumbersNeverGivenOut(t *testing.T) {
	var h History
	h.Sent(0, 0, 100, 0)
	h.Sent(5, 0, 100, 0)
	if h.Cap() != 0 {
		t.Fatal("a number that Next did not give out was recorded")
	}
	for range mostEntries + 10 {
		h.Next()
	}
	h.Sent(3, 0, 100, 0)
	if h.Cap() != 0 {
		t.Fatal("a number older than the ring was recorded")
	}
}

func TestMemoryFollowsTheRate(t *testing.T) {
	tests := []struct {
		perSecond int
		want      int
	}{{10, 128}, {50, 128}, {100, 256}, {300, 1024}, {1000, 2048}, {5000, 4096}}
	for _, tc := range tests {
		var h History
		for i := range tc.perSecond * 10 {
			h.Sent(h.Next(), int64(i)*1e9/int64(tc.perSecond), 1200, 0)
		}
		if h.Cap() != tc.want {
			t.Errorf("%d packets/s take %d entries, want %d", tc.perSecond, h.Cap(), tc.want)
		}
		inside := min(tc.perSecond, tc.want)
		for full := h.next - int64(inside); full < h.next; full++ {
			if h.lookup(full) == nil {
				t.Fatalf("%d packets/s: packet %d of the last second is gone", tc.perSecond, full)
			}
		}
	}
}

func TestReferenceTimeWraps(t *testing.T) {
	var h History
	send(&h, 40, 0)
	var last int64
	for i := range 40 {
		raw := uint32(1<<24-20+i) & (1<<24 - 1)
		b := marshal(t, uint16(i), 1, raw, []rtcp.PacketStatusChunk{run(1, 1)}, ticks(0))
		got, _, err := h.Read(b, 0, nil)
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		if i > 0 && got[0].Arrival-last != referenceTick {
			t.Fatalf("step %d: %d µs after the one before", i, got[0].Arrival-last)
		}
		last = got[0].Arrival
	}
	send(&h, 1, 0)
	older := marshal(t, 40, 1, 15, []rtcp.PacketStatusChunk{run(1, 1)}, ticks(0))
	if got, _, _ := h.Read(older, 0, nil); last-got[0].Arrival != 4*referenceTick {
		t.Fatalf("feedback out of order: %d µs before", last-got[0].Arrival)
	}
}

func TestMalformed(t *testing.T) {
	good := marshal(t, 0, 3, 5, []rtcp.PacketStatusChunk{run(2, 3)}, ticks(300, 300, 300))
	change := func(at int, to byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = to
		return b
	}
	padded := append(append([]byte(nil), good...), 0, 0, 0, 4)
	padded[0] |= 0x20
	padded[3]++
	overlong := append([]byte(nil), padded...)
	overlong[len(overlong)-1] = 200
	tests := []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, ErrShort},
		{"header only", good[:headerSize-1], ErrShort},
		{"cut", good[:len(good)-4], ErrShort},
		{"other version", change(0, good[0]&^0xc0), ErrType},
		{"other format", change(0, 0x81), ErrType},
		{"other type", change(1, 200), ErrType},
		{"more packets than chunks", change(14, 0xff), ErrShort},
		{"more deltas than bytes", change(15, 200), ErrShort},
		{"length below the header", change(3, 1), ErrShort},
		{"padding beyond the content", overlong, ErrPadding},
		{"padded", padded, nil},
		{"good", good, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var h History
			send(&h, 3, 0)
			got, _, err := h.Read(tc.b, 0, nil)
			if !errors.Is(err, tc.want) {
				t.Fatalf("error %v, want %v", err, tc.want)
			}
			if err == nil && len(got) != 3 {
				t.Fatalf("%d results", len(got))
			}
			if err != nil && (len(got) != 0 || h.referenced || h.ring[0].state != waiting) {
				t.Error("a refused packet left traces")
			}
		})
	}
}

// A link with loss, duplicates and reordering, reported by another
// implementation of the receiver's side, over several wraps of the numbers.
func TestAgainstRecorder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h History
	recorder := twcc.NewRecorder(1)
	const n = 200_000
	arrivals := make([]int64, n) // µs, 0 lost
	seen := make([]bool, n)
	var results []Result
	var held []int // numbers not yet delivered
	offset := int64(-1)
	record := func(i int) { recorder.Record(2, uint16(i), arrivals[i]) }
	for i := range n {
		now := int64(i) * ms
		h.Sent(h.Next(), now, 200, 0)
		if rng.IntN(20) == 0 {
			continue
		}
		if rng.IntN(10) == 0 {
			held = append(held, i)
			continue
		}
		arrivals[i] = now/1000 + 40_000
		record(i)
		if rng.IntN(50) == 0 {
			record(i)
		}
		if len(held) > 2 {
			for _, late := range held {
				arrivals[late] = now/1000 + 40_100
				record(late)
			}
			held = held[:0]
		}
		if i%73 != 0 {
			continue
		}
		for _, p := range recorder.BuildFeedbackPacket() {
			b, err := p.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			results, _, err = h.Read(b, now, results[:0])
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if !r.Received {
					continue
				}
				if seen[r.Seq] {
					t.Fatalf("packet %d twice", r.Seq)
				}
				seen[r.Seq] = true
				if r.Sent != r.Seq*ms {
					t.Fatalf("packet %d sent at %d", r.Seq, r.Sent)
				}
				if offset < 0 {
					offset = arrivals[r.Seq] - r.Arrival
				}
				if d := arrivals[r.Seq] - r.Arrival - offset; d > tick || d < -tick {
					t.Fatalf("packet %d arrived %d µs off", r.Seq, d)
				}
			}
		}
	}
	missed := 0
	for i := range n - 100 {
		if arrivals[i] != 0 && !seen[i] {
			missed++
		}
	}
	if missed > 0 {
		t.Errorf("%d received packets were never reported", missed)
	}
}

func TestReadDoesNotAllocate(t *testing.T) {
	var h History
	results := make([]Result, 0, 512)
	recorder := twcc.NewRecorder(1)
	var packets [][]byte
	for i := range 2000 {
		h.Sent(h.Next(), int64(i)*ms, 1000, 0)
		if i%9 != 0 {
			recorder.Record(2, uint16(i), int64(i)*1000)
		}
		if i%50 == 49 {
			for _, p := range recorder.BuildFeedbackPacket() {
				b, err := p.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				packets = append(packets, b)
			}
		}
	}
	i := 0
	allocs := testing.AllocsPerRun(len(packets)-1, func() {
		var err error
		results, _, err = h.Read(packets[i], 0, results[:0])
		if err != nil || len(results) == 0 {
			t.Fatal("nothing read: ", err)
		}
		i++
		h.Sent(h.Next(), 5000*ms, 100, 0)
	})
	if allocs != 0 {
		t.Errorf("%v allocations per packet read", allocs)
	}
}
