// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bytes"
	"net/netip"
	"testing"
)

// refers is the demultiplexing once more, from the tables of RFC 9443, RFC 8489
// and RFC 9000: true for RTC.
func refers(b []byte, known bool) bool {
	if len(b) == 0 {
		return false
	}
	ranges := []struct {
		from, to byte
		rtc      func() bool
	}{
		{0, 3, func() bool {
			return known || len(b) >= 20 && bytes.Equal(b[4:8], []byte{0x21, 0x12, 0xA4, 0x42})
		}},
		{4, 19, func() bool { return known }},
		{20, 63, func() bool { return true }},
		{64, 127, func() bool { return false }}, // short header; TURN channels are not offered
		{128, 191, func() bool { return known }},
		{192, 255, func() bool { return false }}, // long header
	}
	for _, r := range ranges {
		if b[0] >= r.from && b[0] <= r.to {
			return r.rtc()
		}
	}
	panic("a gap")
}

func FuzzSharedDemux(f *testing.F) {
	for first := range 256 {
		f.Add(starting(byte(first), 30), first%2 == 0)
	}
	f.Add(stun(), false)
	f.Add(stun()[:19], false)
	addr := netip.MustParseAddrPort("192.0.2.1:5000")
	stranger, acquainted := new(media), new(media)
	acquainted.known.Store(addr, true)
	f.Fuzz(func(t *testing.T, b []byte, known bool) {
		if len(b) == 0 {
			return
		}
		sink := stranger
		if known {
			sink = acquainted
		}
		k := divide(b, addr, sink)
		if got := k != kindQUIC; got != refers(b, known) {
			t.Errorf("%x, known %v: kind %d", b, known, k)
		}
		ranges := map[kind][2]byte{kindQUIC: {0, 255}, kindSTUN: {0, 3}, kindDTLS: {20, 63}, kindMedia: {128, 191}, kindOther: {0, 19}}
		if r := ranges[k]; b[0] < r[0] || b[0] > r[1] {
			t.Errorf("%x was taken for kind %d", b, k)
		}
	})
}
