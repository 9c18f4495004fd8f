// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"errors"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
)

// State is where a letter stands.
type State string

// The states. A letter without entry is queued.
const (
	Queued  State = "queued"
	Sending State = "sending"
	Sent    State = "sent"
	Failed  State = "failed"
	Unclear State = "unclear"
)

// Reason says why a letter has failed, is unclear or still waits.
type Reason string

// The reasons.
const (
	// Refused: the mail server will not take it.
	Refused Reason = "refused"
	// Unreachable: the mail server could not be reached or is busy.
	Unreachable Reason = "unreachable"
	// TooLate: it could not be sent while it mattered.
	TooLate Reason = "too_late"
	// Interrupted: the process or the connection ended while it was handed over.
	Interrupted Reason = "interrupted"
	// Lost: what was noted about it is damaged.
	Lost Reason = "damaged"
	// NoServer: the site has no mail server.
	NoServer Reason = "no_mail_server"
)

const (
	// leaseTime is how long an attempt may take before others take its process
	// for dead; sendTime is how long it takes at most.
	leaseTime = 10 * time.Minute
	sendTime  = 6 * time.Minute

	firstPause = time.Minute
	maxPause   = time.Hour
)

// Entry is what is noted about a letter. It holds no address and no name.
type Entry struct {
	Appointment string           `json:"appointment"`
	Guest       string           `json:"guest"`
	What        appointment.What `json:"what"`
	// Sequence is the appointment's at the last attempt.
	Sequence int       `json:"sequence"`
	State    State     `json:"state"`
	Reason   Reason    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
	Until    time.Time `json:"until"`
	Attempts int       `json:"attempts,omitempty"`
	// Next is when a queued letter is tried again.
	Next time.Time `json:"next,omitzero"`
	// Owner is the process that is sending, Lease when it is taken for dead.
	Owner string    `json:"owner,omitempty"`
	Lease time.Time `json:"lease,omitzero"`
}

// Final tells whether no further attempt will be made.
func (e *Entry) Final() bool { return e.State == Sent || e.State == Failed || e.State == Unclear }

// Outcome is the entry as appointments understand it.
func (e *Entry) Outcome() appointment.Outcome {
	return appointment.Outcome{
		Settled: e.Final() || e.State == Sending, Told: e.State == Sent || e.State == Unclear || e.State == Sending,
		Sequence: e.Sequence, At: e.At,
	}
}

// Trouble tells whether a host should know.
func (e *Entry) Trouble() bool {
	return e.State == Failed || e.State == Unclear || e.State == Queued && e.Attempts > 0
}

// due tells whether a queued letter may be tried now. A clock that was set back
// must not make it wait longer than a pause.
func (e *Entry) due(now time.Time) bool {
	return e.Next.IsZero() || !now.Before(e.Next) || e.Next.Sub(now) > maxPause
}

// abandoned tells whether the process that was sending has died. A lease that
// lies too far ahead is of a clock that was set back since.
func (e *Entry) abandoned(now time.Time) bool {
	return e.State == Sending && (!now.Before(e.Lease) || e.Lease.Sub(now) > 2*leaseTime)
}

// valid tells whether an entry is one that this package could have written.
func (e *Entry) valid() bool {
	switch e.State {
	case Queued, Sending, Sent, Failed, Unclear:
		return e.Appointment != ""
	}
	return false
}

// settle notes what came of an attempt.
func (e *Entry) settle(err error, now time.Time) {
	e.At, e.Owner, e.Lease, e.Next, e.Reason = now, "", time.Time{}, time.Time{}, ""
	switch {
	case err == nil:
		e.State = Sent
	case errors.Is(err, ErrPermanent):
		e.State, e.Reason = Failed, Refused
	case errors.Is(err, ErrTemporary):
		e.State, e.Reason = Queued, Unreachable
		e.Next = now.Add(pause(e.Attempts))
		if !e.Next.Before(e.Until) {
			e.State = Failed
		}
	default:
		e.State, e.Reason = Unclear, Interrupted
	}
	if f, ok := errors.AsType[*FailureError](err); ok && f.Reason != "" {
		e.Reason = f.Reason
	}
}

// pause is how long after the n-th attempt the next one is made.
func pause(attempts int) time.Duration {
	d := firstPause
	for range attempts - 1 {
		if d *= 2; d >= maxPause {
			return maxPause
		}
	}
	return d
}
