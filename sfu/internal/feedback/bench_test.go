// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package feedback

import (
	"testing"

	"github.com/pion/rtcp"
)

func BenchmarkSent(b *testing.B) {
	var h History
	b.ReportAllocs()
	now := int64(0)
	for b.Loop() {
		h.Sent(h.Next(), now, 1100, 0)
		now += ms
	}
}

// BenchmarkRead gives the time per reported packet.
func BenchmarkRead(b *testing.B) {
	const perPacket = 40
	results := make([]Result, 0, 2*perPacket)
	var h History
	chunks := []rtcp.PacketStatusChunk{
		vector(1, 1, 1, 1, 2, 1, 1, 1), run(1, 19),
		vector(0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1),
	}
	units := make([]int64, 39)
	for i := range units {
		units[i] = 4
	}
	units[3] = 300
	packet := marshal(b, 0, perPacket, 1, chunks, ticks(units...))
	now := int64(0)
	b.ReportAllocs()
	for i := 0; i < b.N; i += perPacket {
		for range perPacket {
			h.Sent(h.Next(), now, 1100, 0)
			now += ms
		}
		packet[12], packet[13] = byte(i>>8), byte(i)
		results, _, _ = h.Read(packet, now, results[:0])
		if len(results) != perPacket {
			b.Fatal(len(results))
		}
	}
}
