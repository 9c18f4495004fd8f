// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestJoinTellsEverybody(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		a.connect()
		settle()
		b := h.join("bob", func(j *Join) {
			j.Attributes = map[string]string{"k": "v"}
			j.Client = ClientInfo{ClientProtocol: 2, Capabilities: []int32{1}}
		})
		settle()
		got, _ := a.knows("bob")
		if got.Name != "Name of bob" || got.State != StateJoined || got.Attributes["k"] != "v" ||
			got.ClientProtocol != 2 || !strings.HasPrefix(got.SID, "PA_") {
			t.Errorf("ada knows %+v", got)
		}
		j := all[Joined](b)[0]
		if len(j.Others) != 1 || j.Others[0].State != StateActive || !strings.HasPrefix(j.Room.SID, "RM_") ||
			j.Room.MaxParticipants != 10 || j.Room.NumParticipants != 2 || j.Participant.SID != b.session.SID() {
			t.Errorf("bob was told %+v", j)
		}
		if ans := last[Answer](b); ans.ID != 1 || ans.SDP == "" {
			t.Errorf("answer %+v", ans)
		}
		b.connect()
		settle()
		if got, _ := a.knows("bob"); got.State != StateActive {
			t.Errorf("bob's state is %d", got.State)
		}
		if b.me().State != StateActive {
			t.Error("bob was not told of himself")
		}
		if u := last[RoomUpdate](a); u.Room.NumParticipants != 2 {
			t.Errorf("room update %+v", u)
		}
		h.agree(a, b)
		b.do(Bye{Reason: ReasonRemoved})
		settle()
		if _, ok := a.knows("bob"); ok {
			t.Error("bob is still known")
		}
		if u := last[Update](a).Participants; len(u) != 1 || u[0].Reason != ReasonClientInitiated || u[0].Identity != "bob" {
			t.Errorf("departure %+v", u)
		}
		if !b.hasEnded() || b.session.Handle(Trickle{}) {
			t.Error("bob's session lives on")
		}
		h.agree(a)
	})
}

func TestJoinRefusals(t *testing.T) {
	bubble(t, Options{MaxRooms: 2}, func(t *testing.T, h *host) {
		for name, tc := range map[string]struct {
			change func(*Join)
			want   error
		}{
			"no identity":    {func(j *Join) { j.Identity = "" }, ErrBadJoin},
			"no room":        {func(j *Join) { j.Key.Name = "" }, ErrBadJoin},
			"long identity":  {func(j *Join) { j.Identity = strings.Repeat("x", 257) }, ErrBadJoin},
			"large metadata": {func(j *Join) { j.Metadata = strings.Repeat("x", 8<<10) }, ErrTooLarge},
		} {
			c := newClient(h, "ada")
			if err := h.tryJoin(c, tc.change); !errors.Is(err, tc.want) {
				t.Errorf("%s: %v", name, err)
			}
			if len(c.types()) != 0 {
				t.Errorf("%s: told %v", name, c.types())
			}
		}
		if _, err := h.dir.Join(context.Background(), newClient(h, "ada").join(), nil); !errors.Is(err, ErrBadJoin) {
			t.Errorf("without connection: %v", err)
		}
		if n := len(h.dir.Rooms()); n != 0 {
			t.Errorf("%d rooms came into being", n)
		}
		h.media.fail = errors.New("no sockets")
		if err := h.tryJoin(newClient(h, "ada"), nil); !errors.Is(err, h.media.fail) {
			t.Errorf("without media: %v", err)
		}
		h.media.fail = nil
		h.join("ada", func(j *Join) { j.Key.Name = "second" })
		if err := h.tryJoin(newClient(h, "bob"), func(j *Join) { j.Key.Name = "third" }); !errors.Is(err, ErrBusy) {
			t.Errorf("too many rooms: %v", err)
		}
	})
}

func TestJoinWithEndedContext(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		// Whoever of the two wins the race, the outcome must be consistent.
		c := newClient(h, "bob")
		s, err := h.dir.Join(ctx, c.join(), c)
		settle()
		if _, in := a.knows("bob"); in != (err == nil) || in != (s != nil) || in != (len(c.types()) > 0) {
			t.Errorf("joined %v, but %v, %v", in, err, c.types())
		}
	})
}

