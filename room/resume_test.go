// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// A page that has gone for good, and said no more than that, frees its place soon;
// one that comes back at once has it still.
func TestGone(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		a.do(Gone{})
		a.cut()
		time.Sleep(goneGrace - time.Second)
		if _, ok := b.knows("ada"); !ok {
			t.Error("the place was not kept for a moment")
		}
		a, err := h.resume(a)
		if err != nil {
			t.Fatal(err)
		}
		a.cut() // this time without a word
		time.Sleep(defaultResumeGrace - time.Second)
		if _, ok := b.knows("ada"); !ok {
			t.Error("an earlier farewell shortened the grace")
		}
		if a, err = h.resume(a); err != nil {
			t.Fatal(err)
		}
		a.do(Gone{})
		a.cut()
		time.Sleep(goneGrace + time.Second)
		if _, ok := b.knows("ada"); ok {
			t.Error("somebody who has gone is still there")
		}
	})
}

func TestResume(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		h.join("eve", nil).do(Bye{}) // before ada: none of her business
		a := h.join("ada", func(j *Join) {
			j.RefreshToken = func(ParticipantInfo) (string, error) { return "next", nil }
		})
		b, c := h.join("bob", nil), h.join("cyd", nil)
		settle()
		cam := a.publish("cam", SourceCamera, nil)
		mic := b.publish("mic", SourceMicrophone, nil)
		a.peer().events.PeerData(sfu.Reliable, []byte(`{"d":"x","s":7}`))
		settle()
		a.cut()
		settle()
		if _, ok := b.knows("ada"); !ok || !b.peer().receives(cam) {
			t.Fatal("ada is gone with her connection")
		}
		c.do(Bye{})
		d := h.join("dan", nil)
		room := h.dir.Find(testKey)
		if err := room.MuteTrack("ada", cam); err != nil {
			t.Fatal(err)
		}
		time.Sleep(defaultResumeGrace - time.Second)
		n, err := h.resume(a)
		if err != nil {
			t.Fatal(err)
		}
		types := n.types()
		if types[0] != "Reconnected" || slices.Index(types, "MuteTrack") > slices.Index(types, "Update") || !slices.Contains(types, "Token") {
			t.Errorf("told %v", types)
		}
		if got := last[Reconnected](n); got.LastReliable != 7 {
			t.Errorf("%+v", got)
		}
		if got := last[MuteTrack](n); got.SID != cam || !got.Muted {
			t.Errorf("%+v", got)
		}
		u := all[Update](n)[0].Participants
		if u[0].Identity != "cyd" || u[0].State != StateDisconnected || u[0].Reason != ReasonClientInitiated {
			t.Errorf("the departed are not first: %+v", u[0])
		}
		// The client reconciles the mute state; this must not undo the mute.
		n.do(Mute{SID: cam, Muted: false})
		settle()
		if got, _ := b.knows("ada"); !got.Tracks[0].Muted {
			t.Error("the reconciliation undid the moderator's mute")
		}
		n.do(Mute{SID: cam, Muted: true})
		settle()
		h.agree(n, b, d)
		if got, _ := b.knows("ada"); !got.Tracks[0].Muted {
			t.Error("the moderator's mute was undone")
		}
		n.do(Mute{SID: cam, Muted: false})
		theirs := b.publish("cam", SourceCamera, nil)
		screen := b.publish("screen", SourceScreen, nil)
		n.do(TrackSettings{TrackSIDs: []string{screen}, Settings: sfu.Settings{Quality: 1}})
		n.do(SyncState{
			Subscription: &Subscription{
				TrackSIDs: []string{mic}, ByParticipant: map[string][]string{"x": {"TR_gone"}},
			},
			Published: []string{"cam", cam, "TR_ended"},
			Disabled:  []string{theirs, screen, "TR_gone"},
		})
		settle()
		if s, _ := n.peer().setting(theirs); s != (sfu.Settings{Disabled: true, Quality: 2}) {
			t.Errorf("settings %+v", s)
		}
		if s, _ := n.peer().setting(screen); s != (sfu.Settings{Disabled: true, Quality: 1}) {
			t.Errorf("settings %+v", s)
		}
		if got := all[TrackUnpublished](n); len(got) != 1 || got[0].SID != "TR_ended" {
			t.Errorf("ended tracks: %+v", got)
		}
		if n.peer().receives(mic) || len(all[SubscriptionFailed](n)) != 0 {
			t.Error("the subscriptions were not restored")
		}
		if got, _ := b.knows("ada"); got.Tracks[0].Muted {
			t.Error("ada's own unmute was not heeded")
		}
		if a.session.Handle(Trickle{}) {
			t.Error("the old session still works")
		}
		time.Sleep(2 * defaultResumeGrace)
		h.agree(n, b, d)
	})
}

