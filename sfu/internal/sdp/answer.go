// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// Answer is what this server replies.
type Answer struct {
	// SessionID and Version make the o= line; Version grows with every answer
	// of a session.
	SessionID, Version uint64
	// Ufrag and Pwd are the server's ICE credentials.
	Ufrag, Pwd string
	// FingerprintSHA256 is the digest of the server's certificate, hexadecimal
	// with colons.
	FingerprintSHA256 string
	// Setup is the DTLS role; empty means "passive".
	Setup string
	// ExtmapAllowMixed answers the offer's line.
	ExtmapAllowMixed bool
	// Candidates stand in the first section that is not rejected.
	Candidates []Candidate
	// Sections in the order of the offer, one for each of its sections.
	Sections []AnswerSection
}

// AnswerSection is one m-section of an answer.
type AnswerSection struct {
	// Mid and Kind as offered.
	Mid, Kind string
	// Proto and Format as offered; empty means the usual ones of Kind. Format
	// stands only in a rejected section.
	Proto, Format string
	// Rejected sections have port 0 and leave the BUNDLE group.
	Rejected bool
	// Direction as the server sees it; empty means inactive.
	Direction string
	// Codecs in the order of preference, with the payload types of the offer.
	// Where there is none a section of audio or video is rejected.
	Codecs []Codec
	// Exts with the ids of the offer.
	Exts []Ext
	// RecvRIDs are the simulcast layers that the server receives.
	RecvRIDs []string
	// StreamID and TrackID are announced as a=msid when the server sends.
	StreamID, TrackID string
	// SSRC of what the server sends and RTXSSRC of its retransmissions; 0: none.
	SSRC, RTXSSRC uint32
	// CNAME of the sources (RFC 8834 section 4.9).
	CNAME string
	// SCTPPort (0: 5000) and MaxMessageSize (0: not stated) of data channels.
	SCTPPort, MaxMessageSize int
}

// Candidate is one host candidate of the server (RFC 8839).
type Candidate struct {
	Addr netip.AddrPort
	// TCP makes it a passive TCP candidate (RFC 6544).
	TCP bool
	// Priority is computed by CandidatePriority.
	Priority uint32
	// Foundation groups candidates of the same base; empty: taken from the
	// candidate's place in the list.
	Foundation string
	// Component is 1 for RTP; 0 means 1.
	Component uint8
}

// Reply returns an answer section for s that the server accepts as inactive;
// the caller adds what it carries.
func (s *Section) Reply() AnswerSection {
	a := AnswerSection{
		Mid: s.Mid, Kind: s.Kind, Proto: s.Proto, Format: s.Format,
		Rejected: s.Rejected, Direction: Inactive,
	}
	if s.Kind == KindApplication {
		a.SCTPPort = s.SCTPPort
	}
	return a
}

// CandidatePriority returns the priority of a host candidate of component 1
// (RFC 8445 section 5.1.2.1, RFC 6544 section 4.2). local, at most 8191, ranks
// the server's addresses; datagrams come before any TCP.
func CandidatePriority(tcp bool, local uint16) uint32 {
	local = min(local, 8191)
	if tcp {
		return 90<<24 | (4<<13|uint32(local))<<8 | 255
	}
	return 126<<24 | (7<<13|uint32(local))<<8 | 255
}

// Marshal writes the answer; the same answer always gives the same text. All
// accepted sections are one BUNDLE group on one transport, which is described
// once, for the session; the DTLS role stands in each section. Control characters in fields are left out.
func (a *Answer) Marshal() string {
	desc := sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: a.SessionID, SessionVersion: a.Version,
			NetworkType: "IN", AddressType: "IP4", UnicastAddress: "0.0.0.0",
		},
		SessionName:      "-",
		TimeDescriptions: []sdp.TimeDescription{{}},
		Attributes:       a.sessionAttributes(),
	}
	first := true
	for i := range a.Sections {
		s := &a.Sections[i]
		m := s.description()
		if s.accepted() {
			// The role stands in every section: pion looks for it there only.
			m.Attributes = append(m.Attributes, sdp.Attribute{Key: "setup", Value: cmp.Or(a.Setup, SetupPassive)})
			if first {
				first = false
				m.Attributes = append(a.candidateAttributes(), m.Attributes...)
			}
		}
		desc.MediaDescriptions = append(desc.MediaDescriptions, m)
	}
	b, err := desc.Marshal()
	if err != nil {
		return "" // cannot happen: there is nothing to write to
	}
	return string(b)
}

// lines collects attributes.
type lines []sdp.Attribute

// add appends a=key:value, or a=key where the value is empty.
func (l *lines) add(key string, value ...string) {
	*l = append(*l, sdp.Attribute{Key: key, Value: clean(strings.Join(value, " "))})
}

// clean removes what would begin another line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

func (a *Answer) sessionAttributes() []sdp.Attribute {
	var l lines
	bundle := []string{"BUNDLE"}
	for i := range a.Sections {
		if a.Sections[i].accepted() {
			bundle = append(bundle, a.Sections[i].Mid)
		}
	}
	if len(bundle) > 1 {
		l.add("group", bundle...)
	}
	l.add("ice-lite")
	l.add("ice-options", "trickle")
	if a.ExtmapAllowMixed {
		l.add("extmap-allow-mixed")
	}
	l.add("msid-semantic", "WMS *")
	l.add("ice-ufrag", a.Ufrag)
	l.add("ice-pwd", a.Pwd)
	l.add("fingerprint", "sha-256", a.FingerprintSHA256)
	return l
}

// candidateAttributes lists the candidates and says that there are no more.
func (a *Answer) candidateAttributes() []sdp.Attribute {
	var l lines
	for i, c := range a.Candidates {
		foundation := c.Foundation
		if foundation == "" {
			foundation = strconv.Itoa(i + 1)
		}
		words := []string{
			foundation,
			strconv.Itoa(max(int(c.Component), 1)),
			"udp",
			strconv.FormatUint(uint64(c.Priority), 10),
			c.Addr.Addr().Unmap().WithZone("").String(),
			strconv.Itoa(int(c.Addr.Port())),
			"typ", "host",
		}
		if c.TCP {
			words[2] = "tcp"
			words = append(words, "tcptype", "passive")
		}
		l.add("candidate", words...)
	}
	if len(l) > 0 {
		l.add("end-of-candidates")
	}
	return l
}

// accepted tells whether s is part of the bundle.
func (s *AnswerSection) accepted() bool {
	switch s.Kind {
	case KindAudio, KindVideo:
		return !s.Rejected && len(s.Codecs) > 0
	case KindApplication:
		return !s.Rejected
	}
	return false
}
