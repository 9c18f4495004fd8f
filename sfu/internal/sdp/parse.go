// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pion/sdp/v3"
)

// The limits on an offer. A browser of today writes up to 30 lines for a
// section of audio and 160, or 5 KiB, for one of video: the limits leave room
// for a call of some twenty people who all show themselves.
const (
	maxOffer    = 128 << 10
	maxLines    = 6000
	maxSections = 64
	// The following are per section.
	maxCodecs       = 64
	maxExts         = 32
	maxRIDs         = 8
	maxSSRCs        = 64
	maxFingerprints = 8
)

// ParseOffer reads an offer of at most 128 KiB, 6000 lines, 64 sections and 64
// codecs a section. All sections that the client has not stopped must be in one
// BUNDLE group, carry RTCP on the RTP transport and belong to a client that
// can be the DTLS client and has a SHA-256 fingerprint. Every error wraps
// ErrBadOffer and repeats nothing of the offer.
func ParseOffer(raw string) (*Offer, error) {
	text, err := vet(raw)
	if err != nil {
		return nil, err
	}
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(text); err != nil {
		// The cause would repeat parts of the offer.
		return nil, ErrSyntax
	}
	o := &Offer{
		SessionID: desc.Origin.SessionID,
		Version:   desc.Origin.SessionVersion,
	}
	session := transport{}
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
	if err := o.setTransport(&sections[tagged], &session); err != nil {
		return nil, err
	}
	return o, nil
}

// vet checks size and character set and returns the text with a line end at its
// end.
func vet(raw string) (string, error) {
	if len(raw) > maxOffer || strings.Count(raw, "\n") > maxLines || strings.Count(raw, "\nm=") > maxSections {
		return "", ErrTooLarge
	}
	if raw == "" || !utf8.ValidString(raw) {
		return "", ErrSyntax
	}
	for i := range len(raw) {
		switch c := raw[i]; {
		case c == '\n', c == '\t':
		case c == '\r':
			if i+1 == len(raw) || raw[i+1] != '\n' {
				return "", ErrSyntax
			}
		case c < ' ', c == 0x7f:
			return "", ErrSyntax
		}
	}
	if !strings.HasSuffix(raw, "\n") {
		raw += "\r\n"
	}
	return raw, nil
}

// transport holds the attributes that a bundled transport takes from one
// section, or from the session for all.
type transport struct {
	ufrag, pwd, setup string
	fingerprints      []Fingerprint
	trickle, mixed    bool
	mux, bundleOnly   bool
	direction         string
}

// transportAttributes dispatches the attributes of a transport.
var transportAttributes = map[string]func(t *transport, value string) error{
	"ice-ufrag":          func(t *transport, v string) error { t.ufrag = v; return nil },
	"ice-pwd":            func(t *transport, v string) error { t.pwd = v; return nil },
	"setup":              func(t *transport, v string) error { t.setup = strings.ToLower(v); return nil },
	"fingerprint":        (*transport).readFingerprint,
	"ice-options":        (*transport).readOptions,
	"extmap-allow-mixed": func(t *transport, _ string) error { t.mixed = true; return nil },
	"rtcp-mux":           func(t *transport, _ string) error { t.mux = true; return nil },
	"rtcp-mux-only":      func(t *transport, _ string) error { t.mux = true; return nil },
	"bundle-only":        func(t *transport, _ string) error { t.bundleOnly = true; return nil },
	SendRecv:             func(t *transport, _ string) error { t.direction = SendRecv; return nil },
	SendOnly:             func(t *transport, _ string) error { t.direction = SendOnly; return nil },
	RecvOnly:             func(t *transport, _ string) error { t.direction = RecvOnly; return nil },
	Inactive:             func(t *transport, _ string) error { t.direction = Inactive; return nil },
}

func (t *transport) read(attrs []sdp.Attribute) error {
	for _, a := range attrs {
		read, ok := transportAttributes[a.Key]
		if !ok {
			continue
		}
		if err := read(t, strings.TrimSpace(a.Value)); err != nil {
			return fmt.Errorf("%w: a=%s", err, a.Key)
		}
	}
	return nil
}

func (t *transport) readOptions(value string) error {
	for option := range strings.FieldsSeq(value) {
		t.trickle = t.trickle || option == "trickle"
	}
	return nil
}

