// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"testing"
	"time"
)

func TestGauge(t *testing.T) {
	var g Gauge
	now := time.Duration(0)
	for _, tc := range []struct {
		name  string
		perMs int
		dense bool
	}{
		{"nothing", 0, false},
		{"sparse", 1, false},
		{"dense", 3, true},
		{"a little less", 2, true},
		{"sparse again", 1, false},
		{"very dense", 60, true},
		{"silence", 0, false},
	} {
		for range 3 * int(gatherWindow/time.Millisecond) {
			now += time.Millisecond
			g.Count(now, tc.perMs)
		}
		if g.Dense() != tc.dense {
			t.Errorf("%s: dense = %v", tc.name, g.Dense())
		}
	}
	if g.Count(now+time.Second, 100) {
		t.Error("a burst after a pause counts as dense")
	}
}
