// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

func dual(j *Join) { j.Dual, j.Offer, j.OfferID = true, "", 0 }

// by answers the proposal that c has got and not answered.
func (c *client) by(r Reply) {
	c.t.Helper()
	c.mu.Lock()
	c.pending, c.reply = 0, 0
	c.mu.Unlock()
	c.do(r)
	settle()
}

func proposed(t *testing.T, c *client) (out []fakeProposal) {
	t.Helper()
	for _, m := range all[Proposal](c) {
		var p fakeProposal
		if err := json.Unmarshal([]byte(m.SDP), &p); err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestDualJoin(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		mic := a.publish("mic", SourceMicrophone, nil)
		b := h.join("bob", dual)
		settle()
		if j := all[Joined](b)[0]; !j.SubscriberPrimary {
			t.Error("bob is not told which connection to wait for")
		}
		if j := all[Joined](a)[0]; j.SubscriberPrimary {
			t.Error("ada, with one connection, is told of another one")
		}
		if got := b.types(); got[0] != "Joined" || slices.Contains(got, "SectionsNeeded") {
			t.Errorf("bob was told %v", got)
		}
		if p := proposed(t, b); len(p) != 1 || p[0].Tracks["0"] != mic {
			t.Errorf("proposals %+v", p)
		}
		if got := all[TrackSubscribed](a); len(got) != 1 || got[0].SID != mic {
			t.Errorf("ada learned of her listener: %v", got)
		}
		cam := b.publish("cam", SourceCamera, nil)
		if !a.peer().receives(cam) || len(b.sections()) != 1 {
			t.Error("bob's picture did not get through")
		}
		if s := h.dir.Stats(); s.Participants != 2 || s.Tracks != 2 {
			t.Errorf("stats %+v", s)
		}
		h.agree(a, b)
	})
}

// TestProposalsCoalesce has one proposal without reply at a time.
func TestProposalsCoalesce(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), newClient(h, "bob")
		b.auto = false
		if err := h.tryJoin(b, dual); err != nil {
			t.Fatal(err)
		}
		for _, cid := range []string{"1", "2", "3"} {
			a.publish(cid, SourceCamera, nil)
		}
		if p := all[Proposal](b); len(p) != 1 || p[0].ID != 1 {
			t.Fatalf("before the reply: %+v", p)
		}
		for _, stale := range []Reply{{ID: 7, SDP: "{}"}, {ID: 2, SDP: "bad"}} {
			b.do(stale)
			settle()
		}
		if n := len(all[Proposal](b)); n != 1 || b.leave() != nil {
			t.Fatalf("a reply to nothing: %d proposals, %+v", n, b.leave())
		}
		b.by(Reply{SDP: "{}"}) // some clients give no id
		if p := proposed(t, b); len(p) != 2 || len(p[1].Tracks) != 3 || all[Proposal](b)[1].ID != 2 {
			t.Errorf("after the reply: %+v", p)
		}
		b.offer() // on the other connection: no reply
		settle()
		a.unpublish("1")
		if n := len(all[Proposal](b)); n != 2 {
			t.Errorf("%d proposals although one is unanswered", n)
		}
		b.by(Reply{SDP: "{}", ID: 2})
		if p := proposed(t, b); len(p) != 3 || len(p[2].Tracks) != 2 {
			t.Errorf("in the end: %+v", p)
		}
		b.sound()
	})
}

func TestBadReply(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), newClient(h, "bob")
		b.auto = false
		if err := h.tryJoin(b, dual); err != nil {
			t.Fatal(err)
		}
		settle()
		a.do(Reply{SDP: "bad"}) // who has one connection replies to nothing
		b.by(Reply{SDP: "bad", ID: 1})
		if l := b.leave(); l == nil || *l != (Leave{ReasonStateMismatch, ActionReconnect}) || !b.peer().isClosed() {
			t.Errorf("bob was told %+v", l)
		}
		if a.leave() != nil {
			t.Errorf("ada was told %+v", a.leave())
		}
	})
}

