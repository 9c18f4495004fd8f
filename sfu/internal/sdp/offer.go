// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pion/sdp/v3"
)

// MaxSections is how many sections a Proposal may have, so that its answer is
// within the limits.
const MaxSections = maxSections

// Proposal is an offer of this server: what it wants to send on a connection
// where the client only receives and answers (RFC 8829 section 5.2). Sections
// are never removed, so that a later proposal has those of all earlier ones at
// the same places.
type Proposal struct {
	// SessionID and Version make the o= line; Version grows with every offer
	// of a session.
	SessionID, Version uint64
	// Ufrag and Pwd are the server's ICE credentials; new ones restart ICE.
	Ufrag, Pwd string
	// FingerprintSHA256 is the digest of the server's certificate, hexadecimal
	// with colons.
	FingerprintSHA256 string
	// Candidates stand in the first section.
	Candidates []Candidate
	// Sections in the order in which they came into being.
	Sections []OfferSection
}

// OfferSection is one m-section of a Proposal.
type OfferSection struct {
	// Mid identifies the section for good.
	Mid string
	// Kind is "audio", "video" or "application".
	Kind string
	// Rejected sections are those that the client has rejected: they keep their
	// place, and port 0, for good (RFC 8829 section 5.2.2).
	Rejected bool
	// Codecs with payload types that mean the same in all sections; see Format.
	// Empty: all that the server forwards of the kind.
	Codecs []Codec
	// Exts with ids that mean the same in all sections.
	Exts []Ext
	// StreamID and TrackID are announced as a=msid. Without a TrackID the
	// section carries nothing and is inactive.
	StreamID, TrackID string
	// SSRC of what the server sends and RTXSSRC of its retransmissions; 0: none.
	SSRC, RTXSSRC uint32
	// CNAME of the sources (RFC 8834 section 4.9).
	CNAME string
	// MaxMessageSize of data channels; 0: not stated.
	MaxMessageSize int
}

// formats are the codecs of proposals. Payload types are fixed: in a bundle one
// type must mean one format (RFC 8843 section 9.1), whatever tracks come and go.
var formats = map[string]Codec{
	Opus: {PT: 111, Name: Opus, ClockRate: 48000, Channels: 2, Fmtp: "minptime=10;useinbandfec=1"},
	VP8:  {PT: 96, Name: VP8, ClockRate: 90000, RTX: 97},
	VP9:  {PT: 98, Name: VP9, ClockRate: 90000, Fmtp: "profile-id=0", RTX: 99},
	H264: {PT: 102, Name: H264, ClockRate: 90000, RTX: 103,
		Fmtp: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
}

var proposed = map[string][]string{KindAudio: {Opus}, KindVideo: {VP8, H264, VP9}}

// Format returns the codec of that name as proposals write it; false for one
// that this server does not offer.
func Format(name string) (Codec, bool) {
	c, ok := formats[name]
	if !ok {
		return Codec{}, false
	}
	c.Feedback = []string{"transport-cc", "nack"}
	if c.RTX != 0 {
		c.Feedback = []string{"transport-cc", "ccm fir", "nack", "nack pli"}
	}
	return c, true
}

// Formats returns all codecs that proposals offer for a kind of media.
func Formats(kind string) []Codec {
	var out []Codec
	for _, name := range proposed[kind] {
		c, _ := Format(name)
		out = append(out, c)
	}
	return out
}

// Marshal writes the proposal; the same one always gives the same text. The
// client chooses its DTLS role (RFC 8842 section 5.2).
func (p *Proposal) Marshal() string {
	a := Answer{
		SessionID: p.SessionID, Version: p.Version, Ufrag: p.Ufrag, Pwd: p.Pwd,
		FingerprintSHA256: p.FingerprintSHA256, Setup: SetupActpass,
		ExtmapAllowMixed: true, Candidates: p.Candidates,
	}
	for i := range p.Sections {
		a.Sections = append(a.Sections, p.Sections[i].written())
	}
	return a.Marshal()
}

func (s *OfferSection) written() AnswerSection {
	a := AnswerSection{Mid: s.Mid, Kind: s.Kind, Rejected: s.Rejected, MaxMessageSize: s.MaxMessageSize}
	if s.Kind == KindApplication || s.Rejected {
		return a
	}
	a.Exts, a.Codecs = s.Exts, s.Codecs
	if len(a.Codecs) == 0 {
		a.Codecs = Formats(s.Kind)
	}
	a.Direction = Inactive
	if s.TrackID != "" {
		a.Direction = SendOnly
		a.StreamID, a.TrackID = s.StreamID, s.TrackID
		a.SSRC, a.RTXSSRC, a.CNAME = s.SSRC, s.RTXSSRC, s.CNAME
	}
	return a
}

// ErrBadAnswer is wrapped by every error of ParseAnswer, together with one of
// the errors of ParseOffer or ErrMismatch.
var ErrBadAnswer = errors.New("bad answer")

// ErrMismatch means that the answer is not one to this proposal (RFC 3264 section 6).
var ErrMismatch = errors.New("sections differ from the offer")

// ParseAnswer reads a client's answer to p within the limits of ParseOffer. Its
// sections are those of p in the same order; their codecs, with their
// retransmissions, and header extensions are cut down to what p proposed. The
// Setup of the result is "active" or "passive". Errors repeat nothing of the
// answer.
func (p *Proposal) ParseAnswer(raw string) (*Offer, error) {
	o, err := parseAnswer(raw)
	if err == nil {
		err = p.match(o)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadAnswer, err)
	}
	return o, nil
}

