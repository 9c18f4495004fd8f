// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"testing"
	"time"
)

func TestChokeJudges(t *testing.T) {
	type second struct {
		loss     float64
		pictures uint64
	}
	repeat := func(n int, s second) (out []second) {
		for range n {
			out = append(out, s)
		}
		return out
	}
	for _, tc := range []struct {
		name    string
		seconds []second
		want    []int // seconds at which it changed, on first
	}{
		{"a good line", repeat(60, second{0, 900_000}), nil},
		{"loss, but room for large pictures", repeat(60, second{0.2, 900_000}), nil},
		{"a line that fell to 300 kbit/s", repeat(6, second{0.15, 230_000}), nil},
		{"loss without pictures", repeat(60, second{0.2, 0}), nil},
		{"two bad seconds now and then", append(append(repeat(2, second{0.2, 90_000}), second{0, 90_000}), repeat(2, second{0.2, 90_000})...), nil},
		{"a narrow line", append(repeat(5, second{0.2, 90_000}), repeat(30, second{0, 0})...), []int{3, 13}},
		{"a line that loses whatever is sent", repeat(60, second{0.2, 90_000}), []int{3, 8}},
	} {
		var k choke
		var got []int
		for i, s := range tc.seconds {
			if k.judge(int64(i+1)*int64(time.Second), s.loss, s.pictures) {
				got = append(got, i+1)
			}
		}
		if len(got) != len(tc.want) {
			t.Errorf("%s: changed at %v, want %v", tc.name, got, tc.want)
			continue
		}
		for i := range got {
			if got[i] != tc.want[i] {
				t.Errorf("%s: changed at %v, want %v", tc.name, got, tc.want)
			}
		}
	}
}

// Where pictures choke the line again and again, they stay away for longer.
func TestChokeBacksOff(t *testing.T) {
	var k choke
	var on []int
	for i := 1; i < 600; i++ {
		loss, pictures := 0.2, uint64(90_000)
		if k.on {
			loss, pictures = 0, 0
		}
		if k.judge(int64(i)*int64(time.Second), loss, pictures) && k.on {
			on = append(on, i)
		}
	}
	if len(on) < 4 || len(on) > 9 || on[1]-on[0] > 15 || on[3]-on[2] < 35 {
		t.Errorf("on at %v", on)
	}
}

// A client whose line carries sound and no picture is asked to pause, its
// listeners are told, and all of it ends when the line is wide again.
func TestPicturesLeaveANarrowUplink(t *testing.T) {
	s := newSim(t, 41)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	u := a.speak("TR_a")
	src := a.publish("TR_v", 1)[0]
	src.size, src.perFrame = 290, 1
	k := b.subscribe(src.track)
	b.listen(u)
	s.run(3 * time.Second)
	if len(a.narrow) != 0 || k.frames == 0 {
		t.Fatalf("narrow %v, %d pictures", a.narrow, k.frames)
	}
	a.up.loss = 0.15 // its queue is full
	s.run(6 * time.Second)
	if len(a.narrow) != 1 || !a.narrow[0] {
		t.Fatalf("narrow %v", a.narrow)
	}
	src.stopped, a.up.loss = true, 0 // what the client does, and what comes of it
	s.run(2 * time.Second)
	if n := len(b.paused); n == 0 || !b.paused[n-1] {
		t.Errorf("listeners are told %v", b.paused)
	}
	if grade, _ := a.t.grade(s.c.now); grade != 0 {
		t.Errorf("grade %d of a line without pictures", grade)
	}
	s.run(10 * time.Second)
	if len(a.narrow) != 2 || a.narrow[1] {
		t.Fatalf("narrow %v", a.narrow)
	}
	src.stopped, src.wantKey = false, true
	s.run(3 * time.Second)
	if n := len(b.paused); b.paused[n-1] {
		t.Errorf("listeners are told %v", b.paused)
	}
}
