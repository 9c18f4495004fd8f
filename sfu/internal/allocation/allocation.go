// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package allocation

import "math"

// State is the memory of one subscriber. The zero value is ready to use.
type State struct {
	// Tuning replaces Defaults where it is not nil. It is only read.
	Tuning *Tuning

	slots     []slot // in the order of the input
	order     []uint16
	sequence  []item
	decisions []Decision

	budgets      recent
	metAt        int64
	raisedAt     int64 // the latest step up that is still on trial
	raised       bool
	raisedFrom   uint64 // the total before it
	failures     uint8
	blockedUntil int64
	verdict      verdict
	begun        bool
}

// verdict is what can be taken back of the latest failure.
type verdict struct {
	at, until    int64
	before, sent uint64 // the totals before the step up, and when it failed
	failures     uint8  // without this one
}

// item is one step of one track in the order in which the budget is given out.
type item struct {
	slot uint16
	step uint8
}

// Allocate decides anew. now is in nanoseconds and must not fall. It is to be
// called several times per second, for a step up is made only in a call.
//
// Steps down are made at once. Steps up need a budget that was high enough for a
// while (Tuning.UpMargin, UpHold), except for tracks that begin, were hidden or
// muted: those get at once what fits with the margin, and their lowest layer
// even without it. The lowest layer of the first track needs no margin either.
func (s *State) Allocate(now int64, in *Input) Result {
	tune := s.Tuning
	if tune == nil {
		tune = &Defaults
	}
	budget := in.Budget
	if in.Saver != 0 {
		budget = min(budget, in.Saver)
	}
	steady := s.budgets.add(now, tune.UpHold, budget)
	s.match(in.Tracks)
	dt := s.elapsed(now)
	for i := range in.Tracks {
		s.slots[i].observe(&in.Tracks[i], now, dt, tune)
	}
	s.sort()
	s.line(in.Tracks)

	held := s.heldCost()
	blocked := now < s.blockedUntil
	room := s.fillUp(uint64(budget), uint64(steady), held, blocked, tune)
	total := s.fillHeld(uint64(budget), tune)
	failed := s.judge(now, held, uint64(budget), tune)
	if !failed {
		total = s.raise(now, total, room, tune)
	}
	out := s.settle(in.Tracks)
	out.Total = saturate(total)
	if !blocked && !failed {
		out.Wanted = s.wanted(total, in.Saver, tune)
	}
	return out
}

// match brings the slots into the order of the tracks, with new ones for tracks
// that are not known.
func (s *State) match(tracks []Track) {
	for i := range tracks {
		t := &tracks[i]
		if i < len(s.slots) && s.slots[i].id == t.ID {
			continue
		}
		j := i + 1
		for j < len(s.slots) && s.slots[j].id != t.ID {
			j++
		}
		if j >= len(s.slots) {
			j = len(s.slots)
			s.slots = append(s.slots, newSlot(t))
		}
		s.slots[i], s.slots[j] = s.slots[j], s.slots[i]
	}
	s.slots = s.slots[:len(tracks)]
}

// elapsed returns how much time the measurements of this call stand for: none
// where the last ones are too recent.
func (s *State) elapsed(now int64) span {
	passed := now - s.metAt
	if !s.begun {
		s.begun, s.metAt = true, now
		return span{}
	}
	if passed < meanTick {
		return span{}
	}
	s.metAt = now
	return spanOf(uint16(min(passed/1e6, longest)))
}

// heldCost is what is being sent takes now.
func (s *State) heldCost() (sum uint64) {
	for i := range s.slots {
		sum += uint64(s.slots[i].steps[s.slots[i].held].cost)
	}
	return sum
}

// fillUp finds what there would be with a margin to spare: the steps up, and
// what they displace. It returns the room there was.
func (s *State) fillUp(budget, steady, held uint64, blocked bool, tune *Tuning) uint64 {
	plain, floor := steady*100/tune.UpMargin, steady*tune.FloorStart/100
	if blocked {
		plain, floor = min(plain, held), min(floor, held)
	}
	for i := range s.slots {
		s.slots[i].bound = s.slots[i].top
	}
	s.fill(plain, s.floor(budget, floor, tune), budget)
	for i := range s.slots {
		s.slots[i].up = s.slots[i].got
	}
	return plain
}

// fillHeld finds what of the held steps fits the budget, and what tracks without
// a decision get at once. It returns the cost.
func (s *State) fillHeld(budget uint64, tune *Tuning) uint64 {
	for i := range s.slots {
		sl := &s.slots[i]
		sl.bound = sl.held
		if !sl.known {
			sl.bound = min(sl.top, max(1, sl.up))
		}
	}
	return s.fill(budget, s.floor(budget, budget*tune.FloorStart/100, tune), budget)
}

// floor is the most that the first step in the line may take.
func (s *State) floor(budget, otherwise uint64, tune *Tuning) uint64 {
	if len(s.sequence) > 0 && s.slots[s.sequence[0].slot].held > 0 {
		return budget * tune.FloorGrace / 100
	}
	return otherwise
}

// fill gives steps out along the line as long as their sum stays within room,
// the very first within floor, the lowest ones of tracks without a decision
// within fresh, and passes over what does not fit.
func (s *State) fill(room, floor, fresh uint64) (total uint64) {
	for i := range s.slots {
		s.slots[i].got = 0
	}
	for i, it := range s.sequence {
		sl := &s.slots[it.slot]
		if it.step != sl.got+1 || it.step > sl.bound {
			continue
		}
		after := total + uint64(sl.steps[it.step].cost-sl.steps[it.step-1].cost)
		if after <= room || i == 0 && after <= floor || it.step == 1 && !sl.known && after <= fresh {
			sl.got, total = it.step, after
		}
	}
	return total
}

