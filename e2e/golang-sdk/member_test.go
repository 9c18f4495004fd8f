// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"strings"
	"testing"
	"time"

	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
)

// patience is how long a test waits for anything.
const patience = 15 * time.Second

// topology is how many connections a participant has.
type topology struct {
	name string
	opts []lksdk.ConnectOption
}

var (
	dual       = topology{"v0", nil}
	single     = topology{"v1", []lksdk.ConnectOption{lksdk.WithSinglePeerConnection()}}
	topologies = []topology{dual, single}
)

// everywhere runs a test in each topology.
func everywhere(t *testing.T, f func(*testing.T, topology)) {
	t.Helper()
	for _, kind := range topologies {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			f(t, kind)
		})
	}
}

// between runs a test for each pair of topologies.
func between(t *testing.T, f func(t *testing.T, from, to topology)) {
	t.Helper()
	for _, from := range topologies {
		for _, to := range topologies {
			t.Run(from.name+"-to-"+to.name, func(t *testing.T) {
				t.Parallel()
				f(t, from, to)
			})
		}
	}
}

// message is what came on a data channel.
type message struct{ from, text, topic string }

// member is one participant with what it was told.
type member struct {
	*lksdk.Room
	identity string

	streams      chan *stream
	messages     chan message
	joined, left chan string
	unpublished  chan string
	subscribed   chan string // own tracks that somebody receives
	reconnecting chan struct{}
	reconnected  chan struct{}
	disconnected chan lksdk.DisconnectionReason
}

func newMember(identity string) *member {
	return &member{
		identity:     identity,
		streams:      make(chan *stream, 32),
		messages:     make(chan message, 256),
		joined:       make(chan string, 32),
		left:         make(chan string, 32),
		unpublished:  make(chan string, 32),
		subscribed:   make(chan string, 32),
		reconnecting: make(chan struct{}, 8),
		reconnected:  make(chan struct{}, 8),
		disconnected: make(chan lksdk.DisconnectionReason, 8),
	}
}

func (m *member) callbacks() *lksdk.RoomCallback {
	return &lksdk.RoomCallback{
		OnParticipantConnected:    func(p *lksdk.RemoteParticipant) { m.joined <- p.Identity() },
		OnParticipantDisconnected: func(p *lksdk.RemoteParticipant) { m.left <- p.Identity() },
		OnReconnecting:            func() { m.reconnecting <- struct{}{} },
		OnReconnected:             func() { m.reconnected <- struct{}{} },
		OnDisconnectedWithReason:  func(r lksdk.DisconnectionReason) { m.disconnected <- r },
		OnLocalTrackSubscribed: func(p *lksdk.LocalTrackPublication, _ *lksdk.LocalParticipant) {
			m.subscribed <- p.SID()
		},
		ParticipantCallback: lksdk.ParticipantCallback{
			OnTrackSubscribed: func(r *webrtc.TrackRemote, p *lksdk.RemoteTrackPublication, from *lksdk.RemoteParticipant) {
				s := &stream{remote: r, pub: p, from: from.Identity()}
				go s.read() // ends with the connection
				m.streams <- s
			},
			OnTrackUnpublished: func(p *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) {
				m.unpublished <- p.SID()
			},
			OnDataPacket: func(d lksdk.DataPacket, p lksdk.DataReceiveParams) {
				if u, ok := d.(*lksdk.UserDataPacket); ok {
					m.messages <- message{p.SenderIdentity, string(u.Payload), u.Topic}
				}
			},
		},
	}
}

// join brings a member into the test's own room, at the server or a proxy.
func join(t *testing.T, url, identity string, kind topology, more ...lksdk.ConnectOption) *member {
	t.Helper()
	m, err := tryJoin(t, url, identity, kind, more...)
	if err != nil {
		t.Fatalf("%s joins by %s: %v", identity, kind.name, err)
	}
	return m
}

func tryJoin(t *testing.T, url, identity string, kind topology, more ...lksdk.ConnectOption) (*member, error) {
	t.Helper()
	m := newMember(identity)
	m.Room = lksdk.NewRoom(m.callbacks())
	// A loaded machine may need longer than the SDK's five seconds.
	opts := append([]lksdk.ConnectOption{lksdk.WithConnectTimeout(patience)}, kind.opts...)
	err := m.Join(url, lksdk.ConnectInfo{
		APIKey: apiKey, APISecret: apiSecret,
		RoomName:            strings.ReplaceAll(t.Name(), "/", "."),
		ParticipantIdentity: identity, ParticipantName: strings.ToUpper(identity),
		ParticipantAttributes: map[string]string{"seat": identity},
	}, append(opts, more...)...)
	if err == nil {
		t.Cleanup(m.Disconnect)
	}
	return m, err
}

// next takes what a member is told next.
func next[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("timed out waiting: %s", what)
		panic("unreachable")
	}
}

// never checks that a member is told nothing for a while.
func never[T any](t *testing.T, from <-chan T, what string) {
	t.Helper()
	select {
	case v := <-from:
		t.Fatalf("%s: %v", what, v)
	case <-time.After(700 * time.Millisecond):
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("timed out waiting: %s", what)
}
