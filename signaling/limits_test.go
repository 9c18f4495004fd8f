// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	tests := []struct {
		name string
		size int
		// every tells the time between messages, strike which message is the
		// first that has to wait (0: none), closed which one ends it (0: none).
		every          time.Duration
		messages       int
		strike, closed int
	}{
		{"steady", 100, time.Second / messagesPerSecond, 5000, 0, 0},
		{"burst", 100, 0, messageBurst, 0, 0},
		{"flood", 100, 0, 1000, messageBurst + 1, messageBurst + 3},
		{"large messages", maxFrame, maxFrame / bytesPerSecond * time.Second, 100, 0, 0},
		{"large burst", maxFrame, 0, 10, 3, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, now, strike, closed := newPace(), start, 0, 0
			for i := 1; i <= tt.messages && closed == 0; i++ {
				wait, err := p.take(tt.size, now)
				if errors.Is(err, errFlood) {
					closed = i
				} else if wait > 0 && strike == 0 {
					strike = i
					if wait < pause {
						t.Errorf("waits %v only", wait)
					}
				}
				now = now.Add(tt.every)
			}
			if strike != tt.strike || closed != tt.closed {
				t.Errorf("strike at %d, closed at %d, want %d and %d", strike, closed, tt.strike, tt.closed)
			}
		})
	}
}

// TestPaceWithWaiting does what the reader does: it waits when told to.
func TestPaceWithWaiting(t *testing.T) {
	p, now, handled := newPace(), time.Unix(1_800_000_000, 0), 0
	for start := now; ; handled++ {
		wait, err := p.take(100, now)
		if err != nil {
			break
		}
		if now = now.Add(wait); now.Sub(start) > time.Minute {
			t.Fatal("a client that never stops is never closed")
		}
	}
	if handled < messageBurst || handled > messageBurst+3*messagesPerSecond {
		t.Errorf("%d messages handled", handled)
	}
}

func TestStrikesAreForgotten(t *testing.T) {
	p, now := newPace(), time.Unix(1_800_000_000, 0)
	for round := range 10 {
		for range messageBurst + 2 { // two strikes
			if _, err := p.take(1, now); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		now = now.Add(2 * strikeMemory)
	}
}

func TestClockGoingBackwards(t *testing.T) {
	b := bucket{rate: 1, burst: 1}
	now := time.Unix(1_800_000_000, 0)
	b.take(1, now)
	if wait := b.take(1, now.Add(-time.Hour)); wait <= 0 || wait > 2*time.Second {
		t.Errorf("wait %v", wait)
	}
}

func TestClients(t *testing.T) {
	c, now := newClients(), time.Unix(1_800_000_000, 0)
	a := netip.MustParseAddr("2001:db8::1")
	neighbour := netip.MustParseAddr("2001:db8::ffff")
	var releases []func()
	for range maxPerClient {
		release, ok := c.open(a, now)
		if !ok {
			t.Fatal("refused below the limit")
		}
		releases = append(releases, release)
	}
	if _, ok := c.open(neighbour, now); ok {
		t.Error("another address of the same /64 passed")
	}
	for _, other := range []string{"2001:db8:0:1::1", "192.0.2.1", "::ffff:192.0.2.2"} {
		if _, ok := c.open(netip.MustParseAddr(other), now); !ok {
			t.Errorf("%s refused", other)
		}
	}
	if _, ok := c.open(netip.Addr{}, now); !ok {
		t.Error("an unknown address is refused")
	}
	releases[0]()
	if _, ok := c.open(a, now); !ok {
		t.Error("refused after one has gone")
	}
	for _, release := range releases[1:] {
		release()
	}
}

func TestMappedAddressIsTheSame(t *testing.T) {
	c, now := newClients(), time.Unix(1_800_000_000, 0)
	for range failuresPerMinute {
		c.failed(netip.MustParseAddr("192.0.2.1"), now)
	}
	if c.failed(netip.MustParseAddr("::ffff:192.0.2.1"), now) {
		t.Error("the mapped form counts apart")
	}
	if !c.failed(netip.MustParseAddr("192.0.2.1"), now.Add(time.Minute)) {
		t.Error("not forgotten after a minute")
	}
}

func TestClientsAreBounded(t *testing.T) {
	c, now := newClients(), time.Unix(1_800_000_000, 0)
	address := func(i int) netip.Addr {
		return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
	}
	held, _ := c.open(address(0), now)
	for i := 1; i < 2*maxClients; i++ {
		c.failed(address(i), now)
	}
	if len(c.entries) > maxClients {
		t.Errorf("%d entries", len(c.entries))
	}
	c.failed(address(3*maxClients), now.Add(2*time.Minute))
	if len(c.entries) != 2 {
		t.Errorf("%d entries after a quiet time, want the open one and the new one", len(c.entries))
	}
	held()
	before := c.key
	c.failed(address(1), now.Add(clientKeyLife+time.Second))
	if c.key == before {
		t.Error("the key outlives its day")
	}
	if s := fmt.Sprint(c.entries); s == "" {
		t.Error("no entries")
	}
}
