// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

func TestModeratorMutesOnly(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		mic, cam := a.publish("mic", SourceMicrophone, nil), a.publish("cam", SourceCamera, nil)
		room := h.dir.Find(testKey)
		for name, tc := range map[string]struct {
			do   func() error
			want error
		}{
			"nobody":   {func() error { return room.MuteTrack("nobody", mic) }, ErrUnknownParticipant},
			"no track": {func() error { return room.MuteTrack("ada", "TR_x") }, ErrUnknownTrack},
			"not hers": {func() error { return room.MuteTrack("bob", mic) }, ErrUnknownTrack},
			"no kind":  {func() error { return room.MuteKind("bob", sfu.Audio) }, nil},
			"kind":     {func() error { return room.MuteKind("ada", sfu.Audio) }, nil},
			"again":    {func() error { return room.MuteTrack("ada", mic) }, nil},
		} {
			if err := tc.do(); !errors.Is(err, tc.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		settle()
		if got := all[MuteTrack](a); len(got) != 1 || got[0] != (MuteTrack{mic, true}) {
			t.Errorf("ada was told %+v", got)
		}
		got, _ := b.knows("ada")
		if !got.Tracks[0].Muted || got.Tracks[1].Muted || got.Tracks[1].SID != cam || !a.peer().muted[mic] {
			t.Errorf("bob knows %+v", got.Tracks)
		}
		time.Sleep(muteSettle)
		a.do(Mute{SID: mic, Muted: false}) // only she may, and does
		settle()
		if got, _ := b.knows("ada"); got.Tracks[0].Muted {
			t.Error("ada cannot unmute herself")
		}
		h.agree(a, b)
	})
}

func TestRemoveRevokes(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		issued := time.Now()
		token := func(id string, at time.Time) func(*Join) {
			return func(j *Join) { j.TokenID, j.IssuedAt = id, at }
		}
		b := h.join("bob", nil)
		a := h.join("ada", token("t1", issued))
		room := h.dir.Find(testKey)
		time.Sleep(time.Second)
		if err := room.Remove("ada"); err != nil {
			t.Fatal(err)
		}
		if len(room.Participants()) != 1 {
			t.Error("ada is still listed when Remove returns")
		}
		settle()
		if l := a.leave(); l == nil || *l != (Leave{ReasonRemoved, ActionDisconnect}) || !a.hasEnded() || !a.peer().isClosed() {
			t.Errorf("ada was told %+v", l)
		}
		if u := last[Update](b).Participants; u[0].Reason != ReasonRemoved {
			t.Errorf("bob was told %+v", u)
		}
		if err := room.Remove("ada"); !errors.Is(err, ErrUnknownParticipant) {
			t.Errorf("again: %v", err)
		}
		a.peer().events.PeerData(sfu.Reliable, []byte(`{"d":"ghost"}`))
		refused := func(when string, change func(*Join)) {
			t.Helper()
			if err := h.tryJoin(newClient(h, "ada"), change); !errors.Is(err, ErrRevoked) {
				t.Errorf("%s: %v", when, err)
			}
		}
		later := time.Now().Add(time.Second)
		refused("the same token", token("t1", issued))
		refused("the same token, claiming to be new", token("t1", later))
		refused("a refreshed token", token("t2", issued))
		refused("a token of unknown age", token("t3", time.Time{}))
		if err := h.tryJoin(newClient(h, "ada"), func(j *Join) { j.Key.Realm = "other" }); err != nil {
			t.Errorf("another room: %v", err)
		}
		b.do(Bye{})
		time.Sleep(2 * time.Minute)
		if h.dir.Find(testKey) != nil {
			t.Fatal("the room lives on")
		}
		refused("after the end of the room", token("t2", issued))
		back := h.join("ada", token("t4", later)) // admitted anew
		settle()
		for name, q := range map[string]Resume{
			"old token id": {TokenID: "t1"}, "old token": {TokenID: "t2", IssuedAt: issued},
		} {
			q.Key, q.Identity, q.SID = testKey, "ada", back.sid()
			if _, err := h.dir.Resume(context.Background(), q, newClient(h, "ada")); !errors.Is(err, ErrRevoked) {
				t.Errorf("resume with an %s: %v", name, err)
			}
		}
		if n, err := h.resume(back); err != nil {
			t.Errorf("resume: %v", err)
		} else {
			back = n
		}
		if len(b.peer().data()) != 0 {
			t.Error("a removed participant's data was relayed")
		}
		back.do(Bye{})
		time.Sleep(revocationLife)
		h.join("ada", token("t3", time.Time{}))
		h.dir.Revoke(testKey, "cyd")
		if err := h.tryJoin(newClient(h, "cyd"), nil); !errors.Is(err, ErrRevoked) {
			t.Errorf("revoked beforehand: %v", err)
		}
	})
}

func TestRevocationsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v revocations
		for i := range maxRevocations + 100 {
			v.add(testKey, strconv.Itoa(i), []string{strconv.Itoa(i)})
			time.Sleep(time.Millisecond)
		}
		if len(v.identities) != maxRevocations || len(v.tokens) != maxRevocations {
			t.Errorf("%d identities, %d tokens", len(v.identities), len(v.tokens))
		}
		if v.covers(testKey, "99", "99", time.Time{}) || !v.covers(testKey, "100", "", time.Time{}) || !v.covers(testKey, "", "4195", time.Time{}) {
			t.Error("not the oldest gave way")
		}
		time.Sleep(revocationLife)
		v.add(testKey, "new", nil)
		if len(v.identities) != 1 {
			t.Errorf("%d identities after their life", len(v.identities))
		}
	})
}

func TestEnd(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		room := h.dir.Find(testKey)
		// The dashboard ends the room from within an event.
		room.Watch(func(e Event) {
			if e.Kind == EventParticipantLeft && e.Participant.Reason == ReasonClientInitiated {
				room.End(ReasonRoomDeleted)
			}
		})
		c := h.join("cyd", nil)
		c.do(Bye{})
		settle()
		for _, q := range []*client{a, b} {
			if l := q.leave(); l == nil || *l != (Leave{ReasonRoomDeleted, ActionDisconnect}) || !q.hasEnded() {
				t.Errorf("%s was told %+v", q.identity, l)
			}
			q.sound()
		}
		if h.dir.Find(testKey) != nil || !h.media.last().isClosed() {
			t.Error("the room lives on")
		}
		n := h.join("ada", nil)
		if n.sid() == a.sid() || h.dir.Find(testKey) == room {
			t.Error("the room was not forgotten")
		}
	})
}

func TestSetPermission(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		refreshed := 0
		a := h.join("ada", func(j *Join) {
			j.RefreshToken = func(p ParticipantInfo) (string, error) {
				refreshed++
				return strconv.FormatBool(p.Permission.Publish), nil
			}
		})
		b := h.join("bob", nil)
		cam, mic := a.publish("cam", SourceCamera, nil), a.publish("mic", SourceMicrophone, nil)
		theirs := b.publish("cam", SourceCamera, nil)
		room := h.dir.Find(testKey)
		set := func(p Permission) {
			t.Helper()
			if err := room.SetPermission("ada", p); err != nil {
				t.Fatal(err)
			}
			settle()
			h.agree(a, b)
		}
		set(Permission{Publish: true, Sources: []Source{SourceMicrophone}})
		if got := all[TrackUnpublished](a); len(got) != 1 || got[0].SID != cam {
			t.Errorf("ada was told %+v", got)
		}
		if got, _ := b.knows("ada"); len(got.Tracks) != 1 || got.Tracks[0].SID != mic || b.peer().receives(cam) {
			t.Errorf("bob knows %+v", got.Tracks)
		}
		if a.me().Permission.Subscribe || a.peer().receives(theirs) {
			t.Error("ada still receives")
		}
		a.do(Subscription{TrackSIDs: []string{theirs}, Subscribe: true})
		settle()
		if got := last[RequestResponse](a); got.Reason != refusedNotAllowed || a.peer().receives(theirs) {
			t.Errorf("subscription without right: %+v", got)
		}
		set(Permission{Subscribe: true})
		if !a.peer().receives(theirs) || len(a.me().Tracks) != 0 || last[Token](a).JWT != "false" {
			t.Errorf("ada's tracks %+v, token %+v", a.me().Tracks, last[Token](a))
		}
		set(Permission{Subscribe: true, Publish: true, Hidden: true})
		if _, ok := b.knows("ada"); ok {
			t.Error("bob knows the hidden ada")
		}
		a.do(AddTrack{CID: "x", Kind: sfu.Audio, Source: SourceMicrophone})
		settle()
		if got := last[RequestResponse](a); got.Reason != refusedNotAllowed {
			t.Errorf("a hidden one publishes: %+v", got)
		}
		set(Permission{Subscribe: true, Publish: true})
		if err := room.SetPermission("nobody", Permission{}); !errors.Is(err, ErrUnknownParticipant) {
			t.Error(err)
		}
	})
}

