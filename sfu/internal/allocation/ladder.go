// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package allocation

// maxSteps is the longest ladder: all temporal layers of the lowest spatial
// layer and two of each other one.
const maxSteps = Temporal + 2*(Spatial-1)

// step is one rung of a track's ladder.
type step struct {
	Layer
	cost uint32
}

// slot is what a State knows of one track.
type slot struct {
	id     uint64
	known  bool // a decision was made before, and stands
	choice Layer

	rank      uint8 // the speaker rank that counts
	differs   bool  // the measured one is another
	differsAt int64

	means [Spatial][Temporal]mean

	// The ladder of this call. steps[0] is the pause, of cost 0.
	steps  [maxSteps + 1]step
	top    uint8 // the highest step, 0 where there is nothing to choose
	sharp  uint8 // the step that has the full resolution
	tops   [Spatial]int8
	reason Reason
	key    uint32

	held  uint8 // the step that is being sent
	bound uint8 // the step not to go beyond in a fill
	got   uint8 // the outcome of a fill
	up    uint8 // the outcome with a margin
}

// newSlot begins with what is being sent of a track, if anything.
func newSlot(t *Track) slot {
	s := slot{id: t.ID, rank: t.SpeakerRank, choice: Paused, steps: [maxSteps + 1]step{{Layer: Paused}}}
	if t.Sent.Spatial >= 0 {
		s.known = true
		s.choice = Layer{min(t.Sent.Spatial, Spatial-1), max(0, min(t.Sent.Temporal, Temporal-1))}
	}
	return s
}

// observe takes a track's situation in and builds its ladder.
func (s *slot) observe(t *Track, now int64, dt span, tune *Tuning) {
	s.observeRank(t.SpeakerRank, now, tune.RankHold)
	s.observeRates(t, dt)
	s.key = sortKey(t, s.rank)
	s.top, s.sharp, s.held, s.reason = 0, 0, 0, Sending
	switch {
	case t.Muted:
		s.reason = Muted
	case t.Hidden:
		s.reason = Hidden
	default:
		s.climb(t)
		if s.top == 0 {
			s.reason = Waiting
		} else if s.known {
			s.held = s.level(s.choice)
		}
	}
}

func (s *slot) observeRank(rank uint8, now, hold int64) {
	switch {
	case rank == s.rank:
		s.differs = false
	case !s.differs:
		s.differs, s.differsAt = true, now
	case now-s.differsAt >= hold:
		s.rank, s.differs = rank, false
	}
}

// observeRates brings the means up to date with what choosing each layer would
// take.
func (s *slot) observeRates(t *Track, dt span) {
	var below [Temporal]uint64 // SVC: what the spatial layers below take
	for sp := range t.Encodings {
		e := &t.Encodings[sp]
		s.tops[sp] = -1
		if !e.Live {
			s.means[sp] = [Temporal]mean{}
			continue
		}
		var sum uint64
		for te, rate := range e.Rate {
			sum += uint64(rate)
			if rate > 0 {
				s.tops[sp] = int8(te)
			}
			cost := sum
			if t.SVC {
				cost += below[te]
				below[te] = cost
			}
			s.means[sp][te].see(uint32(min(cost, maxRate)), dt)
		}
	}
}

// climb builds the ladder. A camera gains frame rate before size on its lowest
// spatial layer, and goes on to larger ones at half the frame rate; a screen
// gains size first.
func (s *slot) climb(t *Track) {
	lowest, highest := s.spatialRange(max(0, t.MaxSpatial))
	if lowest < 0 {
		return
	}
	most := max(0, t.MaxTemporal)
	for sp := lowest; sp <= highest; sp++ {
		if s.tops[sp] < 0 {
			continue
		}
		top := min(s.tops[sp], most)
		first, last := int8(0), top
		switch {
		case t.Kind == Screen && sp < highest:
			last = 0
		case t.Kind == Camera && sp > lowest:
			first = max(0, top-1)
		}
		for te := first; te <= last; te++ {
			s.push(Layer{sp, te})
		}
	}
	for s.sharp = 1; s.steps[s.sharp].Spatial < s.steps[s.top].Spatial; s.sharp++ {
	}
}

// spatialRange returns the lowest and highest live spatial layer within the
// wish; where there is none, the lowest live one.
func (s *slot) spatialRange(most int8) (lowest, highest int8) {
	lowest, highest = -1, -1
	for sp := range int8(Spatial) {
		if s.tops[sp] < 0 {
			continue
		}
		if lowest < 0 {
			lowest, highest = sp, sp
		}
		if sp <= most {
			highest = sp
		}
	}
	return lowest, highest
}

// push adds the next better step and drops those before it that are not cheaper.
func (s *slot) push(l Layer) {
	cost := s.means[l.Spatial][l.Temporal].rate
	for s.top > 0 && s.steps[s.top].cost >= cost {
		s.top--
	}
	s.top++
	s.steps[s.top] = step{l, cost}
}

// level returns the step that stands for the choice l: the highest that is not
// better, but at least the lowest for anything that is not a pause. Where l is
// not on the ladder because a better step costs no more, it is that step.
func (s *slot) level(l Layer) uint8 {
	if l.Spatial < 0 {
		return 0
	}
	j := s.top
	for ; j > 1; j-- {
		at := &s.steps[j]
		if at.Spatial < l.Spatial || at.Spatial == l.Spatial && at.Temporal <= l.Temporal {
			break
		}
	}
	if j == s.top || s.tops[l.Spatial] < 0 {
		return j
	}
	own := Layer{l.Spatial, min(l.Temporal, s.tops[l.Spatial])}
	if s.steps[j].Layer != own && s.steps[j+1].cost <= s.means[own.Spatial][own.Temporal].rate {
		j++
	}
	return j
}

// layer is the choice that step j stands for. One that leaves out no temporal
// layer that the subscriber may have leaves room for those still to come.
func (s *slot) layer(j uint8, t *Track) Layer {
	l := s.steps[j].Layer
	if j > 0 && l.Temporal == s.tops[l.Spatial] {
		l.Temporal = min(max(l.Temporal, t.MaxTemporal), Temporal-1)
	}
	return l
}

// sortKey orders tracks: by priority, then screens, then by who matters most.
func sortKey(t *Track, rank uint8) uint32 {
	key := uint32(255-t.Priority) << 16
	if t.Kind == Screen {
		return key
	}
	key |= 1 << 9
	switch {
	case t.Face:
		return key
	case rank == 0:
		return key | 1<<8
	}
	return key | uint32(rank)
}
