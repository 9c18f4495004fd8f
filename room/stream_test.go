// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"slices"
	"testing"
	"time"
)

func allowsPause(j *Join) { j.AllowPause = true }

// states returns what c was told of paused pictures.
func states(c *client) []bool {
	var out []bool
	for _, m := range all[StreamState](c) {
		out = append(out, m.Paused)
	}
	return out
}

// begun lets the time pass that a new picture needs.
func begun() {
	time.Sleep(streamSettle)
	settle()
}

func (c *client) paused(sid string, paused bool) {
	c.peer().events.PeerStreamState(sid, paused)
	settle()
}

func TestStreamState(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", allowsPause)
		b := h.join("bob", allowsPause)
		c := h.join("cyd", nil)
		cam := a.publish("cam", SourceCamera, nil)
		begun()
		b.paused(cam, true)
		b.paused(cam, true)
		if got := last[StreamState](b); got != (StreamState{ParticipantSID: a.sid(), TrackSID: cam, Paused: true}) {
			t.Errorf("told %+v", got)
		}
		b.paused(cam, false)
		b.paused(cam, false)
		b.paused("TR_unknown", true)
		if got := states(b); !slices.Equal(got, []bool{true, false}) {
			t.Errorf("bob was told %v", got)
		}
		c.paused(cam, true)
		if len(states(a))+len(states(c)) != 0 {
			t.Errorf("whom it does not concern, or who does not want it: %v %v", states(a), states(c))
		}
		// Back and forth within one turn is no news.
		events := b.peer().events
		events.PeerStreamState(cam, true)
		events.PeerStreamState(cam, false)
		settle()
		if got := states(b); len(got) != 2 {
			t.Errorf("bob was told %v", got)
		}
	})
}

// A client heeds states only of tracks it has.
func TestStreamStateOfNewPicture(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		b := h.join("bob", allowsPause)
		cam := a.publish("cam", SourceCamera, nil)
		b.paused(cam, true)
		if got := states(b); len(got) != 0 {
			t.Errorf("told before the client has the track: %v", got)
		}
		begun()
		if got := states(b); !slices.Equal(got, []bool{true}) {
			t.Errorf("told %v", got)
		}
		other := a.publish("screen", SourceScreen, nil)
		b.paused(other, true)
		b.paused(other, false)
		begun()
		if got := states(b); len(got) != 1 {
			t.Errorf("told of a pause that was over: %v", got)
		}
	})
}

func TestStreamStateAfterResume(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		b := h.join("bob", allowsPause)
		cam := a.publish("cam", SourceCamera, nil)
		screen := a.publish("screen", SourceScreen, nil)
		never := a.publish("spare", SourceCamera, nil)
		begun()
		b.paused(cam, true)
		b.paused(screen, true)
		b.cut()
		settle()
		b.paused(screen, false) // nobody hears it
		r, err := h.resume(b)
		if err != nil {
			t.Fatal(err)
		}
		settle()
		told := make(map[string]bool)
		for _, m := range all[StreamState](r) {
			told[m.TrackSID] = m.Paused
		}
		if len(all[StreamState](r)) != 2 || !told[cam] || told[screen] {
			t.Errorf("after the resume %+v", all[StreamState](r))
		}
		if _, ok := told[never]; ok {
			t.Error("told of a picture that was never paused")
		}
		// Who joins anew begins anew.
		n := h.join("bob", allowsPause)
		begun()
		if got := states(n); len(got) != 0 {
			t.Errorf("after a new join %v", got)
		}
	})
}

func TestStreamStateForgottenOnUnsubscribe(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		b := h.join("bob", allowsPause)
		cam := a.publish("cam", SourceCamera, nil)
		begun()
		b.paused(cam, true)
		want := func(on bool) { b.do(Subscription{TrackSIDs: []string{cam}, Subscribe: on}) }
		want(false)
		settle()
		b.paused(cam, false)
		r, err := h.resume(b)
		if err != nil {
			t.Fatal(err)
		}
		b = r
		settle()
		if got := states(b); len(got) != 0 {
			t.Errorf("told of a picture that is not received: %v", got)
		}
		// A state that is on its way when the subscription ends belongs to the
		// old one.
		want(true)
		begun()
		b.clear()
		b.peer().events.PeerStreamState(cam, true)
		want(false)
		want(true)
		begun()
		begun()
		if got := states(b); slices.Contains(got[min(1, len(got)):], true) || len(got) > 0 && got[len(got)-1] {
			t.Errorf("a state of the former subscription lives on: %v", got)
		}
		a.unpublish("cam")
		b.clear()
		b.paused(cam, true)
		if got := states(b); len(got) != 0 {
			t.Errorf("told of a track that has ended: %v", got)
		}
	})
}

func TestForgetPaused(t *testing.T) {
	m := mailbox{wake: make(chan struct{}, 1)}
	e := peerEvents{&m, &inbox{}}
	e.PeerStreamState("TR_1", true)
	e.PeerStreamState("TR_2", true)
	e.PeerStreamState("TR_2", false)
	m.forgetPaused(e.in, "TR_1")
	_, fresh := m.take()
	if len(fresh) != 1 || len(fresh[0].paused) != 1 || fresh[0].paused["TR_2"] {
		t.Errorf("took %+v", fresh)
	}
	if _, fresh := m.take(); len(fresh) != 0 {
		t.Errorf("took %+v twice", fresh)
	}
}