func TestResumeTakesOverALiveConnection(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		settle()
		n, err := h.resume(a)
		if err != nil {
			t.Fatal(err)
		}
		settle()
		if a.leave() != nil || !a.hasEnded() {
			t.Error("the old connection was told to leave, or lives on")
		}
		b.do(UpdateSelf{RequestID: 1, Name: "Robert"})
		settle()
		h.agree(n, b)
		time.Sleep(2 * defaultResumeGrace) // the old connection's end counts for nothing
		h.agree(n, b)
	})
}

func TestResumeAfterReturnOfSomebody(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		settle()
		a.cut()
		b.do(Bye{})
		settle()
		b = h.join("bob", nil)
		n, err := h.resume(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all[Update](n)[0].Participants {
			if p.State == StateDisconnected {
				t.Errorf("told of a departure that is history: %+v", p)
			}
		}
		settle()
		h.agree(n, b)
	})
}

func TestResumeGraceEnds(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", func(j *Join) { j.Policy.ResumeGrace = 5 * time.Second })
		b := h.join("bob", nil)
		b.cut()
		time.Sleep(4 * time.Second)
		if _, ok := a.knows("bob"); !ok {
			t.Error("bob lost the place early")
		}
		time.Sleep(2 * time.Second)
		if u := last[Update](a).Participants; u[0].Identity != "bob" || u[0].Reason != ReasonSignalClose {
			t.Errorf("departure %+v", u)
		}
		if _, err := h.resume(b); !errors.Is(err, ErrUnknownParticipant) {
			t.Errorf("resume: %v", err)
		}
		if _, err := h.dir.Resume(context.Background(), Resume{Key: Key{Name: "none"}}, b); !errors.Is(err, ErrUnknownParticipant) {
			t.Errorf("resume in no room: %v", err)
		}
		bad := Resume{Key: testKey, Identity: "ada", SID: b.me().SID}
		if _, err := h.dir.Resume(context.Background(), bad, b); !errors.Is(err, ErrUnknownParticipant) {
			t.Errorf("resume of another: %v", err)
		}
		h.agree(a)
	})
}

func TestSlowConnectionIsCutAndResumes(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		settle()
		a.mu.Lock()
		a.full = true
		a.mu.Unlock()
		b.do(UpdateSelf{RequestID: 1, Metadata: "m"})
		settle()
		if !a.hasEnded() {
			t.Fatal("ada's connection lives on")
		}
		n, err := h.resume(a)
		if err != nil {
			t.Fatal(err)
		}
		settle()
		h.agree(n, b)
	})
}

func TestDrain(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		b := h.join("bob", func(j *Join) { j.Key.Name = "other" })
		slow := newClient(h, "slow") // its connection takes two seconds to flush
		if err := h.tryJoin(slow, nil); err != nil {
			t.Fatal(err)
		}
		s := slow.session
		slow.session = nil
		go func() { // ends after two seconds of the bubble's time
			time.Sleep(2 * time.Second)
			s.Detach()
		}()
		start := time.Now()
		h.dir.Drain(context.Background())
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("drained after %v", d)
		}
		for _, c := range []*client{a, b, slow} {
			if l := c.leave(); l == nil || *l != (Leave{ReasonServerShutdown, ActionReconnect}) || !c.hasEnded() {
				t.Errorf("%s was told %+v", c.identity, l)
			}
			c.sound()
		}
		if a.peer().isClosed() {
			t.Error("media ended before the engine did")
		}
		if err := h.tryJoin(newClient(h, "cyd"), nil); !errors.Is(err, ErrClosing) {
			t.Errorf("join: %v", err)
		}
		if _, err := h.resume(a); !errors.Is(err, ErrClosing) {
			t.Errorf("resume: %v", err)
		}
		h.dir.Drain(context.Background()) // once more changes nothing
	})
}

func TestDrainIsBounded(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		c := newClient(h, "ada")
		if err := h.tryJoin(c, nil); err != nil {
			t.Fatal(err)
		}
		c.session = nil // never tells of its end
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		start := time.Now()
		h.dir.Drain(ctx)
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("drained after %v", d)
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		room := h.dir.Find(testKey)
		h.dir.Close()
		if l := a.leave(); l == nil || *l != (Leave{ReasonServerShutdown, ActionReconnect}) || !a.hasEnded() {
			t.Errorf("ada was told %+v", l)
		}
		if !h.media.last().isClosed() || len(h.dir.Rooms()) != 0 || len(room.Participants()) != 0 {
			t.Error("something is left")
		}
		if err := room.Remove("ada"); !errors.Is(err, ErrEnded) {
			t.Errorf("moderation after the end: %v", err)
		}
		if err := h.tryJoin(newClient(h, "bob"), nil); !errors.Is(err, ErrClosing) {
			t.Errorf("join: %v", err)
		}
	})
}
