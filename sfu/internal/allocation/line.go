// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package allocation

// sort brings the slots into order of importance. The order hardly changes
// between calls, so insertion into the former one is quickest.
func (s *State) sort() {
	if len(s.order) != len(s.slots) {
		s.order = s.order[:0]
		for i := range s.slots {
			s.order = append(s.order, uint16(i))
		}
	}
	for i := 1; i < len(s.order); i++ {
		for j := i; j > 0 && s.before(s.order[j], s.order[j-1]); j-- {
			s.order[j], s.order[j-1] = s.order[j-1], s.order[j]
		}
	}
}

func (s *State) before(a, b uint16) bool {
	x, y := &s.slots[a], &s.slots[b]
	return x.key < y.key || x.key == y.key && x.id < y.id
}

// group is a stretch of the order with the same priority: screens, then cameras.
type group struct {
	screens, cameras []uint16
	// first tells that cameras[0] is the most important of all.
	first bool
}

// line puts all steps of all tracks into the order in which they are given out
// (see the package comment).
func (s *State) line(tracks []Track) {
	s.sequence = s.sequence[:0]
	s.eachGroup(tracks, func(g group) {
		others := g.cameras
		if g.first {
			s.steps(g.cameras[:1], 1, 1)
			others = g.cameras[1:]
		}
		s.steps(g.screens, 1, 1)
		for _, i := range g.screens {
			s.steps1(i, 2, s.slots[i].sharp)
		}
		s.steps(others, 1, 1)
	})
	s.eachGroup(tracks, func(g group) {
		others := g.cameras
		for _, i := range g.screens {
			s.steps1(i, s.slots[i].sharp+1, maxSteps)
		}
		if g.first {
			s.steps1(g.cameras[0], 2, maxSteps)
			others = g.cameras[1:]
		}
		s.steps(others, 2, maxSteps)
	})
}

// steps adds the steps from to to of several tracks in turn.
func (s *State) steps(of []uint16, from, to uint8) {
	for j, more := from, true; j <= to && more; j++ {
		more = false
		for _, i := range of {
			if j <= s.slots[i].top {
				s.sequence = append(s.sequence, item{i, j})
				more = true
			}
		}
	}
}

// steps1 adds the steps from to to of one track.
func (s *State) steps1(i uint16, from, to uint8) {
	for j := from; j <= min(to, s.slots[i].top); j++ {
		s.sequence = append(s.sequence, item{i, j})
	}
}

// eachGroup calls visit for each priority, the highest first. Tracks that have
// nothing to give out are in it, with no steps; the first camera is one with.
func (s *State) eachGroup(tracks []Track, visit func(group)) {
	found := false
	for at := 0; at < len(s.order); {
		priority := tracks[s.order[at]].Priority
		cameras := at
		for cameras < len(s.order) && tracks[s.order[cameras]].Priority == priority && tracks[s.order[cameras]].Kind == Screen {
			cameras++
		}
		end := cameras
		for end < len(s.order) && tracks[s.order[end]].Priority == priority {
			end++
		}
		g := group{screens: s.order[at:cameras], cameras: s.order[cameras:end]}
		for !found && len(g.cameras) > 0 && s.slots[g.cameras[0]].top == 0 {
			g.cameras = g.cameras[1:]
		}
		if g.first = !found && len(g.cameras) > 0; g.first {
			found = true
		}
		visit(g)
		at = end
	}
}
