// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package appointment

import "time"

// Window is when the links of an appointment lead into its room.
type Window struct {
	// Opens is the first moment, Closes the first after the last.
	Opens, Closes time.Time
}

// State is where an appointment stands for whoever holds a link.
type State string

// The states.
const (
	Early State = "early"
	Open  State = "open"
	Over  State = "over"
	Off   State = "cancelled"
)

// Window returns when links lead into the room: some time before the start until
// some time after the end. A moved appointment moves it; links stay the same.
func (a *Appointment) Window(before, after time.Duration) Window {
	return Window{Opens: a.Start.Add(-before), Closes: a.End().Add(after)}
}

// State returns where the appointment stands.
func (a *Appointment) State(w Window, now time.Time) State {
	switch {
	case a.Status == Cancelled:
		return Off
	case now.Before(w.Opens):
		return Early
	case now.Before(w.Closes):
		return Open
	default:
		return Over
	}
}

// MaxRetention is the longest that anything is kept: about three months.
const MaxRetention = 2160 * time.Hour

// Expired tells whether the record is to be deleted: retention after the
// appointment's end, though not before its links close, and at most three months
// after it or after a cancellation.
func (a *Appointment) Expired(retention time.Duration, w Window, now time.Time) bool {
	if retention <= 0 || retention > MaxRetention {
		retention = MaxRetention
	}
	if !now.Before(later(a.End().Add(retention), w.Closes)) {
		return true
	}
	return a.Status == Cancelled && !a.Changed.IsZero() && !now.Before(a.Changed.Add(MaxRetention))
}
