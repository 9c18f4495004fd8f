// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"go.uber.org/goleak"
)

// These tests meet the plane over real sockets, with pion/webrtc as an
// independent client.

type peerEvents struct {
	mu      sync.Mutex
	state   []PeerState
	started []string
	data    []string
	changed chan struct{}
}

func newPeerEvents() *peerEvents { return &peerEvents{changed: make(chan struct{}, 100)} }

func (e *peerEvents) note(f func()) {
	e.mu.Lock()
	f()
	e.mu.Unlock()
	select {
	case e.changed <- struct{}{}:
	default:
	}
}
func (e *peerEvents) PeerState(s PeerState) { e.note(func() { e.state = append(e.state, s) }) }
func (e *peerEvents) PeerTrackStarted(sid string) {
	e.note(func() { e.started = append(e.started, sid) })
}
func (e *peerEvents) PeerStreamState(string, bool) {}
func (e *peerEvents) PeerUplink(bool)              {}
func (e *peerEvents) PeerData(k DataKind, b []byte) bool {
	e.note(func() { e.data = append(e.data, fmt.Sprintf("%d:%s", k, b)) })
	return true
}

// until waits for a condition on the events.
func (e *peerEvents) until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(40 * time.Second)
	for {
		e.mu.Lock()
		ok := cond()
		e.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-e.changed:
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

func testPlane(t *testing.T, loops int) *Plane {
	t.Helper()
	p, err := NewPlane(PlaneConfig{Loops: loops, answerTime: slowAnswer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, goleak.IgnoreCurrent())
	})
	return p
}

// slowAnswer keeps media from a client of these tests until it has applied the
// answer even on a busy machine: pion races with itself over media that comes
// before.
const slowAnswer = 600 * time.Millisecond

// rtcClient is a pion client in the layout of livekit-client's single-PC mode.
type rtcClient struct {
	t        *testing.T
	pc       *webrtc.PeerConnection
	peer     *Peer
	events   *peerEvents
	reliable *webrtc.DataChannel
	mu       sync.Mutex
	frames   map[string]int // received packets by track sid
	got      []string
	gaps     int
	nat      *nat // between it and the plane; nil: nothing
}

func newRTCClient(t *testing.T, room *Room, id string) *rtcClient {
	t.Helper()
	se := webrtc.SettingEngine{}
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIncludeLoopbackCandidate(true)
	me := &webrtc.MediaEngine{}
	if err := me.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithSettingEngine(se))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &rtcClient{t: t, pc: pc, events: newPeerEvents(), frames: map[string]int{}}
	t.Cleanup(func() { _ = pc.Close() })
	c.peer, err = room.NewPeer(PeerConfig{ID: id, Reached: netip.MustParseAddr("127.0.0.1")}, c.events)
	if err != nil {
		t.Fatal(err)
	}
	zero := uint16(0)
	ordered := false
	_, err = pc.CreateDataChannel("_lossy", &webrtc.DataChannelInit{Ordered: &ordered, MaxRetransmits: &zero})
	if err != nil {
		t.Fatal(err)
	}
	if c.reliable, err = pc.CreateDataChannel("_reliable", nil); err != nil {
		t.Fatal(err)
	}
	c.reliable.OnMessage(func(m webrtc.DataChannelMessage) {
		c.mu.Lock()
		c.got = append(c.got, string(m.Data))
		c.mu.Unlock()
	})
	for range 3 {
		c.recvonly(webrtc.RTPCodecTypeAudio)
	}
	for range 3 {
		c.recvonly(webrtc.RTPCodecTypeVideo)
	}
	pc.OnTrack(c.track)
	return c
}

