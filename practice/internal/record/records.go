// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Storage is where records lie. certmagic.Storage satisfies it. Load and List
// return errors that wrap fs.ErrNotExist where there is nothing.
type Storage interface {
	Load(ctx context.Context, key string) ([]byte, error)
	Store(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	List(ctx context.Context, path string, recursive bool) ([]string, error)
	Lock(ctx context.Context, name string) error
	Unlock(ctx context.Context, name string) error
}

const (
	// callTime bounds one call of the storage.
	callTime = 5 * time.Second
	// awaitTime bounds how long [Records.Await] waits.
	awaitTime = 90 * time.Second
	// maxCalls bounds how many calls hang in a storage at the same time; more are
	// refused at once.
	maxCalls = 64
)

// Records reads and writes records. Its methods are safe for concurrent use and
// return within five seconds, whatever the storage does: a call that the storage
// does not answer goes on by itself, and until it has ended, nothing else is done
// with the same key, so that a late write cannot undo a later one.
type Records struct {
	storage Storage
	log     *slog.Logger
	now     func() time.Time
	slots   chan struct{}

	mu   sync.Mutex
	busy map[string]chan struct{} // closed when the call for the key has ended
	// litter is what unfinished writes have left, by site and key, and when it was
	// seen first.
	litter map[string]map[string]time.Time
}

// New returns the records on a storage. log gets damaged records and never what
// they say; now is the clock.
func New(s Storage, log *slog.Logger, now func() time.Time) *Records {
	return &Records{
		storage: s, log: log, now: now, slots: make(chan struct{}, maxCalls),
		busy: make(map[string]chan struct{}), litter: make(map[string]map[string]time.Time),
	}
}

// Put writes a record. After an error that is not [ErrUnavailable] nothing was
// written.
func (r *Records) Put(ctx context.Context, site string, kind Kind, id string, v any) error {
	k, err := key(site, kind, id)
	if err != nil {
		return err
	}
	raw, err := Encode(kind, v)
	if err != nil {
		return err
	}
	return r.do(ctx, k, func(ctx context.Context) error { return r.storage.Store(ctx, k, raw) })
}

// Get reads a record into v. It returns [ErrNotFound], or [ErrDamaged] after it
// has moved the record aside. Of a mail a copy is set aside and the damaged record
// stays until it is overwritten: its absence would mean that nothing was sent.
func (r *Records) Get(ctx context.Context, site string, kind Kind, id string, v any) error {
	k, err := key(site, kind, id)
	if err != nil {
		return err
	}
	var raw []byte
	err = r.do(ctx, k, func(ctx context.Context) (err error) {
		loaded, err := r.storage.Load(ctx, k)
		if err == nil {
			raw = loaded
		}
		return err
	})
	if err != nil {
		return err
	}
	err = Decode(raw, kind, v)
	if errors.Is(err, ErrDamaged) {
		return r.setAside(ctx, site, kind, id, raw, err)
	}
	return err
}

// Delete removes a record; one that is not there is as good as removed.
func (r *Records) Delete(ctx context.Context, site string, kind Kind, id string) error {
	k, err := key(site, kind, id)
	if err != nil {
		return err
	}
	return r.remove(ctx, k)
}

func (r *Records) remove(ctx context.Context, k string) error {
	err := r.do(ctx, k, func(ctx context.Context) error { return r.storage.Delete(ctx, k) })
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// Await returns when a call for a record that was given up has ended, after a
// minute and a half at the latest.
func (r *Records) Await(ctx context.Context, site string, kind Kind, id string) {
	k, err := key(site, kind, id)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, awaitTime)
	defer cancel()
	r.mu.Lock()
	held := r.busy[k]
	r.mu.Unlock()
	if held == nil {
		return
	}
	select {
	case <-held:
	case <-ctx.Done():
	}
}

// List returns the ids of all records of a kind, in no order.
func (r *Records) List(ctx context.Context, site string, kind Kind) ([]string, error) {
	keys, err := r.list(ctx, folder(site, kind))
	ids := make([]string, 0, len(keys))
	for _, k := range keys {
		if id := idOf(k); id != "" {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// Sites returns the sites that have or had records.
func (r *Records) Sites(ctx context.Context) ([]string, error) {
	keys, err := r.list(ctx, prefix)
	var sites []string
	for _, k := range keys {
		// Some storages list all keys below, others what stands one level down.
		name, _, _ := strings.Cut(strings.TrimPrefix(k, prefix+"/"), "/")
		if strings.HasSuffix(name, ".key") || strings.HasSuffix(name, ".json") {
			continue // files of the engine's own
		}
		if site, ok := unescape(name); ok && !slices.Contains(sites, site) {
			sites = append(sites, site)
		}
	}
	return sites, err
}

func (r *Records) list(ctx context.Context, folder string) ([]string, error) {
	var keys []string
	err := r.do(ctx, folder+"/", func(ctx context.Context) error {
		listed, err := r.storage.List(ctx, folder, false)
		if err == nil {
			keys = listed
		}
		return err
	})
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// setAside moves a damaged record below quarantine/, where it is kept for a
// while for whoever wants to mend it.
func (r *Records) setAside(ctx context.Context, site string, kind Kind, id string, raw []byte, cause error) error {
	from, err := key(site, kind, id)
	if err != nil {
		return err
	}
	to := folder(site, quarantine) + "/" + r.now().UTC().Format(time.DateOnly) + "-" + string(kind) + "-" + id
	err = r.do(ctx, to, func(ctx context.Context) error { return r.storage.Store(ctx, to, raw) })
	if err == nil && kind != Mail {
		err = r.remove(ctx, from)
	}
	if err != nil {
		r.log.Error("a damaged record could not be moved aside; it stays where it is and is not used", "key", from, "damage", cause, "error", err)
		return cause
	}
	r.log.Error("a record was damaged and has been moved aside; restore it from a backup if it is needed", "key", from, "moved_to", to, "damage", cause)
	return cause
}

// Purge deletes what was set aside before a time.
func (r *Records) Purge(ctx context.Context, site string, before time.Time) error {
	keys, err := r.list(ctx, folder(site, quarantine))
	if err != nil {
		return err
	}
	for _, k := range keys {
		name := path.Base(k)
		if len(name) < len(time.DateOnly) {
			continue
		}
		day, err := time.Parse(time.DateOnly, name[:len(time.DateOnly)])
		if err != nil || !day.AddDate(0, 0, 1).Before(before) {
			continue
		}
		if err := r.remove(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// Locked runs f while no other process does the same for this site. Locks of
// some storages let two in now and then; f has to bear it.
func (r *Records) Locked(ctx context.Context, site, what string, f func() error) error {
	name := folder(site, Kind(what)) + ".lock"
	// The key is ours while the lock is held: one waiter per process.
	done, err := r.take(ctx, name)
	if err != nil {
		return err
	}
	defer r.release(name, done)
	err = r.call(ctx, operation{
		run:  func(ctx context.Context) error { return r.storage.Lock(ctx, name) },
		late: func() { r.unlock(ctx, name) },
	})
	if err != nil {
		return err
	}
	defer r.unlock(ctx, name)
	return f()
}

// unlock must happen also when ctx has ended meanwhile.
func (r *Records) unlock(ctx context.Context, name string) {
	err := r.call(context.WithoutCancel(ctx), operation{
		run: func(ctx context.Context) error { return r.storage.Unlock(ctx, name) },
	})
	if err != nil {
		r.log.Warn("a storage lock could not be released; it will become stale", "error", err)
	}
}

// do calls the storage for a key of which it has the exclusive use until the
// call has ended.
func (r *Records) do(ctx context.Context, k string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	done, err := r.take(ctx, k)
	if err != nil {
		return err
	}
	return r.call(ctx, operation{run: f, after: func() { r.release(k, done) }})
}

// take waits for the exclusive use of a key.
func (r *Records) take(ctx context.Context, k string) (chan struct{}, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for {
		r.mu.Lock()
		held, ok := r.busy[k]
		if !ok {
			mine := make(chan struct{})
			r.busy[k] = mine
			r.mu.Unlock()
			return mine, nil
		}
		r.mu.Unlock()
		select {
		case <-held:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: an earlier call has not ended", ErrUnavailable)
		}
	}
}

func (r *Records) release(k string, mine chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, k)
	close(mine)
}

// operation is one call of the storage.
type operation struct {
	run func(context.Context) error
	// late runs where run succeeds after nobody waits for it any more; nil: nothing.
	late func()
	// after runs at the end in any case; nil: nothing.
	after func()
}

// call returns when the operation has ended or ctx has.
func (r *Records) call(ctx context.Context, o operation) error {
	if o.after == nil {
		o.after = func() {}
	}
	select {
	case r.slots <- struct{}{}:
	default:
		o.after()
		return fmt.Errorf("%w: too many calls hang", ErrUnavailable)
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	outcome := make(chan error) // taken, or nobody waits any more
	go func() {                 // ends when the storage returns
		defer cancel()
		err := o.run(ctx)
		o.after()
		<-r.slots
		select {
		case outcome <- err:
		case <-ctx.Done():
			if err == nil && o.late != nil {
				o.late()
			}
		}
	}()
	select {
	case err := <-outcome:
		return classify(err)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

// classify makes the storage's errors ours.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
