// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-videoroom/videoroom/sfu/internal/sdp"
)

type tlsCertificate = tls.Certificate

// section is what one m-section of the client's description is used for.
type section struct {
	mid  string
	kind Kind // 0: data channels
	// receives tells that the client is ready to receive on it.
	receives bool
	dead     bool // rejected for good
	pub      *published
	sub      *subscription
	// cooling sections have lost their track. They are answered inactive once
	// before they carry another one, so that the client sees the change.
	cooling bool
}

func (s *section) open() bool {
	return s.receives && !s.dead && !s.cooling && s.sub == nil && s.pub == nil
}

// codecNames are what can be published, in our order of preference.
var codecNames = map[Kind][]string{Audio: {"opus"}, Video: {"vp8", "h264", "vp9"}}

var codecs = map[string]struct {
	id   codec
	mime string
}{
	"opus": {codecOpus, "audio/opus"},
	"vp8":  {codecVP8, "video/VP8"},
	"h264": {codecH264, "video/H264"},
	"vp9":  {codecVP9, "video/VP9"},
}

// maxOneByteExt is the highest id that the shorter header extension can have
// (RFC 8285 §4.2), the one that we write.
const maxOneByteExt = 14

var (
	// serverExts are accepted wherever they are offered, also where nothing uses
	// them: what Chromium sees refused in one section of a bundle it no longer
	// offers in any other, and then cannot send simulcast.
	serverExts = []string{sdp.ExtMid, sdp.ExtRID, sdp.ExtRepairedRID, sdp.ExtAudioLevel, sdp.ExtTransportCC}
	kinds      = map[string]Kind{sdp.KindAudio: Audio, sdp.KindVideo: Video}
)

// Offer applies a client's offer and returns the answer (RFC 8829, RFC 9143).
// It first checks everything, so that a bad offer changes nothing.
func (p *Peer) Offer(raw string) (Answer, error) {
	if p.closed {
		return Answer{}, ErrClosed
	}
	o, err := sdp.ParseOffer(raw)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	if err := p.admissible(o); err != nil {
		return Answer{}, err
	}
	p.connect(o)
	out := Answer{MidToTrack: make(map[string]string)}
	for i := range o.Sections {
		p.update(i, &o.Sections[i], &out)
	}
	if p.down == nil {
		p.place(o)
	}
	a := p.answer(o)
	for _, s := range p.sections {
		if s.sub != nil {
			out.MidToTrack[s.mid] = s.sub.pub.spec.SID
		}
		s.cooling = false
	}
	out.SDP = a.Marshal()
	return out, nil
}

// admissible checks an offer against what has been negotiated before.
func (p *Peer) admissible(o *sdp.Offer) error {
	if len(sha256Prints(o)) == 0 {
		return fmt.Errorf("%w: no SHA-256 fingerprint", ErrBadOffer)
	}
	if p.joined && strings.Join(sha256Prints(o), " ") != p.identity {
		return fmt.Errorf("%w: the certificate changed", ErrBadOffer)
	}
	if len(o.Sections) < len(p.sections) {
		return fmt.Errorf("%w: sections vanished", ErrBadOffer)
	}
	for i, s := range p.sections {
		if got := &o.Sections[i]; got.Mid != s.mid && !s.dead {
			return fmt.Errorf("%w: section %d changed its mid", ErrBadOffer, i)
		}
	}
	return nil
}

// connect starts the transport, or restarts ICE when the client did.
func (p *Peer) connect(o *sdp.Offer) {
	if !p.joined {
		p.cred = newCredentials(p.room.loop)
		p.join(&p.connection, o)
		return
	}
	t, exts := p.t, collectExts(o)
	p.room.post(func(*core) { t.exts = exts })
	if o.Ufrag != p.remote {
		p.restart(&p.connection, newCredentials(p.room.loop), o)
	}
}

