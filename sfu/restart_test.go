// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"testing"
	"time"
)

// TestLayersRestart: a publisher had switched layers off that nobody watched. From
// the moment on that somebody shows the picture larger, and the publisher is told,
// it takes less than a second until the larger one is there, and the smaller one is
// seen until then; the same from nothing at all.
func TestLayersRestart(t *testing.T) {
	const told = 60 * time.Millisecond // until the publisher has heard of it and encodes
	for _, from := range []Settings{{Width: 300, Height: 170}, {Disabled: true}} {
		for _, want := range []int{1, 2} {
			for offset := range 5 {
				s := newSim(t, 71)
				srcs, k, b := s.call()
				b.down.rate = 5_000_000
				s.run(8*time.Second + time.Duration(offset)*37*time.Millisecond)
				k.d.configure(s.c, from)
				for i := range srcs {
					srcs[i].stopped = from.Disabled || i > 0
				}
				s.run(20 * time.Second)
				began := s.c.now
				size := []Settings{{}, {Width: 600, Height: 300}, {Width: 1280, Height: 720}}[want]
				k.d.configure(s.c, size)
				s.run(told)
				for i := range srcs {
					if srcs[i].stopped {
						srcs[i].stopped, srcs[i].wantKey = false, true // an encoder begins with a key frame
					}
				}
				first := len(k.at)
				if _, ok := s.until(time.Second, func() bool { return len(k.at) > first }); !ok {
					t.Errorf("from %+v to layer %d: no picture at all", from, want)
				}
				took, ok := s.until(time.Second-told, func() bool { return k.layer == want })
				if !ok {
					t.Errorf("from %+v to layer %d, offset %d: layer %d after %v", from, want, offset, k.layer, took)
				}
				if from.Disabled {
					continue
				}
				if gap := k.longestGap(began); gap > 300*time.Millisecond {
					t.Errorf("to layer %d: no picture for %v", want, gap)
				}
			}
		}
	}
}