func (c *rtcClient) recvonly(k webrtc.RTPCodecType) {
	c.t.Helper()
	_, err := c.pc.AddTransceiverFromKind(k, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *rtcClient) track(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	ssrc, newest := uint32(0), uint16(0)
	for { // ends with the peer connection
		p, _, err := tr.ReadRTP()
		if err != nil {
			return
		}
		c.mu.Lock()
		ahead := p.SequenceNumber - newest
		if same := p.SSRC == ssrc; same && int16(ahead) <= 0 {
			c.mu.Unlock()
			continue // a repetition, with which the path is probed
		} else if same && ahead != 1 {
			c.gaps++
		}
		ssrc, newest = p.SSRC, p.SequenceNumber
		c.frames[tr.ID()]++
		c.mu.Unlock()
	}
}

// negotiate offers until the peer needs nothing more.
func (c *rtcClient) negotiate() Answer {
	c.t.Helper()
	var ans Answer
	for range 4 {
		offer, err := c.pc.CreateOffer(nil)
		if err != nil {
			c.t.Fatal(err)
		}
		if err := c.pc.SetLocalDescription(offer); err != nil {
			c.t.Fatal(err)
		}
		a, err := c.peer.Offer(c.pc.LocalDescription().SDP)
		if err != nil {
			c.t.Fatalf("answering: %v\n%s", err, c.pc.LocalDescription().SDP)
		}
		ans.Published = append(ans.Published, a.Published...)
		ans.Unpublished = append(ans.Unpublished, a.Unpublished...)
		ans.SDP, ans.MidToTrack = a.SDP, a.MidToTrack
		if c.nat != nil {
			a.SDP = c.nat.through(a.SDP)
		}
		if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.SDP}); err != nil {
			c.t.Fatalf("client refused the answer: %v\n%s", err, a.SDP)
		}
		audios, videos, again := c.peer.Need()
		if !again {
			return ans
		}
		for range audios {
			c.recvonly(webrtc.RTPCodecTypeAudio)
		}
		for range videos {
			c.recvonly(webrtc.RTPCodecTypeVideo)
		}
	}
	c.t.Fatal("negotiation does not come to rest")
	return ans
}

func (c *rtcClient) connected() {
	c.t.Helper()
	c.events.until(c.t, "connection", func() bool {
		return len(c.events.state) > 0 && c.events.state[len(c.events.state)-1] == PeerConnected
	})
}

// publish adds a sample track and feeds it until the test ends.
func (c *rtcClient) publish(sid, mime string) (*webrtc.TrackLocalStaticSample, *webrtc.RTPSender) {
	c.t.Helper()
	return c.publishFrames(sid, mime, false)
}

func (c *rtcClient) publishFrames(sid, mime string, deltas bool) (*webrtc.TrackLocalStaticSample, *webrtc.RTPSender) {
	c.t.Helper()
	tr, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: mime}, "cid-"+sid, "stream")
	if err != nil {
		c.t.Fatal(err)
	}
	tx, err := c.pc.AddTransceiverFromTrack(tr, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		c.t.Fatal(err)
	}
	kind := Video
	if strings.HasPrefix(mime, "audio") {
		kind = Audio
	}
	if err := c.peer.Publish(TrackSpec{SID: sid, CID: "cid-" + sid, Kind: kind, Stream: "camera"}); err != nil {
		c.t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { // ends when the test closes stop
		defer wg.Done()
		feed(tr, kind, deltas, stop)
	}()
	c.t.Cleanup(func() { close(stop); wg.Wait() })
	return tr, tx.Sender()
}

// feed sends sound or a picture made of key frames, or of delta frames alone.
func feed(tr *webrtc.TrackLocalStaticSample, kind Kind, deltas bool, stop chan struct{}) {
	period, sample := 20*time.Millisecond, make([]byte, 80)
	if kind == Video {
		period, sample = 40*time.Millisecond, make([]byte, 3000) // all zero: a VP8 key frame
		if deltas {
			sample[0] = 1
		}
	}
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			_ = tr.WriteSample(media.Sample{Data: sample, Duration: period})
		}
	}
}

func (c *rtcClient) received(sid string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frames[sid]
}

func (c *rtcClient) untilReceived(sid string, n int) {
	c.t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for c.received(sid) < n {
		if time.Now().After(deadline) {
			c.t.Fatalf("received %d packets of %s, want %d", c.received(sid), sid, n)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestCallOfTwo(t *testing.T) {
	for _, loops := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d loops", loops), func(t *testing.T) {
			plane := testPlane(t, loops)
			for range loops { // rooms on every loop: datagrams must find theirs
				callOfTwo(t, plane)
			}
		})
	}
}

