// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/caddy-videoroom/videoroom/check/client"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
	"github.com/caddy-videoroom/videoroom/token"
)

// way is one way for media to the server.
type way struct {
	name    string
	types   []webrtc.NetworkType
	relayed bool
}

var (
	overUDP = way{"UDP", []webrtc.NetworkType{webrtc.NetworkTypeUDP4}, false}
	overTCP = way{"ICE-TCP", []webrtc.NetworkType{webrtc.NetworkTypeTCP4}, false}
	overTLS = way{"TURN/TLS", []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4}, true}
)

const (
	soundPeriod = 20 * time.Millisecond
	frameEvery  = 4 // sounds
	soundBytes  = 80
	frameBytes  = 1500
	// tokenLife is longer than any test: only new tokens of the server would
	// be shorter.
	tokenLife = time.Hour
)

// comeBack are the pauses before each attempt to join again, as LiveKit's
// clients make them.
var comeBack = []time.Duration{0, 300 * time.Millisecond, 1200 * time.Millisecond, 2700 * time.Millisecond, 4800 * time.Millisecond, 7 * time.Second}

// guest is a participant who stays: joins, sends sound and picture, and joins
// anew with the newest token whenever the session ends.
type guest struct {
	base, identity string
	way            way
	http           *http.Client
	ip             string // where the site is found
	source         string // where its TCP connections come from; "": anywhere

	sound, picture meter // what comes in

	mu     sync.Mutex
	token  string
	client *client.Client // of the present session, nil between two
	joined []time.Time
	ends   []error // why sessions ended
	leaves []*wire.LeaveRequest
	paths  int // media paths lost in sessions that had one
	tokens int // that the server gave
}

// mint returns a token for a room.
func mint(t *testing.T, key, room, identity string) string {
	t.Helper()
	now := time.Now()
	jwt, err := token.Sign([]byte(apiSecret), token.TypeJWT, token.Claims{
		Issuer: key, Subject: identity, Name: identity, ID: token.NewID(),
		NotBefore: now.Add(-time.Second), Expires: now.Add(tokenLife),
		Video: token.Video{RoomJoin: true, Room: room},
	})
	if err != nil {
		t.Fatal(err)
	}
	return jwt
}

// guest returns a participant of a site who is not there yet.
func (s *server) guest(host, room, identity string, w way) *guest {
	s.t.Helper()
	return &guest{
		base: s.base(host), identity: identity, way: w, ip: "127.0.0.1",
		http: &http.Client{Transport: s.client.Transport}, token: mint(s.t, s.key, room, identity),
	}
}

// stay joins until ctx ends.
func (g *guest) stay(ctx context.Context) {
	for attempt := 0; ctx.Err() == nil; {
		began := g.sessions()
		err := g.visit(ctx)
		if ctx.Err() != nil {
			return
		}
		if g.sessions() > began {
			attempt = 0
			g.mu.Lock()
			g.ends = append(g.ends, err)
			g.mu.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-time.After(comeBack[min(attempt, len(comeBack)-1)]):
		}
		attempt++
	}
}

var errPath = errors.New("the media path was lost")

// visit is one session, until ctx or the session ends.
func (g *guest) visit(ctx context.Context) error {
	lost := make(chan struct{})
	c, err := g.join(ctx, lost)
	if err != nil {
		return err
	}
	defer c.Close()
	g.mu.Lock()
	g.client = c
	g.joined = append(g.joined, time.Now())
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.client = nil
		g.mu.Unlock()
	}()
	sound, picture, err := publish(ctx, c, g.identity)
	if err != nil {
		return err
	}
	tick := time.NewTicker(soundPeriod)
	defer tick.Stop()
	for n := uint64(1); ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.Done():
			return c.Err()
		case <-lost:
			return errPath
		case <-tick.C:
		}
		// Errors show as packets that do not come.
		_ = sound.WriteSample(media.Sample{Data: counted(soundBytes, 0, n), Duration: soundPeriod})
		if n%frameEvery == 0 {
			_ = picture.WriteSample(media.Sample{Data: counted(frameBytes, pictureAt, n/frameEvery), Duration: frameEvery * soundPeriod})
		}
	}
}

