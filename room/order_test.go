// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// TestUpdatePrecedesNegotiation looks into the 50 ms for which an update may
// have to wait: nothing that it explains may come before it.
func TestUpdatePrecedesNegotiation(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		c := h.join("cyd", func(j *Join) { j.Permission.Subscribe = false })
		a.publish("cam", SourceCamera, nil)
		b.do(UpdateSelf{Metadata: "x"}) // takes the update that comes at once
		synctest.Wait()
		b.clear()
		c.clear()
		a.do(AddTrack{CID: "mic", Kind: sfu.Audio, Source: SourceMicrophone})
		a.cids = []string{"mic"} // the camera ends, the microphone begins
		a.offer()
		synctest.Wait()
		if err := h.dir.Find(testKey).SetPermission("cyd", Permission{Subscribe: true}); err != nil {
			t.Fatal(err)
		}
		c.offer() // of its own accord
		d := h.join("dan", nil)
		synctest.Wait()
		if got := b.types(); len(got) != 0 {
			t.Errorf("bob was told %v early", got)
		}
		settle()
		if got := b.types(); slices.Index(got, "Update") != 0 || !slices.Contains(got, "SectionsNeeded") {
			t.Errorf("bob was told %v", got)
		}
		for _, q := range []*client{b, c, d} {
			if len(q.sections()) != 1 {
				t.Errorf("%s receives %v", q.identity, q.sections())
			}
		}
		h.agree(a, b, c, d)
	})
}

// TestRequestOfAReplacedConnection has a request of the old connection reach
// the room after the new one has taken over.
func TestRequestOfAReplacedConnection(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		settle()
		hold := make(chan struct{})
		if err := h.dir.Find(testKey).mail.command(func() { <-hold }); err != nil {
			t.Fatal(err)
		}
		resumed := make(chan *client)
		go func() { // ends when the room goes on
			n, err := h.resume(a)
			if err != nil {
				t.Error(err)
			}
			resumed <- n
		}()
		synctest.Wait()
		if !a.session.Handle(UpdateSelf{Name: "stale"}) {
			t.Error("the request was not taken")
		}
		close(hold)
		n := <-resumed
		settle()
		if got, _ := b.knows("ada"); got.Name == "stale" {
			t.Error("the old connection still speaks for ada")
		}
		h.agree(n, b)
	})
}

func TestHiddenOneTakesAnIdentityOver(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		hidden := func(j *Join) { j.Permission.Hidden = true }
		a, b := h.join("ada", nil), h.join("bob", nil)
		c := h.join("cyd", nil)
		settle()
		a.cut()
		settle()
		h.join("bob", hidden)
		h.join("cyd", hidden).do(Bye{})
		n, err := h.resume(a)
		if err != nil {
			t.Fatal(err)
		}
		settle()
		h.agree(n)
		if b.leave() == nil || c.leave() == nil || len(n.roster) != 0 {
			t.Errorf("ada knows %v", n.roster)
		}
	})
}

func TestDepartedAreBounded(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		settle()
		a.cut()
		for i := range maxDeparted + 10 {
			c := h.join("p"+strconv.Itoa(i), nil)
			c.do(Bye{})
			synctest.Wait()
		}
		n, err := h.resume(a)
		if err != nil {
			t.Fatal(err)
		}
		u := all[Update](n)[0].Participants
		if len(u) != maxDeparted+1 || u[0].Identity != "p10" || u[maxDeparted-1].Identity != "p265" || u[maxDeparted].Identity != "ada" {
			t.Errorf("told of %d, first %s", len(u), u[0].Identity)
		}
	})
}

func TestNegotiatedCodecCounts(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		a.do(AddTrack{CID: "cam", Kind: sfu.Video, Source: SourceCamera, Codecs: []Codec{{Mime: "vp9", Layers: threeLayers}}})
		synctest.Wait()
		sid := last[TrackPublished](a).Track.SID
		p := a.peer()
		p.mu.Lock()
		spec := p.specs[sid]
		spec.Codecs = []string{"h264"} // the client had no VP9 after all
		p.specs[sid] = spec
		p.mu.Unlock()
		a.cids = []string{"cam"}
		a.offer()
		settle()
		got, _ := b.knows("ada")
		if tr := got.Tracks[0]; tr.Mime != "video/H264" || tr.Codecs[0].Mime != "video/H264" || tr.Layers[1].RID != "h" || !tr.Simulcast || tr.Codecs[0].Mid != "pcam" {
			t.Errorf("bob knows %+v", tr)
		}
		time.Sleep(time.Second)
		a.do(UpdateAudio{SID: sid})
		settle()
		if last[RequestResponse](a).Reason != refusedNotFound {
			t.Error("a video track has audio features")
		}
	})
}

// A publisher of VP9 may send its layers as encodings of their own, as far as the
// offer shows; then each is told for itself.
func TestSimulcastOfScalableCodec(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", func(j *Join) { j.AdaptiveStream = true })
		a.do(AddTrack{CID: "cam", Kind: sfu.Video, Source: SourceCamera, Codecs: []Codec{{Mime: "vp9", Layers: threeLayers}}})
		synctest.Wait()
		sid := last[TrackPublished](a).Track.SID
		if l := last[TrackPublished](a).Track.Layers; l[2].SpatialLayer != 2 || l[2].RID != "" {
			t.Errorf("announced with %+v", l)
		}
		p := a.peer()
		p.mu.Lock()
		spec := p.specs[sid]
		spec.Layers = []sfu.LayerSpec{{RID: "q"}, {RID: "h"}, {RID: "f"}}
		p.specs[sid] = spec
		p.mu.Unlock()
		a.cids = []string{"cam"}
		a.offer()
		settle()
		got, _ := b.knows("ada")
		if tr := got.Tracks[0]; tr.Mime != "video/VP9" || !tr.Simulcast || tr.Codecs[0].Layers[2].RID != "f" || tr.Layers[2].SpatialLayer != 0 {
			t.Errorf("bob knows %+v", tr)
		}
		time.Sleep(downgradeDelay + time.Second)
		if told := last[SubscribedQuality](a); told.TrackSID != sid || told.Codecs[0].Enabled != [3]bool{true} {
			t.Errorf("told %+v", told)
		}
	})
}

func TestTokensOfLongStays(t *testing.T) {
	var p participant
	for i := range 20 {
		p.noteToken(strconv.Itoa(i))
		p.noteToken(strconv.Itoa(i))
		p.noteToken("")
	}
	if len(p.tokens) != 8 || p.tokens[0] != "12" || p.tokens[7] != "19" {
		t.Errorf("tokens %v", p.tokens)
	}
}
