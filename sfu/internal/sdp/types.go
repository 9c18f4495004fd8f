// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

// The RTP header extensions that this server knows, by URI.
const (
	ExtMid           = "urn:ietf:params:rtp-hdrext:sdes:mid"
	ExtRID           = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	ExtRepairedRID   = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
	ExtAudioLevel    = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	ExtTransportCC   = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	ExtAbsSendTime   = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	ExtPlayoutDelay  = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
	ExtDependency    = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
	ExtVideoRotation = "urn:3gpp:video-orientation"
)

// The media kinds of sections.
const (
	KindAudio       = "audio"
	KindVideo       = "video"
	KindApplication = "application"
)

// The directions of a section (RFC 8866 section 6.7), as seen by the side that
// wrote the description.
const (
	SendRecv = "sendrecv"
	SendOnly = "sendonly"
	RecvOnly = "recvonly"
	Inactive = "inactive"
)

// The roles of a=setup (RFC 8842).
const (
	SetupActpass = "actpass"
	SetupActive  = "active"
	SetupPassive = "passive"
)

// Offer is what a client proposes.
type Offer struct {
	// SessionID and Version are those of the o= line.
	SessionID, Version uint64
	// Ufrag and Pwd are the ICE credentials of the bundled transport.
	Ufrag, Pwd string
	// Fingerprints of the client's certificate, at least one of SHA-256.
	Fingerprints []Fingerprint
	// Setup is "actpass" or "active".
	Setup string
	// Trickle tells that the client sends candidates later (RFC 8838).
	Trickle bool
	// ExtmapAllowMixed tells that one-byte and two-byte header extensions may
	// be mixed (RFC 8285 section 6).
	ExtmapAllowMixed bool
	// Sections in the order of the offer.
	Sections []Section
}

// Section returns the section with that mid, or nil.
func (o *Offer) Section(mid string) *Section {
	for i := range o.Sections {
		if o.Sections[i].Mid == mid {
			return &o.Sections[i]
		}
	}
	return nil
}

// Fingerprint is the digest of a certificate (RFC 8122).
type Fingerprint struct {
	// Algorithm in lower case, for example "sha-256".
	Algorithm string
	// Value in upper-case hexadecimal, octets separated by colons.
	Value string
}

// Section is one m-section of an offer.
type Section struct {
	// Mid is its identification tag (RFC 5888).
	Mid string
	// Kind is "audio", "video", "application", or what else the client wrote.
	Kind string
	// Proto is the transport protocol of the m-line and Format its first format;
	// an answer repeats them.
	Proto, Format string
	// Direction as the client sees it: what it sends, we receive.
	Direction string
	// Rejected tells that the client has stopped the section: it must be
	// rejected in the answer too.
	Rejected bool
	// StreamID and TrackID are the two words of a=msid (RFC 8830); empty where
	// absent. StreamID "-" (no stream) is given as empty.
	StreamID, TrackID string
	// Codecs in the client's order of preference, without rtx.
	Codecs []Codec
	// Exts are the header extensions.
	Exts []Ext
	// RIDs are the simulcast layers the client sends, in the order of
	// a=simulcast:send (RFC 8853); without that line, of the a=rid lines.
	RIDs []string
	// SSRCs are the announced sources in their order, those of rtx included.
	SSRCs []uint32
	// RTXOf maps a media source to its retransmission source (a=ssrc-group:FID).
	RTXOf map[uint32]uint32
	// SCTPPort and MaxMessageSize describe data channels (RFC 8841). A
	// MaxMessageSize of 0 is one without limit; absent, it is 65536.
	SCTPPort, MaxMessageSize int
}

// Sends tells whether the client wants to send on s.
func (s *Section) Sends() bool {
	return !s.Rejected && (s.Direction == SendRecv || s.Direction == SendOnly)
}

// Receives tells whether the client is ready to receive on s.
func (s *Section) Receives() bool {
	return !s.Rejected && (s.Direction == SendRecv || s.Direction == RecvOnly)
}

// Codec is one payload format of a section.
type Codec struct {
	// PT is the payload type.
	PT uint8
	// Name of the encoding in lower case, for example "opus".
	Name string
	// ClockRate in Hz.
	ClockRate uint32
	// Channels is 0 where not given.
	Channels int
	// Fmtp is the format's parameters as offered.
	Fmtp string
	// Feedback lists the RTCP feedback of the format ("nack pli").
	Feedback []string
	// RTX is the payload type that retransmits this one (RFC 4588), 0 for none.
	RTX uint8
}

// Ext is one RTP header extension (RFC 8285).
type Ext struct {
	// ID on the wire.
	ID uint8
	// URI of the extension.
	URI string
	// Direction is empty where the line gives none.
	Direction string
}
