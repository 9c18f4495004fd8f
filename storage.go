// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"fmt"
	"sync"

	"github.com/caddy-videoroom/videoroom/engine"
)

// currentStore is the storage of the configuration that applies. The engine
// keeps it across reloads and so never keeps a storage module alive whose
// configuration is gone.
type currentStore struct {
	mu    sync.Mutex
	store engine.Store
	locks map[string]engine.Store // where each held lock was taken
}

func newCurrentStore(s engine.Store) *currentStore {
	return &currentStore{store: s, locks: make(map[string]engine.Store)}
}

func (c *currentStore) use(s engine.Store) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store = s
}

func (c *currentStore) get() engine.Store {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.store
}

// Load reads a value; its error wraps fs.ErrNotExist where there is none.
func (c *currentStore) Load(ctx context.Context, key string) ([]byte, error) {
	return c.get().Load(ctx, key)
}

// Store writes a whole value.
func (c *currentStore) Store(ctx context.Context, key string, value []byte) error {
	return c.get().Store(ctx, key, value)
}

// Exists reports whether there is a value.
func (c *currentStore) Exists(ctx context.Context, key string) bool {
	return c.get().Exists(ctx, key)
}

// Delete removes a value.
func (c *currentStore) Delete(ctx context.Context, key string) error {
	return c.get().Delete(ctx, key)
}

// List returns the keys beneath a path.
func (c *currentStore) List(ctx context.Context, path string, recursive bool) ([]string, error) {
	return c.get().List(ctx, path, recursive)
}

// Lock waits for the named lock.
func (c *currentStore) Lock(ctx context.Context, name string) error {
	s := c.get()
	if err := s.Lock(ctx, name); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.locks[name] = s
	return nil
}

// Unlock releases the named lock where it was taken, also when another
// configuration's storage has come into use since.
func (c *currentStore) Unlock(ctx context.Context, name string) error {
	c.mu.Lock()
	s, ok := c.locks[name]
	delete(c.locks, name)
	c.mu.Unlock()
	if !ok {
		return fmt.Errorf("releasing a storage lock: %w", errNotLocked)
	}
	return s.Unlock(ctx, name)
}

// Interface guard
var _ engine.Store = (*currentStore)(nil)
