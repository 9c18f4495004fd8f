// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

func TestEveryRequestHasAHandler(t *testing.T) {
	all := []Request{
		Offer{}, Reply{}, Trickle{}, AddTrack{}, Mute{}, Subscription{}, TrackSettings{}, ReceiveLimit{}, SubscriptionRights{},
		SyncState{}, UpdateSelf{}, UpdateAudio{}, UpdateVideo{}, Bye{}, Gone{}, Unsupported{},
	}
	for _, req := range all {
		if handlers[reflect.TypeOf(req)] == nil {
			t.Errorf("%T has none", req)
		}
	}
	if len(handlers) != len(all) {
		t.Errorf("%d handlers for %d requests", len(handlers), len(all))
	}
}

// TestRefusedRequests sends requests that must not be served: the answer names
// the reason and the request, and nothing changes.
func TestRefusedRequests(t *testing.T) {
	mic := AddTrack{CID: "new", Kind: sfu.Audio, Source: SourceMicrophone}
	cam := AddTrack{CID: "new", Kind: sfu.Video, Source: SourceCamera}
	with := func(q AddTrack, f func(*AddTrack)) AddTrack { f(&q); return q }
	for name, tc := range map[string]struct {
		perm   Permission
		req    Request
		id     uint32
		reason int32
	}{
		"no right to publish": {Permission{}, mic, 0, refusedNotAllowed},
		"another source":      {Permission{Publish: true, Sources: []Source{SourceCamera}}, mic, 0, refusedNotAllowed},
		"unknown source": {
			Permission{Publish: true, Sources: []Source{SourceCamera}},
			AddTrack{CID: "x", Kind: sfu.Video}, 0, refusedNotAllowed,
		},
		"picture as microphone": {
			Permission{Publish: true, Sources: []Source{SourceMicrophone}},
			with(mic, func(q *AddTrack) { q.Kind = sfu.Video }), 0, refusedNotAllowed,
		},
		"hidden":       {Permission{Publish: true, Hidden: true}, mic, 0, refusedNotAllowed},
		"no kind":      {Permission{Publish: true}, AddTrack{CID: "x"}, 0, refusedUnsupported},
		"backup codec": {Permission{Publish: true}, with(cam, func(q *AddTrack) { q.SID = "TR_x" }), 0, refusedUnsupported},
		"no cid":       {Permission{Publish: true}, with(cam, func(q *AddTrack) { q.CID = "" }), 0, refusedFailure},
		"four layers": {
			Permission{Publish: true},
			with(cam, func(q *AddTrack) { q.Layers = make([]Layer, 4) }), 0, refusedLimit,
		},
		"four layers of a codec": {
			Permission{Publish: true},
			with(cam, func(q *AddTrack) { q.Codecs = []Codec{{Layers: make([]Layer, 4)}} }), 0, refusedLimit,
		},
		"nine codecs": {
			Permission{Publish: true},
			with(cam, func(q *AddTrack) { q.Codecs = make([]Codec, 9) }), 0, refusedLimit,
		},
		"long name": {
			Permission{Publish: true},
			with(cam, func(q *AddTrack) { q.Name = strings.Repeat("x", 257) }), 0, refusedLimit,
		},
		"mute of nothing":       {Permission{}, Mute{SID: "TR_x"}, 0, refusedNotFound},
		"features of nothing":   {Permission{}, UpdateAudio{SID: "TR_x"}, 0, refusedNotFound},
		"size of nothing":       {Permission{}, UpdateVideo{SID: "TR_x"}, 0, refusedNotFound},
		"subscribing":           {Permission{}, Subscription{TrackSIDs: []string{"TR_x"}, Subscribe: true}, 0, refusedNotAllowed},
		"metadata not allowed":  {Permission{}, UpdateSelf{RequestID: 7, Name: "x"}, 7, refusedNotAllowed},
		"metadata too large":    {Permission{UpdateMetadata: true}, UpdateSelf{RequestID: 8, Metadata: strings.Repeat("x", 8<<10)}, 8, refusedLimit},
		"name with bidi marks":  {Permission{UpdateMetadata: true}, UpdateSelf{RequestID: 9, Name: "a\u202eb"}, 9, refusedLimit},
		"name with line break":  {Permission{UpdateMetadata: true}, UpdateSelf{RequestID: 9, Name: "a\nb"}, 9, refusedLimit},
		"name too long":         {Permission{UpdateMetadata: true}, UpdateSelf{RequestID: 9, Name: strings.Repeat("ä", 65)}, 9, refusedLimit},
		"too many attributes":   {Permission{UpdateMetadata: true}, UpdateSelf{RequestID: 9, Attributes: numbered(65)}, 9, refusedLimit},
		"something unsupported": {Permission{}, Unsupported{RequestID: 3, What: "data tracks"}, 3, refusedNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, h *host) {
				a := h.join("ada", func(j *Join) { j.Permission = tc.perm })
				b := h.join("bob", nil)
				settle()
				before := fmt.Sprint(h.dir.Find(testKey).Participants())
				a.do(tc.req)
				settle()
				got := all[RequestResponse](a)
				if len(got) != 1 || got[0].Reason != tc.reason || got[0].RequestID != tc.id || got[0].Text == "" || !reflect.DeepEqual(got[0].Request, tc.req) {
					t.Errorf("answer %+v", got)
				}
				if after := fmt.Sprint(h.dir.Find(testKey).Participants()); after != before {
					t.Errorf("something changed:\n%s\n%s", before, after)
				}
				if len(a.peer().specs) != 0 || len(all[RequestResponse](b)) != 0 {
					t.Error("the media plane or bob was told")
				}
			})
		})
	}
}