func TestPublishAndSubscribe(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		settle()
		cam := a.publish("cam", SourceCamera, func(q *AddTrack) {
			q.Codecs = []Codec{{Mime: "vp8", CID: "cam", Layers: []Layer{
				{Quality: 2, Width: 1280, Height: 720}, {Quality: 0, Width: 320, Height: 180}, {Quality: 1, Width: 640, Height: 360},
			}}}
			q.Encryption = 1
		})
		info := last[TrackPublished](a).Track
		if info.SID != cam || !strings.HasPrefix(cam, "TR_") || info.Mime != "video/VP8" || len(info.Codecs) != 1 ||
			info.Codecs[0].Mime != "video/VP8" || !info.Simulcast || info.Stream != "camera" || info.Encryption != 1 || info.Version == 0 {
			t.Errorf("TrackPublished %+v", info)
		}
		for i, rid := range []string{"q", "h", "f"} {
			if l := info.Layers[i]; l.RID != rid || l.Quality != i {
				t.Errorf("layer %d is %+v", i, l)
			}
		}
		if got, _ := b.knows("ada"); len(got.Tracks) != 1 || got.Tracks[0].SID != cam || got.Tracks[0].Mid != "pcam" || !got.Publisher {
			t.Errorf("bob knows %+v", got)
		}
		if mids := b.sections(); len(mids) != 1 || !b.peer().receives(cam) {
			t.Errorf("bob's sections %v", mids)
		}
		if s := last[SectionsNeeded](b); s.Audios != 0 || s.Videos != 0 {
			t.Errorf("spare sections suffice, yet %+v", s)
		}
		if last[TrackSubscribed](a).SID != cam {
			t.Error("ada does not know of the receiver")
		}
		if i := slices.Index(b.types(), "SectionsNeeded"); !slices.Contains(b.types()[:i], "Update") {
			t.Errorf("sections before the update: %v", b.types())
		}
		mic := a.publish("mic", SourceMicrophone, nil)
		if last[TrackPublished](a).Track.Mime != "audio/opus" {
			t.Errorf("mic %+v", last[TrackPublished](a))
		}
		c := h.join("cyd", nil) // existing tracks come with the first answer
		if got := last[Answer](c).MidToTrack; len(got) != 2 {
			t.Errorf("cyd's first answer carries %v", got)
		}
		settle()
		if len(all[SectionsNeeded](c)) != 0 {
			t.Errorf("cyd was asked: %v", c.types())
		}
		a.unpublish("cam")
		for _, q := range []*client{b, c} {
			if got, _ := q.knows("ada"); len(got.Tracks) != 1 || got.Tracks[0].SID != mic {
				t.Errorf("%s knows %+v", q.identity, got.Tracks)
			}
			if q.peer().receives(cam) || len(q.sections()) != 1 {
				t.Errorf("%s still receives the camera: %v", q.identity, q.sections())
			}
		}
		h.agree(a, b, c)
		if s := h.dir.Stats(); s.Rooms != 1 || s.Participants != 3 || s.Tracks != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestMoreSectionsAreAskedForOnce(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		b := h.join("bob", func(j *Join) { j.Offer = fakeOffer{Audios: 1, Videos: 1}.String() })
		b.audios, b.videos, b.auto = 1, 1, false
		pubs := []*client{h.join("p1", nil), h.join("p2", nil), h.join("p3", nil)}
		settle()
		for _, p := range pubs {
			p.publish("cam", SourceCamera, nil)
		}
		// The first asking stands while no offer comes.
		if n := len(all[SectionsNeeded](b)); n != 1 {
			t.Fatalf("bob was asked %d times", n)
		}
		b.auto = true
		b.offer()
		settle()
		if s := last[SectionsNeeded](b); s.Videos != 2 || s.Audios != 0 {
			t.Errorf("bob was asked for %+v", s)
		}
		if len(b.sections()) != 3 {
			t.Errorf("bob's sections %v", b.sections())
		}
		h.agree(append(pubs, b)...)
	})
}

func TestClientThatNeverAddsSections(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		b := h.join("bob", func(j *Join) { j.Offer = fakeOffer{}.String() })
		b.auto = false
		a := h.join("ada", nil)
		a.publish("cam", SourceCamera, nil)
		b.clear()
		start := time.Now()
		for time.Since(start) < time.Minute {
			b.do(Offer{SDP: fakeOffer{}.String(), ID: 2})
			time.Sleep(20 * time.Millisecond)
		}
		// Asked after 100 ms, 200 ms, … at most; each offer restarts the wait.
		if n := len(all[SectionsNeeded](b)); n > 12 {
			t.Errorf("asked %d times in a minute", n)
		}
		if n := len(all[Answer](b)); n != 3000 {
			t.Errorf("%d answers", n)
		}
	})
}

