// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
)

// dualClient is a pion client with two connections: the embedded one offers and
// sends, the other one answers and receives.
type dualClient struct {
	*rtcClient
	sub      *webrtc.PeerConnection
	reliable chan string
}

// dtlsRoles are what an answering client may choose to be.
var dtlsRoles = map[string]webrtc.DTLSRole{"client": webrtc.DTLSRoleClient, "server": webrtc.DTLSRoleServer}

func newDualClient(t *testing.T, room *Room, id string, role webrtc.DTLSRole, codecs ...string) *dualClient {
	t.Helper()
	c := &dualClient{
		rtcClient: &rtcClient{t: t, events: newPeerEvents(), frames: map[string]int{}},
		reliable:  make(chan string, 8),
	}
	c.pc, c.sub = dualConnection(t, role), dualConnection(t, role, codecs...)
	var err error
	c.peer, err = room.NewPeer(PeerConfig{
		ID: id, Reached: netip.MustParseAddr("127.0.0.1"), Dual: true, SubscriberPrimary: true,
	}, c.events)
	if err != nil {
		t.Fatal(err)
	}
	if c.rtcClient.reliable, err = c.pc.CreateDataChannel("_reliable", nil); err != nil {
		t.Fatal(err)
	}
	c.sub.OnTrack(c.track)
	c.sub.OnDataChannel(func(d *webrtc.DataChannel) {
		d.OnMessage(func(m webrtc.DataChannelMessage) { c.reliable <- d.Label() + ":" + string(m.Data) })
	})
	return c
}

// dualConnection makes a connection that supports these codecs; none: the usual.
func dualConnection(t *testing.T, role webrtc.DTLSRole, codecs ...string) *webrtc.PeerConnection {
	t.Helper()
	se := webrtc.SettingEngine{}
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIncludeLoopbackCandidate(true)
	if err := se.SetAnsweringDTLSRole(role); err != nil {
		t.Fatal(err)
	}
	me := &webrtc.MediaEngine{}
	if len(codecs) == 0 {
		if err := me.RegisterDefaultCodecs(); err != nil {
			t.Fatal(err)
		}
	}
	for i, mime := range codecs {
		kind, rate, channels := webrtc.RTPCodecTypeVideo, uint32(90000), uint16(0)
		if strings.HasPrefix(mime, "audio") {
			kind, rate, channels = webrtc.RTPCodecTypeAudio, 48000, 2
		}
		c := webrtc.RTPCodecCapability{MimeType: mime, ClockRate: rate, Channels: channels}
		if mime == webrtc.MimeTypeH264 {
			c.SDPFmtpLine = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
		}
		err := me.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: c, PayloadType: webrtc.PayloadType(96 + i)}, kind)
		if err != nil {
			t.Fatal(err)
		}
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithSettingEngine(se)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	return pc
}

// answer answers an offer of the peer.
func (c *dualClient) answer(offer Proposal) string {
	c.t.Helper()
	if err := c.sub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.SDP}); err != nil {
		c.t.Fatalf("client refused the offer: %v\n%s", err, offer.SDP)
	}
	for _, tc := range c.sub.GetTransceivers() {
		if sid := offer.MidToTrack[tc.Mid()]; sid != "" && !strings.Contains(offer.SDP, " "+sid+"\r\n") {
			c.t.Errorf("%s is in the map, but not in the description", sid)
		}
	}
	answer, err := c.sub.CreateAnswer(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.sub.SetLocalDescription(answer); err != nil {
		c.t.Fatal(err)
	}
	return answer.SDP
}

// follow answers offers until the peer has no more, and returns the last outcome.
func (c *dualClient) follow(restart bool) (last Answer) {
	c.t.Helper()
	for range 8 {
		offer, ok := c.peer.Propose(restart)
		if !ok {
			return last
		}
		restart = false
		a, err := c.peer.Accept(c.answer(offer))
		if err != nil {
			c.t.Fatalf("accepting: %v", err)
		}
		a.Refused = append(last.Refused, a.Refused...)
		last = a
	}
	c.t.Fatal("offers do not come to an end")
	return last
}

func (c *dualClient) subscribe(publisher string, sids ...string) {
	c.t.Helper()
	for _, sid := range sids {
		if err := c.peer.Subscribe(publisher, sid); err != nil {
			c.t.Fatal(err)
		}
	}
}

