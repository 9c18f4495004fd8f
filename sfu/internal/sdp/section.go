// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// reader collects what one section says until it is complete.
type reader struct {
	s *Section
	// codecs by payload type; feedback under 128 is that of all.
	codecs   [128]*format
	feedback []string
	// ridLines are the tags of a=rid:… send, simulcast those of a=simulcast.
	ridLines, simulcast []string
	bundleOnly          bool
	// sourceMsid is the msid given with an SSRC, as older clients do.
	sourceMsid string
}

// format is a codec in the making.
type format struct {
	Codec
	known bool // has an a=rtpmap line
}

// sectionAttributes dispatches the attributes of a section.
var sectionAttributes = map[string]func(r *reader, value string) error{
	"mid":              (*reader).readMid,
	"msid":             func(r *reader, v string) error { r.s.setMsid(v); return nil },
	"rtpmap":           (*reader).readRTPMap,
	"fmtp":             (*reader).readFmtp,
	"rtcp-fb":          (*reader).readFeedback,
	"extmap":           (*reader).readExt,
	"rid":              (*reader).readRID,
	"simulcast":        (*reader).readSimulcast,
	"ssrc":             (*reader).readSSRC,
	"ssrc-group":       (*reader).readSSRCGroup,
	"sctp-port":        (*reader).readSCTPPort,
	"sctpmap":          (*reader).readSCTPMap,
	"max-message-size": (*reader).readMaxMessageSize,
	"bundle-only":      func(r *reader, _ string) error { r.bundleOnly = true; return nil },
	SendRecv:           func(r *reader, _ string) error { r.s.Direction = SendRecv; return nil },
	SendOnly:           func(r *reader, _ string) error { r.s.Direction = SendOnly; return nil },
	RecvOnly:           func(r *reader, _ string) error { r.s.Direction = RecvOnly; return nil },
	Inactive:           func(r *reader, _ string) error { r.s.Direction = Inactive; return nil },
}

// read fills s from m; direction is that of the session, empty for none.
func (s *Section) read(m *sdp.MediaDescription, direction string) error {
	s.Kind = m.MediaName.Media
	s.Proto = strings.Join(m.MediaName.Protos, "/")
	s.Direction = SendRecv
	if direction != "" {
		s.Direction = direction
	}
	if len(m.MediaName.Formats) > 0 {
		s.Format = m.MediaName.Formats[0]
	}
	if !isToken(s.Format, 32) {
		return fmt.Errorf("%w: m-line", ErrSyntax)
	}
	if s.Kind == KindApplication {
		s.MaxMessageSize = 65536
	}
	r := reader{s: s}
	if err := r.readFormats(m.MediaName.Formats); err != nil {
		return err
	}
	for _, a := range m.Attributes {
		read, ok := sectionAttributes[a.Key]
		if !ok {
			continue
		}
		if err := read(&r, strings.TrimSpace(a.Value)); err != nil {
			return fmt.Errorf("%w: a=%s", err, a.Key)
		}
	}
	s.Rejected = m.MediaName.Port.Value == 0 && !r.bundleOnly
	return r.finish(m.MediaName.Formats)
}

// readFormats notes the payload types of the m-line.
func (r *reader) readFormats(formats []string) error {
	if r.s.Kind != KindAudio && r.s.Kind != KindVideo {
		return nil
	}
	if len(formats) > maxCodecs {
		return fmt.Errorf("%w: m-line", ErrTooLarge)
	}
	for _, f := range formats {
		pt, err := payloadType(f)
		if err != nil {
			return fmt.Errorf("%w: m-line", err)
		}
		r.codecs[pt] = &format{Codec: Codec{PT: pt}}
	}
	return nil
}

func payloadType(s string) (uint8, error) {
	n, err := number(s, 7)
	return uint8(n), err
}

// of returns the format whose payload type begins value, and the rest. The
// format is nil where the m-line does not list it: such lines mean nothing.
func (r *reader) of(value string) (*format, string, error) {
	pt, rest, _ := strings.Cut(value, " ")
	n, err := payloadType(pt)
	if err != nil {
		return nil, "", err
	}
	return r.codecs[n], strings.TrimSpace(rest), nil
}

func (r *reader) readMid(value string) error {
	if !isToken(value, 32) {
		return ErrSyntax
	}
	r.s.Mid = value
	return nil
}

// setMsid takes the words of a=msid; "-" stands for no stream.
func (s *Section) setMsid(value string) {
	stream, track, _ := strings.Cut(value, " ")
	if s.TrackID != "" || track == "" && s.StreamID != "" {
		return // the first line counts: a track may be in several streams
	}
	if stream == "-" {
		stream = ""
	}
	s.StreamID, s.TrackID = stream, strings.TrimSpace(track)
}

func (r *reader) readRTPMap(value string) error {
	f, rest, err := r.of(value)
	if err != nil || f == nil {
		return err
	}
	parts := strings.Split(rest, "/")
	if len(parts) < 2 || len(parts) > 3 || !isToken(parts[0], 32) {
		return ErrSyntax
	}
	rate, err := number(parts[1], 32)
	if err != nil {
		return err
	}
	f.Name, f.ClockRate, f.known = strings.ToLower(parts[0]), uint32(rate), true
	if len(parts) == 3 {
		channels, err := number(parts[2], 8)
		if err != nil {
			return err
		}
		f.Channels = int(channels)
	}
	return nil
}

func (r *reader) readFmtp(value string) error {
	f, rest, err := r.of(value)
	if err == nil && f != nil {
		f.Fmtp = rest
	}
	return err
}

