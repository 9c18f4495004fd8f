// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package appointment

import (
	"slices"
	"strconv"
	"time"
)

// What is what a letter says.
type What string

// The letters.
const (
	Invitation   What = "invitation"
	Change       What = "change"
	Cancellation What = "cancellation"
	Reminder     What = "reminder"
)

const (
	// patience is how long a letter is tried.
	patience = 48 * time.Hour
	// soon is how long before a reminder another letter takes its place: all
	// carry the link.
	soon = 10 * time.Minute
)

// Letter is a mail to a guest that is owed or was.
type Letter struct {
	// ID is the same whenever the same letter is spoken of.
	ID string
	// Appointment and Guest are ids.
	Appointment, Guest string
	What               What
	// Sequence is the appointment's, as the letter will tell it, and Told the one
	// that the guest was told last; −1: none.
	Sequence, Told int
	// Due is when it is to leave, Until when it is not worth sending any more.
	Due, Until time.Time
	// AtOnce tells that it waits for nothing, also where the clock has been set
	// back since Due.
	AtOnce bool
}

// Outcome is what has become of a letter. The zero value: nothing yet.
type Outcome struct {
	// Settled tells that no further attempt will be made, or that one is being
	// made at this moment.
	Settled bool
	// Told tells that the guest has it, or may have it.
	Told bool
	// Sequence is the appointment's that the letter told.
	Sequence int
	// At is when.
	At time.Time
}

// Letters returns the letters of an appointment that are owed or settled, those
// of a guest in the order in which they are to leave. Letters that have become
// pointless before they left are not among them: the invitation to what has been
// cancelled, a change that an unsent invitation will tell anyway. reminder is how
// long before the start the link is sent again; 0: not at all.
func (a *Appointment) Letters(reminder time.Duration, outcome func(id string) Outcome) []Letter {
	var all []Letter
	for i := range a.Guests {
		if a.Guests[i].Email != "" {
			all = append(all, a.lettersTo(&a.Guests[i], reminder, outcome)...)
		}
	}
	return all
}

// Reminds tells whether a letter that leaves now is followed by a reminder, which is
// sent so long before the start.
func (a *Appointment) Reminds(reminder time.Duration, now time.Time) bool {
	return a.Notify && reminder > 0 && now.Before(a.Start.Add(-reminder-soon))
}

func (a *Appointment) lettersTo(g *Guest, reminder time.Duration, outcome func(id string) Outcome) []Letter {
	var letters []Letter
	told, last := -1, time.Time{}
	for i, n := range g.Notices {
		l := a.letter(g, n.What, strconv.Itoa(i))
		l.Due, l.AtOnce, l.Told = n.At, true, told
		l.Until = earlier(n.At.Add(patience), later(a.End(), n.At.Add(time.Hour)))
		o := outcome(l.ID)
		if !o.Settled && !a.owes(g, i, told) {
			continue
		}
		letters = append(letters, l)
		if o.Told {
			told, last = max(told, o.Sequence), later(last, o.At)
		}
	}
	if !a.Notify || reminder <= 0 || a.Status != Planned || g.Revoked || g.Removed {
		return letters
	}
	l := a.letter(g, Reminder, "at "+strconv.FormatInt(a.Start.Unix(), 10))
	l.Due, l.Until = a.Start.Add(-reminder), a.End()
	if outcome(l.ID).Settled || last.Before(l.Due.Add(-soon)) {
		letters = append(letters, l)
	}
	return letters
}

func (a *Appointment) letter(g *Guest, what What, which string) Letter {
	return Letter{
		ID:          digest("letter", a.ID, g.ID, string(what), which),
		Appointment: a.ID, Guest: g.ID, What: what, Sequence: a.Sequence,
	}
}

// owes tells whether the i-th notice still has to be sent, to a guest who was
// told the given sequence last, or −1.
func (a *Appointment) owes(g *Guest, i, told int) bool {
	welcome := a.Status == Planned && !g.Revoked && !g.Removed
	superseded := slices.ContainsFunc(g.Notices[i+1:], func(n Notice) bool { return n.What == Invitation || n.What == Change })
	switch g.Notices[i].What {
	case Invitation:
		// A later change is told by the invitation.
		again := slices.ContainsFunc(g.Notices[i+1:], func(n Notice) bool { return n.What == Invitation })
		return welcome && !again
	case Change:
		return welcome && !superseded && told >= 0 && told < a.Sequence
	case Cancellation:
		return (a.Status == Cancelled || g.Removed) && told >= 0
	case Reminder:
		return welcome
	}
	return false
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