func numbered(n int) map[string]string {
	m := make(map[string]string, n)
	for i := range n {
		m[strconv.Itoa(i)] = "x"
	}
	return m
}

func TestTrackDescription(t *testing.T) {
	layers := []Layer{{Quality: 0}, {Quality: 1}, {Quality: 7, RID: "evil\r\na=x"}}
	for name, tc := range map[string]struct {
		req               AddTrack
		mime, stream      string
		simulcast         bool
		codecs, rids      []string
		spatial, features int
	}{
		"microphone":    {AddTrack{Kind: sfu.Audio, Source: SourceMicrophone, AudioFeatures: []int32{1}}, "audio/opus", "camera", false, nil, nil, 0, 1},
		"red":           {AddTrack{Kind: sfu.Audio, Codecs: []Codec{{Mime: "RED"}, {Mime: "opus"}}}, "audio/opus", "camera", false, []string{"opus"}, nil, 0, 0},
		"screen":        {AddTrack{Kind: sfu.Video, Source: SourceScreen}, "video/VP8", "screen", false, nil, nil, 0, 0},
		"screen audio":  {AddTrack{Kind: sfu.Audio, Source: SourceScreenAudio}, "audio/opus", "screen", false, nil, nil, 0, 0},
		"own stream":    {AddTrack{Kind: sfu.Video, Stream: "st-1_A"}, "video/VP8", "st-1_A", false, nil, nil, 0, 0},
		"like a track":  {AddTrack{Kind: sfu.Video, Stream: "TR_x"}, "video/VP8", "camera", false, nil, nil, 0, 0},
		"SDP injection": {AddTrack{Kind: sfu.Video, Stream: "x\r\na=y"}, "video/VP8", "camera", false, nil, nil, 0, 0},
		"simulcast":     {AddTrack{Kind: sfu.Video, Layers: layers}, "video/VP8", "camera", true, nil, []string{"q", "h", "f"}, 0, 0},
		"svc":           {AddTrack{Kind: sfu.Video, Codecs: []Codec{{Mime: "vp9", Layers: layers}, {Mime: "vp8"}}}, "video/VP9", "camera", false, []string{"vp9", "vp8"}, []string{"", "", ""}, 2, 0},
		"unsupported":   {AddTrack{Kind: sfu.Video, Codecs: []Codec{{Mime: "av1"}, {Mime: "h264"}, {Mime: "h264"}}}, "video/H264", "camera", false, []string{"h264"}, nil, 0, 0},
		"nothing known": {AddTrack{Kind: sfu.Video, Codecs: []Codec{{Mime: "av1"}}}, "video/VP8", "camera", false, nil, nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tc.req.CID = "cid"
			i := infoOf(tc.req)
			s := specOf(tc.req, i)
			if i.Mime != tc.mime || i.Stream != tc.stream || i.Simulcast != tc.simulcast || len(i.AudioFeatures) != tc.features {
				t.Errorf("info %+v", i)
			}
			if len(i.Codecs) != 1 || i.Codecs[0].Mime != i.Mime || i.Codecs[0].CID != "cid" || len(i.Codecs[0].Layers) != len(i.Layers) {
				t.Errorf("codecs %+v", i.Codecs)
			}
			if !slices.Equal(s.Codecs, tc.codecs) || s.SID != i.SID || s.Stream != i.Stream || len(s.Layers) != len(tc.rids) || !s.DTX {
				t.Errorf("spec %+v", s)
			}
			for n, rid := range tc.rids {
				if s.Layers[n].RID != rid || i.Layers[n].RID != rid || i.Layers[n].Quality != n || (tc.spatial > 0) != (i.Layers[2].SpatialLayer == 2) {
					t.Errorf("layers %+v", i.Layers)
				}
			}
		})
	}
}

