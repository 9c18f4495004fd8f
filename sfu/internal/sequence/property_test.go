// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sequence

import (
	"math/rand/v2"
	"testing"
)

// packet is a source packet as it reaches the Sequencer.
type packet struct {
	pos  int // in the source's whole life
	skip bool
}

// state is what became of a source packet.
type state uint8

const (
	lost state = iota
	sentOut
	closedUp
	openHole
)

// model drives a Sequencer and records what must hold.
type model struct {
	t       *testing.T
	s       *Sequencer
	random  *rand.Rand
	src     uint8
	seqBase uint16 // sequence number of pos 0
	tsBase  uint32

	lastExt  int64              // newest outgoing number, unwrapped
	owner    map[int64][2]int64 // outgoing number: stretch, pos
	states   map[int]state      // of the current stretch
	outs     map[int]int64      // of the current stretch: pos to outgoing number
	stretch  int64
	first    int
	tsOffset uint32
}

func (m *model) seq(pos int) uint16 { return m.seqBase + uint16(pos) }
func (m *model) ts(pos int) uint32  { return m.tsBase + uint32(pos)*3000 }

func (m *model) begin(pos int) {
	m.stretch++
	m.first = pos
	m.states, m.outs = map[int]state{}, map[int]int64{}
	_, last, started := m.s.LastOut()
	m.tsOffset = last - m.ts(pos)
	if started {
		m.tsOffset += 1500
	}
	m.s.Switch(m.src, m.seq(pos), m.ts(pos), 1500)
}

func (m *model) deliver(p packet) {
	if p.skip {
		hole := m.s.Skip(m.src, m.seq(p.pos))
		before := m.states[p.pos]
		switch {
		case p.pos < m.first:
			if hole {
				m.t.Fatalf("a hole of before the switch at %d", p.pos)
			}
		case hole && before != lost && before != openHole:
			m.t.Fatalf("hole at %d, which is in state %d", p.pos, before)
		case hole:
			m.states[p.pos] = openHole
			if m.random.IntN(2) == 0 {
				m.forward(p.pos)
			}
		case before == lost:
			m.states[p.pos] = closedUp
		}
		return
	}
	m.forward(p.pos)
}

func (m *model) forward(pos int) {
	out, ts, ok := m.s.Map(m.src, m.seq(pos), m.ts(pos))
	before := m.states[pos]
	if !ok {
		if pos >= m.first && (before == lost || before == openHole) {
			m.t.Fatalf("packet %d refused in state %d", pos, before)
		}
		return
	}
	if pos < m.first || before == sentOut || before == closedUp {
		m.t.Fatalf("packet %d mapped in state %d, stretch from %d", pos, before, m.first)
	}
	if ts != m.ts(pos)+m.tsOffset {
		m.t.Fatalf("packet %d left at %d, want %d", pos, ts, m.ts(pos)+m.tsOffset)
	}
	ext := m.lastExt + int64(int16(out-uint16(m.lastExt)))
	if who, taken := m.owner[ext]; taken {
		m.t.Fatalf("number %d given to packet %d and to %v", ext, pos, who)
	}
	m.owner[ext] = [2]int64{m.stretch, int64(pos)}
	m.lastExt = max(m.lastExt, ext)
	m.states[pos], m.outs[pos] = sentOut, ext
	if got, _, started := m.s.LastOut(); !started || got != uint16(m.lastExt) {
		m.t.Fatalf("newest number is %d, want %d", got, uint16(m.lastExt))
	}
	src, seq, offset, found := m.s.Lookup(out)
	if !found || src != m.src || seq != m.seq(pos) || offset != m.tsOffset {
		m.t.Fatalf("number %d of packet %d not found", out, pos)
	}
}

// end checks the finished stretch: numbers ascend with positions, the first one
// follows the stretch before, and every number left out is a packet that the
// source lost or whose place had to stay open.
func (m *model) end(startExt int64, upTo int) {
	previous := startExt
	open := int64(0)
	for pos := m.first; pos <= upTo; pos++ {
		switch m.states[pos] {
		case lost, openHole:
			open++
		case sentOut:
			if got, want := m.outs[pos], previous+open+1; got != want {
				m.t.Fatalf("packet %d left as %d, want %d behind %d and %d missing", pos, got, want, previous, open)
			}
			previous, open = m.outs[pos], 0
		}
	}
}