// update brings our section i up to the offer and notes published and
// unpublished tracks.
func (p *Peer) update(i int, s *sdp.Section, out *Answer) {
	if i == len(p.sections) {
		p.sections = append(p.sections, &section{})
	}
	ours := p.sections[i]
	if ours.mid != s.Mid { // new, or recycled after having been rejected
		p.release(ours, out)
		*ours = section{mid: s.Mid, kind: kinds[s.Kind]}
	}
	ours.dead = s.Rejected
	ours.receives = s.Receives()
	if s.Kind == sdp.KindApplication {
		p.hasData = true
		return
	}
	if !s.Sends() {
		if ours.pub != nil {
			p.end(ours, out)
		}
		if ours.sub != nil && !ours.receives {
			p.displace(ours)
		}
		return
	}
	if ours.pub != nil && ours.pub.cid != s.TrackID && p.announced(s) {
		p.end(ours, out)
	}
	if ours.pub == nil {
		p.begin(ours, s, out)
	}
}

// release frees a section that the client has given another purpose.
func (p *Peer) release(s *section, out *Answer) {
	if s.pub != nil {
		p.end(s, out)
	}
	if s.sub != nil {
		p.displace(s)
	}
}

// end unpublishes what a section carried.
func (p *Peer) end(s *section, out *Answer) {
	sid := s.pub.spec.SID
	s.pub = nil
	p.Unpublish(sid)
	out.Unpublished = append(out.Unpublished, sid)
}

// displace takes a subscription off a section that can no longer carry it; it
// waits for another one.
func (p *Peer) displace(s *section) {
	d := s.sub.down
	s.sub.section, s.sub.down, s.sub = nil, nil, nil
	if d != nil {
		p.room.post(func(c *core) { c.dropDown(d) })
	}
}

// announced tells that a pending track names exactly this section's track.
func (p *Peer) announced(s *sdp.Section) bool {
	return slices.ContainsFunc(p.pending, func(t TrackSpec) bool {
		return t.Kind == kinds[s.Kind] && t.CID == s.TrackID
	})
}

// match takes the pending track that a section carries off the list: the one
// with the section's track id, else the only one of its kind (some clients
// announce another id than their description shows).
func (p *Peer) match(s *sdp.Section) (TrackSpec, bool) {
	found, n := -1, 0
	for i := range p.pending {
		if p.pending[i].Kind != kinds[s.Kind] {
			continue
		}
		if p.pending[i].CID == s.TrackID {
			found, n = i, 1
			break
		}
		found = i
		n++
	}
	if n != 1 {
		return TrackSpec{}, false
	}
	spec := p.pending[found]
	p.pending = slices.Delete(p.pending, found, found+1)
	return spec, true
}

// begin publishes the track of a section that the client sends on.
func (p *Peer) begin(ours *section, s *sdp.Section, out *Answer) {
	c := publishCodec(s, nil)
	if c == nil {
		return
	}
	spec, ok := p.match(s)
	if !ok {
		return
	}
	if named := publishCodec(s, spec.Codecs); named != nil {
		c = named
	}
	pub := &published{spec: spec, by: p, mime: codecs[c.Name].mime, cid: s.TrackID}
	rids := orderRIDs(s.RIDs)
	if len(rids) > 3 {
		rids = rids[:3]
	}
	pub.up = &upTrack{
		sid: spec.SID, kind: spec.Kind, codec: codecs[c.Name].id, clock: c.ClockRate,
		pt: c.PT, rtxPT: c.RTX, mid: s.Mid, rids: rids, pub: p.t, spec: spec.Layers, muted: spec.Muted,
		screen: spec.Screen, noRED: spec.NoRED,
		nacks: slices.Contains(c.Feedback, "nack"),
	}
	up, rtxOf := pub.up, s.RTXOf
	ssrcs := mediaSSRCs(s)
	p.room.post(func(c *core) { c.addUp(up, ssrcs, rtxOf) })
	p.pubs[spec.SID] = pub
	if ours.sub != nil { // some clients send where they receive
		p.displace(ours)
	}
	ours.pub = pub
	out.Published = append(out.Published, Published{
		SID: spec.SID, Mid: s.Mid, Mime: pub.mime, Simulcast: len(s.RIDs) > 1,
	})
}

