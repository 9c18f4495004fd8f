// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestLine measures a real line between two namespaces: what is set must be
// what happens to datagrams.
func TestLine(t *testing.T) {
	if os.Getuid() != 0 || testing.Short() {
		t.Skip("needs root, and some time")
	}
	r := newRig(t)
	tests := []struct {
		name  string
		words string
		gap   time.Duration
		size  int
		n     int
		check func(t *testing.T, f flow)
	}{
		{"as it is", "delay=0", 2 * millisecond, 200, 500, within(flow.median, 0, 3)},
		{"delay", "delay=60", 2 * millisecond, 200, 1000, within(flow.median, 60, 3)},
		{"jitter, free", "delay=80 jitter=50 order=free", 2 * millisecond, 200, 3000, within(flow.spread, 80, 6)},
		{"jitter, kept", "delay=80 jitter=50", 5 * millisecond, 200, 3000, within(flow.spread, 80, 20)},
		{"loss", "loss=3", 300 * time.Microsecond, 100, 20_000, within(flow.lost, 3, 1)},
		{"much loss", "loss=30", 300 * time.Microsecond, 100, 20_000, within(flow.lost, 30, 1)},
		{"bursts", "loss=10 burst=5", 300 * time.Microsecond, 100, 20_000, within(flow.lost, 10, 1)},
		{"80 kbit/s", "rate=80", 4 * millisecond, 172, 1200, within(flow.kbit, 80, 4)},
		{"500 kbit/s", "rate=500", 5 * millisecond, 972, 800, within(flow.kbit, 500, 25)},
		{"2 Mbit/s", "rate=2000 queue=200", 2 * millisecond, 1172, 2000, within(flow.kbit, 2000, 100)},
		{"20 Mbit/s", "rate=20000", 300 * time.Microsecond, 1172, 10_000, within(flow.kbit, 20_000, 1000)},
		{"order", "delay=20", 300 * time.Microsecond, 172, 5000, within(flow.overtaken, 0, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.tell(t, "reset x both")
			r.tell(t, "set x up "+tt.words)
			f := r.send(t, tt.n, tt.size, tt.gap)
			t.Logf("%s: median %.2f ms, 80 %% within %.1f ms, lost %.2f %%, %.1f kbit/s, overtaken %.0f; %s",
				tt.words, f.median(), f.spread(), f.lost(), f.kbit(), f.overtaken(), r.tell(t, "counts x"))
			tt.check(t, f)
		})
	}
	t.Run("cut", func(t *testing.T) {
		r.tell(t, "reset x both")
		r.tell(t, "cut x up")
		if f := r.send(t, 100, 100, millisecond); f.lost() != 100 {
			t.Errorf("lost %.1f %%", f.lost())
		}
		r.tell(t, "mend x up")
		if f := r.send(t, 100, 100, millisecond); f.lost() != 0 {
			t.Errorf("after the cut: lost %.1f %%", f.lost())
		}
	})
	t.Run("a hundred megabits", func(t *testing.T) {
		r.tell(t, "reset x both")
		before := cpu(t)
		f := r.send(t, 40_000, 1372, 0)
		t.Logf("%.0f kbit/s, lost %.1f %%, %.1f ms of processor for 10 MB, with sender and receiver",
			f.kbit(), f.lost(), ms(cpu(t)-before)*10e6/(40_000*1400))
		if f.kbit() < 100_000 {
			t.Errorf("%.0f kbit/s", f.kbit())
		}
	})
}

func cpu(t *testing.T) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func within(of func(flow) float64, want, off float64) func(*testing.T, flow) {
	return func(t *testing.T, f flow) {
		if got := of(f); !(math.Abs(got-want) <= off) {
			t.Errorf("got %.2f, want %.2f ± %.2f", got, want, off)
		}
	}
}

// flow is what arrived of a number of datagrams.
type flow struct {
	sent, size int
	order      []uint32
	delays     []float64 // ms, in order of arrival
	times      []time.Duration
}

func (f flow) lost() float64 { return 100 * (1 - float64(len(f.order))/float64(f.sent)) }

func (f flow) median() float64 { return f.quantile(.5) }

func (f flow) spread() float64 { return f.quantile(.9) - f.quantile(.1) }