func (r *reader) readFeedback(value string) error {
	if rest, ok := strings.CutPrefix(value, "* "); ok {
		return addFeedback(&r.feedback, strings.TrimSpace(rest))
	}
	f, rest, err := r.of(value)
	if err != nil || f == nil || rest == "" {
		return err
	}
	return addFeedback(&f.Feedback, rest)
}

// addFeedback notes a kind of feedback once.
func addFeedback(list *[]string, kind string) error {
	switch {
	case slices.Contains(*list, kind):
		return nil
	case len(*list) == maxFeedback:
		return ErrTooLarge
	}
	*list = append(*list, kind)
	return nil
}

func (r *reader) readExt(value string) error {
	fields := strings.Fields(value)
	if len(fields) < 2 {
		return ErrSyntax
	}
	id, direction, _ := strings.Cut(fields[0], "/")
	n, err := number(id, 16)
	if err != nil || n == 0 {
		return ErrSyntax
	}
	switch direction {
	case "", SendRecv, SendOnly, RecvOnly, Inactive:
	default:
		return ErrSyntax
	}
	if n > 255 {
		return nil // an id to be replaced (RFC 8285 section 5), never on the wire
	}
	if len(r.s.Exts) == maxExts {
		return ErrTooLarge
	}
	r.s.Exts = append(r.s.Exts, Ext{ID: uint8(n), URI: fields[1], Direction: direction})
	return nil
}

// readRID takes the layers that the client sends. The tag travels in a one-byte
// header extension, which carries 16 octets.
func (r *reader) readRID(value string) error {
	fields := strings.Fields(value)
	if len(fields) < 2 {
		return ErrSyntax
	}
	if fields[1] != "send" {
		return nil
	}
	if !isRID(fields[0]) {
		return ErrSyntax
	}
	if len(r.ridLines) == maxRIDs {
		return ErrTooLarge
	}
	r.ridLines = append(r.ridLines, fields[0])
	return nil
}

func isRID(s string) bool {
	if s == "" || len(s) > 16 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// readSimulcast takes the order of the layers sent. Of alternatives for one
// layer the first counts; a paused layer is a layer.
func (r *reader) readSimulcast(value string) error {
	fields := strings.Fields(value)
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i] != "send" {
			continue
		}
		for layer := range strings.SplitSeq(fields[i+1], ";") {
			rid, _, _ := strings.Cut(layer, ",")
			rid = strings.TrimPrefix(rid, "~")
			if !isRID(rid) {
				return ErrSyntax
			}
			if len(r.simulcast) == maxRIDs {
				return ErrTooLarge
			}
			if !slices.Contains(r.simulcast, rid) {
				r.simulcast = append(r.simulcast, rid)
			}
		}
	}
	return nil
}

func (r *reader) readSSRC(value string) error {
	id, rest, _ := strings.Cut(value, " ")
	n, err := number(id, 32)
	if err != nil {
		return err
	}
	if msid, ok := strings.CutPrefix(rest, "msid:"); ok && r.sourceMsid == "" {
		r.sourceMsid = msid
	}
	if slices.Contains(r.s.SSRCs, uint32(n)) {
		return nil
	}
	if len(r.s.SSRCs) == maxSSRCs {
		return ErrTooLarge
	}
	r.s.SSRCs = append(r.s.SSRCs, uint32(n))
	return nil
}

func (r *reader) readSSRCGroup(value string) error {
	fields := strings.Fields(value)
	if len(fields) != 3 || fields[0] != "FID" {
		return nil
	}
	media, err := number(fields[1], 32)
	if err != nil {
		return err
	}
	rtx, err := number(fields[2], 32)
	if err != nil {
		return err
	}
	if len(r.s.RTXOf) == maxSSRCs {
		return ErrTooLarge
	}
	if r.s.RTXOf == nil {
		r.s.RTXOf = make(map[uint32]uint32)
	}
	r.s.RTXOf[uint32(media)] = uint32(rtx)
	return nil
}

func (r *reader) readSCTPPort(value string) error {
	n, err := number(value, 16)
	r.s.SCTPPort = int(n)
	return err
}

// readSCTPMap takes the port from the form before RFC 8841.
func (r *reader) readSCTPMap(value string) error {
	port, _, _ := strings.Cut(value, " ")
	if r.s.SCTPPort != 0 {
		return nil
	}
	return r.readSCTPPort(port)
}

func (r *reader) readMaxMessageSize(value string) error {
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil {
		return ErrSyntax
	}
	r.s.MaxMessageSize = int(min(n, 1<<30))
	return nil
}

// finish joins what stood on several lines.
func (r *reader) finish(formats []string) error {
	s := r.s
	if s.TrackID == "" && r.sourceMsid != "" {
		s.setMsid(r.sourceMsid)
	}
	s.RIDs = r.simulcast
	if s.RIDs == nil {
		s.RIDs = r.ridLines
	}
	if s.Kind != KindAudio && s.Kind != KindVideo {
		return nil
	}
	for _, text := range formats {
		pt, err := payloadType(text)
		if err != nil {
			return err
		}
		f := r.codecs[pt]
		if f == nil || !f.known {
			continue // taken already, or a static payload type
		}
		r.codecs[pt] = nil
		if f.Name == "rtx" {
			s.addRTX(f)
			continue
		}
		f.Feedback = append(f.Feedback, r.feedback...)
		s.Codecs = append(s.Codecs, f.Codec)
	}
	s.settleRTX()
	return nil
}