// judge tells whether a step up failed: the budget no longer holds what is sent.
func (s *State) judge(now int64, held, budget uint64, tune *Tuning) (failed bool) {
	s.pardon(now, budget, tune)
	if !s.raised {
		return false
	}
	age := now - s.raisedAt
	if age >= tune.BackoffMax {
		s.failures = 0
	}
	if held <= budget || age > tune.FailWithin || !s.forced() {
		return false
	}
	s.raised = false
	wait := tune.Backoff
	for range s.failures {
		wait = min(wait*2, tune.BackoffMax)
	}
	if s.raisedFrom == 0 {
		wait = tune.Backoff // no picture at all is worth another try
	}
	s.verdict = verdict{at: now, until: now + tune.Pardon, before: s.raisedFrom, sent: held, failures: s.failures}
	s.failures = min(s.failures+1, 8)
	s.blockedUntil = now + min(wait, tune.BackoffMax)
	s.pardon(now, budget, tune)
	return now < s.blockedUntil
}

// pardon takes a failure back where the step is not to blame, but a path that has
// changed. A budget that no longer holds what was sent before the step either is
// one, and the next step need not wait. One of which most is gone is probably one
// too: the next step waits no longer than after a first failure. As an estimate
// falls in stages, that may turn out a little later.
func (s *State) pardon(now int64, budget uint64, tune *Tuning) {
	v := &s.verdict
	switch {
	case now >= v.until:
	case budget*100 < v.before*tune.Collapse:
		s.failures, s.blockedUntil, v.until = v.failures, now, 0
	case budget*100 < v.sent*tune.Ruin:
		s.failures, s.blockedUntil = v.failures, min(s.blockedUntil, v.at+tune.Backoff)
	}
}

// forced tells that something being sent was taken back.
func (s *State) forced() bool {
	for i := range s.slots {
		if s.slots[i].got < s.slots[i].held {
			return true
		}
	}
	return false
}

// raise makes the steps up there is room for and returns the new total. They may
// displace what is less important, but not what is just as important.
func (s *State) raise(now int64, total, room uint64, tune *Tuning) uint64 {
	winner, better := s.winner()
	if !better {
		return total
	}
	before, onTrial := total, s.raised && now-s.raisedAt <= tune.FailWithin
	total = s.stepUp(now, total, room, winner)
	if s.raised && s.raisedAt == now && !onTrial {
		s.raisedFrom = before
	}
	return total
}

func (s *State) stepUp(now int64, total, room uint64, winner *slot) uint64 {
	displace := true
	for i := range s.slots {
		sl := &s.slots[i]
		displace = displace && (sl.up >= sl.got || winner.key < sl.key)
	}
	if displace {
		total = 0
		for i := range s.slots {
			sl := &s.slots[i]
			s.step(sl, sl.up, now)
			total += uint64(sl.steps[sl.got].cost)
		}
		return total
	}
	for _, it := range s.sequence {
		sl := &s.slots[it.slot]
		after := total + uint64(sl.steps[it.step].cost-sl.steps[it.step-1].cost)
		if it.step == sl.got+1 && after <= room {
			s.step(sl, it.step, now)
			total = after
		}
	}
	return total
}

// winner returns the track with the first step in the line in which the fill
// with a margin differs from what is kept, if it has that step more.
func (s *State) winner() (*slot, bool) {
	for _, it := range s.sequence {
		sl := &s.slots[it.slot]
		if up, kept := sl.up >= it.step, sl.got >= it.step; up != kept {
			return sl, up
		}
	}
	return nil, false
}

// step moves a track to a step; one up is on trial from now on.
func (s *State) step(sl *slot, to uint8, now int64) {
	if to > sl.got && sl.known {
		s.raised, s.raisedAt = true, now
	}
	sl.got = to
}

// settle writes the decisions down.
func (s *State) settle(tracks []Track) Result {
	if cap(s.decisions) < len(tracks) {
		s.decisions = make([]Decision, len(tracks), cap(s.slots))
	}
	s.decisions = s.decisions[:len(tracks)]
	r := Result{Decisions: s.decisions}
	for i := range tracks {
		sl, t := &s.slots[i], &tracks[i]
		switch sl.reason {
		case Hidden, Muted:
			sl.known, sl.choice = false, Paused
		case Waiting:
			if !sl.known {
				sl.choice = Layer{0, 0}
			}
		default:
			sl.known, sl.choice = true, sl.layer(sl.got, t)
			if sl.got == 0 {
				sl.reason, r.Starved = Starved, true
			}
		}
		s.decisions[i] = Decision{Choice: sl.choice, Reason: sl.reason, Cost: sl.steps[sl.got].cost}
	}
	return r
}

// wanted returns the budget at which the cheapest step up would be made.
func (s *State) wanted(total uint64, saver uint32, tune *Tuning) uint32 {
	least := uint64(math.MaxUint64)
	for i := range s.slots {
		sl := &s.slots[i]
		if sl.reason != Sending && sl.reason != Starved || sl.got >= sl.top {
			continue
		}
		need := total + uint64(sl.steps[sl.got+1].cost-sl.steps[sl.got].cost)
		margin := tune.UpMargin
		if sl.got == 0 && int(s.sequence[0].slot) == i {
			margin = 100
		}
		need = (need*margin + 99) / 100
		least = min(least, need)
	}
	if least == math.MaxUint64 || saver != 0 && least > uint64(saver) {
		return 0
	}
	return saturate(least)
}

func saturate(v uint64) uint32 { return uint32(min(v, math.MaxUint32)) }
