// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"slices"
	"testing"
)

// TestReceiveLimit: what one receives at most is between that one and the media
// plane.
func TestReceiveLimit(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		settle()
		before := len(b.types())
		a.do(ReceiveLimit{Rate: 500_000})
		a.do(ReceiveLimit{})
		settle()
		p := a.peer()
		p.mu.Lock()
		got := slices.Clone(p.limits)
		p.mu.Unlock()
		if !slices.Equal(got, []uint32{500_000, 0}) {
			t.Errorf("the media plane was told %v", got)
		}
		if n := len(b.types()); n != before || len(b.peer().limits) != 0 {
			t.Errorf("bob was told of it: %d messages", n-before)
		}
		if r, err := h.resume(a); err != nil || r.peer() != p {
			t.Errorf("a resume has lost the limit with the media path: %v", err)
		}
	})
}
