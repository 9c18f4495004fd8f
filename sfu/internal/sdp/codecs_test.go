// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestPickCodecs(t *testing.T) {
	const cb, baseline, main = "profile-level-id=42e01f;packetization-mode=1", "packetization-mode=1;profile-level-id=42001f", "Packetization-Mode=1;profile-level-id=4d001f"
	video := &Section{Kind: KindVideo, Codecs: []Codec{
		{PT: 45, Name: AV1, ClockRate: 90000, RTX: 46},
		{PT: 98, Name: VP9, ClockRate: 90000, Fmtp: "profile-id=0", RTX: 99},
		{PT: 100, Name: VP9, ClockRate: 90000, Fmtp: "profile-id=2"},
		{PT: 116, Name: H264, ClockRate: 90000, Fmtp: main},
		{PT: 102, Name: H264, ClockRate: 90000, Fmtp: baseline},
		{PT: 104, Name: H264, ClockRate: 90000, Fmtp: "packetization-mode=0;profile-level-id=42e01f"},
		{PT: 106, Name: H264, ClockRate: 90000},
		{PT: 108, Name: H264, ClockRate: 90000, Fmtp: cb},
		{PT: 96, Name: VP8, ClockRate: 90000, RTX: 97},
		{PT: 118, Name: RED, ClockRate: 90000},
		{PT: 120, Name: "ulpfec", ClockRate: 90000},
		{PT: 121, Name: "h265", ClockRate: 90000},
	}}
	audio := &Section{Kind: KindAudio, Codecs: []Codec{
		{PT: 63, Name: RED, ClockRate: 48000, Channels: 2, Fmtp: "111/111"},
		{PT: 64, Name: RED, ClockRate: 48000, Channels: 2, Fmtp: "9/9"},
		{PT: 111, Name: Opus, ClockRate: 48000, Channels: 2},
		{PT: 9, Name: "g722", ClockRate: 8000},
		{PT: 13, Name: "cn", ClockRate: 8000},
	}}
	tests := []struct {
		s    *Section
		want []string
		pts  string
	}{
		{video, nil, "[96 108 102 116]"},
		{video, []string{"h264"}, "[108 102 116 96]"},
		{video, []string{"VP9", "h264"}, "[98 108 102 116 96]"},
		{video, []string{"av1", "-h264"}, "[45 96]"},
		{video, []string{"-vp8", "-h264"}, "[]"},
		{video, []string{"h265", "ulpfec", "red"}, "[96 108 102 116]"},
		{audio, nil, "[111 63]"},
		{audio, []string{"red"}, "[63 111]"},
		{audio, []string{"-red"}, "[111]"},
		{audio, []string{"-opus", "g722"}, "[]"},
		{&Section{Kind: KindApplication}, nil, "[]"},
	}
	for _, tc := range tests {
		pts := []uint8{}
		for _, c := range PickCodecs(tc.s, tc.want) {
			pts = append(pts, c.PT)
		}
		if got := fmt.Sprint(pts); got != tc.pts {
			t.Errorf("%s %v: got %s, want %s", tc.s.Kind, tc.want, got, tc.pts)
		}
	}
	if c := PickCodecs(video, nil); c[1].Fmtp != cb || c[0].RTX != 97 {
		t.Errorf("parameters are not as offered: %+v", c)
	}
}

// TestPickCodecsFeedback checks the filter, and that the offer stays as it was.
func TestPickCodecsFeedback(t *testing.T) {
	offered := []string{"goog-remb", "transport-cc", "ccm fir", "ccm tmmbr", "nack", "nack pli", "nack sli"}
	s := &Section{Kind: KindVideo, Codecs: []Codec{{PT: 96, Name: VP8, ClockRate: 90000, Feedback: offered}}}
	got := PickCodecs(s, nil)[0].Feedback
	if want := []string{"transport-cc", "ccm fir", "nack", "nack pli"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if offered[0] != "goog-remb" || len(s.Codecs[0].Feedback) != 7 {
		t.Errorf("the offer was changed: %q", offered)
	}
}

func TestFilterExts(t *testing.T) {
	s := &Section{Exts: []Ext{
		{1, ExtAudioLevel, ""}, {2, ExtMid, SendOnly}, {3, ExtMid, ""}, {15, ExtRID, ""}, {1, ExtRepairedRID, ""},
		{4, ExtTransportCC, RecvOnly}, {5, ExtAbsSendTime, SendRecv}, {6, ExtPlayoutDelay, ""},
	}}
	got := FilterExts(s, ExtAbsSendTime, ExtMid, ExtRID, ExtTransportCC, ExtRepairedRID, ExtAudioLevel)
	want := []Ext{{1, ExtAudioLevel, ""}, {2, ExtMid, RecvOnly}, {4, ExtTransportCC, SendOnly}, {5, ExtAbsSendTime, SendRecv}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestOpusFmtp(t *testing.T) {
	tests := []struct {
		offered string
		opt     OpusOptions
		want    string
	}{
		{"minptime=10;useinbandfec=1", OpusOptions{}, "minptime=10;useinbandfec=1"},
		{"", OpusOptions{}, "useinbandfec=1"},
		{"minptime=10; useinbandfec=0", OpusOptions{DTX: true}, "minptime=10;useinbandfec=1;usedtx=1"},
		{"stereo=0;UseDTX=0", OpusOptions{DTX: true, Stereo: true, CBR: true}, "useinbandfec=1;usedtx=1;stereo=1;maxaveragebitrate=510000;cbr=1"},
	}
	for _, tc := range tests {
		if got := OpusFmtp(tc.offered, tc.opt); got != tc.want {
			t.Errorf("%q %+v: got %q, want %q", tc.offered, tc.opt, got, tc.want)
		}
	}
}

func TestParam(t *testing.T) {
	for fmtp, want := range map[string]string{"a=1;B=2": "2", "b=": "", " b=3 ": "3", "": "", "bb=4": "", "b": ""} {
		if got := Param(fmtp, "b"); got != want {
			t.Errorf("%q: got %q", fmtp, got)
		}
	}
}

func TestRTXOfSeveral(t *testing.T) {
	if _, err := ParseOffer(replaced(t, "a=fmtp:98 packetization-mode=0", "a=fmtp:98 packetization-mode=1\r\na=x")); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"apt=", "apt=x", "apt=128", "apt=55", "rtx-time=1"} {
		o, err := ParseOffer(replaced(t, "apt=96", bad))
		if err != nil {
			t.Fatal(bad, err)
		}
		for _, c := range o.Section("v").Codecs {
			if c.RTX != 0 || c.Name == "rtx" {
				t.Errorf("%s: %+v", bad, c)
			}
		}
	}
	o, err := ParseOffer(strings.NewReplacer("96 97 98", "97 99 96 98", "a=fmtp:97 apt=96", "a=fmtp:97 apt=96\r\na=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=96").Replace(small))
	if err != nil {
		t.Fatal(err)
	}
	if c := o.Section("v").Codecs; len(c) != 2 || c[0].RTX != 97 {
		t.Errorf("got %+v", c)
	}
}
