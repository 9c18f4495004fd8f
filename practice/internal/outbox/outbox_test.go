// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/record"
	"github.com/caddy-videoroom/videoroom/practice/internal/storagetest"
	"github.com/caddy-videoroom/videoroom/token"
)

var errFull = errors.New("no space left on device")

func newBox(s *storagetest.Storage) *Box {
	return New(record.New(s, slog.New(slog.DiscardHandler), time.Now), time.Now)
}

func newLetter() *appointment.Letter {
	now := time.Now()
	return &appointment.Letter{
		ID: token.NewID(), Appointment: token.NewID(), Guest: token.NewID(), What: appointment.Invitation,
		Sequence: 3, Due: now, Until: now.Add(48 * time.Hour),
	}
}

// attempt makes an attempt that ends with err, and tells how often it was made.
func attempt(err error, made *int) Prepare {
	return func(context.Context) (Attempt, error) {
		return func(context.Context) error { *made++; return err }, nil
	}
}

func TestOutcomes(t *testing.T) {
	for _, tc := range []struct {
		err    error
		state  State
		reason Reason
	}{
		{nil, Sent, ""}, {ErrPermanent, Failed, Refused}, {ErrTemporary, Queued, Unreachable},
		{ErrUnclear, Unclear, Interrupted}, {errors.New("unclassified"), Unclear, Interrupted},
		{fmt.Errorf("more: %w", &FailureError{ErrTemporary, "busy"}), Queued, "busy"},
		{&FailureError{ErrPermanent, "recipient"}, Failed, "recipient"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := storagetest.NewDisk().Process()
			b, l, made := newBox(s), newLetter(), 0
			for range 3 {
				if b.Due("a", l) {
					if err := b.Deliver(t.Context(), "a", l, attempt(tc.err, &made)); err != nil {
						t.Fatal(err)
					}
				}
			}
			e := b.Entry("a", l.ID)
			if made != 1 || e.State != tc.state || e.Reason != tc.reason || e.Sequence != 3 || e.Attempts != 1 || e.Owner != "" {
				t.Errorf("%v: %d attempts, %+v", tc.err, made, e)
			}
			// The next process knows the same.
			next := newBox(s)
			if _, err := next.Refresh(t.Context(), "a"); err != nil || next.Entry("a", l.ID).State != tc.state || next.Due("a", l) {
				t.Errorf("%v: the next process has %+v, %v", tc.err, next.Entry("a", l.ID), err)
			}
			time.Sleep(time.Minute)
			if next.Due("a", l) != (tc.state == Queued) {
				t.Errorf("%v: due again", tc.err)
			}
		})
	}
}

func TestPauses(t *testing.T) {
	want := []int{1, 2, 4, 8, 16, 32, 60, 60}
	for i, w := range want {
		if got := pause(i + 1); got != time.Duration(w)*time.Minute {
			t.Errorf("after attempt %d: %v", i+1, got)
		}
	}
}

// Nothing is sent without a note that says so.
func TestNoNoteNoLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storagetest.NewDisk().Process()
		b, l, made := newBox(s), newLetter(), 0
		for _, op := range []string{"Lock", "Load", "Store"} {
			s.Before(func(c storagetest.Call) error {
				if c.Op == op {
					return errFull
				}
				return nil
			})
			if err := b.Deliver(t.Context(), "a", l, attempt(nil, &made)); !errors.Is(err, record.ErrUnavailable) {
				t.Errorf("without %s: %v", op, err)
			}
			if b.Due("a", l) {
				t.Errorf("without %s: due at once again", op)
			}
			time.Sleep(retryPause)
		}
		s.Before(nil)
		if err := b.Deliver(t.Context(), "a", l, attempt(nil, &made)); err != nil || made != 1 {
			t.Errorf("%v, %d", err, made)
		}
	})
}

// Of two processes whose locks exclude nobody, the one that noted it last sends.
func TestClaimIsReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		first, second := disk.Process(), disk.Process()
		a, b, l, made := newBox(first), newBox(second), newLetter(), 0
		stores := 0
		first.After(func(c storagetest.Call) error {
			if stores++; c.Op == "Store" && strings.HasSuffix(c.Key, l.ID) && stores < 10 {
				stores = 10
				// The other one comes in between, as through a lock that lets two in.
				if err := second.Store(t.Context(), c.Key, noted(t, b, l)); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		if err := a.Deliver(t.Context(), "a", l, attempt(nil, &made)); err != nil || made != 0 {
			t.Errorf("%v, %d attempts", err, made)
		}
		if e := a.Entry("a", l.ID); e.State != Sending || e.Owner != b.owner || a.Due("a", l) {
			t.Errorf("entry %+v", e)
		}
	})
}

// noted is a claim of a process.
func noted(t *testing.T, b *Box, l *appointment.Letter) []byte {
	t.Helper()
	raw, err := record.Encode(record.Mail, Entry{
		Appointment: l.Appointment, Guest: l.Guest, What: l.What, State: Sending, At: b.now(), Until: l.Until,
		Attempts: 1, Owner: b.owner, Lease: b.now().Add(leaseTime),
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A letter whose sender has died is reported when its time is up, not before, and
// never sent again; a clock that was set back does not put that off for long.
func TestAbandonedLetters(t *testing.T) {
	for _, late := range []time.Duration{0, 10 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			disk := storagetest.NewDisk()
			l, made := newLetter(), 0
			dead := newBox(disk.Process())
			dead.now = func() time.Time { return time.Now().Add(late) }
			disk.Write("videoroom/a/mail/"+l.ID, noted(t, dead, l))
			b := newBox(disk.Process())
			if _, err := b.Refresh(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			if e := b.Entry("a", l.ID); late == 0 && (e.State != Sending || b.Due("a", l)) {
				t.Errorf("too early: %+v", e)
			}
			time.Sleep(leaseTime)
			changed, err := b.Refresh(t.Context(), "a")
			e := b.Entry("a", l.ID)
			if err != nil || late == 0 && !changed || e.State != Unclear || e.Reason != Interrupted || !e.Trouble() {
				t.Errorf("%v: %+v, %v", late, e, err)
			}
			if err := b.Deliver(t.Context(), "a", l, attempt(nil, &made)); err != nil || made != 0 {
				t.Errorf("sent again: %v, %d", err, made)
			}
		})
	}
}

func TestLettersThatAreNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l, made := newBox(storagetest.NewDisk().Process()), newLetter(), 0
		pointless := func(context.Context) (Attempt, error) { return nil, nil }
		if err := b.Deliver(t.Context(), "a", l, pointless); err != nil || b.Entry("a", l.ID) != (Entry{}) {
			t.Errorf("pointless: %v, %+v", err, b.Entry("a", l.ID))
		}
		hopeless := func(context.Context) (Attempt, error) { return nil, ErrPermanent }
		if err := b.Deliver(t.Context(), "a", l, hopeless); err != nil || b.Entry("a", l.ID).State != Failed {
			t.Errorf("hopeless: %v, %+v", err, b.Entry("a", l.ID))
		}
		l = newLetter()
		time.Sleep(48 * time.Hour)
		if err := b.Deliver(t.Context(), "a", l, attempt(nil, &made)); err != nil || made != 0 || b.Entry("a", l.ID).Reason != TooLate {
			t.Errorf("late: %v, %+v", err, b.Entry("a", l.ID))
		}
		if err := b.Forget(t.Context(), "a", func(Entry) bool { return false }); err != nil || b.Entry("a", l.ID) != (Entry{}) {
			t.Errorf("forgotten: %v", err)
		}
	})
}
