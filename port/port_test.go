// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"
)

var (
	v4 = netip.MustParseAddr("127.0.0.1")
	v6 = netip.IPv6Loopback()
)

// open returns a socket on ip for the duration of the test.
func open(t testing.TB, ip netip.Addr) *Socket {
	t.Helper()
	s, err := Listen(netip.AddrPortFrom(ip, 0), false)
	if err != nil {
		if ip.Is6() {
			t.Skip("no IPv6 here:", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// take reads until n datagrams came in and returns copies of them.
func take(t testing.TB, s *Socket, n int) []Datagram {
	t.Helper()
	b := NewBatch(32)
	var got []Datagram
	for len(got) < n {
		if err := s.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if err := s.Read(b); err != nil {
			t.Fatalf("after %d of %d datagrams: %v", len(got), n, err)
		}
		if b.Len() == 0 {
			t.Fatal("Read returned no datagram and no error")
		}
		for i := range b.Len() {
			d := *b.At(i)
			d.Data = bytes.Clone(d.Data)
			got = append(got, d)
		}
	}
	if len(got) != n {
		t.Fatalf("got %d datagrams, want %d", len(got), n)
	}
	return got
}

// commit queues a datagram of n octets that starts with seq and is filled with
// its low octet.
func commit(t testing.TB, o *Outbox, d *Dest, seq uint32, n int) {
	t.Helper()
	buf := o.Slot()
	if buf == nil {
		t.Fatal("outbox is full")
	}
	if len(buf) != 0 || cap(buf) != MaxDatagram+64 {
		t.Fatalf("slot has len %d cap %d", len(buf), cap(buf))
	}
	buf = append(buf, bytes.Repeat([]byte{byte(seq)}, n)...)
	binary.BigEndian.PutUint32(buf, seq)
	o.Commit(d, n)
}

// check tells whether d is what commit(seq, n) wrote.
func check(t testing.TB, d Datagram, seq uint32, n int) {
	t.Helper()
	if len(d.Data) != n {
		t.Fatalf("datagram %d has %d octets, want %d", seq, len(d.Data), n)
	}
	if got := binary.BigEndian.Uint32(d.Data); got != seq {
		t.Fatalf("got datagram %d, want %d", got, seq)
	}
	for _, c := range d.Data[4:] {
		if c != byte(seq) {
			t.Fatalf("datagram %d is damaged", seq)
		}
	}
}

func TestLoopback(t *testing.T) {
	for _, ip := range []netip.Addr{v4, v6} {
		t.Run(ip.String(), func(t *testing.T) {
			a, b := open(t, ip), open(t, ip)
			if err := a.WriteTo([]byte("hello"), b.LocalAddr(), netip.Addr{}); err != nil {
				t.Fatal(err)
			}
			got := take(t, b, 1)[0]
			if string(got.Data) != "hello" || got.Addr != a.LocalAddr() || got.Local != ip {
				t.Fatalf("got %q from %v at %v", got.Data, got.Addr, got.Local)
			}
		})
	}
}

// TestDualStack checks that a socket on all addresses serves both families and
// never shows a mapped address.
func TestDualStack(t *testing.T) {
	s := open(t, netip.IPv6Unspecified())
	if !s.LocalAddr().Addr().IsUnspecified() {
		t.Fatalf("bound to %v", s.LocalAddr())
	}
	o := NewOutbox(4)
	for _, ip := range []netip.Addr{v4, v6} {
		c := open(t, ip)
		to := netip.AddrPortFrom(ip, s.LocalAddr().Port())
		if err := c.WriteTo([]byte("ping"), to, netip.Addr{}); err != nil {
			t.Fatal(err)
		}
		got := take(t, s, 1)[0]
		if got.Addr != c.LocalAddr() {
			t.Fatalf("sender is %v, want %v", got.Addr, c.LocalAddr())
		}
		var d Dest
		d.Set(got.Addr, got.Local)
		commit(t, o, &d, 7, 100)
		if sent, dropped := s.Flush(o); sent != 1 || dropped != 0 {
			t.Fatalf("sent %d, dropped %d", sent, dropped)
		}
		back := take(t, c, 1)[0]
		check(t, back, 7, 100)
		if back.Addr != to {
			t.Fatalf("reply came from %v, want %v", back.Addr, to)
		}
	}
}

// TestTrains sends runs of many shapes to several receivers in one Flush and
// expects each receiver's datagrams apart, whole and in order.
func TestTrains(t *testing.T) {
	shapes := map[string][]int{
		"one":             {900},
		"equal":           {1100, 1100, 1100, 1100, 1100},
		"shorter last":    {1100, 1100, 300},
		"shorter, more":   {1100, 300, 1100, 1100},
		"growing":         {100, 200, 300, 400},
		"falling":         {400, 300, 200, 100},
		"beyond 64":       repeat(200, 150),
		"beyond 65000":    repeat(1400, 60),
		"longest":         repeat(MaxDatagram, 3),
		"sound, picture":  {80, 1100, 1100, 80, 80, 1100},
		"smallest octets": {4, 4, 4},
	}
	for name, sizes := range shapes {
		t.Run(name, func(t *testing.T) {
			for _, ip := range []netip.Addr{v4, v6} {
				sender := open(t, ip)
				const receivers = 3
				socks, dests := make([]*Socket, receivers), make([]Dest, receivers)
				for i := range socks {
					socks[i] = open(t, ip)
					dests[i].Set(socks[i].LocalAddr(), netip.Addr{})
				}
				o := NewOutbox(receivers * len(sizes))
				for seq, n := range sizes {
					for i := range dests {
						commit(t, o, &dests[i], uint32(seq), n)
					}
				}
				if o.Slot() != nil {
					t.Fatal("a full outbox has a slot")
				}
				if o.Pending() != receivers*len(sizes) {
					t.Fatalf("%d pending", o.Pending())
				}
				sent, dropped := sender.Flush(o)
				if sent != receivers*len(sizes) || dropped != 0 {
					t.Fatalf("sent %d, dropped %d", sent, dropped)
				}
				for _, s := range socks {
					for seq, d := range take(t, s, len(sizes)) {
						check(t, d, uint32(seq), sizes[seq])
					}
				}
			}
		})
	}
}

func repeat(n, times int) []int {
	s := make([]int, times)
	for i := range s {
		s[i] = n
	}
	return s
}

// TestRandomOrder mixes lengths and receivers at random over many flushes.
func TestRandomOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	sender := open(t, v4)
	socks := []*Socket{open(t, v4), open(t, v4)}
	dests := make([]Dest, len(socks))
	sizes := make([][]int, len(socks))
	for i := range socks {
		dests[i].Set(socks[i].LocalAddr(), netip.Addr{})
	}
	o := NewOutbox(48)
	for range 200 {
		for i := range sizes {
			sizes[i] = sizes[i][:0]
		}
		for range 1 + rnd.IntN(48) {
			i := rnd.IntN(len(dests))
			n := []int{60, 900, 1100, 4 + rnd.IntN(1400)}[rnd.IntN(4)]
			commit(t, o, &dests[i], uint32(len(sizes[i])), n)
			sizes[i] = append(sizes[i], n)
		}
		if _, dropped := sender.Flush(o); dropped != 0 {
			t.Fatalf("dropped %d", dropped)
		}
		for i, s := range socks {
			for seq, d := range take(t, s, len(sizes[i])) {
				check(t, d, uint32(seq), sizes[i][seq])
			}
		}
	}
}

func TestCommitBounds(t *testing.T) {
	a, b := open(t, v4), open(t, v4)
	var d Dest
	d.Set(b.LocalAddr(), netip.Addr{})
	o := NewOutbox(1)
	o.Slot()
	o.Commit(&d, 0)
	o.Commit(&d, -1)
	if o.Pending() != 0 {
		t.Fatal("nothing was queued as a datagram")
	}
	o.Commit(&d, 1<<20)
	o.Commit(&d, 10)
	if o.Pending() != 1 {
		t.Fatalf("%d pending in an outbox for one", o.Pending())
	}
	if sent, _ := a.Flush(o); sent != 1 {
		t.Fatalf("sent %d", sent)
	}
	if sent, dropped := a.Flush(o); sent != 0 || dropped != 0 {
		t.Fatalf("an empty outbox sent %d, dropped %d", sent, dropped)
	}
}

// TestUnreachable checks that what cannot be sent is counted and does not keep
// the rest from going out.
func TestUnreachable(t *testing.T) {
	a, b := open(t, v4), open(t, v4)
	var none, alien, good Dest
	alien.Set(netip.AddrPortFrom(v6, 9), netip.Addr{})
	good.Set(b.LocalAddr(), netip.Addr{})
	o := NewOutbox(8)
	commit(t, o, &none, 0, 50)
	commit(t, o, &good, 0, 50)
	commit(t, o, &alien, 0, 50)
	commit(t, o, &good, 1, 50)
	if sent, dropped := a.Flush(o); sent != 2 || dropped != 2 {
		t.Fatalf("sent %d, dropped %d", sent, dropped)
	}
	take(t, b, 2)
	if err := a.WriteTo([]byte("x"), netip.AddrPort{}, netip.Addr{}); !errors.Is(err, ErrAddress) {
		t.Fatalf("to nowhere: %v", err)
	}
	if err := a.WriteTo(make([]byte, 70000), b.LocalAddr(), netip.Addr{}); !errors.Is(err, ErrTooBig) {
		t.Fatalf("too long: %v", err)
	}
}

// TestTwoOutboxes checks that one Dest pending in two outboxes at once keeps
// its order in each.
func TestTwoOutboxes(t *testing.T) {
	a, b := open(t, v4), open(t, v4)
	var d Dest
	d.Set(b.LocalAddr(), netip.Addr{})
	one, two := NewOutbox(8), NewOutbox(8)
	for seq := range uint32(4) {
		commit(t, one, &d, seq, 100)
		commit(t, two, &d, 10+seq, 100)
	}
	a.Flush(two)
	commit(t, two, &d, 14, 100)
	a.Flush(one)
	a.Flush(two)
	want := []uint32{10, 11, 12, 13, 0, 1, 2, 3, 14}
	for i, got := range take(t, b, len(want)) {
		check(t, got, want[i], 100)
	}
}

func TestTooLongReceived(t *testing.T) {
	a, b := open(t, v4), open(t, v4)
	for _, n := range []int{MaxDatagram + 1, 9000, 0, MaxDatagram} {
		if err := a.WriteTo(make([]byte, n), b.LocalAddr(), netip.Addr{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := take(t, b, 1)[0]; len(got.Data) != MaxDatagram {
		t.Fatalf("got %d octets", len(got.Data))
	}
}

func TestDeadline(t *testing.T) {
	s, b := open(t, v4), NewBatch(4)
	start := time.Now()
	s.SetReadDeadline(start.Add(30 * time.Millisecond))
	if err := s.Read(b); err != os.ErrDeadlineExceeded {
		t.Fatal(err)
	}
	if d := time.Since(start); d < 30*time.Millisecond {
		t.Fatalf("returned after %v", d)
	}
	if err := s.Read(b); err != os.ErrDeadlineExceeded {
		t.Fatalf("a passed deadline stays: %v", err)
	}
	s.SetReadDeadline(time.Time{})
	s.WriteTo([]byte("x"), s.LocalAddr(), netip.Addr{})
	if err := s.Read(b); err != nil || b.Len() != 1 {
		t.Fatal(err, b.Len())
	}
}

func TestWake(t *testing.T) {
	s, b := open(t, v4), NewBatch(4)
	s.Wake()
	s.Wake()
	// A new deadline must not undo the Wake before it.
	s.SetReadDeadline(time.Now().Add(time.Hour))
	if err := s.Read(b); err != os.ErrDeadlineExceeded {
		t.Fatal(err)
	}
	s.WriteTo([]byte("x"), s.LocalAddr(), netip.Addr{})
	if err := s.Read(b); err != nil {
		t.Fatalf("one Wake ended two reads: %v", err)
	}
	woken := make(chan error)
	go func() { woken <- s.Read(b) }() // ends with the Wake below
	time.Sleep(20 * time.Millisecond)
	s.Wake()
	if err := <-woken; err != os.ErrDeadlineExceeded {
		t.Fatal(err)
	}
	start := time.Now()
	s.SetReadDeadline(start.Add(20 * time.Millisecond))
	s.Wake()
	s.Read(b)
	if err := s.Read(b); err != os.ErrDeadlineExceeded || time.Since(start) < 20*time.Millisecond {
		t.Fatalf("the deadline did not survive Wake: %v after %v", err, time.Since(start))
	}
}

// TestWakeIsNotLost posts commands beside a loop that moves its deadline all
// the time; a lost Wake leaves the loop blocked with a command waiting.
func TestWakeIsNotLost(t *testing.T) {
	s := open(t, v4)
	const rounds = 3000
	commands := make(chan int, 1)
	done := make(chan struct{})
	go func() { // ends with the last command
		defer close(done)
		b := NewBatch(1)
		for {
			select {
			case n := <-commands:
				if n == rounds {
					return
				}
			default:
			}
			s.SetReadDeadline(time.Now().Add(time.Minute))
			s.Read(b)
		}
	}()
	for i := 1; i <= rounds; i++ {
		select {
		case commands <- i:
		case <-time.After(10 * time.Second):
			t.Fatalf("command %d was never taken", i-1)
		}
		s.Wake()
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the last command was never taken")
	}
}

func TestClose(t *testing.T) {
	s, b := open(t, v4), NewBatch(4)
	ended := make(chan error)
	go func() { ended <- s.Read(b) }() // ends with Close
	time.Sleep(10 * time.Millisecond)
	to := s.LocalAddr()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != net.ErrClosed {
		t.Fatal(err)
	}
	s.Wake()
	if err := s.WriteTo([]byte("x"), to, netip.Addr{}); err != net.ErrClosed {
		t.Fatal(err)
	}
	var d Dest
	d.Set(to, netip.Addr{})
	o := NewOutbox(2)
	commit(t, o, &d, 0, 10)
	if sent, dropped := s.Flush(o); sent != 0 || dropped != 1 {
		t.Fatalf("a closed socket sent %d, dropped %d", sent, dropped)
	}
}

// TestAllAtOnce lets every method that may run anywhere run everywhere, for the
// race detector.
func TestAllAtOnce(t *testing.T) {
	s, sink := open(t, netip.IPv6Unspecified()), open(t, v4)
	to := netip.AddrPortFrom(v4, s.LocalAddr().Port())
	var loops, others sync.WaitGroup
	loops.Go(func() {
		b := NewBatch(8)
		for {
			s.SetReadDeadline(time.Now().Add(time.Second))
			if err := s.Read(b); errors.Is(err, net.ErrClosed) {
				return
			}
		}
	})
	for i := range 2 {
		others.Go(func() {
			o := NewOutbox(16)
			var d Dest
			d.Set(sink.LocalAddr(), v4)
			for range 200 {
				for seq := range uint32(16) {
					commit(t, o, &d, seq, 200)
				}
				s.Flush(o)
			}
		})
		others.Go(func() {
			for range 500 {
				s.Wake()
				s.WriteTo([]byte{byte(i)}, to, v4)
				s.GSO()
			}
		})
	}
	others.Wait()
	s.Close()
	loops.Wait()
}

func TestNoAllocation(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("coverage counts as allocation")
	}
	a, b := open(t, v4), open(t, v4)
	o, batch := NewOutbox(32), NewBatch(32)
	dests := make([]Dest, 2)
	for i := range dests {
		dests[i].Set(b.LocalAddr(), netip.Addr{})
	}
	send := testing.AllocsPerRun(100, func() {
		for i := range 16 {
			buf := o.Slot()
			o.Commit(&dests[i%2], len(append(buf, "0123456789"...)))
		}
		a.Flush(o)
		for got := 0; got < 16; got += batch.Len() {
			if err := b.Read(batch); err != nil {
				t.Fatal(err)
			}
		}
	})
	if send != 0 {
		t.Errorf("%v allocations for a Flush and its Reads", send)
	}
}
