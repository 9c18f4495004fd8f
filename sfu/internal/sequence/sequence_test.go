// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sequence

import "testing"

// mapped expects the source packet to leave as want.
func mapped(t *testing.T, s *Sequencer, src uint8, seq, want uint16) {
	t.Helper()
	out, _, ok := s.Map(src, seq, uint32(seq)*10)
	if !ok || out != want {
		t.Fatalf("packet %d of source %d left as %d (%v), want %d", seq, src, out, ok, want)
	}
	gotSrc, gotSeq, _, ok := s.Lookup(want)
	if !ok || gotSrc != src || gotSeq != seq {
		t.Fatalf("number %d found as packet %d of source %d (%v)", want, gotSeq, gotSrc, ok)
	}
}

func refused(t *testing.T, s *Sequencer, src uint8, seq uint16) {
	t.Helper()
	if out, _, ok := s.Map(src, seq, 0); ok {
		t.Fatalf("packet %d of source %d left as %d, want it refused", seq, src, out)
	}
}

func TestBeforeTheFirstSwitch(t *testing.T) {
	s := New(100, 5000)
	refused(t, s, 0, 0)
	if s.Skip(0, 0) {
		t.Error("a hole before the first packet")
	}
	if _, _, started := s.LastOut(); started {
		t.Error("started before the first packet")
	}
	for out := range 1 << 16 {
		if _, _, _, ok := s.Lookup(uint16(out)); ok {
			t.Fatalf("number %d found before the first packet", out)
		}
	}
}

func TestFirstPacket(t *testing.T) {
	s := New(65535, 5000)
	s.Switch(3, 7, 1000, 99)
	out, ts, ok := s.Map(3, 7, 1000)
	if !ok || out != 65535 || ts != 5000 {
		t.Fatalf("first packet left as %d at %d (%v)", out, ts, ok)
	}
	out, ts, ok = s.Map(3, 8, 1960)
	if !ok || out != 0 || ts != 5960 {
		t.Fatalf("second packet left as %d at %d (%v)", out, ts, ok)
	}
	if seq, ts, started := s.LastOut(); seq != 0 || ts != 5960 || !started {
		t.Errorf("last out is %d at %d (%v)", seq, ts, started)
	}
}

func TestGapsAndLatePackets(t *testing.T) {
	s := New(10, 0)
	s.Switch(0, 65534, 0, 0)
	mapped(t, s, 0, 65534, 10)
	mapped(t, s, 0, 1, 13)
	mapped(t, s, 0, 65535, 11)
	refused(t, s, 0, 65535)
	refused(t, s, 0, 65533)
	refused(t, s, 1, 2)
	mapped(t, s, 0, 2, 14)
	mapped(t, s, 0, 0, 12)
	if seq, _, _ := s.LastOut(); seq != 14 {
		t.Errorf("a late packet moved the newest number to %d", seq)
	}
}

func TestSkip(t *testing.T) {
	s := New(10, 0)
	s.Switch(0, 100, 0, 0)
	mapped(t, s, 0, 100, 10)
	for range 2 {
		if s.Skip(0, 101) {
			t.Fatal("a hole where the packets close up")
		}
	}
	refused(t, s, 0, 101)
	mapped(t, s, 0, 102, 11)
	mapped(t, s, 0, 104, 13)
	for _, seq := range []uint16{100, 102, 104} {
		if s.Skip(0, seq) {
			t.Errorf("a hole under packet %d, which went out", seq)
		}
	}
	if s.Skip(1, 105) || s.Skip(0, 99) || s.Skip(0, 101) {
		t.Error("a hole for a packet that Map refuses")
	}
	if !s.Skip(0, 103) {
		t.Error("no hole where later packets are out")
	}
	mapped(t, s, 0, 103, 12)
	mapped(t, s, 0, 105, 14)
}

func TestSkipOfAMissingPacketClosesUp(t *testing.T) {
	s := New(10, 0)
	s.Switch(0, 100, 0, 0)
	mapped(t, s, 0, 100, 10)
	s.Skip(0, 104)
	if s.Skip(0, 102) {
		t.Error("a hole although nothing went out behind it")
	}
	mapped(t, s, 0, 105, 13)
	mapped(t, s, 0, 103, 12)
	mapped(t, s, 0, 101, 11)
	refused(t, s, 0, 102)
	refused(t, s, 0, 104)
}

func TestSwitch(t *testing.T) {
	s := New(10, 1000)
	s.Switch(0, 100, 7000, 0)
	mapped(t, s, 0, 100, 10)
	mapped(t, s, 0, 103, 13)
	s.Switch(1, 50000, 90, 3000)
	refused(t, s, 0, 104)
	refused(t, s, 0, 101)
	refused(t, s, 1, 49999)
	_, last, _ := s.LastOut()
	out, ts, ok := s.Map(1, 50001, 90+3000)
	if !ok || out != 15 || ts != last+6000 {
		t.Errorf("second packet of the new source left as %d at %d (%v)", out, ts, ok)
	}
	out, ts, ok = s.Map(1, 50000, 90)
	if !ok || out != 14 || ts != last+3000 {
		t.Errorf("first packet of the new source left as %d at %d (%v)", out, ts, ok)
	}
	for _, hole := range []uint16{9, 11, 12, 16} {
		if _, _, _, ok := s.Lookup(hole); ok {
			t.Errorf("number %d found, which never went out", hole)
		}
	}
	if _, _, offset, _ := s.Lookup(13); offset+7000 != 1000 {
		t.Errorf("offset of the first source is %d", int32(offset))
	}
	if _, _, offset, _ := s.Lookup(14); 90+offset != last+3000 {
		t.Errorf("offset of the second source is %d", int32(offset))
	}
}

