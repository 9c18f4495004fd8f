// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

func TestSpeakersAndQuality(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		s := h.join("sup", func(j *Join) { j.Permission.Hidden = true })
		room := h.media.last().events
		room.RoomSpeakers([]sfu.Speaker{
			{PeerID: a.sid(), Level: 0.5, Active: true}, {PeerID: s.sid(), Level: 1, Active: true}, {PeerID: "PA_gone", Active: true},
		})
		room.RoomQuality([]sfu.Quality{{PeerID: a.sid(), Grade: 1, Score: 3}, {PeerID: s.sid(), Grade: 2, Score: 4}})
		settle()
		for _, c := range []*client{a, b, s} {
			if got := last[Speakers](c).Speakers; len(got) != 1 || got[0] != (SpeakerInfo{a.sid(), 0.5, true}) {
				t.Errorf("%s: speakers %+v", c.identity, got)
			}
		}
		if got := last[Quality](b).Qualities; len(got) != 1 || got[0] != (QualityInfo{a.sid(), 1, 3}) {
			t.Errorf("qualities %+v", got)
		}
		if got := last[Quality](s).Qualities; len(got) != 2 {
			t.Errorf("own quality of the hidden one is missing: %+v", got)
		}
		a.clear()
		a.peer().events.PeerState(sfu.PeerDisconnected)
		settle()
		if got := last[Quality](b).Qualities; len(got) != 1 || got[0].Grade != gradeLost {
			t.Errorf("bob was told %+v", got)
		}
		for _, q := range all[Quality](a) {
			for _, i := range q.Qualities {
				if i.SID == a.sid() && i.Grade == gradeLost {
					t.Error("ada was told that she is lost")
				}
			}
		}
		a.connect()
		settle()
		if got := last[Quality](b).Qualities; got[0] != (QualityInfo{a.sid(), 1, 3}) {
			t.Errorf("bob was told %+v", got)
		}
		c := h.join("cyd", nil)
		if got := last[Speakers](c).Speakers; len(got) != 1 || got[0].SID != a.sid() {
			t.Errorf("a newcomer was told %+v", got)
		}
		h.agree(a, b, s, c)
	})
}

func TestTokenRefresh(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		n := 0
		a := h.join("ada", func(j *Join) {
			j.RefreshToken = func(p ParticipantInfo) (string, error) {
				if n++; n == 2 {
					return "", errors.New("no key")
				}
				return p.Identity + strings.Repeat("!", n), nil
			}
		})
		if got := all[Token](a); len(got) != 1 || got[0].JWT != "ada!" {
			t.Fatalf("tokens %v", got)
		}
		time.Sleep(refreshInterval + time.Second)
		if len(all[Token](a)) != 1 {
			t.Error("a token in spite of the failure")
		}
		time.Sleep(refreshInterval)
		if got := last[Token](a); got.JWT != "ada!!!" {
			t.Errorf("token %v", got)
		}
	})
}

func TestMediaFailure(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		a.connect()
		a.peer().events.PeerState(sfu.PeerFailed)
		time.Sleep(defaultResumeGrace / 2)
		a.connect()
		time.Sleep(2 * defaultResumeGrace)
		if a.leave() != nil {
			t.Fatal("ada was sent away although her media path came back")
		}
		a.peer().events.PeerState(sfu.PeerFailed)
		time.Sleep(defaultResumeGrace + time.Second)
		if l := a.leave(); l == nil || l.Action != ActionReconnect {
			t.Errorf("ada was told %+v", l)
		}
		b.peer().events.PeerState(sfu.PeerClosed)
		settle()
		if l := b.leave(); l == nil || l.Action != ActionReconnect {
			t.Errorf("bob was told %+v", l)
		}
	})
}