func (f flow) quantile(q float64) float64 {
	if len(f.delays) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(f.delays))
	return s[int(q*float64(len(s)-1))]
}

func (f flow) overtaken() float64 {
	n := 0.
	for i := 1; i < len(f.order); i++ {
		if f.order[i] < f.order[i-1] {
			n++
		}
	}
	return n
}

// kbit is the rate of whole IP packets.
func (f flow) kbit() float64 {
	n := len(f.times)
	if n < 2 {
		return 0
	}
	return float64(n-1) * float64(f.size+28) * 8 / (f.times[n-1] - f.times[0]).Seconds() / 1000
}

// rig is a line between two namespaces with a socket at each end.
type rig struct {
	socket   string
	near     *net.UDPConn
	far      *net.UDPConn
	sequence uint32
}

func newRig(t *testing.T) *rig {
	t.Helper()
	id := os.Getpid()
	a, b := fmt.Sprintf("ima%d", id), fmt.Sprintf("imb%d", id)
	for _, ns := range []string{a, b} {
		command(t, "ip", "netns", "add", ns)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	}
	r := &rig{socket: filepath.Join(t.TempDir(), "control")}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- run(ctx, []string{"-control", r.socket, fmt.Sprintf("x:%s:t0:%s:t0", a, b)}) }() // until stop
	t.Cleanup(func() {
		stop()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	for i := 0; ; i++ {
		if _, err := os.Stat(r.socket); err == nil {
			break
		}
		if i > 200 {
			t.Fatal("the control socket does not appear")
		}
		time.Sleep(10 * millisecond)
	}
	for ns, address := range map[string]string{a: "10.99.0.1/24", b: "10.99.0.2/24"} {
		command(t, "ip", "-n", ns, "addr", "add", address, "dev", "t0")
		command(t, "ip", "-n", ns, "link", "set", "t0", "up", "txqueuelen", "4000")
	}
	r.near = r.bind(t, a, "10.99.0.1")
	r.far = r.bind(t, b, "10.99.0.2")
	return r
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

func (r *rig) bind(t *testing.T, ns, ip string) (c *net.UDPConn) {
	t.Helper()
	err := inNetns(ns, func() (err error) {
		c, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip), Port: 5000})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadBuffer(8 << 20)
	return c
}

func (r *rig) tell(t *testing.T, text string) string {
	t.Helper()
	conn, err := net.Dial("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, text)
	answer := make([]byte, 4096)
	n, err := conn.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "ok") {
		t.Fatalf("%s: %s, %v", text, answer[:n], err)
	}
	return strings.TrimSpace(string(answer[:n]))
}

// send sends n datagrams of size bytes through "up", one every gap.
func (r *rig) send(t *testing.T, n, size int, gap time.Duration) flow {
	t.Helper()
	start := time.Now()
	first := r.sequence
	r.sequence += uint32(n)
	done := make(chan flow, 1)
	go func() { done <- r.receive(first, n, size, start) }() // ends three seconds after the last datagram
	to := &net.UDPAddr{IP: net.ParseIP("10.99.0.2"), Port: 5000}
	b := make([]byte, size)
	for i := range n {
		if d := time.Until(start.Add(time.Duration(i) * gap)); d > 0 {
			time.Sleep(d)
		} else if gap == 0 && i%16 == 0 {
			time.Sleep(100 * time.Microsecond) // let the queue of the device live
		}
		binary.BigEndian.PutUint32(b, first+uint32(i))
		binary.BigEndian.PutUint64(b[4:], uint64(time.Since(start)))
		if _, err := r.near.WriteTo(b, to); err != nil {
			t.Fatal(err)
		}
	}
	return <-done
}

func (r *rig) receive(first uint32, n, size int, start time.Time) flow {
	f := flow{sent: n, size: size}
	b := make([]byte, 2048)
	for {
		_ = r.far.SetReadDeadline(time.Now().Add(3 * time.Second))
		_, err := r.far.Read(b)
		now := time.Since(start)
		if err != nil {
			return f
		}
		if k := binary.BigEndian.Uint32(b); k >= first {
			f.order = append(f.order, k)
			f.times = append(f.times, now)
			f.delays = append(f.delays, ms(now-time.Duration(binary.BigEndian.Uint64(b[4:]))))
		}
	}
}
