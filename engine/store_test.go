// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-videoroom/videoroom/token"
)

// memoryStore keeps everything in memory and fails on demand.
type memoryStore struct {
	mu     sync.Mutex
	values map[string][]byte
	locks  map[string]chan struct{}
	fail   map[string]error // by method
	hidden bool             // Load finds nothing
	stores int
}

func newMemoryStore() *memoryStore {
	return &memoryStore{values: make(map[string][]byte), locks: make(map[string]chan struct{}), fail: make(map[string]error)}
}

func (s *memoryStore) Load(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fail["Load"]; err != nil {
		return nil, err
	}
	v, ok := s.values[key]
	if !ok || s.hidden {
		return nil, fmt.Errorf("loading %s: %w", key, fs.ErrNotExist)
	}
	return bytes.Clone(v), nil
}

func (s *memoryStore) Store(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fail["Store"]; err != nil {
		return err
	}
	s.stores++
	s.values[key] = bytes.Clone(value)
	return nil
}

func (s *memoryStore) Exists(_ context.Context, key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.values[key]
	return ok
}

func (s *memoryStore) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, key)
	return nil
}

func (s *memoryStore) List(_ context.Context, prefix string, recursive bool) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fail["List"]; err != nil {
		return nil, err
	}
	var keys []string
	for k := range s.values {
		rest, ok := strings.CutPrefix(k, prefix+"/")
		if !ok {
			continue
		}
		if name, _, deep := strings.Cut(rest, "/"); deep && !recursive {
			k = prefix + "/" + name
		}
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("listing %s: %w", prefix, fs.ErrNotExist)
	}
	return keys, nil
}

func (s *memoryStore) lock(name string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locks[name] == nil {
		s.locks[name] = make(chan struct{}, 1)
	}
	return s.locks[name]
}

func (s *memoryStore) Lock(ctx context.Context, name string) error {
	if err := s.fail["Lock"]; err != nil {
		return err
	}
	select {
	case s.lock(name) <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *memoryStore) Unlock(_ context.Context, name string) error {
	<-s.lock(name)
	return s.fail["Unlock"]
}

func TestKeyIsMadeOnce(t *testing.T) {
	s := newMemoryStore()
	first, err := loadKeys(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	second, err := loadKeys(t.Context(), s)
	if err != nil || !bytes.Equal(first.Marshal(), second.Marshal()) || s.stores != 1 {
		t.Errorf("%v, stored %d times", err, s.stores)
	}
	for key := range s.values {
		if !strings.HasPrefix(key, "videoroom/") {
			t.Errorf("stored under %q", key)
		}
	}
	if len(s.lock(masterKey)) != 0 {
		t.Error("the lock was kept")
	}
}

func TestKeyOfManyInstances(t *testing.T) {
	s := newMemoryStore()
	var wg sync.WaitGroup
	records := make([][]byte, 20)
	for i := range records {
		wg.Go(func() {
			if k, err := loadKeys(t.Context(), s); err == nil {
				records[i] = k.Marshal()
			}
		})
	}
	wg.Wait()
	for _, r := range records {
		if len(r) == 0 || !bytes.Equal(r, records[0]) {
			t.Fatal("instances hold different keys")
		}
	}
}

// TestDamagedKey: never a new key silently.
func TestDamagedKey(t *testing.T) {
	whole := token.NewKeys().Marshal()
	flipped := bytes.Clone(whole)
	flipped[30] ^= 1
	for name, record := range map[string][]byte{
		"truncated": whole[:len(whole)/2], "empty": {}, "flipped": flipped, "garbage": []byte("hello"), "zeros": make([]byte, len(whole)),
	} {
		s := newMemoryStore()
		s.values[masterKey] = record
		_, err := New(t.Context(), Options{Store: s, Media: newFakeMedia()})
		if !errors.Is(err, ErrKey) || !errors.Is(err, token.ErrBadMaster) || !strings.Contains(err.Error(), masterKey) || !strings.Contains(err.Error(), "backup") {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Equal(s.values[masterKey], record) || s.stores != 0 {
			t.Errorf("%s: the record was replaced", name)
		}
		if strings.Contains(fmt.Sprint(err), string(whole[20:60])) {
			t.Errorf("%s: the error tells the key", name)
		}
	}
}

func TestFailingStore(t *testing.T) {
	boom := errors.New("boom")
	for _, method := range []string{"Load", "Store", "Lock", "Unlock"} {
		s := newMemoryStore()
		s.fail[method] = boom
		if k, err := loadKeys(t.Context(), s); !errors.Is(err, ErrKey) || !errors.Is(err, boom) || k != nil {
			t.Errorf("%s: %v", method, err)
		}
		if method == "Load" && s.stores != 0 {
			t.Error("a key was made although none could be read")
		}
	}
	hidden := newMemoryStore()
	hidden.values[masterKey], hidden.hidden = token.NewKeys().Marshal(), true
	if _, err := loadKeys(t.Context(), hidden); !errors.Is(err, ErrKey) || hidden.stores != 0 {
		t.Errorf("a key that exists was replaced: %v", err)
	}
	if _, err := loadKeys(t.Context(), nil); !errors.Is(err, ErrKey) {
		t.Errorf("%v", err)
	}
	held := newMemoryStore()
	held.lock(masterKey) <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := loadKeys(ctx, held); !errors.Is(err, context.Canceled) {
		t.Errorf("a held lock: %v", err)
	}
}