func TestTrackLimits(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		add := func(cid string) { a.do(AddTrack{CID: cid, Kind: sfu.Audio}) }
		for i := range maxPending + 1 {
			add("p" + strconv.Itoa(i))
			add("p" + strconv.Itoa(i)) // asking twice is answered twice with one track
		}
		settle()
		pubs := all[TrackPublished](a)
		if len(pubs) != 2*maxPending || len(a.peer().specs) != maxPending || len(all[RequestResponse](a)) != 2 {
			t.Fatalf("%d published, %d specs, refused %+v", len(pubs), len(a.peer().specs), all[RequestResponse](a))
		}
		for i := range maxPending {
			a.cids = append(a.cids, "p"+strconv.Itoa(i))
		}
		a.offer() // all eight appear: six stay
		settle()
		if n := len(all[TrackUnpublished](a)); n != maxPending-maxPublished || len(a.peer().specs) != maxPublished {
			t.Errorf("%d were ended, %d are left", n, len(a.peer().specs))
		}
		if got, _ := b.knows("ada"); len(got.Tracks) != maxPublished {
			t.Errorf("bob knows %d tracks", len(got.Tracks))
		}
		add("seventh")
		settle()
		if got := last[RequestResponse](a); got.Reason != refusedLimit {
			t.Errorf("the seventh: %+v", got)
		}
		h.agree(a, b)
	})
}

func TestPendingTrackExpires(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		a.do(AddTrack{CID: "x", Kind: sfu.Audio})
		settle()
		a.publish("y", SourceMicrophone, nil)
		time.Sleep(pendingLife + time.Second)
		if got := all[TrackUnpublished](a); len(got) != 1 || got[0].SID != all[TrackPublished](a)[0].Track.SID || len(a.peer().specs) != 1 {
			t.Errorf("ended %+v", got)
		}
		a.peer().mu.Lock()
		a.peer().pubErr = errors.New("no place")
		a.peer().mu.Unlock()
		a.do(AddTrack{CID: "z", Kind: sfu.Audio})
		settle()
		if got := last[RequestResponse](a); got.Reason != refusedFailure || strings.Contains(got.Text, "no place") {
			t.Errorf("refused by the media plane: %+v", got)
		}
	})
}

func TestUpdates(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		mic, cam := a.publish("mic", SourceMicrophone, nil), a.publish("cam", SourceCamera, nil)
		a.do(UpdateSelf{RequestID: 1, Name: "A", Metadata: "m", Attributes: map[string]string{"x": "1", "y": "2"}})
		a.do(UpdateSelf{RequestID: 2, Attributes: map[string]string{"x": ""}})
		a.do(UpdateAudio{SID: mic, Features: []int32{3}})
		a.do(UpdateVideo{SID: cam, Width: 640, Height: 480})
		a.do(UpdateAudio{SID: cam})
		a.do(Mute{SID: mic, Muted: true})
		settle()
		got, _ := b.knows("ada")
		if got.Name != "A" || got.Metadata != "m" || len(got.Attributes) != 1 || got.Attributes["y"] != "2" {
			t.Errorf("bob knows %+v", got)
		}
		if !slices.Equal(got.Tracks[0].AudioFeatures, []int32{3}) || !got.Tracks[0].Muted || got.Tracks[1].Width != 640 {
			t.Errorf("bob knows %+v", got.Tracks)
		}
		if len(all[RequestResponse](a)) != 1 || a.me().Name != "A" {
			t.Errorf("answers %+v", all[RequestResponse](a))
		}
		h.agree(a, b)
		for range 2 * maxCandidates {
			a.do(Trickle{})
			synctest.Wait()
		}
		if len(all[RequestResponse](a)) != 2 {
			t.Errorf("too many candidates: %+v", all[RequestResponse](a))
		}
	})
}

func TestUpdatesAreCoalesced(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		settle()
		b.clear()
		for i := range 100 { // one second
			a.do(UpdateSelf{RequestID: 1, Metadata: strconv.Itoa(i)})
			synctest.Wait()
			if i == 0 && len(all[Update](b)) != 1 {
				t.Error("the first did not come at once")
			}
			time.Sleep(10 * time.Millisecond)
		}
		settle()
		if n := len(all[Update](b)); n < 15 || n > 21 {
			t.Errorf("%d updates in a second", n)
		}
		h.agree(a, b)
	})
}

