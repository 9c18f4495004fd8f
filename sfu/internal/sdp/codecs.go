// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"cmp"
	"slices"
	"strings"
)

// The codecs that this server forwards, by their names in a=rtpmap.
const (
	Opus = "opus"
	RED  = "red"
	VP8  = "vp8"
	VP9  = "vp9"
	H264 = "h264"
	AV1  = "av1"
)

// forwarded ranks the codecs that PickCodecs chooses without being asked. In an
// answer the first one is what the client sends, so plain Opus, which everybody
// decodes, stands before its redundant form.
var forwarded = map[string][]string{
	KindAudio: {Opus, RED},
	KindVideo: {VP8, H264},
}

// onRequest are the codecs that PickCodecs chooses only where want names them.
var onRequest = map[string][]string{
	KindVideo: {VP9, AV1},
}

// feedback is the RTCP feedback that this server understands; goog-remb is not
// among it, because transport-cc supersedes it.
var feedback = map[string]bool{
	"nack":         true,
	"nack pli":     true,
	"ccm fir":      true,
	"transport-cc": true,
}

// PickCodecs returns the codecs of s that this server forwards, in the order of
// an answer, with payload types and parameters as offered, feedback reduced to
// what the server understands, and rtx only for pictures.
//
// want names codecs that come first, in that order ("vp9"); a name with a minus
// before it ("-red") leaves that codec out. Without being named: Opus, then
// redundant Opus; VP8, then H.264. VP9 and AV1 are chosen when named. H.264 is
// taken in packetization mode 1 alone, constrained baseline first.
func PickCodecs(s *Section, want []string) []Codec {
	rank := make(map[string]int)
	for _, name := range want {
		name = strings.ToLower(name)
		if base, ok := strings.CutPrefix(name, "-"); ok {
			rank[base] = -1
		} else if _, ok := rank[name]; !ok && known(s.Kind, name) {
			rank[name] = len(rank) + 1
		}
	}
	for i, name := range forwarded[s.Kind] {
		if _, ok := rank[name]; !ok {
			rank[name] = 100 + i
		}
	}
	var picked []Codec
	for _, c := range s.Codecs {
		if rank[c.Name] > 0 && usable(s.Kind, &c) {
			c.Feedback = slices.DeleteFunc(slices.Clone(c.Feedback), func(f string) bool { return !feedback[f] })
			picked = append(picked, c)
		}
	}
	slices.SortStableFunc(picked, func(a, b Codec) int {
		return cmp.Or(cmp.Compare(rank[a.Name], rank[b.Name]), cmp.Compare(profileRank(&a), profileRank(&b)))
	})
	return withoutOrphans(picked)
}

// known tells whether this server can forward name at all.
func known(kind, name string) bool {
	return slices.Contains(forwarded[kind], name) || slices.Contains(onRequest[kind], name)
}

// usable tells whether the variant of a codec can be forwarded.
func usable(kind string, c *Codec) bool {
	switch c.Name {
	case Opus, RED:
		return c.ClockRate == 48000
	case H264:
		return c.ClockRate == 90000 && Param(c.Fmtp, "packetization-mode") == "1"
	case VP9:
		profile := Param(c.Fmtp, "profile-id")
		return c.ClockRate == 90000 && (profile == "" || profile == "0")
	}
	return kind == KindVideo && c.ClockRate == 90000
}

// profileRank puts the H.264 profile first that every browser decodes.
func profileRank(c *Codec) int {
	if c.Name != H264 {
		return 0
	}
	switch profile := strings.ToLower(Param(c.Fmtp, "profile-level-id")); {
	case strings.HasPrefix(profile, "42e0"):
		return 0 // constrained baseline
	case strings.HasPrefix(profile, "42"):
		return 1 // baseline
	}
	return 2
}

// withoutOrphans drops redundant audio whose primary codec is not in the list
// (RFC 2198 section 4: the fmtp names the payload types it repeats).
func withoutOrphans(picked []Codec) []Codec {
	return slices.DeleteFunc(picked, func(red Codec) bool {
		if red.Name != RED {
			return false
		}
		primary, _, _ := strings.Cut(red.Fmtp, "/")
		return !slices.ContainsFunc(picked, func(c Codec) bool {
			pt, err := payloadType(primary)
			return err == nil && c.Name == Opus && c.PT == pt
		})
	})
}

// Param returns one parameter of an fmtp line, empty where it is not given.
// Names are compared without regard to case.
func Param(fmtp, name string) string {
	for p := range strings.SplitSeq(fmtp, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// addRTX notes a retransmission format under the payload type it repeats: until
// settleRTX it stands in the list with its own name.
func (s *Section) addRTX(f *format) {
	if apt, err := payloadType(Param(f.Fmtp, "apt")); err == nil {
		s.Codecs = append(s.Codecs, Codec{PT: f.PT, Name: f.Name, RTX: apt})
	}
}

// settleRTX moves the retransmission formats out of the list into the codecs
// they repeat. Of several for one codec the first counts.
func (s *Section) settleRTX() {
	var repeats [128]uint8
	s.Codecs = slices.DeleteFunc(s.Codecs, func(c Codec) bool {
		if c.Name != "rtx" {
			return false
		}
		if repeats[c.RTX] == 0 {
			repeats[c.RTX] = c.PT
		}
		return true
	})
	for i := range s.Codecs {
		s.Codecs[i].RTX = repeats[s.Codecs[i].PT]
	}
}

// FilterExts returns the header extensions of s with the given URIs, in the
// order of the offer, each URI once, with the direction turned for the answer.
// Ids beyond 14 are left out: they would need the two-byte form.
func FilterExts(s *Section, uris ...string) []Ext {
	var kept []Ext
	for _, e := range s.Exts {
		if e.ID > 14 || !slices.Contains(uris, e.URI) ||
			slices.ContainsFunc(kept, func(k Ext) bool { return k.URI == e.URI || k.ID == e.ID }) {
			continue
		}
		e.Direction = Reverse(e.Direction)
		kept = append(kept, e)
	}
	return kept
}

// Reverse returns a direction as the other side sees it.
func Reverse(direction string) string {
	switch direction {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	}
	return direction
}

// OpusOptions choose what an answer asks of a client's Opus encoder.
type OpusOptions struct {
	// DTX asks for silence not to be sent.
	DTX bool
	// Stereo asks for two channels at up to 510 kbit/s.
	Stereo bool
	// CBR asks for a constant bit rate, so that packet lengths tell nothing of
	// what is said.
	CBR bool
}

// OpusFmtp returns the parameters of Opus (RFC 7587 section 6.1) for an answer:
// those offered, in-band error correction, and what opt adds.
func OpusFmtp(offered string, opt OpusOptions) string {
	set := []string{"useinbandfec=1"}
	if opt.DTX {
		set = append(set, "usedtx=1")
	}
	if opt.Stereo {
		set = append(set, "stereo=1", "maxaveragebitrate=510000")
	}
	if opt.CBR {
		set = append(set, "cbr=1")
	}
	var params []string
	for p := range strings.SplitSeq(offered, ";") {
		p = strings.TrimSpace(p)
		key, _, _ := strings.Cut(p, "=")
		replaced := slices.ContainsFunc(set, func(s string) bool {
			name, _, _ := strings.Cut(s, "=")
			return strings.EqualFold(name, key)
		})
		if p != "" && !replaced {
			params = append(params, p)
		}
	}
	return strings.Join(append(params, set...), ";")
}
