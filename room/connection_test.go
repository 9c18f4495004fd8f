// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

func TestConnection(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		mic, cam := a.publish("mic", SourceMicrophone, nil), a.publish("cam", SourceCamera, nil)
		own := b.publish("cam", SourceCamera, nil)
		report := sfu.Report{
			Route: sfu.RouteTCP, RTT: 40 * time.Millisecond,
			Sent: []sfu.TrackReport{{SID: own}}, Received: []sfu.TrackReport{{SID: cam, Layer: 1}},
		}
		p := b.peer()
		p.mu.Lock()
		p.report = report
		p.mu.Unlock()
		ask := func(q Resume) (Connection, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return h.dir.Connection(ctx, q)
		}
		bob := Resume{Key: testKey, Identity: "bob"}
		got, err := ask(bob)
		if err != nil || got.Route != report.Route || got.RTT != report.RTT || len(got.Received) != 1 || len(got.Sent) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		want := map[string]TrackOwner{mic: {"ada", SourceMicrophone}, cam: {"ada", SourceCamera}}
		if !maps.Equal(got.Tracks, want) {
			t.Errorf("tracks %v, want %v", got.Tracks, want)
		}
		if _, err := ask(bob); !errors.Is(err, ErrBusy) {
			t.Errorf("again at once: %v", err)
		}
		time.Sleep(reportPause)
		if _, err := ask(bob); err != nil {
			t.Errorf("again: %v", err)
		}
		for name, q := range map[string]Resume{
			"another room": {Key: Key{Site: "b.example", Name: "x"}, Identity: "bob"},
			"nobody":       {Key: testKey, Identity: "nobody"},
		} {
			if _, err := ask(q); !errors.Is(err, ErrUnknownParticipant) {
				t.Errorf("%s: %v", name, err)
			}
		}
		p.mu.Lock()
		p.silent = true
		p.mu.Unlock()
		time.Sleep(reportPause)
		if _, err := ask(bob); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a plane that does not answer: %v", err)
		}
		h.dir.Revoke(testKey, "ada")
		if _, err := ask(Resume{Key: testKey, Identity: "ada"}); !errors.Is(err, ErrRevoked) {
			t.Errorf("with a revoked token: %v", err)
		}
	})
}
