// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

func (c *client) sendData(kind sfu.DataKind, payload string) bool {
	return c.peer().events.PeerData(kind, []byte(payload))
}

func TestDataFanOut(t *testing.T) {
	for name, tc := range map[string]struct {
		payload  string
		perm     bool
		bob, cyd string
	}{
		"to all":              {`{"d":"x"}`, true, `{"d":"x","from":"ada"}`, `{"d":"x","from":"ada"}`},
		"to one":              {`{"d":"x","to":["cyd"]}`, true, "", `{"d":"x","to":["cyd"],"from":"ada"}`},
		"to one many times":   {`{"d":"x","to":["cyd","cyd","cyd"]}`, true, "", `{"d":"x","to":["cyd","cyd","cyd"],"from":"ada"}`},
		"to oneself":          {`{"d":"x","to":["ada"]}`, true, "", ""},
		"to nobody here":      {`{"d":"x","to":["dan"]}`, true, "", ""},
		"under a false name":  {`{"d":"x","from":"bob"}`, true, `{"d":"x","from":"ada"}`, `{"d":"x","from":"ada"}`},
		"without the right":   {`{"d":"x"}`, false, "", ""},
		"not a packet at all": {`]`, true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, h *host) {
				a := h.join("ada", func(j *Join) { j.Permission.PublishData = tc.perm })
				b, c := h.join("bob", nil), h.join("cyd", nil)
				if !a.sendData(sfu.Reliable, tc.payload) {
					t.Error("not taken")
				}
				settle()
				if got := strings.Join(b.peer().data(), " "); got != tc.bob {
					t.Errorf("bob got %s", got)
				}
				if got := strings.Join(c.peer().data(), " "); got != tc.cyd {
					t.Errorf("cyd got %s", got)
				}
				if got := a.peer().data(); len(got) != 0 {
					t.Errorf("ada got %s", got)
				}
			})
		})
	}
}

func TestDataRate(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		for range dataBurst + 100 {
			a.sendData(sfu.Lossy, `{"d":"x"}`)
		}
		synctest.Wait()
		if n := len(b.peer().data()); n != dataBurst {
			t.Errorf("%d lossy packets at once", n)
		}
		if s := h.dir.Stats(); s.DataLost != 100 {
			t.Errorf("stats %+v", s)
		}
		// Reliable packets wait their turn, in order.
		taken := 0
		for i := range 2 * maxDataQueue {
			if a.sendData(sfu.Reliable, fmt.Sprintf(`{"d":"%04d"}`, i)) {
				taken++
			}
		}
		if taken != maxDataQueue {
			t.Errorf("%d were taken", taken)
		}
		start := time.Now()
		for len(b.peer().data()) < dataBurst+maxDataQueue {
			time.Sleep(time.Millisecond)
			if time.Since(start) > time.Minute {
				t.Fatalf("%d arrived", len(b.peer().data()))
			}
		}
		if d := time.Since(start).Seconds(); d < maxDataQueue/dataRate-0.1 || d > maxDataQueue/dataRate+1 {
			t.Errorf("it took %v s", d)
		}
		if !slices.IsSorted(b.peer().data()[dataBurst:]) {
			t.Error("the order is lost")
		}
		if n := a.peer().events.(peerEvents).in; n.messages.Load() != 0 || n.bytes.Load() != 0 {
			t.Errorf("%d messages, %d bytes are still counted", n.messages.Load(), n.bytes.Load())
		}
		large := strings.Repeat("x", maxDataBytes)
		if a.sendData(sfu.Reliable, large+"x") || !a.sendData(sfu.Reliable, large) {
			t.Error("the bound in bytes is wrong")
		}
	})
}

func TestSlowReceiver(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b, c := h.join("ada", nil), h.join("bob", nil), h.join("cyd", nil)
		b.peer().setSendErr(sfu.ErrBufferFull)
		for i := range 20 {
			a.sendData(sfu.Reliable, fmt.Sprintf(`{"d":"%04d"}`, i))
			a.sendData(sfu.Lossy, `{"d":"lossy"}`)
		}
		settle()
		if n := len(c.peer().data()); n != 40 {
			t.Errorf("cyd got %d", n)
		}
		b.peer().setSendErr(nil)
		a.sendData(sfu.Reliable, `{"d":"9999"}`)
		settle()
		if got := b.peer().data(); len(got) != 21 || !slices.IsSorted(got) {
			t.Errorf("bob got %d: %v", len(got), got)
		}
		b.peer().setSendErr(sfu.ErrNoChannel)
		a.sendData(sfu.Reliable, `{"d":"lost"}`)
		settle()
		b.peer().setSendErr(sfu.ErrBufferFull)
		for range maxOutbox {
			a.sendData(sfu.Reliable, `{"d":"x"}`)
		}
		settle()
		if b.leave() != nil {
			t.Fatal("bob was sent away early")
		}
		a.sendData(sfu.Reliable, `{"d":"x"}`)
		settle()
		if l := b.leave(); l == nil || l.Action != ActionReconnect || !b.peer().isClosed() {
			t.Errorf("bob was told %+v", l)
		}
		if got, ok := a.knows("bob"); !ok || len(got.Tracks) != 0 {
			t.Error("bob lost the place")
		}
		a.sendData(sfu.Reliable, `{"d":"more"}`)
		settle()
		again := h.join("bob", nil)
		settle()
		h.agree(a, again, c)
	})
}