// TestUnansweredProposal gives up who answers nothing, but not who is away.
func TestUnansweredProposal(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		b, c := newClient(h, "bob"), newClient(h, "cyd")
		b.auto, c.auto = false, false
		for _, m := range []*client{b, c} {
			if err := h.tryJoin(m, dual); err != nil {
				t.Fatal(err)
			}
		}
		settle()
		c.cut()
		time.Sleep(replyWait + time.Second)
		synctest.Wait()
		if l := b.leave(); l == nil || *l != (Leave{ReasonStateMismatch, ActionReconnect}) {
			t.Errorf("bob was told %+v", l)
		}
		n, err := h.resume(c)
		if err != nil {
			t.Fatal(err)
		}
		settle()
		if types := n.types(); types[0] != "Reconnected" || n.leave() != nil {
			t.Errorf("cyd was told %v", types)
		}
		if p := proposed(t, n); len(p) != 1 || p[0].Restarts != 1 || all[Proposal](n)[0].ID != 2 {
			t.Errorf("proposals %+v", p)
		}
		time.Sleep(replyWait + time.Second)
		if n.leave() != nil {
			t.Errorf("cyd, who has replied, was told %+v", n.leave())
		}
	})
}

// TestResumeRestartsBoth has the server renew what it offers, as the client does
// with what it offers.
func TestResumeRestartsBoth(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", dual)
		cam := a.publish("cam", SourceCamera, nil)
		b.connect()
		settle()
		b.cut()
		settle()
		n, err := h.resume(b)
		if err != nil {
			t.Fatal(err)
		}
		n.offer()
		settle()
		if p := proposed(t, n); len(p) != 1 || p[0].Restarts != 1 || p[0].Tracks["0"] != cam {
			t.Errorf("proposals %+v", p)
		}
		types := n.types()
		if types[0] != "Reconnected" || slices.Index(types, "Update") > slices.Index(types, "Proposal") {
			t.Errorf("told %v", types)
		}
		a.publish("screen", SourceScreen, nil)
		if len(n.sections()) != 2 {
			t.Errorf("bob receives %v", n.sections())
		}
		h.agree(a, n)
	})
}

func TestRefusedByClient(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", dual)
		settle()
		b.auto = false
		cam := a.publish("cam", SourceCamera, nil)
		b.by(Reply{SDP: fakeReply{[]string{cam}}.String()})
		if got := all[SubscriptionFailed](b); len(got) != 1 || got[0] != (SubscriptionFailed{TrackSID: cam}) {
			t.Errorf("told %v", got)
		}
		if b.peer().receives(cam) {
			t.Error("what was refused is forwarded")
		}
		b.by(Reply{SDP: "{}"}) // to the offer without it
		time.Sleep(time.Minute)
		if p := proposed(t, b); len(p) != 3 || len(p[2].Tracks) != 0 {
			t.Errorf("proposals %+v", p)
		}
	})
}

// TestDualWithoutRight has a client that may not receive wait for the
// connection on which it sends, until it may.
func TestDualWithoutRight(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		cam := a.publish("cam", SourceCamera, nil)
		b := h.join("bob", func(j *Join) {
			dual(j)
			j.Permission.Subscribe = false
		})
		settle()
		if all[Joined](b)[0].SubscriberPrimary || len(all[Proposal](b)) != 0 {
			t.Errorf("told %v", b.types())
		}
		b.peer().events.PeerState(sfu.PeerConnected)
		room := h.dir.Find(testKey)
		if err := room.SetPermission("bob", Permission{Subscribe: true}); err != nil {
			t.Fatal(err)
		}
		settle()
		b.do(Subscription{TrackSIDs: []string{cam}, Subscribe: true})
		settle()
		if len(b.sections()) != 1 || !b.peer().receives(cam) {
			t.Errorf("bob receives %v, told %v", b.sections(), b.types())
		}
	})
}