func TestClientWithoutFirstOfferIsAsked(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		a.publish("mic", SourceMicrophone, nil)
		b := h.join("bob", func(j *Join) { j.Offer, j.OfferID = "", 0 })
		b.auto = false
		settle()
		if len(all[SectionsNeeded](b)) != 0 {
			t.Error("asked although the first offer is on its way")
		}
		time.Sleep(firstOfferWait)
		if s := last[SectionsNeeded](b); s.Audios != 1 {
			t.Errorf("asked for %+v", s)
		}
		time.Sleep(offerWait)
		if n := len(all[SectionsNeeded](b)); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestBadOfferMakesTheClientJoinAnew(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		a.publish("cam", SourceCamera, nil)
		old := a.peer()
		a.do(Offer{SDP: "v=0", ID: 9})
		settle()
		if l := a.leave(); l == nil || l.Action != ActionReconnect || !a.hasEnded() || !old.isClosed() {
			t.Errorf("ada was told %+v", l)
		}
		if got, ok := b.knows("ada"); !ok || len(got.Tracks) != 0 {
			t.Errorf("bob knows %+v", got)
		}
		if _, err := h.resume(a); !errors.Is(err, ErrUnknownParticipant) {
			t.Errorf("resume: %v", err)
		}
		again := h.join("ada", nil)
		settle()
		h.agree(again, b)
		// The same with the offer of a join.
		c := newClient(h, "cyd")
		if err := h.tryJoin(c, func(j *Join) { j.Offer = "v=0" }); err != nil {
			t.Fatal(err)
		}
		if l := c.leave(); l == nil || l.Action != ActionReconnect || c.types()[0] != "Joined" {
			t.Errorf("cyd was told %v", c.types())
		}
	})
}

func TestDuplicateIdentity(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		a.publish("cam", SourceCamera, nil)
		late := h.join("cyd", nil) // learns of both adas within one update
		again := h.join("ada", nil)
		fourth := h.join("dan", nil)
		settle()
		if l := a.leave(); l == nil || *l != (Leave{ReasonDuplicateIdentity, ActionDisconnect}) || !a.hasEnded() {
			t.Errorf("the old one was told %+v", l)
		}
		if got, _ := b.knows("ada"); got.SID != again.sid() || len(got.Tracks) != 0 {
			t.Errorf("bob knows %+v", got)
		}
		h.agree(again, b, late, fourth)
		if _, err := h.resume(a); !errors.Is(err, ErrUnknownParticipant) {
			t.Errorf("resume of the replaced: %v", err)
		}
	})
}

func TestEmptyGrace(t *testing.T) {
	var mu sync.Mutex
	var events []EventKind
	bubble(t, Options{Watch: func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e.Kind)
	}}, func(t *testing.T, h *host) {
		a := h.join("ada", func(j *Join) { j.Policy.EmptyGrace = 10 * time.Second; j.Policy.Metadata = "m" })
		sid := last[Joined](a).Room.SID
		a.do(Bye{})
		time.Sleep(9 * time.Second)
		b := h.join("ada", nil)
		if j := last[Joined](b); j.Room.SID != sid || j.Room.Metadata != "m" {
			t.Errorf("the room was forgotten early: %+v", j.Room)
		}
		b.do(Bye{})
		time.Sleep(11 * time.Second)
		if h.dir.Find(testKey) != nil || !h.media.last().isClosed() || h.dir.Stats() != (Stats{}) {
			t.Error("the room lives on")
		}
		c := h.join("ada", nil)
		if j := last[Joined](c); j.Room.SID == sid || j.Room.Metadata != "" {
			t.Errorf("the room was not forgotten: %+v", j.Room)
		}
	})
	if !slices.Equal(events[:6], []EventKind{EventRoomStarted, EventParticipantJoined, EventParticipantLeft, EventParticipantJoined, EventParticipantLeft, EventRoomEnded}) {
		t.Errorf("events %v", events)
	}
}

// A room that asks for encryption from end to end takes nothing else.
func TestEncryptedRoom(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		if _, err := h.dir.Create(testKey, Policy{Encrypted: true}); err != nil {
			t.Fatal(err)
		}
		a := h.join("ada", nil)
		for _, source := range []Source{SourceMicrophone, SourceCamera, SourceScreen} {
			a.do(AddTrack{CID: "x", Kind: kindOf[source], Source: source})
			settle()
			got := all[RequestResponse](a)
			if len(got) == 0 || got[len(got)-1].Reason != refusedNotAllowed || len(a.peer().specs) != 0 {
				t.Errorf("source %v: %+v", source, got)
			}
		}
		a.publish("cam", SourceCamera, func(q *AddTrack) { q.Encryption = 1 })
		if len(a.peer().specs) != 1 {
			t.Error("an encrypted track is refused")
		}
	})
}

func TestCreatedRoomExpires(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		r, err := h.dir.Create(testKey, Policy{MaxParticipants: 1, Metadata: "x"})
		if err != nil || h.dir.Find(testKey) != r || r.Key() != testKey {
			t.Fatal(err)
		}
		h.join("ada", nil)
		if err := h.tryJoin(newClient(h, "bob"), nil); !errors.Is(err, ErrFull) {
			t.Errorf("second: %v", err)
		}
		if _, err := h.dir.Create(Key{}, Policy{}); !errors.Is(err, ErrBadJoin) {
			t.Errorf("nameless: %v", err)
		}
		other, _ := h.dir.Create(Key{Name: "other"}, Policy{})
		time.Sleep(61 * time.Second)
		if h.dir.Find(Key{Name: "other"}) != nil {
			t.Error("an empty room lives on")
		}
		if _, err := other.Info(); !errors.Is(err, ErrEnded) {
			t.Errorf("info of an ended room: %v", err)
		}
	})
}
