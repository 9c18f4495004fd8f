// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

var threeLayers = []Layer{
	{Quality: 0, Width: 320, Height: 180}, {Quality: 1, Width: 640, Height: 360}, {Quality: 2, Width: 1280, Height: 720},
}

func TestQualityFor(t *testing.T) {
	tr := &track{info: TrackInfo{Layers: threeLayers}}
	for name, tc := range map[string]struct {
		s    subscription
		want int
	}{
		"nothing set":     {subscription{}, 2},
		"disabled":        {subscription{set: true, settings: sfu.Settings{Disabled: true, Quality: 2}}, -1},
		"by quality":      {subscription{set: true, settings: sfu.Settings{Quality: 1}}, 1},
		"beyond quality":  {subscription{set: true, settings: sfu.Settings{Quality: 9}}, 2},
		"exact size":      {subscription{set: true, settings: sfu.Settings{Width: 320, Height: 180}}, 0},
		"a little larger": {subscription{set: true, settings: sfu.Settings{Width: 321, Height: 180}}, 1},
		"upright":         {subscription{set: true, settings: sfu.Settings{Width: 360, Height: 640}}, 1},
		"huge":            {subscription{set: true, settings: sfu.Settings{Width: 4000, Height: 3000}}, 2},
		"paused":          {subscription{set: true, paused: true, settings: sfu.Settings{Quality: 2}}, 0},
		"paused, unset":   {subscription{paused: true}, 0},
		"paused, hidden":  {subscription{set: true, paused: true, settings: sfu.Settings{Disabled: true}}, -1},
		"size wins":       {subscription{set: true, settings: sfu.Settings{Width: 10, Height: 10, Quality: 2}}, 0},
	} {
		if got := tr.qualityFor(&tc.s); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
}

func TestDynacast(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		cam := a.publish("cam", SourceCamera, func(q *AddTrack) { q.Layers = threeLayers })
		told := func() [3]bool {
			q := last[SubscribedQuality](a)
			if q.TrackSID != cam || len(q.Codecs) != 1 || q.Codecs[0].Codec != "vp8" {
				t.Errorf("told %+v", q)
			}
			return q.Codecs[0].Enabled
		}
		if len(all[SubscribedQuality](a)) != 0 {
			t.Error("a downgrade came at once")
		}
		time.Sleep(downgradeDelay)
		if told() != [3]bool{} {
			t.Errorf("nobody watches, yet %v", told())
		}
		b := h.join("bob", func(j *Join) { j.AdaptiveStream = true })
		settle()
		if told() != [3]bool{true} {
			t.Errorf("bob has not told a size yet: %v", told())
		}
		if s, ok := b.peer().setting(cam); !ok || s.Quality != 0 {
			t.Errorf("bob's settings %+v", s)
		}
		set := func(c *client, s sfu.Settings) {
			c.do(TrackSettings{TrackSIDs: []string{cam}, Settings: s})
			settle()
		}
		set(b, sfu.Settings{Width: 600, Height: 300})
		if told() != [3]bool{true, true} {
			t.Errorf("bob watches the middle layer: %v", told())
		}
		c := h.join("cyd", nil)
		settle()
		if told() != [3]bool{true, true, true} {
			t.Errorf("cyd watches the highest layer: %v", told())
		}
		n := len(all[SubscribedQuality](a))
		for range 5 { // a tab that goes back and forth
			set(c, sfu.Settings{Quality: 0})
			time.Sleep(downgradeDelay / 2)
			set(c, sfu.Settings{Quality: 2})
		}
		if m := len(all[SubscribedQuality](a)); m != n {
			t.Errorf("%d messages for nothing", m-n)
		}
		c.do(Bye{})
		time.Sleep(downgradeDelay + time.Second)
		if told() != [3]bool{true, true} {
			t.Errorf("cyd has left: %v", told())
		}
		r, err := h.resume(a)
		if err != nil {
			t.Fatal(err)
		}
		if got := all[SubscribedQuality](r); len(got) != 1 || got[0].Codecs[0].Enabled != [3]bool{true, true} {
			t.Errorf("after the resume %+v", got)
		}
	})
}