// arrivals turns positions from..from+n into what a lossy path delivers.
func arrivals(random *rand.Rand, from, n int, loss, reorder, double, skip float64) []packet {
	var out []packet
	for pos := from; pos < from+n; pos++ {
		if random.Float64() < loss {
			continue
		}
		p := packet{pos, random.Float64() < skip}
		out = append(out, p)
		if random.Float64() < double {
			out = append(out, p)
		}
	}
	for i := range out {
		if random.Float64() < reorder {
			p := out[i]
			j := min(i+1+random.IntN(12), len(out)-1)
			copy(out[i:j], out[i+1:j+1])
			out[j] = p
		}
	}
	return out
}

func run(t *testing.T, seed uint64, loss, reorder, double, skip float64) *model {
	random := rand.New(rand.NewPCG(seed, 11))
	start := uint16(random.Uint32())
	m := &model{
		t: t, random: random, s: New(start, random.Uint32()),
		lastExt: int64(start) - 1, owner: map[int64][2]int64{},
	}
	var positions [3]int
	for range 30 {
		m.src = uint8(random.IntN(3))
		m.seqBase = uint16(m.src)*20000 + uint16(seed)*977
		m.tsBase = uint32(m.src) * 1e9
		from := positions[m.src]
		startExt := m.lastExt
		m.begin(from)
		n := 1 + random.IntN(2000)
		for i, p := range arrivals(random, from, n, loss, reorder, double, skip) {
			m.deliver(p)
			if i%50 == 0 {
				m.deliver(packet{pos: from - 1 - random.IntN(500)})
				if _, _, ok := m.s.Map(m.src+1, m.seq(p.pos+1), 0); ok {
					t.Fatal("packet of another source mapped")
				}
			}
		}
		m.end(startExt, from+n)
		positions[m.src] = from + n + random.IntN(100)
	}
	return m
}

func TestLossyStreams(t *testing.T) {
	for seed := range uint64(12) {
		run(t, seed, 0.05, 0.05, 0.02, 0.1)
		run(t, seed, 0.3, 0.3, 0.1, 0.5)
	}
}

func TestOrderedStreamsAreContinuous(t *testing.T) {
	for seed := range uint64(12) {
		m := run(t, seed, 0, 0, 0, 0.2)
		if want := m.lastExt + 1; len(m.owner) == 0 || int64(len(m.owner)) != want-minimum(m.owner) {
			t.Fatalf("%d numbers used up to %d", len(m.owner), m.lastExt)
		}
	}
}

func minimum(owner map[int64][2]int64) int64 {
	least := int64(1) << 62
	for ext := range owner {
		least = min(least, ext)
	}
	return least
}

func FuzzSequencer(f *testing.F) {
	f.Add([]byte{0, 1, 1, 2, 10, 3, 3, 0, 200, 1}, uint16(65530))
	f.Fuzz(func(t *testing.T, script []byte, seq uint16) {
		s := New(seq, 0)
		given := map[int64]bool{}
		ext := int64(seq) - 1
		next := seq
		for i := 0; i+1 < len(script); i += 2 {
			arg := uint16(script[i]) * uint16(script[i]) / 3
			switch script[i+1] % 6 {
			case 0, 1:
				next++
			case 2:
				next += arg
			case 3:
				next -= arg % 300
			case 4:
				s.Skip(script[i]%2, next)
				next++
			case 5:
				s.Switch(script[i]%2, next, 0, 0)
			}
			out, _, ok := s.Map(script[i]%2, next, 0)
			if !ok {
				continue
			}
			number := ext + int64(int16(out-uint16(ext)))
			if given[number] {
				t.Fatalf("number %d given twice", number)
			}
			given[number] = true
			ext = max(ext, number)
			if _, got, _, found := s.Lookup(out); !found || got != next {
				t.Fatalf("number %d is not packet %d", out, next)
			}
		}
	})
}
