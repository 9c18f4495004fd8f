// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import "time"

// flying is a packet on its way.
type flying struct {
	due  time.Duration
	seq  uint64 // order among those due at once
	data []byte
}

func (f *flying) before(o *flying) bool {
	return f.due < o.due || f.due == o.due && f.seq < o.seq
}

// heap has the packet that arrives first at its top.
type heap []flying

func (h *heap) push(f flying) {
	*h = append(*h, f)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if !s[i].before(&s[up]) {
			return
		}
		s[i], s[up] = s[up], s[i]
		i = up
	}
}

func (h *heap) pop() flying {
	s := *h
	top, n := s[0], len(s)-1
	s[0], s[n] = s[n], flying{}
	s = s[:n]
	*h = s
	for i := 0; ; {
		first := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < n && s[c].before(&s[first]) {
				first = c
			}
		}
		if first == i {
			return top
		}
		s[i], s[first] = s[first], s[i]
		i = first
	}
}