func TestSubscriptionRequests(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		b := h.join("bob", func(j *Join) { j.AutoSubscribe = false })
		cam, mic := a.publish("cam", SourceCamera, nil), a.publish("mic", SourceMicrophone, nil)
		if b.peer().receives(cam) {
			t.Fatal("subscribed without being asked")
		}
		b.do(Subscription{TrackSIDs: []string{cam, "TR_x"}, Subscribe: true})
		b.do(Subscription{ByParticipant: map[string][]string{a.sid(): {mic}}, Subscribe: true})
		settle()
		if !b.peer().receives(cam) || !b.peer().receives(mic) || len(b.sections()) != 2 {
			t.Errorf("bob receives %v", b.sections())
		}
		if got := all[SubscriptionFailed](b); len(got) != 1 || got[0] != (SubscriptionFailed{"TR_x", true}) {
			t.Errorf("failures %+v", got)
		}
		b.do(Subscription{TrackSIDs: []string{cam}})
		b.do(TrackSettings{TrackSIDs: []string{cam, mic, "TR_x"}, Settings: sfu.Settings{Disabled: true}})
		settle()
		if b.peer().receives(cam) || len(b.sections()) != 1 {
			t.Errorf("bob receives %v", b.sections())
		}
		if s, ok := b.peer().setting(mic); !ok || !s.Disabled {
			t.Errorf("settings %+v", s)
		}
		b.peer().mu.Lock()
		b.peer().subErr = errors.New("codec")
		b.peer().mu.Unlock()
		b.do(Subscription{TrackSIDs: []string{cam}, Subscribe: true})
		settle()
		if got := last[SubscriptionFailed](b); got != (SubscriptionFailed{cam, false}) {
			t.Errorf("failure %+v", got)
		}
		if _, ok := b.peer().setting(cam); ok {
			t.Error("settings for what is not received")
		}
	})
}

func TestSubscriptionRights(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b, c := h.join("ada", nil), h.join("bob", nil), h.join("cyd", nil)
		cam, mic := a.publish("cam", SourceCamera, nil), a.publish("mic", SourceMicrophone, nil)
		a.do(SubscriptionRights{All: true}) // as every livekit-client begins
		settle()
		if len(all[SubscriptionPermission](b)) != 0 {
			t.Error("nothing changed, yet bob was told")
		}
		a.do(SubscriptionRights{Allowed: map[string][]string{"bob": {mic}, c.sid(): nil}})
		settle()
		if got := all[SubscriptionPermission](b); len(got) != 1 || got[0] != (SubscriptionPermission{a.sid(), cam, false}) {
			t.Errorf("bob was told %+v", got)
		}
		if b.peer().receives(cam) || !b.peer().receives(mic) || !c.peer().receives(cam) {
			t.Error("the list is not followed")
		}
		b.do(Subscription{TrackSIDs: []string{cam}, Subscribe: true})
		screen := a.publish("screen", SourceScreen, nil)
		if b.peer().receives(cam) || b.peer().receives(screen) || !c.peer().receives(screen) {
			t.Error("bob found a way round")
		}
		n, err := h.resume(b)
		if err != nil || len(all[SubscriptionPermission](n)) != 2 {
			t.Errorf("after the resume %v, %v", err, n.types())
		}
		a.do(SubscriptionRights{All: true})
		settle()
		if got := last[SubscriptionPermission](n); !got.Allowed || !n.peer().receives(cam) || !n.peer().receives(screen) {
			t.Errorf("bob was told %+v", got)
		}
		h.agree(a, n, c)
	})
}

func TestSubscriptionLimit(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		b := h.join("bob", func(j *Join) { j.Policy.MaxParticipants = 50 })
		var cams []string
		var pubs []*client
		for i := range maxVideoReceived + 2 {
			p := h.join("p"+strconv.Itoa(i), func(j *Join) { j.AutoSubscribe = false })
			cams = append(cams, p.publish("cam", SourceCamera, nil))
			pubs = append(pubs, p)
		}
		pause := func() {
			time.Sleep(time.Duration(len(pubs)+1) * askPauseEach)
			settle()
		}
		pause()
		if len(b.sections()) != maxVideoReceived {
			t.Fatalf("bob receives %d", len(b.sections()))
		}
		b.do(Subscription{TrackSIDs: cams[len(cams)-1:], Subscribe: true})
		settle()
		if got := last[RequestResponse](b); got.Reason != refusedLimit {
			t.Errorf("answer %+v", got)
		}
		pubs[0].unpublish("cam") // a place becomes free
		pause()
		if len(b.sections()) != maxVideoReceived {
			t.Errorf("bob receives %d", len(b.sections()))
		}
		h.agree(append(pubs, b)...)
	})
}