// mediaSSRCs lists a section's sources less those of retransmissions.
func mediaSSRCs(s *sdp.Section) []uint32 {
	var out []uint32
	for _, v := range s.SSRCs {
		isRTX := false
		for _, r := range s.RTXOf {
			isRTX = isRTX || r == v
		}
		if !isRTX {
			out = append(out, v)
		}
	}
	return out
}

// publishCodec picks the codec of a section that the client sends on. Without
// want the client's own order decides.
func publishCodec(s *sdp.Section, want []string) *sdp.Codec {
	if want == nil {
		want = preferred(s)
	}
	picked := sdp.PickCodecs(s, want)
	for i := range picked {
		if _, ok := codecs[picked[i].Name]; ok && slices.Contains(want, picked[i].Name) {
			return &picked[i]
		}
	}
	return nil
}

// preferred lists what may be published on a section, in the client's order.
func preferred(s *sdp.Section) (names []string) {
	for i := range s.Codecs {
		name := s.Codecs[i].Name
		if slices.Contains(codecNames[kinds[s.Kind]], name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// place gives waiting subscriptions the free sections of the offer.
func (p *Peer) place(o *sdp.Offer) {
	for _, sid := range p.order {
		sub := p.subs[sid]
		if sub.section != nil {
			continue
		}
		for i, ours := range p.sections {
			if !ours.open() || ours.kind != sub.pub.spec.Kind {
				continue
			}
			if c := publishCodec(&o.Sections[i], []string{sub.pub.codecName()}); c != nil {
				p.attach(sub, ours, c, &o.Sections[i])
				break
			}
		}
	}
}

func (pub *published) codecName() string {
	_, name, _ := strings.Cut(strings.ToLower(pub.mime), "/")
	return name
}

// attach begins forwarding on a section.
func (p *Peer) attach(sub *subscription, s *section, c *sdp.Codec, offered *sdp.Section) {
	d := p.newDown(sub, c)
	d.twcc, d.nacks = feedbackExt(offered, c), slices.Contains(c.Feedback, "nack")
	if red := sub.repeats(offered, c); red != nil {
		d.redPT = red.PT
	}
	sub.section, sub.down, s.sub = s, d, sub
	p.room.post(func(c *core) { c.addDown(d) })
}

// newDown makes what forwards a subscribed track in a format.
func (p *Peer) newDown(sub *subscription, c *sdp.Codec) *downTrack {
	d := &downTrack{
		to: p.outgoing(), track: sub.pub.up, pt: c.PT, rtxPT: c.RTX,
		ssrc: random32(), settings: sub.settings,
	}
	if c.RTX != 0 && sub.pub.spec.Kind == Video {
		d.rtx = random32()
	}
	return d
}

// repeats returns the form in which a section takes repeated sound of codec c, nil
// where it does not.
func (sub *subscription) repeats(s *sdp.Section, c *sdp.Codec) *sdp.Codec {
	if sub.pub.spec.Kind != Audio || sub.pub.spec.NoRED {
		return nil
	}
	picked := sdp.PickCodecs(s, nil)
	for i := range picked {
		if first, _, _ := strings.Cut(picked[i].Fmtp, "/"); picked[i].Name == sdp.RED && first == strconv.Itoa(int(c.PT)) {
			return &picked[i]
		}
	}
	return nil
}

// feedbackExt returns the id of the extension that numbers packets for the
// client's feedback, 0 where it offers none.
func feedbackExt(s *sdp.Section, c *sdp.Codec) uint8 {
	if !slices.Contains(c.Feedback, "transport-cc") {
		return 0
	}
	for _, x := range s.Exts {
		if x.URI == sdp.ExtTransportCC && x.ID <= maxOneByteExt {
			return x.ID
		}
	}
	return 0
}

// answer describes the negotiated state.
func (p *Peer) answer(o *sdp.Offer) *sdp.Answer {
	p.version++
	a := &sdp.Answer{
		SessionID: p.sessionID, Version: p.version,
		Ufrag: p.cred.ufrag, Pwd: p.cred.pwd,
		FingerprintSHA256: p.print, Setup: sdp.SetupPassive,
		ExtmapAllowMixed: o.ExtmapAllowMixed,
		Candidates:       p.candidates(),
	}
	for i := range o.Sections {
		a.Sections = append(a.Sections, p.answerSection(p.sections[i], &o.Sections[i]))
	}
	return a
}

func (p *Peer) answerSection(ours *section, s *sdp.Section) sdp.AnswerSection {
	a := sdp.AnswerSection{Mid: s.Mid, Kind: s.Kind, Proto: s.Proto, Direction: sdp.Inactive}
	switch {
	case s.Rejected || (ours.kind == 0 && s.Kind != sdp.KindApplication):
		a.Rejected = true
	case s.Kind == sdp.KindApplication:
		a.SCTPPort, a.MaxMessageSize = 5000, maxDataMessage
	case ours.pub != nil:
		p.answerPublished(&a, ours.pub, s)
	case ours.sub != nil:
		p.answerSubscribed(&a, ours.sub, s)
	default:
		a.Codecs = sdp.PickCodecs(s, codecNames[ours.kind])
		a.Exts = sdp.FilterExts(s, serverExts...)
	}
	return a
}

func (p *Peer) answerPublished(a *sdp.AnswerSection, pub *published, s *sdp.Section) {
	a.Direction = sdp.RecvOnly
	a.Exts = sdp.FilterExts(s, serverExts...)
	c := publishCodec(s, []string{pub.codecName()})
	if c == nil {
		a.Direction = sdp.Inactive
		return
	}
	if pub.spec.Kind == Audio {
		c.Fmtp = sdp.OpusFmtp(c.Fmtp, sdp.OpusOptions{DTX: pub.spec.DTX, Stereo: pub.spec.Stereo})
	}
	a.Codecs = []sdp.Codec{*c}
	if len(s.RIDs) > 0 {
		a.RecvRIDs = s.RIDs[:min(3, len(s.RIDs))]
	}
}

func (p *Peer) answerSubscribed(a *sdp.AnswerSection, sub *subscription, s *sdp.Section) {
	c := publishCodec(s, []string{sub.pub.codecName()})
	if c == nil {
		return
	}
	a.Direction = sdp.SendOnly
	a.Exts = sdp.FilterExts(s, serverExts...)
	a.Codecs = []sdp.Codec{*c}
	if red := sub.repeats(s, c); red != nil {
		a.Codecs = append(a.Codecs, *red)
	}
	a.StreamID = sub.pub.by.id + "|" + sub.pub.spec.stream()
	a.TrackID = sub.pub.spec.SID
	a.SSRC, a.RTXSSRC, a.CNAME = sub.down.ssrc, sub.down.rtx, sub.pub.by.cname
}

// stream groups tracks that must be played in sync.
func (s *TrackSpec) stream() string {
	if s.Stream == "" {
		return s.SID
	}
	return s.Stream
}

func sha256Prints(o *sdp.Offer) []string {
	var out []string
	for _, f := range o.Fingerprints {
		if strings.EqualFold(f.Algorithm, "sha-256") {
			out = append(out, strings.ToUpper(f.Value))
		}
	}
	return out
}

// collectExts finds the ids that the offer's sections use.
func collectExts(o *sdp.Offer) (e extensionIDs) {
	for i := range o.Sections {
		s := &o.Sections[i]
		if !s.Sends() {
			continue
		}
		for _, x := range s.Exts {
			switch x.URI {
			case sdp.ExtMid:
				e.mid = x.ID
			case sdp.ExtRID:
				e.rid = x.ID
			case sdp.ExtRepairedRID:
				e.repairedRID = x.ID
			case sdp.ExtAudioLevel:
				e.level = x.ID
			case sdp.ExtTransportCC:
				e.twcc = x.ID
			}
		}
	}
	return e
}