func callOfTwo(t *testing.T, plane *Plane) {
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a, b := newRTCClient(t, room, "PA_a"), newRTCClient(t, room, "PA_b")
	a.publish("TR_a1", webrtc.MimeTypeVP8)
	a.publish("TR_a2", webrtc.MimeTypeOpus)
	ans := a.negotiate()
	if len(ans.Published) != 2 {
		t.Fatalf("published %v\n%s", ans.Published, ans.SDP)
	}
	b.publish("TR_b1", webrtc.MimeTypeH264)
	b.publish("TR_b2", webrtc.MimeTypeOpus)
	b.negotiate()
	a.connected()
	b.connected()
	for _, sid := range []string{"TR_a1", "TR_a2"} {
		if err := b.peer.Subscribe("PA_a", sid); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.peer.Subscribe("PA_b", "TR_b2"); err != nil {
		t.Fatal(err)
	}
	ans = b.negotiate()
	if len(ans.MidToTrack) != 2 {
		t.Errorf("mid map %v", ans.MidToTrack)
	}
	a.negotiate()
	b.untilReceived("TR_a1", 100)
	b.untilReceived("TR_a2", 50)
	a.untilReceived("TR_b2", 50)
	b.mu.Lock()
	if b.gaps > b.frames["TR_a1"]/5 { // a busy machine loses some
		t.Errorf("%d gaps in %d packets", b.gaps, b.frames["TR_a1"])
	}
	b.mu.Unlock()
	dataBothWays(t, a)
	unsubscribe(t, b)
}

func dataBothWays(t *testing.T, a *rtcClient) {
	t.Helper()
	if err := a.reliable.Send([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	a.events.until(t, "data", func() bool { return len(a.events.data) > 0 && a.events.data[0] == "1:hello" })
	if err := a.peer.SendData(Reliable, []byte("welcome")); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for {
		a.mu.Lock()
		n := len(a.got)
		a.mu.Unlock()
		if n > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no data came back")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func unsubscribe(t *testing.T, b *rtcClient) {
	t.Helper()
	b.peer.Unsubscribe("TR_a1")
	time.Sleep(100 * time.Millisecond)
	before := b.received("TR_a1")
	ans := b.negotiate()
	time.Sleep(200 * time.Millisecond)
	if got := b.received("TR_a1"); got > before+1 {
		t.Errorf("%d packets after unsubscribing", got-before)
	}
	if len(ans.MidToTrack) != 1 {
		t.Errorf("mid map %v after unsubscribing", ans.MidToTrack)
	}
	if err := b.peer.Subscribe("PA_a", "TR_a1"); err != nil {
		t.Fatal(err)
	}
	b.negotiate()
	b.untilReceived("TR_a1", before+50)
}

func TestManySubscriptionsNeedSections(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	viewer := newRTCClient(t, room, "PA_v")
	viewer.negotiate()
	for i := range 5 {
		p := newRTCClient(t, room, fmt.Sprintf("PA_%d", i))
		p.publish(fmt.Sprintf("TR_%d", i), webrtc.MimeTypeVP8)
		p.negotiate()
		p.connected()
		if err := viewer.peer.Subscribe(fmt.Sprintf("PA_%d", i), fmt.Sprintf("TR_%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, videos, _ := viewer.peer.Need(); videos != 2 {
		t.Errorf("needs %d more video sections, want 2", videos)
	}
	viewer.negotiate()
	for i := range 5 {
		viewer.untilReceived(fmt.Sprintf("TR_%d", i), 20)
	}
}

func TestUnpublish(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a, b := newRTCClient(t, room, "PA_a"), newRTCClient(t, room, "PA_b")
	_, sender := a.publish("TR_a", webrtc.MimeTypeVP8)
	a.negotiate()
	b.negotiate()
	if err := b.peer.Subscribe("PA_a", "TR_a"); err != nil {
		t.Fatal(err)
	}
	b.negotiate()
	b.untilReceived("TR_a", 10)
	if err := a.pc.RemoveTrack(sender); err != nil {
		t.Fatal(err)
	}
	ans := a.negotiate()
	if len(ans.Unpublished) != 1 || ans.Unpublished[0] != "TR_a" {
		t.Errorf("unpublished %v", ans.Unpublished)
	}
	if _, _, offer := b.peer.Need(); !offer {
		t.Error("the subscriber is not asked to renegotiate")
	}
	if err := b.peer.Subscribe("PA_a", "TR_a"); !errors.Is(err, ErrUnknownTrack) {
		t.Errorf("subscribing to an unpublished track: %v", err)
	}
}

func TestICERestart(t *testing.T) {
	plane := testPlane(t, 2)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a, b := newRTCClient(t, room, "PA_a"), newRTCClient(t, room, "PA_b")
	a.publish("TR_a", webrtc.MimeTypeVP8)
	a.negotiate()
	b.negotiate()
	if err := b.peer.Subscribe("PA_a", "TR_a"); err != nil {
		t.Fatal(err)
	}
	b.negotiate()
	b.untilReceived("TR_a", 10)
	for range 3 {
		offer, err := b.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.pc.SetLocalDescription(offer); err != nil {
			t.Fatal(err)
		}
		ans, err := b.peer.Offer(b.pc.LocalDescription().SDP)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: ans.SDP}); err != nil {
			t.Fatal(err)
		}
		b.untilReceived("TR_a", b.received("TR_a")+50)
	}
}

func TestBadOfferChangesNothing(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a := newRTCClient(t, room, "PA_a")
	a.publish("TR_a", webrtc.MimeTypeVP8)
	a.negotiate()
	good := a.pc.LocalDescription().SDP
	for name, bad := range map[string]string{
		"empty":               "",
		"garbage":             "v=0\r\nhello",
		"sections vanished":   good[:strings.Index(good, "m=video")],
		"changed certificate": strings.ReplaceAll(good, "fingerprint:sha-256 ", "fingerprint:sha-256 00:"),
		"no ice":              strings.ReplaceAll(good, "a=ice-pwd", "a=x-pwd"),
	} {
		if _, err := a.peer.Offer(bad); !errors.Is(err, ErrBadOffer) {
			t.Errorf("%s: error %v, want ErrBadOffer", name, err)
		}
	}
	if len(a.peer.pubs) != 1 {
		t.Error("a bad offer changed what is published")
	}
	a.connected()
}

// The certificate must be the one that the offer announced.
func TestWrongCertificateIsRefused(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a := newRTCClient(t, room, "PA_a")
	offer, err := a.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	sdp := a.pc.LocalDescription().SDP
	i := strings.Index(sdp, "fingerprint:sha-256 ") + len("fingerprint:sha-256 ")
	digest := sdp[i : i+2]
	other := "AB"
	if digest == other {
		other = "CD"
	}
	ans, err := a.peer.Offer(strings.ReplaceAll(sdp, "sha-256 "+digest, "sha-256 "+other))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: ans.SDP}); err != nil {
		t.Fatal(err)
	}
	a.events.until(t, "refusal", func() bool {
		return len(a.events.state) > 0 && a.events.state[len(a.events.state)-1] == PeerFailed
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.events.state {
		if s == PeerConnected {
			t.Error("a client with another certificate was connected")
		}
	}
}

func TestClientReportsAndPLI(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a, b := newRTCClient(t, room, "PA_a"), newRTCClient(t, room, "PA_b")
	_, sender := a.publishFrames("TR_a", webrtc.MimeTypeVP8, true)
	plis := make(chan struct{}, 100)
	go func() { // ends with the peer connection
		buf := make([]byte, 1500)
		for {
			n, _, err := sender.Read(buf)
			if errors.Is(err, io.EOF) || err != nil {
				return
			}
			pkts, _ := rtcp.Unmarshal(buf[:n])
			for _, p := range pkts {
				if _, ok := p.(*rtcp.PictureLossIndication); ok {
					plis <- struct{}{}
				}
			}
		}
	}()
	a.negotiate()
	b.negotiate()
	if err := b.peer.Subscribe("PA_a", "TR_a"); err != nil {
		t.Fatal(err)
	}
	b.negotiate()
	select {
	case <-plis:
	case <-time.After(5 * time.Second):
		t.Fatal("no key frame was asked for when a subscriber came")
	}
}