func TestDualCallOfTwo(t *testing.T) {
	for name, role := range dtlsRoles {
		t.Run("DTLS "+name, func(t *testing.T) {
			plane := testPlane(t, 2)
			room := plane.NewRoom(new(simRoomEvents))
			defer room.Close()
			a, b := newDualClient(t, room, "PA_a", role), newDualClient(t, room, "PA_b", role)
			old := newRTCClient(t, room, "PA_c") // with one connection
			old.negotiate()
			for _, c := range []*dualClient{a, b} {
				c.follow(false)
				c.connected() // before anything is published
			}
			a.publish("TR_a1", webrtc.MimeTypeVP8)
			a.publish("TR_a2", webrtc.MimeTypeOpus)
			if ans := a.negotiate(); len(ans.Published) != 2 || len(ans.MidToTrack) != 0 {
				t.Fatalf("published %v, received there %v", ans.Published, ans.MidToTrack)
			}
			b.publish("TR_b1", webrtc.MimeTypeVP8)
			b.negotiate()
			b.subscribe("PA_a", "TR_a1", "TR_a2")
			a.subscribe("PA_b", "TR_b1")
			if err := old.peer.Subscribe("PA_a", "TR_a1"); err != nil {
				t.Fatal(err)
			}
			if ans := b.follow(false); len(ans.MidToTrack) != 2 || len(ans.Refused) != 0 {
				t.Errorf("mid map %v, refused %v", ans.MidToTrack, ans.Refused)
			}
			a.follow(false)
			old.negotiate()
			b.untilReceived("TR_a1", 60)
			b.untilReceived("TR_a2", 30)
			a.untilReceived("TR_b1", 60)
			old.untilReceived("TR_a1", 30)
			if s := plane.Stats(); s.Peers != 3 || s.Tracks != 3 || s.Subscriptions != 4 {
				t.Errorf("stats %+v", s)
			}
			dualData(t, a)
			room.Close()
			for _, e := range []*peerEvents{a.events, b.events, old.events} {
				e.until(t, "the end", func() bool {
					// A busy machine may be silent for a while in between.
					return e.state[0] == PeerConnected && slices.Index(e.state, PeerClosed) == len(e.state)-1
				})
			}
			if n := plane.Stats().Peers; n != 0 {
				t.Errorf("%d peers left", n)
			}
		})
	}
}

// dualData sends a message up on one connection and one down on the other.
func dualData(t *testing.T, c *dualClient) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for c.rtcClient.reliable.ReadyState() != webrtc.DataChannelStateOpen && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if err := c.rtcClient.reliable.Send([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	c.events.until(t, "data", func() bool { return slices.Equal(c.events.data, []string{"1:hello"}) })
	for kind, want := range map[DataKind]string{Reliable: "_reliable:welcome", Lossy: "_lossy:welcome"} {
		for errors.Is(c.peer.SendData(kind, []byte("welcome")), ErrNoChannel) && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		select {
		case got := <-c.reliable:
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s did not come", want)
		}
	}
}

// TestDualSections has tracks come and go: a section carries another track only
// after the client has learned that it is free.
func TestDualSections(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a, b := newDualClient(t, room, "PA_a", webrtc.DTLSRoleClient), newDualClient(t, room, "PA_b", webrtc.DTLSRoleClient)
	for _, sid := range []string{"TR_1", "TR_2", "TR_3"} {
		a.publish(sid, webrtc.MimeTypeVP8)
	}
	a.negotiate()
	b.follow(false)
	b.subscribe("PA_a", "TR_1", "TR_2")
	offer, ok := b.peer.Propose(false)
	if !ok {
		t.Fatal("no offer")
	}
	if _, again := b.peer.Propose(false); again {
		t.Error("a second offer while the first is unanswered")
	}
	b.peer.Unsubscribe("TR_2") // meanwhile
	if ans, err := b.peer.Accept(b.answer(offer)); err != nil || len(ans.MidToTrack) != 1 {
		t.Fatalf("%v, %v", ans.MidToTrack, err)
	}
	b.subscribe("PA_a", "TR_3")
	offer, _ = b.peer.Propose(false)
	if strings.Count(offer.SDP, "m=video") != 3 {
		t.Errorf("a track took the place of another one:\n%s", offer.SDP)
	}
	if _, err := b.peer.Accept(b.answer(offer)); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.peer.Propose(false); ok {
		t.Error("an offer without anything to tell")
	}
	b.subscribe("PA_a", "TR_2")
	offer, _ = b.peer.Propose(false)
	if strings.Count(offer.SDP, "m=video") != 3 {
		t.Errorf("the free section is not used:\n%s", offer.SDP)
	}
	ans, err := b.peer.Accept(b.answer(offer))
	if err != nil || len(ans.MidToTrack) != 3 {
		t.Fatalf("%v, %v", ans.MidToTrack, err)
	}
	for _, sid := range []string{"TR_1", "TR_2", "TR_3"} {
		b.untilReceived(sid, 30)
	}
	b.peer.Unsubscribe("TR_1")
	b.follow(false)
	more := func() { b.untilReceived("TR_2", b.received("TR_2")+30) }
	more() // what was on its way has arrived
	before := b.received("TR_1")
	more()
	if got := b.received("TR_1"); got > before {
		t.Errorf("%d packets after unsubscribing", got-before)
	}
}

// TestDualRestart renews ICE on both connections, also when an answer got lost.
func TestDualRestart(t *testing.T) {
	plane := testPlane(t, 2)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a, b := newDualClient(t, room, "PA_a", webrtc.DTLSRoleServer), newDualClient(t, room, "PA_b", webrtc.DTLSRoleServer)
	a.publish("TR_a", webrtc.MimeTypeVP8)
	a.publish("TR_b", webrtc.MimeTypeVP8)
	a.negotiate()
	b.follow(false)
	b.subscribe("PA_a", "TR_a")
	b.follow(false)
	b.untilReceived("TR_a", 10)
	b.subscribe("PA_a", "TR_b")
	lost, _ := b.peer.Propose(false)
	b.answer(lost) // and the answer gets lost
	b.peer.Unsubscribe("TR_b")
	for range 3 {
		b.follow(true)
		b.untilReceived("TR_a", b.received("TR_a")+50)
	}
	if _, err := b.peer.Accept("late"); !errors.Is(err, ErrBadAnswer) {
		t.Errorf("an answer to nothing: %v", err)
	}
	offer, err := a.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	ans, err := a.peer.Offer(a.pc.LocalDescription().SDP)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: ans.SDP}); err != nil {
		t.Fatal(err)
	}
	b.untilReceived("TR_a", b.received("TR_a")+50)
}

