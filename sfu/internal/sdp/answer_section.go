// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// description returns the m-section of s.
func (s *AnswerSection) description() *sdp.MediaDescription {
	m := &sdp.MediaDescription{
		MediaName: sdp.MediaName{
			Media:  s.Kind,
			Port:   sdp.RangedPort{Value: 9}, // the discard port: ICE tells the real one
			Protos: strings.Split(cmp.Or(clean(s.Proto), usualProto(s.Kind)), "/"),
		},
		ConnectionInformation: &sdp.ConnectionInformation{
			NetworkType: "IN", AddressType: "IP4",
			Address: &sdp.Address{Address: "0.0.0.0"},
		},
	}
	switch {
	case !s.accepted():
		s.describeRejected(m)
	case s.Kind == KindApplication:
		s.describeData(m)
	default:
		s.describeMedia(m)
	}
	return m
}

func usualProto(kind string) string {
	if kind == KindApplication {
		return "UDP/DTLS/SCTP"
	}
	return "UDP/TLS/RTP/SAVPF"
}

// describeRejected keeps the section's place with port 0 (RFC 3264 section 6).
func (s *AnswerSection) describeRejected(m *sdp.MediaDescription) {
	m.MediaName.Port.Value = 0
	usual := "0"
	if s.Kind == KindApplication {
		usual = "webrtc-datachannel"
	}
	m.MediaName.Formats = []string{cmp.Or(clean(s.Format), usual)}
	var l lines
	if s.Mid != "" {
		l.add("mid", s.Mid)
	}
	l.add(Inactive)
	m.Attributes = l
}

// describeData writes the section of the data channels (RFC 8841).
func (s *AnswerSection) describeData(m *sdp.MediaDescription) {
	m.MediaName.Formats = []string{"webrtc-datachannel"}
	var l lines
	l.add("mid", s.Mid)
	l.add("sctp-port", strconv.Itoa(cmp.Or(s.SCTPPort, 5000)))
	if s.MaxMessageSize > 0 {
		l.add("max-message-size", strconv.Itoa(s.MaxMessageSize))
	}
	m.Attributes = l
}

// describeMedia writes a section of audio or video.
func (s *AnswerSection) describeMedia(m *sdp.MediaDescription) {
	var l lines
	l.add("mid", s.Mid)
	direction := cmp.Or(s.Direction, Inactive)
	l.add(direction)
	sends := direction == SendOnly || direction == SendRecv
	if sends && s.TrackID != "" {
		l.add("msid", cmp.Or(s.StreamID, "-"), s.TrackID)
	}
	l.add("rtcp-mux")
	l.add("rtcp-rsize")
	for i := range s.Codecs {
		m.MediaName.Formats = append(m.MediaName.Formats, l.addCodec(&s.Codecs[i])...)
	}
	for _, e := range s.Exts {
		id := strconv.Itoa(int(e.ID))
		if e.Direction != "" {
			id += "/" + e.Direction
		}
		l.add("extmap", id, e.URI)
	}
	if len(s.RecvRIDs) > 0 {
		for _, rid := range s.RecvRIDs {
			l.add("rid", rid, "recv")
		}
		l.add("simulcast", "recv", strings.Join(s.RecvRIDs, ";"))
	}
	if sends {
		l.addSources(s)
	}
	m.Attributes = l
}

// spelling has the encoding names in the form in which they are registered.
var spelling = map[string]string{VP8: "VP8", VP9: "VP9", H264: "H264", AV1: "AV1"}

// addCodec writes the lines of a codec and of its retransmissions and returns
// the payload types.
func (l *lines) addCodec(c *Codec) []string {
	pt := strconv.Itoa(int(c.PT))
	rate := strconv.FormatUint(uint64(c.ClockRate), 10)
	encoding := cmp.Or(spelling[c.Name], c.Name) + "/" + rate
	if c.Channels > 0 {
		encoding += "/" + strconv.Itoa(c.Channels)
	}
	l.add("rtpmap", pt, encoding)
	for _, f := range c.Feedback {
		l.add("rtcp-fb", pt, f)
	}
	if c.Fmtp != "" {
		l.add("fmtp", pt, c.Fmtp)
	}
	if c.RTX == 0 {
		return []string{pt}
	}
	rtx := strconv.Itoa(int(c.RTX))
	l.add("rtpmap", rtx, "rtx/"+rate)
	l.add("fmtp", rtx, "apt="+pt)
	return []string{pt, rtx}
}

// addSources announces what the server sends on s (RFC 5576).
func (l *lines) addSources(s *AnswerSection) {
	if s.SSRC == 0 {
		return
	}
	media := strconv.FormatUint(uint64(s.SSRC), 10)
	cname := "cname:" + cmp.Or(s.CNAME, "-")
	if s.RTXSSRC == 0 {
		l.add("ssrc", media, cname)
		return
	}
	rtx := strconv.FormatUint(uint64(s.RTXSSRC), 10)
	l.add("ssrc-group", "FID", media, rtx)
	l.add("ssrc", media, cname)
	l.add("ssrc", rtx, cname)
}
