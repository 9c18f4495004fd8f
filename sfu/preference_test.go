// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"testing"

	"github.com/caddy-videoroom/videoroom/sfu/internal/sdp"
)

// TestPublishedCodec has the publisher decide: by what it names, else by the
// order of its offer.
func TestPublishedCodec(t *testing.T) {
	vp8 := sdp.Codec{PT: 96, Name: sdp.VP8, ClockRate: 90000}
	h264 := sdp.Codec{PT: 102, Name: sdp.H264, ClockRate: 90000, Fmtp: "packetization-mode=1;profile-level-id=42e01f"}
	unusable := sdp.Codec{PT: 108, Name: sdp.H264, ClockRate: 90000, Fmtp: "packetization-mode=0;profile-level-id=42e01f"}
	av1 := sdp.Codec{PT: 45, Name: sdp.AV1, ClockRate: 90000}
	for name, c := range map[string]struct {
		offered []sdp.Codec
		want    []string
		pt      uint8
	}{
		"VP8 first":              {[]sdp.Codec{vp8, h264}, nil, 96},
		"H.264 first":            {[]sdp.Codec{h264, vp8}, nil, 102},
		"another one first":      {[]sdp.Codec{av1, h264, vp8}, nil, 102},
		"a variant that is not":  {[]sdp.Codec{unusable, vp8}, nil, 96},
		"named":                  {[]sdp.Codec{h264, vp8}, []string{"vp8"}, 96},
		"nothing to be received": {[]sdp.Codec{av1}, nil, 0},
	} {
		got := publishCodec(&sdp.Section{Kind: sdp.KindVideo, Codecs: c.offered}, c.want)
		if got == nil && c.pt != 0 || got != nil && got.PT != c.pt {
			t.Errorf("%s: %+v, want %d", name, got, c.pt)
		}
	}
}

// TestWantedLayer: the smallest layer that covers the place it is shown in, and of
// those of one size the best.
func TestWantedLayer(t *testing.T) {
	camera := []LayerSpec{{Width: 320, Height: 180}, {Width: 640, Height: 360}, {Width: 1280, Height: 720}}
	screen := []LayerSpec{{Width: 1920, Height: 1080}, {Width: 1920, Height: 1080}}
	for name, c := range map[string]struct {
		layers []LayerSpec
		have   int
		in     Settings
		want   int
	}{
		"a thumbnail":              {camera, 3, Settings{Width: 300, Height: 170}, 0},
		"a tile":                   {camera, 3, Settings{Width: 500, Height: 280}, 1},
		"more than there is":       {camera, 3, Settings{Width: 1920, Height: 1080}, 2},
		"a layer that never came":  {camera, 2, Settings{Width: 1280, Height: 720}, 1},
		"a screen in a thumbnail":  {screen, 2, Settings{Width: 300, Height: 170}, 1},
		"a screen of its own size": {screen, 2, Settings{Width: 1920, Height: 1080}, 1},
		"a screen by its quality":  {screen, 2, Settings{Quality: 0}, 0},
		"sizes that nobody told":   {nil, 2, Settings{Width: 300, Height: 170}, 1},
	} {
		d := &downTrack{track: &upTrack{spec: c.layers, layers: make([]*upLayer, c.have)}, settings: c.in}
		if got := d.wanted(); got != c.want {
			t.Errorf("%s: layer %d, want %d", name, got, c.want)
		}
	}
}

// TestScreenRates: a burst counts as no more than the announced rate.
func TestScreenRates(t *testing.T) {
	for name, c := range map[string]struct {
		rates [4]uint32
		most  uint32
		want  [4]uint32
	}{
		"a burst":          {[4]uint32{900_000, 300_000, 0, 0}, 600_000, [4]uint32{450_000, 150_000, 0, 0}},
		"less":             {[4]uint32{90_000, 30_000, 0, 0}, 600_000, [4]uint32{90_000, 30_000, 0, 0}},
		"nothing is known": {[4]uint32{900_000, 300_000, 0, 0}, 0, [4]uint32{900_000, 300_000, 0, 0}},
		"silence":          {[4]uint32{}, 600_000, [4]uint32{}},
	} {
		if capRates(&c.rates, c.most); c.rates != c.want {
			t.Errorf("%s: %v", name, c.rates)
		}
	}
}
