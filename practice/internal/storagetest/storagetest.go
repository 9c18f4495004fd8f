// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package storagetest is a storage in memory for tests: it fails, hangs, damages
// and dies on demand, and several processes can share it.
package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// ErrDead is what a process gets that has been killed.
var ErrDead = errors.New("the process is dead")

// Call is one call of the storage.
type Call struct {
	// Op is the method's name.
	Op string
	// Key is what it is about.
	Key string
}

// Disk is what processes share.
type Disk struct {
	mu     sync.Mutex
	values map[string][]byte
	locks  map[string]*lock
}

type lock struct {
	owner *Storage
	freed chan struct{}
}

// NewDisk returns an empty disk.
func NewDisk() *Disk {
	return &Disk{values: make(map[string][]byte), locks: make(map[string]*lock)}
}

// Keys returns all keys in order.
func (d *Disk) Keys() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	keys := make([]string, 0, len(d.values))
	for k := range d.values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Read returns a copy of a value, nil where there is none.
func (d *Disk) Read(key string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.values[key])
}

// Write replaces a value behind the back of all processes.
func (d *Disk) Write(key string, value []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values[key] = bytes.Clone(value)
}

// Storage is a process's view of the disk. certmagic.Storage has its methods.
type Storage struct {
	disk *Disk

	mu     sync.Mutex
	dead   bool
	before func(Call) error
	after  func(Call) error
}

// Process returns the view of one more process.
func (d *Disk) Process() *Storage { return &Storage{disk: d} }

// Before has f asked before each call; its error is returned and the call has no
// effect. f may block. nil: nothing is asked.
func (s *Storage) Before(f func(Call) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// After has f asked after each call has taken effect; its error is returned.
func (s *Storage) After(f func(Call) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = f
}

// Kill ends the process: no call has an effect any more, and its locks are free.
func (s *Storage) Kill() {
	s.mu.Lock()
	s.dead = true
	s.mu.Unlock()
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	for name, l := range s.disk.locks {
		if l.owner == s {
			delete(s.disk.locks, name)
			close(l.freed)
		}
	}
}

func (s *Storage) killed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

func (s *Storage) call(op, key string, do func() error) error {
	s.mu.Lock()
	before, after := s.before, s.after
	s.mu.Unlock()
	c := Call{op, key}
	if before != nil {
		if err := before(c); err != nil {
			return err
		}
	}
	if s.killed() {
		return ErrDead
	}
	err := do()
	if after != nil {
		if e := after(c); e != nil {
			return e
		}
	}
	return err
}

// Load implements the storage.
func (s *Storage) Load(_ context.Context, key string) (value []byte, err error) {
	err = s.call("Load", key, func() error {
		s.disk.mu.Lock()
		defer s.disk.mu.Unlock()
		v, ok := s.disk.values[key]
		if !ok {
			return fmt.Errorf("loading: %w", fs.ErrNotExist)
		}
		value = bytes.Clone(v)
		return nil
	})
	return value, err
}

// Store implements the storage.
func (s *Storage) Store(_ context.Context, key string, value []byte) error {
	return s.call("Store", key, func() error {
		s.disk.Write(key, value)
		return nil
	})
}

// Exists implements the storage.
func (s *Storage) Exists(_ context.Context, key string) bool { return s.disk.Read(key) != nil }

// Delete implements the storage.
func (s *Storage) Delete(_ context.Context, key string) error {
	return s.call("Delete", key, func() error {
		s.disk.mu.Lock()
		defer s.disk.mu.Unlock()
		delete(s.disk.values, key)
		return nil
	})
}

// List implements the storage.
func (s *Storage) List(_ context.Context, path string, recursive bool) (keys []string, err error) {
	err = s.call("List", path, func() error {
		for _, k := range s.disk.Keys() {
			rest, ok := strings.CutPrefix(k, path+"/")
			if !ok {
				continue
			}
			if name, _, deep := strings.Cut(rest, "/"); deep && !recursive {
				k = path + "/" + name
			}
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
		if keys == nil {
			return fmt.Errorf("listing: %w", fs.ErrNotExist)
		}
		return nil
	})
	return keys, err
}

// Lock implements the storage.
func (s *Storage) Lock(ctx context.Context, name string) error {
	return s.call("Lock", name, func() error {
		for {
			s.disk.mu.Lock()
			held := s.disk.locks[name]
			// Whoever was killed meanwhile must not leave a lock that nobody frees.
			if s.killed() {
				s.disk.mu.Unlock()
				return ErrDead
			}
			if held == nil {
				s.disk.locks[name] = &lock{s, make(chan struct{})}
				s.disk.mu.Unlock()
				return nil
			}
			s.disk.mu.Unlock()
			select {
			case <-held.freed:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}

// Unlock implements the storage.
func (s *Storage) Unlock(_ context.Context, name string) error {
	return s.call("Unlock", name, func() error {
		s.disk.mu.Lock()
		defer s.disk.mu.Unlock()
		l := s.disk.locks[name]
		if l == nil || l.owner != s {
			return errors.New("not locked")
		}
		delete(s.disk.locks, name)
		close(l.freed)
		return nil
	})
}