// digestSizes are the digests of RFC 8122 that may be offered, in octets.
var digestSizes = map[string]int{"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}

func (t *transport) readFingerprint(value string) error {
	algorithm, digest, ok := strings.Cut(value, " ")
	algorithm = strings.ToLower(algorithm)
	size, known := digestSizes[algorithm]
	if !ok {
		return ErrSyntax
	}
	if !known {
		return nil
	}
	digest = strings.ToUpper(strings.TrimSpace(digest))
	if !isDigest(digest, size) {
		return ErrSyntax
	}
	if len(t.fingerprints) == maxFingerprints {
		return ErrTooLarge
	}
	t.fingerprints = append(t.fingerprints, Fingerprint{Algorithm: algorithm, Value: digest})
	return nil
}

// isDigest tells whether s is size octets in upper-case hexadecimal, separated
// by colons.
func isDigest(s string, size int) bool {
	if len(s) != 3*size-1 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i%3 == 2 {
			if c != ':' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// checkMids refuses absent and repeated tags. Only a section that the client
// has stopped may go without.
func (o *Offer) checkMids() error {
	seen := make(map[string]bool, len(o.Sections))
	for i := range o.Sections {
		mid := o.Sections[i].Mid
		if mid == "" && o.Sections[i].Rejected {
			continue
		}
		if mid == "" || seen[mid] {
			return fmt.Errorf("%w: a=mid", ErrSyntax)
		}
		seen[mid] = true
	}
	return nil
}

// checkBundle finds the group of all live sections and returns the section that
// describes their transport: the first live one.
func (o *Offer) checkBundle(attrs []sdp.Attribute, sections []transport) (tagged int, err error) {
	tagged = -1
	var group map[string]bool
	for i := range o.Sections {
		s := &o.Sections[i]
		if s.Rejected {
			continue
		}
		if tagged < 0 {
			tagged = i
			group = bundleOf(attrs, s.Mid)
		}
		if !group[s.Mid] {
			return 0, ErrBundle
		}
		if s.Kind != KindApplication && !sections[i].mux {
			return 0, ErrRTCPMux
		}
	}
	if tagged < 0 {
		return 0, fmt.Errorf("%w: no live section", ErrBundle)
	}
	return tagged, nil
}

// bundleOf returns the tags of the BUNDLE group that holds mid.
func bundleOf(attrs []sdp.Attribute, mid string) map[string]bool {
	for _, a := range attrs {
		semantics, mids, _ := strings.Cut(a.Value, " ")
		if a.Key != "group" || semantics != "BUNDLE" {
			continue
		}
		group := make(map[string]bool)
		for m := range strings.FieldsSeq(mids) {
			group[m] = true
		}
		if group[mid] {
			return group
		}
	}
	return nil
}

// setTransport takes the transport of the tagged section, and what it does not
// say from the session.
func (o *Offer) setTransport(section, session *transport) error {
	o.Ufrag, o.Pwd = section.ufrag, section.pwd
	if o.Ufrag == "" {
		o.Ufrag = session.ufrag
	}
	if o.Pwd == "" {
		o.Pwd = session.pwd
	}
	if !isICE(o.Ufrag, 4) || !isICE(o.Pwd, 22) {
		return ErrICE
	}
	o.Setup = section.setup
	if o.Setup == "" {
		o.Setup = session.setup
	}
	if o.Setup != SetupActpass && o.Setup != SetupActive {
		return ErrSetup
	}
	o.Fingerprints = section.fingerprints
	if len(o.Fingerprints) == 0 {
		o.Fingerprints = session.fingerprints
	}
	for _, f := range o.Fingerprints {
		if f.Algorithm == "sha-256" {
			o.Trickle = section.trickle || session.trickle
			o.ExtmapAllowMixed = section.mixed || session.mixed
			return nil
		}
	}
	return ErrFingerprint
}

// isICE tells whether s is of ice-char (RFC 8839 section 5.1) and between least
// and 256 characters long.
func isICE(s string, least int) bool {
	if len(s) < least || len(s) > 256 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isToken tells whether s is a token (RFC 8866 section 9) of 1 to longest
// characters.
func isToken(s string, longest int) bool {
	if s == "" || len(s) > longest {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && !strings.ContainsRune("!#$%&'*+-.^_`{|}~", rune(c)) {
			return false
		}
	}
	return true
}

// number reads an unsigned decimal of at most bits bits.
func number(s string, bits int) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		return 0, ErrSyntax
	}
	return n, nil
}
