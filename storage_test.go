// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/caddyserver/certmagic"
)

// TestStorageChangesUnderTheEngine: a reload may bring another storage while
// the engine holds a lock of the one before.
func TestStorageChangesUnderTheEngine(t *testing.T) {
	ctx := t.Context()
	first, second := &certmagic.FileStorage{Path: t.TempDir()}, &certmagic.FileStorage{Path: t.TempDir()}
	s := newCurrentStore(first)
	if err := s.Lock(ctx, "videoroom/key"); err != nil {
		t.Fatal(err)
	}
	if err := s.Store(ctx, "videoroom/a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	s.use(second)
	if s.Exists(ctx, "videoroom/a") {
		t.Error("the second storage has the first one's value")
	}
	if _, err := s.Load(ctx, "videoroom/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load: %v, want fs.ErrNotExist", err)
	}
	if err := s.Unlock(ctx, "videoroom/key"); err != nil {
		t.Errorf("the first storage's lock is not released: %v", err)
	}
	if err := s.Unlock(ctx, "videoroom/key"); !errors.Is(err, errNotLocked) {
		t.Errorf("releasing twice: %v, want errNotLocked", err)
	}
	s.use(first)
	if v, err := s.Load(ctx, "videoroom/a"); err != nil || string(v) != "1" {
		t.Errorf("Load = %q, %v", v, err)
	}
	if err := s.Delete(ctx, "videoroom/a"); err != nil || s.Exists(ctx, "videoroom/a") {
		t.Errorf("Delete: %v", err)
	}
}

// The engine lists what the storage in use has.
func TestStorageLists(t *testing.T) {
	first, second := &certmagic.FileStorage{Path: t.TempDir()}, &certmagic.FileStorage{Path: t.TempDir()}
	s := newCurrentStore(first)
	if err := s.Store(t.Context(), "videoroom/a/mail/x", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if keys, err := s.List(t.Context(), "videoroom", false); err != nil || !slices.Equal(keys, []string{"videoroom/a"}) {
		t.Errorf("List = %v, %v", keys, err)
	}
	s.use(second)
	if keys, err := s.List(t.Context(), "videoroom", false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("List = %v, %v", keys, err)
	}
}
