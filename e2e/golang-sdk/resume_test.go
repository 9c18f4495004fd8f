// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"testing"

	lksdk "github.com/livekit/server-sdk-go/v2"
)

// TestResume cuts the signaling connection; media goes on, and afterwards
// everything works as before.
func TestResume(t *testing.T) {
	t.Parallel()
	between(t, func(t *testing.T, cut, other topology) {
		p := newProxy(t)
		anna, bert := join(t, p.url(), "anna", cut), join(t, serverURL, "bert", other)
		publish(t, anna, "anna 1")
		publish(t, bert, "bert 1")
		heard, hears := next(t, bert.streams, "bert hears anna"), next(t, anna.streams, "anna hears bert")
		heard.flowing(t, sounds)
		hears.flowing(t, sounds)
		for range 2 {
			sid := anna.LocalParticipant.SID()
			p.cut(0)
			next(t, anna.reconnecting, "anna notices")
			next(t, anna.reconnected, "anna is back")
			if got := anna.LocalParticipant.SID(); got != sid {
				t.Fatalf("anna joined anew, as %s instead of %s", got, sid)
			}
			heard.flowing(t, sounds)
			hears.flowing(t, sounds)
		}
		never(t, bert.left, "bert was told that anna left")
		publish(t, anna, "anna 2")
		publish(t, bert, "bert 2")
		next(t, bert.streams, "bert hears anna's second track").flowing(t, sounds)
		next(t, anna.streams, "anna hears bert's second track").flowing(t, sounds)
		greet(t, anna, bert)
		greet(t, bert, anna)
	})
}

// TestRejoin refuses the resume, so that the SDK joins anew and publishes
// everything again.
func TestRejoin(t *testing.T) {
	t.Parallel()
	between(t, func(t *testing.T, cut, other topology) {
		p := newProxy(t)
		anna, bert := join(t, p.url(), "anna", cut), join(t, serverURL, "bert", other)
		publish(t, anna, "anna")
		publish(t, bert, "bert")
		next(t, bert.streams, "bert hears anna").flowing(t, sounds)
		next(t, anna.streams, "anna hears bert").flowing(t, sounds)
		sid := anna.LocalParticipant.SID()
		p.cut(4) // two attempts to resume, each with a validation
		next(t, anna.reconnected, "anna is back")
		if got := anna.LocalParticipant.SID(); got == sid {
			t.Error("anna resumed although every attempt was refused")
		}
		next(t, bert.streams, "bert hears anna again").flowing(t, sounds)
		next(t, anna.streams, "anna hears bert again").flowing(t, sounds)
		greet(t, anna, bert)
		greet(t, bert, anna)
	})
}

func publish(t *testing.T, m *member, name string) {
	t.Helper()
	if _, err := m.LocalParticipant.PublishTrack(newMicrophone(t).track, &lksdk.TrackPublicationOptions{Name: name}); err != nil {
		t.Fatalf("%s publishes: %v", m.identity, err)
	}
}