func parseAnswer(raw string) (*Offer, error) {
	text, err := vet(raw)
	if err != nil {
		return nil, err
	}
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(text); err != nil {
		return nil, ErrSyntax // the cause would repeat parts of the answer
	}
	session, o := transport{}, &Offer{SessionID: desc.Origin.SessionID, Version: desc.Origin.SessionVersion}
	if err := session.read(desc.Attributes); err != nil {
		return nil, err
	}
	if len(desc.MediaDescriptions) > maxSections {
		return nil, ErrTooLarge
	}
	o.Sections = make([]Section, len(desc.MediaDescriptions))
	sections := make([]transport, len(o.Sections))
	for i, m := range desc.MediaDescriptions {
		if err := sections[i].read(m.Attributes); err != nil {
			return nil, err
		}
		if err := o.Sections[i].read(m, session.direction); err != nil {
			return nil, err
		}
	}
	if err := o.checkMids(); err != nil {
		return nil, err
	}
	tagged, err := o.checkBundle(desc.Attributes, sections)
	if err != nil {
		return nil, err
	}
	return o, o.setAnswerer(&sections[tagged], &session)
}

// setAnswerer takes the transport of an answer: as that of an offer, but the
// DTLS role is decided.
func (o *Offer) setAnswerer(section, session *transport) error {
	role := section.setup
	if role == "" {
		role = session.setup
	}
	if role != SetupActive && role != SetupPassive {
		return ErrSetup
	}
	section.setup = SetupActive
	if err := o.setTransport(section, session); err != nil {
		return err
	}
	o.Setup = role
	return nil
}

// match checks that o answers p, and drops what p did not propose.
func (p *Proposal) match(o *Offer) error {
	if len(o.Sections) != len(p.Sections) {
		return ErrMismatch
	}
	for i := range o.Sections {
		ours, theirs := p.Sections[i].written(), &o.Sections[i]
		if theirs.Kind != ours.Kind || theirs.Mid != ours.Mid && !(theirs.Rejected && theirs.Mid == "") {
			return ErrMismatch
		}
		theirs.Codecs = slices.DeleteFunc(theirs.Codecs, func(c Codec) bool {
			return !slices.ContainsFunc(ours.Codecs, func(w Codec) bool { return w.PT == c.PT && w.Name == c.Name })
		})
		for j := range theirs.Codecs {
			c := &theirs.Codecs[j]
			if !slices.ContainsFunc(ours.Codecs, func(w Codec) bool { return w.PT == c.PT && w.RTX == c.RTX }) {
				c.RTX = 0
			}
		}
		theirs.Exts = slices.DeleteFunc(theirs.Exts, func(e Ext) bool {
			return !slices.ContainsFunc(ours.Exts, func(w Ext) bool { return w.ID == e.ID && w.URI == e.URI })
		})
	}
	return nil
}