func TestSwitchWithoutPackets(t *testing.T) {
	s := New(10, 1000)
	for i := range 200 {
		s.Switch(uint8(i), uint16(i*700), 0, 3000)
		s.Skip(uint8(i), uint16(i*700))
	}
	s.Switch(7, 5, 0, 3000)
	mapped(t, s, 7, 5, 10)
	s.Switch(7, 9, 0, 3000)
	refused(t, s, 7, 8)
	mapped(t, s, 7, 9, 11)
}

func TestMemory(t *testing.T) {
	s := New(0, 0)
	s.Switch(0, 0, 0, 0)
	for i := range 70000 {
		mapped(t, s, 0, uint16(i), uint16(i))
	}
	newest, _, _ := s.LastOut()
	if _, _, _, ok := s.Lookup(newest - window + 1); !ok {
		t.Error("one of the last 1024 is forgotten")
	}
	for _, out := range []uint16{newest - window, newest + 1, newest + 30000} {
		if _, _, _, ok := s.Lookup(out); ok {
			t.Errorf("number %d found with %d newest", out, newest)
		}
	}
	for i := range uint8(epochs + 5) {
		s.Switch(i, 0, 0, 0)
		mapped(t, s, i, 0, newest+1+uint16(i))
	}
	if _, _, _, ok := s.Lookup(newest); ok {
		t.Error("a packet of before the last 32 switches was found")
	}
}

func TestTooLate(t *testing.T) {
	s := New(0, 0)
	s.Switch(0, 0, 0, 0)
	mapped(t, s, 0, 99, 99)
	for seq := uint16(200); seq < 220; seq++ {
		s.Skip(0, seq)
	}
	for seq := uint16(220); seq <= 1170; seq++ {
		mapped(t, s, 0, seq, seq-20)
	}
	s.Skip(0, 1180)
	refused(t, s, 0, 150)
	if s.Skip(0, 150) {
		t.Error("a hole further back than is remembered")
	}
	mapped(t, s, 0, 160, 160)
}

func TestManySwitches(t *testing.T) {
	s := New(0, 0)
	for i := range 1<<16 + 100 {
		s.Switch(uint8(i), 9, 0, 0)
		mapped(t, s, uint8(i), 9, uint16(i))
	}
}

func TestLongGaps(t *testing.T) {
	s := New(0, 0)
	s.Switch(0, 0, 0, 0)
	mapped(t, s, 0, 0, 0)
	mapped(t, s, 0, 8193, 8193)
	mapped(t, s, 0, 8192, 8192)
	refused(t, s, 0, 1)
	mapped(t, s, 0, 8193+30000, 8193+maxGap+1)
	mapped(t, s, 0, 8193+29999, 8193+maxGap)
	refused(t, s, 0, 8194)
	newest := uint16(8193 + maxGap + 1)
	// Gaps also add up over packets that are not forwarded.
	seq := uint16(8193 + 30000)
	for range 50 {
		seq += 1000
		s.Skip(0, seq)
	}
	mapped(t, s, 0, seq+1, newest+maxGap+1)
	mapped(t, s, 0, seq-1, newest+maxGap)
	refused(t, s, 0, seq-1001)
	refused(t, s, 0, seq-1002)
	mapped(t, s, 0, seq+2, newest+maxGap+2)
}

func TestNoAllocation(t *testing.T) {
	s := New(0, 0)
	s.Switch(0, 0, 0, 0)
	var seq uint16
	if n := testing.AllocsPerRun(20000, func() {
		seq++
		switch {
		case seq%1000 == 0:
			s.Switch(0, seq, 0, 0)
		case seq%7 == 0:
			s.Skip(0, seq)
			return
		case seq%11 == 0:
			return
		}
		out, _, ok := s.Map(0, seq, 0)
		if _, got, _, found := s.Lookup(out); !ok || !found || got != seq {
			t.Fatal("packet not mapped")
		}
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func BenchmarkMap(b *testing.B) {
	s := New(0, 0)
	s.Switch(0, 0, 0, 0)
	var seq uint16
	b.ReportAllocs()
	for b.Loop() {
		s.Map(0, seq, 1)
		seq++
	}
}

func BenchmarkMapWithLossAndSkips(b *testing.B) {
	s := New(0, 0)
	s.Switch(0, 0, 0, 0)
	var seq uint16
	b.ReportAllocs()
	for b.Loop() {
		seq++
		switch {
		case seq%16 == 0:
			s.Skip(0, seq)
		case seq%20 != 0:
			s.Map(0, seq, 1)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	s := New(0, 0)
	s.Switch(0, 0, 0, 0)
	for seq := range uint16(2000) {
		s.Map(0, seq, 1)
	}
	var back uint16
	b.ReportAllocs()
	for b.Loop() {
		back = (back + 1) % window
		if _, _, _, ok := s.Lookup(1999 - back); !ok {
			b.Fatal("packet not found")
		}
	}
}
