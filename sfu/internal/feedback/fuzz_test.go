// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package feedback

import (
	"testing"

	"github.com/pion/rtcp"
)

// FuzzRead holds Read against another parser: where that one accepts a packet
// whose last chunk names nobody beyond the count, both must agree.
func FuzzRead(f *testing.F) {
	f.Add(marshal(f, 65530, 10, 1<<24-1, []rtcp.PacketStatusChunk{run(1, 10)}, ticks(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)))
	f.Add(marshal(f, 3, 7, 9, []rtcp.PacketStatusChunk{vector(1, 1, 0, 2, 1, 0, 0, 2)}, ticks(1, -4, 3, 1000)))
	f.Add(marshal(f, 3, 14, 9, []rtcp.PacketStatusChunk{vector(0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)}, ticks(1, 2, 3)))
	f.Add(marshal(f, 100, 400, 9, []rtcp.PacketStatusChunk{run(0, 400)}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		h := History{next: 1<<16 - 200}
		send(&h, 300, 0)
		got, report, err := h.Read(b, 0, nil)
		if err != nil {
			if len(got) != 0 || h.referenced {
				t.Fatal("a refused packet left traces")
			}
		}
		if len(got) > mostEntries || report.Received+report.Missing != len(got) {
			t.Fatalf("%d results, %+v", len(got), report)
		}
		var other rtcp.TransportLayerCC
		if b2, ok := exact(b); !ok || other.Unmarshal(b2) != nil {
			return
		}
		want, ok := expected(&h, &other)
		if !ok {
			return
		}
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		if len(got) != len(want) {
			t.Fatalf("%d results, want %d", len(got), len(want))
		}
		for i, w := range want {
			if g := got[i]; g.Seq != w.Seq || g.Received != w.Received || g.Arrival != w.Arrival {
				t.Fatalf("result %d is %+v, want %+v", i, g, w)
			}
		}
	})
}

// exact keeps away from the other parser what it does not look at: the version
// and padding, which it reads as content.
func exact(b []byte) ([]byte, bool) {
	if len(b) < 4 || b[0]&0x20 != 0 || b[0]>>6 != 2 {
		return nil, false
	}
	return b, true
}

// expected flattens the other parser's packet. It is not ok where the last
// chunk speaks of packets beyond the count, which that parser gives deltas.
func expected(h *History, p *rtcp.TransportLayerCC) ([]Result, bool) {
	var symbols []uint16
	for _, c := range p.PacketChunks {
		switch c := c.(type) {
		case *rtcp.RunLengthChunk:
			left := int(p.PacketStatusCount) - len(symbols)
			for range min(int(c.RunLength), left) {
				symbols = append(symbols, c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			symbols = append(symbols, c.SymbolList...)
		}
	}
	for i := int(p.PacketStatusCount); i < len(symbols); i++ {
		if symbols[i] != notReceived {
			return nil, false
		}
	}
	if len(symbols) > 1<<16-1 {
		return nil, false // its count of 16 bits has wrapped
	}
	symbols = symbols[:min(len(symbols), int(p.PacketStatusCount))]
	var out []Result
	seq := h.unwrap(p.BaseSequenceNumber)
	arrival := int64(p.ReferenceTime) * referenceTick
	deltas := p.RecvDeltas
	for _, s := range symbols {
		r := Result{Seq: seq}
		if s == smallDelta || s == largeDelta {
			arrival += deltas[0].Delta
			deltas = deltas[1:]
			r.Received, r.Arrival = true, arrival
		}
		inside := seq < h.next && seq >= 1<<16-200
		if inside && s != withoutDelta {
			out = append(out, r)
		}
		seq++
	}
	return out, true
}