func TestServerAPI(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		cam := a.publish("cam", SourceCamera, nil)
		room := h.dir.Find(testKey)
		if err := room.SetMetadata("news"); err != nil {
			t.Fatal(err)
		}
		if err := room.SetMetadata(strings.Repeat("x", maxMetadata+1)); !errors.Is(err, ErrTooLarge) {
			t.Error(err)
		}
		if err := room.SetParticipant("ada", "Ada L.", "", map[string]string{"a": "1"}); err != nil {
			t.Fatal(err)
		}
		if err := room.SetParticipant("ada", "", strings.Repeat("x", maxMetadata), nil); !errors.Is(err, ErrTooLarge) {
			t.Error(err)
		}
		if err := room.SetSubscription("bob", []string{cam}, false); err != nil {
			t.Fatal(err)
		}
		if err := room.SendData(sfu.Reliable, []byte("hello"), []string{"bob"}); err != nil {
			t.Fatal(err)
		}
		if err := room.SetMaxParticipants(2); err != nil {
			t.Fatal(err)
		}
		settle()
		if got := last[RoomUpdate](b).Room; got.Metadata != "news" || got.MaxParticipants != 2 || got.NumPublishers != 1 {
			t.Errorf("room %+v", got)
		}
		if i, err := room.Info(); err != nil || i != last[RoomUpdate](b).Room {
			t.Errorf("info %+v, %v", i, err)
		}
		if got, _ := b.knows("ada"); got.Name != "Ada L." || got.Attributes["a"] != "1" {
			t.Errorf("bob knows %+v", got)
		}
		if b.peer().receives(cam) || !slices.Equal(b.peer().data(), []string{"hello"}) || len(a.peer().data()) != 0 {
			t.Error("subscription or data went wrong")
		}
		if err := h.tryJoin(newClient(h, "cyd"), nil); !errors.Is(err, ErrFull) {
			t.Errorf("third of two: %v", err)
		}
		h.agree(a, b)
	})
}

func TestWatch(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		room := h.dir.Find(testKey)
		var kinds []EventKind
		seen := 0
		cancel := room.Watch(func(e Event) {
			kinds = append(kinds, e.Kind)
			seen = len(room.Participants())
			if e.Room != testKey || e.RoomSID == "" {
				t.Errorf("event %+v", e)
			}
		})
		b := h.join("bob", nil)
		if seen != 2 {
			t.Errorf("the roster had %d when bob's joining was told", seen)
		}
		b.connect()
		mic := b.publish("mic", SourceMicrophone, nil)
		b.peer().events.PeerTrackStarted(mic)
		settle()
		b.do(Mute{SID: mic, Muted: true})
		b.unpublish("mic")
		b.do(Bye{})
		settle()
		cancel()
		a.do(Bye{})
		settle()
		want := []EventKind{
			EventParticipantJoined, EventParticipantChanged, EventTrackPublished, EventTrackStarted,
			EventTrackMuted, EventTrackUnpublished, EventParticipantLeft,
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("events %v, want %v", kinds, want)
		}
	})
}