// pictureAt is where a frame carries its number, after what a VP8 header would
// take. Its first octet is zero: a key frame.
const pictureAt = 10

func counted(size, at int, n uint64) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint64(b[at:], n)
	return b
}

func publish(ctx context.Context, c *client.Client, name string) (sound, picture *webrtc.TrackLocalStaticSample, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	track := func(mime, kind string) *webrtc.TrackLocalStaticSample {
		made, failed := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: mime}, name+"-"+kind, name)
		err = errors.Join(err, failed)
		return made
	}
	sound, picture = track(webrtc.MimeTypeOpus, "sound"), track(webrtc.MimeTypeVP8, "picture")
	if err != nil {
		return nil, nil, err
	}
	if _, err = c.Publish(ctx, sound, wire.TrackSource_MICROPHONE, 0, 0); err == nil {
		_, err = c.Publish(ctx, picture, wire.TrackSource_CAMERA, 640, 360)
	}
	return sound, picture, err
}

// join opens a session. lost is closed when its media path fails for good.
func (g *guest) join(ctx context.Context, lost chan struct{}) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	api, err := g.api()
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	newest := g.token
	g.mu.Unlock()
	connected := false // pion tells states one after the other
	return client.Join(ctx, client.Options{
		URL: g.base, Token: newest, HTTP: g.http, API: api, Relayed: g.way.relayed,
		OnTrack: g.receive, OnSignal: g.note,
		OnState: func(state webrtc.PeerConnectionState) {
			switch state {
			case webrtc.PeerConnectionStateConnected:
				connected = true
			case webrtc.PeerConnectionStateDisconnected:
				g.mu.Lock()
				if connected && g.client != nil {
					g.paths++
				}
				g.mu.Unlock()
			case webrtc.PeerConnectionStateFailed:
				close(lost)
			}
		},
	})
}

// api makes peer connections that go this guest's way alone.
func (g *guest) api() (*webrtc.API, error) {
	se := webrtc.SettingEngine{}
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIncludeLoopbackCandidate(true)
	se.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	se.SetNetworkTypes(g.way.types)
	se.SetRelayAcceptanceMinWait(0) // there is nothing better to wait for
	se.SetICEProxyDialer(&relayDialer{ip: g.ip, source: g.source})
	me := &webrtc.MediaEngine{}
	if err := me.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithSettingEngine(se)), nil
}

// note keeps what the server says about coming back.
func (g *guest) note(m *wire.SignalResponse) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch m := m.Message.(type) {
	case *wire.SignalResponse_RefreshToken:
		g.token = m.RefreshToken
		g.tokens++
	case *wire.SignalResponse_Leave:
		g.leaves = append(g.leaves, m.Leave)
	}
}

// receive reads a track until its connection ends.
func (g *guest) receive(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		if t.Kind() == webrtc.RTPCodecTypeAudio {
			g.sound.take(p.Payload, time.Now())
			continue
		}
		var v codecs.VP8Packet
		if b, err := v.Unmarshal(p.Payload); err == nil && v.S == 1 && len(b) > pictureAt {
			g.picture.take(b[pictureAt:], time.Now())
		}
	}
}

func (g *guest) sessions() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.joined)
}

// path is how media goes in the present session: "udp 127.0.0.1:443".
func (g *guest) path() (string, error) {
	g.mu.Lock()
	c := g.client
	g.mu.Unlock()
	if c == nil {
		return "", errors.New("no session")
	}
	pair, err := c.Peer().SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return "", fmt.Errorf("no pair: %w", err)
	}
	return fmt.Sprintf("%s %s", pair.Remote.Protocol, net.JoinHostPort(pair.Remote.Address, fmt.Sprint(pair.Remote.Port))), nil
}

// relayDialer opens TLS connections to a relay. Like a browser's they offer no
// ALPN.
type relayDialer struct{ ip, source string }

// Dial implements proxy.Dialer.
func (d *relayDialer) Dial(network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return tls.DialWithDialer(dialerFrom(d.source), network, net.JoinHostPort(d.ip, port), &tls.Config{InsecureSkipVerify: true, ServerName: host})
}
