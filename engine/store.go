// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/caddy-videoroom/videoroom/token"
)

// Store is where little and rarely changing things live. certmagic.Storage
// satisfies it. Load returns an error that wraps fs.ErrNotExist where there is
// nothing.
type Store interface {
	Load(ctx context.Context, key string) ([]byte, error)
	Store(ctx context.Context, key string, value []byte) error
	Exists(ctx context.Context, key string) bool
	Delete(ctx context.Context, key string) error
	List(ctx context.Context, path string, recursive bool) ([]string, error)
	Lock(ctx context.Context, name string) error
	Unlock(ctx context.Context, name string) error
}

const (
	masterKey = "videoroom/master.key"
	storeTime = 30 * time.Second
)

// loadKeys reads the master key, and makes one where there has never been one.
// Whatever else goes wrong is an error, because a second key would void all
// links.
func loadKeys(ctx context.Context, s Store) (*token.Keys, error) {
	if s == nil {
		return nil, fmt.Errorf("%w: no storage", ErrKey)
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	keys, err := readKeys(ctx, s)
	if errors.Is(err, fs.ErrNotExist) {
		keys, err = createKeys(ctx, s)
	}
	return keys, err
}

func readKeys(ctx context.Context, s Store) (*token.Keys, error) {
	record, err := s.Load(ctx, masterKey)
	if err != nil {
		return nil, fmt.Errorf("%w: reading %s: %w", ErrKey, masterKey, err)
	}
	keys, err := token.ParseKeys(record)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w; restore it from a backup, or delete it, "+
			"which makes all host and visitor links in use invalid", ErrKey, masterKey, err)
	}
	return keys, nil
}

// createKeys stores a new key and returns what is stored then: locks of some
// storages let two in, and the last one to write wins.
func createKeys(ctx context.Context, s Store) (keys *token.Keys, err error) {
	if err := s.Lock(ctx, masterKey); err != nil {
		return nil, fmt.Errorf("%w: locking %s: %w", ErrKey, masterKey, err)
	}
	defer func() {
		// The lock must go even if ctx has ended meanwhile.
		if e := s.Unlock(context.WithoutCancel(ctx), masterKey); e != nil && err == nil {
			keys, err = nil, fmt.Errorf("%w: unlocking %s: %w", ErrKey, masterKey, e)
		}
	}()
	if keys, err := readKeys(ctx, s); !errors.Is(err, fs.ErrNotExist) {
		return keys, err // another instance was faster, or it cannot be read
	}
	if s.Exists(ctx, masterKey) {
		return nil, fmt.Errorf("%w: %s exists but cannot be read", ErrKey, masterKey)
	}
	if err := s.Store(ctx, masterKey, token.NewKeys().Marshal()); err != nil {
		return nil, fmt.Errorf("%w: storing %s: %w", ErrKey, masterKey, err)
	}
	return readKeys(ctx, s)
}
