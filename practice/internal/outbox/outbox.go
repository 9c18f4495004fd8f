// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/record"
	"github.com/caddy-videoroom/videoroom/token"
)

// Box sends letters and knows what has become of them. Its methods are safe for
// concurrent use.
type Box struct {
	records *record.Records
	now     func() time.Time
	owner   string // of this process

	mu      sync.Mutex
	entries map[key]Entry
	// flying are the letters that this process is sending.
	flying map[key]struct{}
	// unsaved are outcomes that the storage has not taken yet.
	unsaved map[key]struct{}
	// paused are letters for which no attempt could be made, until when.
	paused map[key]time.Time
}

// Attempt hands a letter over. Its error is classified by this package's.
type Attempt func(context.Context) error

// Prepare makes the next attempt at a letter, nil where it is not owed any more.
// An error that wraps [ErrPermanent] is the letter's end, after every other it is
// tried again.
type Prepare func(context.Context) (Attempt, error)

// retryPause is how long a letter rests after no attempt could be made at it.
const retryPause = 30 * time.Second

type key struct{ site, id string }

// New returns an empty box on the records.
func New(records *record.Records, now func() time.Time) *Box {
	return &Box{
		records: records, now: now, owner: token.NewID(), entries: make(map[key]Entry),
		flying: make(map[key]struct{}), unsaved: make(map[key]struct{}), paused: make(map[key]time.Time),
	}
}

// Entry returns what is known of a letter; the zero entry: nothing.
func (b *Box) Entry(site, id string) Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entries[key{site, id}]
}

// Outcome returns what is known of a letter, as appointments understand it.
func (b *Box) Outcome(site, id string) appointment.Outcome {
	e := b.Entry(site, id)
	return e.Outcome()
}

// Refresh reads what the storage has about a site's letters; changed tells
// whether anything was new.
func (b *Box) Refresh(ctx context.Context, site string) (changed bool, err error) {
	ids, err := b.records.List(ctx, site, record.Mail)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		before := b.Entry(site, id)
		if before.Final() || b.Busy(site, id) {
			continue
		}
		e, err := b.fresh(ctx, site, id)
		if err != nil {
			return changed, err
		}
		changed = changed || e != before
		if e.abandoned(b.now()) && !b.Busy(site, id) {
			changed = true
			if err := b.giveUp(ctx, site, id); err != nil {
				return changed, err
			}
		}
	}
	return changed, nil
}

// Due tells whether a letter is to be sent now.
func (b *Box) Due(site string, l *appointment.Letter) bool {
	now := b.now()
	e := b.Entry(site, l.ID)
	b.mu.Lock()
	k := key{site, l.ID}
	_, flying := b.flying[k]
	pause := b.paused[k].Sub(now)
	b.mu.Unlock()
	if e.Final() || !l.AtOnce && now.Before(l.Due) || !e.due(now) || flying || pause > 0 && pause <= retryPause {
		return false
	}
	return e.State != Sending || e.Owner == b.owner || e.abandoned(now)
}

// Deliver makes one attempt at a letter, unless another process has made or is
// making it. prepare is asked while no other process decides about letters of the
// site. An error says that no attempt was made; what came of an attempt is in the
// entry.
func (b *Box) Deliver(ctx context.Context, site string, l *appointment.Letter, prepare Prepare) error {
	k := key{site, l.ID}
	if !b.takeOff(k) {
		return nil
	}
	defer b.land(k)
	var claimed *claim
	err := b.records.Locked(ctx, site, string(record.Mail), func() (err error) {
		claimed, err = b.claim(ctx, k, l, prepare)
		return err
	})
	if claimed == nil {
		b.rest(k)
		return err
	}
	if err != nil {
		return err
	}
	sending, cancel := context.WithTimeout(ctx, sendTime)
	outcome := claimed.send(sending)
	cancel()
	b.settle(context.WithoutCancel(ctx), k, claimed.entry, outcome)
	return nil
}

// claim is the right to make one attempt.
type claim struct {
	entry Entry
	send  Attempt
}

// rest keeps a letter from being tried at every turn.
func (b *Box) rest(k key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paused[k] = b.now().Add(retryPause)
}

func (b *Box) takeOff(k key) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, flying := b.flying[k]; flying {
		return false
	}
	b.flying[k] = struct{}{}
	return true
}

func (b *Box) land(k key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.flying, k)
}

// Busy tells whether this process is making an attempt at a letter.
func (b *Box) Busy(site, id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, flying := b.flying[key{site, id}]
	return flying
}