func TestDynacastSVC(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		a.publish("cam", SourceCamera, func(q *AddTrack) { q.Codecs = []Codec{{Mime: "vp9", Layers: threeLayers}} })
		a.publish("mic", SourceMicrophone, nil)
		time.Sleep(downgradeDelay)
		if got := all[SubscribedQuality](a); len(got) != 1 || got[0].Codecs[0] != (SubscribedCodec{Codec: "vp9"}) {
			t.Errorf("told %+v", got)
		}
		h.join("bob", func(j *Join) { j.AdaptiveStream = true })
		settle()
		if got := last[SubscribedQuality](a); got.Codecs[0].Enabled != [3]bool{true, true, true} {
			t.Errorf("told %+v", got)
		}
	})
}

// TestDynacastOfPausedPictures: what everybody has paused needs its smallest layer
// alone, and the others within a second once somebody is to see it again.
func TestDynacastOfPausedPictures(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		cam := a.publish("cam", SourceCamera, func(q *AddTrack) { q.Layers = threeLayers })
		b, c := h.join("bob", nil), h.join("cyd", nil)
		settle()
		told := func() [3]bool { return last[SubscribedQuality](a).Codecs[0].Enabled }
		pause := func(c *client, paused bool) {
			c.peer().events.PeerStreamState(cam, paused)
			settle()
		}
		pause(b, true)
		time.Sleep(downgradeDelay + time.Second)
		settle()
		if n := len(all[SubscribedQuality](a)); n != 0 {
			t.Fatalf("cyd still watches: %+v", all[SubscribedQuality](a))
		}
		pause(c, true)
		time.Sleep(downgradeDelay + time.Second)
		settle()
		if told() != [3]bool{true} {
			t.Errorf("all have paused it: %v", told())
		}
		pause(b, false)
		if told() != [3]bool{true, true, true} {
			t.Errorf("bob is to see it: %v", told())
		}
	})
}

// TestDynacastRestart: a publisher whom nobody watched is told at once that
// somebody does, however long the layer was off.
func TestDynacastRestart(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		cam := a.publish("cam", SourceCamera, func(q *AddTrack) { q.Layers = threeLayers })
		b := h.join("bob", func(j *Join) { j.AdaptiveStream = true })
		show := func(s sfu.Settings) { b.do(TrackSettings{TrackSIDs: []string{cam}, Settings: s}) }
		for _, size := range []sfu.Settings{{Width: 160, Height: 90}, {Width: 640, Height: 360}, {Width: 1280, Height: 720}} {
			show(sfu.Settings{Disabled: true}) // another tab
			time.Sleep(time.Minute)
			settle()
			if got := last[SubscribedQuality](a).Codecs[0].Enabled; got != [3]bool{} {
				t.Fatalf("nobody watches, yet %v", got)
			}
			began := time.Now()
			show(size)
			for last[SubscribedQuality](a).Codecs[0].Enabled == [3]bool{} {
				if time.Since(began) > time.Second {
					t.Fatalf("%dx%d: not told within a second", size.Width, size.Height)
				}
				time.Sleep(10 * time.Millisecond)
				settle()
			}
			want := (&track{info: TrackInfo{Layers: threeLayers}}).qualityFor(&subscription{set: true, settings: size})
			got := last[SubscribedQuality](a).Codecs[0].Enabled
			for q := range got {
				if got[q] != (q <= want) {
					t.Errorf("%dx%d: told %v", size.Width, size.Height, got)
				}
			}
		}
	})
}

// A line that carries no pictures has them paused at once, whoever watches, and
// goes on with what is watched then.
func TestNarrowUplinkPausesPictures(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		cam := a.publish("cam", SourceCamera, func(q *AddTrack) { q.Layers = threeLayers })
		h.join("bob", func(j *Join) { j.AdaptiveStream = true })
		time.Sleep(2 * downgradeDelay)
		told := func() [3]bool {
			synctest.Wait()
			q := last[SubscribedQuality](a)
			if q.TrackSID != cam {
				t.Fatalf("told %+v", q)
			}
			return q.Codecs[0].Enabled
		}
		watched := told()
		if watched == [3]bool{} {
			t.Fatal("nothing is watched")
		}
		a.peer().events.PeerUplink(true)
		if told() != [3]bool{} {
			t.Errorf("on a narrow line: %v", told())
		}
		h.join("eve", nil)
		time.Sleep(2 * downgradeDelay)
		if told() != [3]bool{} {
			t.Errorf("with one more who watches: %v", told())
		}
		a.peer().events.PeerUplink(false)
		if told() == [3]bool{} {
			t.Error("nothing goes on")
		}
	})
}
