// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"time"
)

const (
	// tenantLook is how often a process asks whether another one has changed a
	// table, tenantRead how often it reads the tables in any case.
	tenantLook = 10 * time.Second
	tenantRead = 5 * time.Minute
)

// markKey is where a process leaves a word that has not been there before when it
// has changed a table, so that the others need to read no more than that.
func markKey(table string) string { return tenantPrefix + table + "/changed" }

// tellTenants tells the other processes on the storage that a table has changed.
// Without this word they find out when they read all.
func (a *App) tellTenants(ctx context.Context, table string) {
	if err := a.storage.Store(ctx, markKey(table), []byte(rand.Text())); err != nil {
		a.log.Warn("other processes learn of a changed house some minutes later", slog.Any("error", err))
	}
}

// tenantFollower notices what other processes do to the tables. It belongs to one
// goroutine.
type tenantFollower struct {
	a *App
	p *pooled
	// marks are the words that were there when the tables were read last.
	marks map[*Handler]string
	read  time.Time
	// failing tells that the storage's silence has been told.
	failing bool
}

// followTenants follows the tables, where there are any, until ctx ends.
func (a *App) followTenants(ctx context.Context) {
	f := &tenantFollower{a: a, p: a.pooled, marks: make(map[*Handler]string), read: time.Now()}
	for _, h := range a.registered() {
		if h.TenantTable != "" {
			f.marks[h] = ""
		}
	}
	if len(f.marks) == 0 {
		return
	}
	go func() { // ends with ctx, or with the storage call that is under way then
		tick := time.NewTicker(tenantLook)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				f.turn(ctx, now)
			}
		}
	}()
}

// turn reads the tables that have changed, or all where their time has come.
func (f *tenantFollower) turn(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, tenantTime)
	defer cancel()
	all := now.Sub(f.read) >= tenantRead
	var failed error
	for h, before := range f.marks {
		mark, err := f.a.storage.Load(ctx, markKey(h.TenantTable))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = err
			continue
		}
		if string(mark) == before && !all {
			continue
		}
		if err := f.follow(ctx, h); err != nil {
			failed = err
			continue
		}
		f.marks[h] = string(mark)
	}
	if all && failed == nil {
		f.read = now
	}
	if failing := failed != nil; failing != f.failing && ctx.Err() == nil {
		f.failing = failing
		if failing {
			f.a.log.Warn("the tables of houses cannot be read now; what other processes change is served later", slog.Any("error", failed))
		}
	}
}

var errChangedMeanwhile = errors.New("a house was changed meanwhile")

// follow reads a handler's table. The lock that keeps changes by this process apart is
// not held while the storage is asked.
func (f *tenantFollower) follow(ctx context.Context, h *Handler) error {
	known, version := h.houses.table()
	found, err := h.readTable(ctx, f.a.storage, f.a.log, known)
	if err != nil {
		return err
	}
	f.p.tenants.Lock()
	defer f.p.tenants.Unlock()
	if ctx.Err() != nil || f.p.current() != f.a {
		return ctx.Err() // another configuration has read for itself
	}
	if _, now := h.houses.table(); now != version {
		return errChangedMeanwhile
	}
	if h.houses.replace(found, version) {
		f.p.install(f.a)
	}
	return nil
}
