// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/storagetest"
	"github.com/caddy-videoroom/videoroom/token"
)

type value struct {
	Text string `json:"text"`
	N    int    `json:"n"`
}

func newRecords(s Storage) (*Records, *bytes.Buffer) {
	log := new(bytes.Buffer)
	return New(s, slog.New(slog.NewTextHandler(log, nil)), time.Now), log
}

// Every flipped bit and every cut is noticed, or changes nothing.
func TestDecodeNoticesDamage(t *testing.T) {
	want := value{`Größe "<&>"`, 17}
	raw, err := Encode(Mail, want)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, damaged []byte) {
		var got value
		err := Decode(damaged, Mail, &got)
		switch {
		case err == nil && got != want:
			t.Errorf("%s: read as %+v", what, got)
		case err != nil && !errors.Is(err, ErrDamaged):
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range raw {
		for bit := range 8 {
			damaged := bytes.Clone(raw)
			damaged[i] ^= 1 << bit
			check(fmt.Sprintf("bit %d of byte %d", bit, i), damaged)
		}
		var got value
		if err := Decode(raw[:i], Mail, &got); i < len(raw)-1 && !errors.Is(err, ErrDamaged) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	var got value
	if err := Decode(raw, Mail, &got); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for name, bad := range map[string][]byte{
		"another kind": raw, "twice": append(bytes.Clone(raw), raw...), "empty": nil, "zeros": make([]byte, 64),
		"large": bytes.Repeat([]byte(" "), maxRecord+2),
	} {
		kind := Mail
		if name == "another kind" {
			kind = Appointment
		}
		if err := Decode(bad, kind, &got); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	later := fmt.Appendf(nil, `{"version":2,"kind":"mail","sum":%q,"data":{}}`, checksum(2, Mail, []byte("{}")))
	if err := Decode(later, Mail, &got); !errors.Is(err, ErrVersion) {
		t.Errorf("a later version: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	raw, err := Encode(Mail, value{"x", 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"version":1,"kind":"mail","sum":"","data":null}`))
	f.Add([]byte(`{"version":1,"version":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got value
		err := Decode(raw, Mail, &got)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrVersion) {
				t.Fatalf("unclassified: %v", err)
			}
			return
		}
		again, err := Encode(Mail, got)
		if err != nil {
			t.Fatal(err)
		}
		var twice value
		if err := Decode(again, Mail, &twice); err != nil || twice != got {
			t.Fatalf("%+v became %+v: %v", got, twice, err)
		}
	})
}

// Keys stay beneath the prefix, whatever a host name or an id looks like.
func TestKeys(t *testing.T) {
	for _, site := range []string{"praxis.example", "..", ".", "a/b", "../../x", "::1", "ä.example", "A", "%41", strings.Repeat("x", 300), "a\x00b", ""} {
		name := escape(site)
		if strings.ContainsAny(name, "/\\\x00:") || name == "." || name == ".." {
			t.Errorf("%q is written as %q", site, name)
		}
		back, ok := unescape(name)
		if ok != (site != "") || ok && back != site {
			t.Errorf("%q is read back as %q, %v", site, back, ok)
		}
	}
	for _, bad := range []string{"%", "%4", "%zz", "a%2", "A", "%61"} {
		if site, ok := unescape(bad); ok {
			t.Errorf("%q is read as %q", bad, site)
		}
	}
	for _, id := range []string{"", "..", "x", "../../master.key", strings.ToUpper(token.NewID()), token.NewID() + "/x"} {
		if k, err := key("a", Mail, id); err == nil {
			t.Errorf("id %q makes key %q", id, k)
		}
	}
}

func TestRecords(t *testing.T) {
	disk := storagetest.NewDisk()
	disk.Write("videoroom/master.key", []byte("x"))
	disk.Write("videoroom/refusals.json", []byte("{}"))
	r, log := newRecords(disk.Process())
	ctx := t.Context()
	a, b := token.NewID(), token.NewID()
	for _, id := range []string{a, b} {
		if err := r.Put(ctx, "a.example", Appointment, id, value{id, 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Put(ctx, "::1", Mail, a, value{}); err != nil {
		t.Fatal(err)
	}
	sites, err := r.Sites(ctx)
	slices.Sort(sites)
	if err != nil || !slices.Equal(sites, []string{"::1", "a.example"}) {
		t.Errorf("sites %v, %v", sites, err)
	}
	disk.Write(folder("a.example", Appointment)+"/.tmp-1", []byte("x"))
	ids, err := r.List(ctx, "a.example", Appointment)
	slices.Sort(ids)
	want := []string{a, b}
	slices.Sort(want)
	if err != nil || !slices.Equal(ids, want) {
		t.Errorf("ids %v, %v", ids, err)
	}
	var got value
	if err := r.Get(ctx, "a.example", Appointment, a, &got); err != nil || got.Text != a {
		t.Errorf("%+v, %v", got, err)
	}
	if err := r.Delete(ctx, "a.example", Appointment, a); err != nil {
		t.Error(err)
	}
	if err := r.Get(ctx, "a.example", Appointment, a, &got); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	if ids, err := r.List(ctx, "nobody", Mail); err != nil || len(ids) > 0 {
		t.Errorf("a site without records: %v, %v", ids, err)
	}
	if log.Len() > 0 {
		t.Errorf("log %s", log)
	}
}

// A damaged record is set aside with one line that tells where, and deleted after
// its time. Of a mail, the record stays.
func TestDamagedRecordsAreSetAside(t *testing.T) {
	disk := storagetest.NewDisk()
	r, log := newRecords(disk.Process())
	id := token.NewID()
	for _, kind := range []Kind{Appointment, Mail} {
		if err := r.Put(t.Context(), "a", kind, id, value{"Anna", 1}); err != nil {
			t.Fatal(err)
		}
		k := folder("a", kind) + "/" + id
		disk.Write(k, disk.Read(k)[:20])
		var got value
		if err := r.Get(t.Context(), "a", kind, id, &got); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", kind, err)
		}
		if stays := disk.Read(k) != nil; stays != (kind == Mail) {
			t.Errorf("%s stays: %v", kind, stays)
		}
	}
	day := time.Now().UTC().Format(time.DateOnly)
	for _, kind := range []Kind{Appointment, Mail} {
		if len(disk.Read("videoroom/a/quarantine/"+day+"-"+string(kind)+"-"+id)) != 20 {
			t.Errorf("quarantine: %v", disk.Keys())
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 2 || strings.Contains(log.String(), "Anna") {
		t.Errorf("log %s", log)
	}
	if err := r.Purge(t.Context(), "a", time.Now()); err != nil || len(disk.Keys()) != 3 {
		t.Errorf("purged too early: %v, %v", err, disk.Keys())
	}
	if err := r.Purge(t.Context(), "a", time.Now().Add(48*time.Hour)); err != nil || len(disk.Keys()) != 1 {
		t.Errorf("not purged: %v, %v", err, disk.Keys())
	}
}

// What a process that died has left half-written is deleted, once nobody can be
// writing it any more; records, and what is nobody's business, stay.
func TestSweep(t *testing.T) {
	disk := storagetest.NewDisk()
	now := time.Now()
	r := New(disk.Process(), slog.New(slog.DiscardHandler), func() time.Time { return now })
	sweep := func(want int) {
		t.Helper()
		if err := r.Sweep(t.Context(), "a"); err != nil || len(disk.Keys()) != want {
			t.Errorf("%v, left %v, want %d", err, disk.Keys(), want)
		}
	}
	if err := r.Put(t.Context(), "a", Appointment, token.NewID(), value{"Anna", 1}); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"a/appointments/3124", "a/mail/99", "a/appointments/note.txt", "b/appointments/77", "a/1"} {
		disk.Write("videoroom/"+k, []byte("Anna"))
	}
	sweep(6)
	now = now.Add(unfinishedTime - time.Second)
	disk.Write("videoroom/a/appointments/55", []byte("Anna"))
	sweep(7)
	now = now.Add(2 * time.Second)
	sweep(5)
	now = now.Add(-time.Hour) // the clock is set back
	sweep(5)
	now = now.Add(unfinishedTime)
	sweep(4)
}

var errFull = errors.New("no space left on device")

func TestFailuresAreUnavailable(t *testing.T) {
	disk := storagetest.NewDisk()
	s := disk.Process()
	s.Before(func(storagetest.Call) error { return errFull })
	r, _ := newRecords(s)
	id := token.NewID()
	var got value
	_, listErr := r.List(t.Context(), "a", Mail)
	_, sitesErr := r.Sites(t.Context())
	for name, err := range map[string]error{
		"Put": r.Put(t.Context(), "a", Mail, id, got), "Get": r.Get(t.Context(), "a", Mail, id, &got),
		"Delete": r.Delete(t.Context(), "a", Mail, id), "List": listErr, "Sites": sitesErr,
		"Locked": r.Locked(t.Context(), "a", "x", func() error { return nil }), "Purge": r.Purge(t.Context(), "a", time.Now()),
	} {
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A storage that hangs and does not look at its context holds nobody up for more
// than five seconds, and what it does late cannot undo what was done since.
func TestHangingStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		s := disk.Process()
		r, _ := newRecords(s)
		id, other := token.NewID(), token.NewID()
		if err := r.Put(t.Context(), "a", Mail, id, value{"first", 1}); err != nil {
			t.Fatal(err)
		}
		s.Before(func(c storagetest.Call) error {
			if c.Op == "Store" && strings.HasSuffix(c.Key, id) {
				time.Sleep(time.Minute)
			}
			return nil
		})
		begin := time.Now()
		if err := r.Put(t.Context(), "a", Mail, id, value{"late", 2}); !errors.Is(err, ErrUnavailable) || time.Since(begin) != callTime {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if err := r.Put(t.Context(), "a", Mail, other, value{"other", 1}); err != nil {
			t.Errorf("another key: %v", err)
		}
		// While the write hangs, nothing else is done with the key.
		var got value
		begin = time.Now()
		if err := r.Get(t.Context(), "a", Mail, id, &got); !errors.Is(err, ErrUnavailable) || time.Since(begin) != callTime {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		begin = time.Now()
		r.Await(t.Context(), "a", Mail, id)
		if d := time.Since(begin); d != time.Minute-2*callTime {
			t.Errorf("awaited for %v", d)
		}
		s.Before(nil)
		if err := r.Put(t.Context(), "a", Mail, id, value{"last", 3}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := r.Get(t.Context(), "a", Mail, id, &got); err != nil || got.Text != "last" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// Only so many calls hang; more are refused at once, and all places come back.
func TestHangingCallsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storagetest.NewDisk().Process()
		r, _ := newRecords(s)
		s.Before(func(storagetest.Call) error {
			time.Sleep(time.Minute)
			return nil
		})
		var refused, late atomic.Int32
		for range 2 * maxCalls {
			go func() {
				begin := time.Now()
				if err := r.Put(t.Context(), "a", Mail, token.NewID(), value{}); !errors.Is(err, ErrUnavailable) {
					t.Errorf("got %v", err)
				}
				if time.Since(begin) == 0 {
					refused.Add(1)
				} else {
					late.Add(1)
				}
			}()
		}
		time.Sleep(10 * time.Second)
		if refused.Load() != maxCalls || late.Load() != maxCalls {
			t.Errorf("%d refused, %d late", refused.Load(), late.Load())
		}
		time.Sleep(time.Minute)
		s.Before(nil)
		if err := r.Put(t.Context(), "a", Mail, token.NewID(), value{}); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// A lock that comes too late is given back, and a lock excludes.
func TestLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		s := disk.Process()
		a, _ := newRecords(s)
		b, _ := newRecords(disk.Process())
		s.Before(func(c storagetest.Call) error {
			if c.Op == "Lock" {
				time.Sleep(30 * time.Second)
			}
			return nil
		})
		if err := a.Locked(t.Context(), "a", "mail", func() error { return errFull }); !errors.Is(err, ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
		s.Before(nil)
		var inside atomic.Int32
		for _, r := range []*Records{a, b, a, b} {
			go func() {
				err := r.Locked(t.Context(), "a", "mail", func() error {
					if inside.Add(1) != 1 {
						t.Error("two inside")
					}
					time.Sleep(time.Second)
					inside.Add(-1)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}()
		}
		time.Sleep(10 * time.Second)
		if err := b.Locked(t.Context(), "a", "mail", func() error { return errFull }); !errors.Is(err, errFull) {
			t.Errorf("got %v", err)
		}
	})
}