// claim notes that this process is about to send the letter, and makes sure that
// it is the one that noted it last. nil: there is nothing to send.
func (b *Box) claim(ctx context.Context, k key, l *appointment.Letter, prepare Prepare) (*claim, error) {
	e, err := b.fresh(ctx, k.site, k.id)
	if err != nil || e.Final() {
		return nil, err
	}
	now := b.now()
	switch {
	case e.State == Sending && e.Owner == b.owner:
		// Our own claim whose confirmation did not arrive: nothing was sent on it.
	case e.abandoned(now):
		return nil, b.note(ctx, k, gaveUp(e, now))
	case e.State == Sending || !e.due(now):
		return nil, nil
	}
	e.Appointment, e.Guest, e.What, e.Sequence, e.Until = l.Appointment, l.Guest, l.What, l.Sequence, l.Until
	if !now.Before(l.Until) {
		e.settle(ErrPermanent, now)
		e.Reason = TooLate
		return nil, b.note(ctx, k, e)
	}
	send, err := prepare(ctx)
	switch {
	case errors.Is(err, ErrPermanent):
		e.settle(err, now)
		return nil, b.note(ctx, k, e)
	case err != nil || send == nil:
		return nil, err
	}
	e.State, e.At, e.Owner, e.Lease, e.Next = Sending, now, b.owner, now.Add(leaseTime), time.Time{}
	e.Attempts++
	if err := b.note(ctx, k, e); err != nil {
		// The lock is ours until the write that was given up has ended: it must
		// not undo what another process notes.
		b.records.Await(ctx, k.site, record.Mail, k.id)
		return nil, err
	}
	var noted Entry
	if err := b.records.Get(ctx, k.site, record.Mail, k.id, &noted); err != nil {
		return nil, err
	}
	if noted.Owner != b.owner || noted.Attempts != e.Attempts {
		b.observe(k, noted) // a lock that let two in
		return nil, nil
	}
	return &claim{e, send}, nil
}

// fresh reads the entry of a letter from the storage, unless this process knows
// better: an outcome that is not stored yet.
func (b *Box) fresh(ctx context.Context, site, id string) (Entry, error) {
	k := key{site, id}
	b.mu.Lock()
	known := b.entries[k]
	_, unsaved := b.unsaved[k]
	b.mu.Unlock()
	if unsaved && known.Final() {
		return known, b.note(ctx, k, known)
	}
	var e Entry
	err := b.records.Get(ctx, site, record.Mail, id, &e)
	if err == nil && !e.valid() {
		err = record.ErrDamaged
	}
	switch {
	case errors.Is(err, record.ErrNotFound):
		if unsaved {
			return known, nil
		}
		return Entry{}, nil
	case errors.Is(err, record.ErrDamaged):
		// It may have been sent: never again.
		lost := Entry{Appointment: known.Appointment, Guest: known.Guest, What: known.What, State: Unclear, Reason: Lost, At: b.now(), Until: known.Until}
		if lost.Appointment == "" {
			lost.Appointment = "unknown"
		}
		return lost, b.note(ctx, k, lost)
	case err != nil:
		return Entry{}, fmt.Errorf("reading what is known of a letter: %w", err)
	}
	return b.observe(k, e), nil
}

// giveUp reports a letter whose sender has died.
func (b *Box) giveUp(ctx context.Context, site, id string) error {
	return b.records.Locked(ctx, site, string(record.Mail), func() error {
		e, err := b.fresh(ctx, site, id)
		if err != nil || !e.abandoned(b.now()) {
			return err
		}
		return b.note(ctx, key{site, id}, gaveUp(e, b.now()))
	})
}

func gaveUp(e Entry, now time.Time) Entry {
	e.settle(ErrUnclear, now)
	return e
}

// settle notes what came of an attempt, in memory whatever the storage does.
func (b *Box) settle(ctx context.Context, k key, e Entry, outcome error) {
	e.settle(outcome, b.now())
	b.mu.Lock()
	b.entries[k], b.unsaved[k] = e, struct{}{}
	b.mu.Unlock()
	_ = b.note(ctx, k, e) // otherwise Flush repeats it
}

// note stores an entry and keeps it.
func (b *Box) note(ctx context.Context, k key, e Entry) error {
	if err := b.records.Put(ctx, k.site, record.Mail, k.id, &e); err != nil {
		return fmt.Errorf("noting what becomes of a letter: %w", err)
	}
	b.keep(k, e)
	return nil
}

func (b *Box) keep(k key, e Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries[k] = e
	delete(b.unsaved, k)
}

// observe keeps what the storage says, unless this process knows what came of its
// own claim and has not been able to store it; it returns what holds.
func (b *Box) observe(k key, e Entry) Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := b.entries[k]
	if _, unsaved := b.unsaved[k]; unsaved && !e.Final() && (known.Final() || e.Owner == b.owner || e.State == Queued) {
		return known
	}
	delete(b.unsaved, k)
	b.entries[k] = e
	return e
}

// Flush stores the outcomes of a site that the storage has not taken before.
func (b *Box) Flush(ctx context.Context, site string) error {
	b.mu.Lock()
	var open []key
	for k := range b.unsaved {
		if _, flying := b.flying[k]; k.site == site && !flying {
			open = append(open, k)
		}
	}
	b.mu.Unlock()
	for _, k := range open {
		if err := b.note(ctx, k, b.Entry(k.site, k.id)); err != nil {
			return err
		}
	}
	return nil
}

// Forget deletes what is noted about the letters of a site that are not to be
// kept.
func (b *Box) Forget(ctx context.Context, site string, keep func(Entry) bool) error {
	b.mu.Lock()
	var old []key
	for k, e := range b.entries {
		if _, flying := b.flying[k]; k.site == site && !flying && !keep(e) {
			old = append(old, k)
		}
	}
	b.mu.Unlock()
	for _, k := range old {
		if err := b.records.Delete(ctx, site, record.Mail, k.id); err != nil {
			return err
		}
		b.mu.Lock()
		delete(b.entries, k)
		delete(b.unsaved, k)
		delete(b.paused, k)
		b.mu.Unlock()
	}
	return nil
}
