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
