// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && !portable

package port

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// threadTime returns the CPU time of the calling thread.
func threadTime(b *testing.B) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ts.Nano())
}

// BenchmarkFlush compares sending frames of five datagrams to twelve receivers
// one by one with sending them through an outbox. Figures are CPU time of the
// sending thread; only the ratio carries over to other machines.
func BenchmarkFlush(b *testing.B) {
	const receivers, frame, length = 12, 5, 1100
	sender := open(b, v4)
	dests := make([]Dest, receivers)
	for i := range dests {
		r := open(b, v4)
		dests[i].Set(r.LocalAddr(), netip.Addr{})
		go func() { // ends when the benchmark closes the socket
			for batch := NewBatch(64); r.Read(batch) == nil; {
			}
		}()
	}
	payload := make([]byte, length)
	single := func() {
		for range frame {
			for i := range dests {
				if err := sender.WriteTo(payload, dests[i].Addr, netip.Addr{}); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	o := NewOutbox(receivers * frame)
	batched := func() {
		for range frame {
			for i := range dests {
				o.Commit(&dests[i], len(append(o.Slot(), payload...)))
			}
		}
		if _, dropped := sender.Flush(o); dropped != 0 {
			b.Fatal(dropped)
		}
	}
	plain := func() {
		gso := sender.sys.gso.Swap(false)
		batched()
		sender.sys.gso.Store(gso)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var spent [3]time.Duration
	b.ReportAllocs()
	for b.Loop() {
		for i, send := range []func(){single, plain, batched} {
			start := threadTime(b)
			send()
			spent[i] += threadTime(b) - start
		}
	}
	packets := float64(b.N * receivers * frame)
	b.ReportMetric(float64(spent[0])/packets, "ns/WriteTo")
	b.ReportMetric(float64(spent[1])/packets, "ns/Flush-plain")
	b.ReportMetric(float64(spent[2])/packets, "ns/Flush-GSO")
	b.ReportMetric(float64(spent[2])/float64(spent[0]), "GSO/WriteTo")
}