// TestDualRefusedCodec has a client that lacks a codec: it gets everything else.
func TestDualRefusedCodec(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a, h := newRTCClient(t, room, "PA_a"), newDualClient(t, room, "PA_h", webrtc.DTLSRoleClient)
	b := newDualClient(t, room, "PA_b", webrtc.DTLSRoleClient, webrtc.MimeTypeVP8, webrtc.MimeTypeOpus)
	a.publish("TR_vp8", webrtc.MimeTypeVP8)
	a.negotiate()
	h.pc = dualConnection(t, webrtc.DTLSRoleClient, webrtc.MimeTypeH264)
	h.publish("TR_h264", webrtc.MimeTypeH264)
	if ans := h.negotiate(); len(ans.Published) != 1 || ans.Published[0].Mime != webrtc.MimeTypeH264 {
		t.Fatalf("published %v", ans.Published)
	}
	b.subscribe("PA_h", "TR_h264")
	b.subscribe("PA_a", "TR_vp8")
	ans := b.follow(false)
	if !slices.Equal(ans.Refused, []string{"TR_h264"}) || len(ans.MidToTrack) != 1 {
		t.Errorf("refused %v, received %v", ans.Refused, ans.MidToTrack)
	}
	b.untilReceived("TR_vp8", 30)
}

func TestBadAnswerChangesNothing(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	b := newDualClient(t, room, "PA_b", webrtc.DTLSRoleClient)
	offer, _ := b.peer.Propose(false)
	good := b.answer(offer)
	for name, bad := range map[string]string{
		"empty":          "",
		"without print":  strings.ReplaceAll(good, "a=fingerprint:sha-256", "a=nothing:sha-256"),
		"role not taken": strings.ReplaceAll(good, "setup:active", "setup:actpass"),
	} {
		if _, err := b.peer.Accept(bad); !errors.Is(err, ErrBadAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.peer.Accept(good); err != nil {
		t.Fatal(err)
	}
	b.connected()
	offer, ok := b.peer.Propose(true)
	if !ok {
		t.Fatal("no restart")
	}
	other := strings.ReplaceAll(b.answer(offer), "fingerprint:sha-256 ", "fingerprint:sha-256 00:")
	if _, err := b.peer.Accept(other); !errors.Is(err, ErrBadAnswer) {
		t.Errorf("another certificate: %v", err)
	}
}

// TestPublisherPrimary has a client that may not receive: nothing is offered
// until it may, and data takes the connection that there is.
func TestPublisherPrimary(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	events := newPeerEvents()
	peer, err := room.NewPeer(PeerConfig{ID: "PA_a", Dual: true}, events)
	if err != nil {
		t.Fatal(err)
	}
	for _, restart := range []bool{false, true} {
		if _, ok := peer.Propose(restart); ok {
			t.Error("offered although there is nothing to receive")
		}
	}
	b := newRTCClient(t, room, "PA_b")
	b.publish("TR_b", webrtc.MimeTypeOpus)
	b.negotiate()
	if err := peer.Subscribe("PA_b", "TR_b"); err != nil {
		t.Fatal(err)
	}
	if offer, ok := peer.Propose(false); !ok || !strings.Contains(offer.SDP, "TR_b") || offer.MidToTrack["1"] != "TR_b" {
		t.Errorf("not offered: %+v", offer)
	}
	if audios, videos, due := peer.Need(); audios+videos > 0 || due {
		t.Error("the client is asked for sections although the server offers them")
	}
}
