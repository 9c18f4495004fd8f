// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

func pingRequest() *wire.SignalRequest {
	return &wire.SignalRequest{Message: &wire.SignalRequest_Ping{Ping: 1}}
}

func TestSessionOutlivesRequest(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	time.Sleep(50 * time.Millisecond)
	c.send(pingRequest())
	if c.read().GetPong() == 0 {
		t.Error("no pong")
	}
}

func TestTextFrames(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	if err := c.write(websocket.MessageText, []byte(`{"mute":{"sid":"TR_1","muted":true},"later":1}`)); err != nil {
		t.Fatal(err)
	}
	if got, want := c.room.next(t), (room.Mute{SID: "TR_1", Muted: true}); got != want {
		t.Errorf("asked %+v", got)
	}
	c.room.conn.Send(room.MuteTrack{SID: "TR_1", Muted: true})
	kind, b, err := c.ws.Read(t.Context())
	if err != nil || kind != websocket.MessageText {
		t.Fatalf("%v, frame type %v", err, kind)
	}
	var m wire.SignalResponse
	if err := protojson.Unmarshal(b, &m); err != nil || m.GetMute().GetSid() != "TR_1" {
		t.Errorf("%s: %v", b, err)
	}
}

func TestUnknownMessagesAreIgnored(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	// Layers as old clients tell them, a simulation and a member of the future.
	for _, frame := range [][]byte{{0x52, 0}, {0x6a, 0}, {0x9a, 6, 0}, {}} {
		if err := c.write(websocket.MessageBinary, frame); err != nil {
			t.Fatal(err)
		}
	}
	c.send(pingRequest())
	if c.read().GetPong() == 0 {
		t.Error("no pong")
	}
	select {
	case r := <-c.room.requests:
		t.Errorf("the room was asked %T", r)
	default:
	}
}

func TestTrickleLimit(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	trickle := &wire.SignalRequest{Message: &wire.SignalRequest_Trickle{Trickle: &wire.TrickleRequest{}}}
	for range maxTrickle + 10 {
		c.send(trickle)
	}
	c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Offer{Offer: offerOf(1)}})
	c.send(trickle)
	n := 0
	for {
		if _, ok := c.room.next(t).(room.Offer); ok {
			break
		}
		n++
	}
	if n != maxTrickle {
		t.Errorf("%d candidates reached the room, want %d", n, maxTrickle)
	}
	if _, ok := c.room.next(t).(room.Trickle); !ok {
		t.Error("no candidate after the next offer")
	}
}

func TestFloodIsClosed(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	go func() { // ends when the server closes
		for c.write(websocket.MessageBinary, nil) == nil {
		}
	}()
	if code := c.closed(); code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %d", code)
	}
	c.room.waitDetached(t)
	if got := l.srv.Stats().Limited; got != 1 {
		t.Errorf("limited %d", got)
	}
}

func TestBurstIsServed(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	for range messageBurst {
		c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Mute{Mute: &wire.MuteTrackRequest{Sid: "TR_1"}}})
	}
	for range messageBurst {
		c.room.next(t)
	}
}

func TestHugeFrame(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	go func() { _ = c.write(websocket.MessageBinary, make([]byte, maxFrame+1)) }() // ends when the server closes
	if code := c.closed(); code != websocket.StatusMessageTooBig && code != -1 {
		t.Errorf("closed with %d", code)
	}
	c.room.waitDetached(t)
	eventually(t, "count", func() bool { return l.srv.Stats().Limited == 1 })
}

func TestCompressionIsNotNegotiated(t *testing.T) {
	l := newLab(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, res, err := websocket.Dial(ctx, l.url("rtc/v1", ownToken, packJoin(t, joinRequest())), &websocket.DialOptions{
		HTTPHeader: map[string][]string{"Origin": {ownOrigin}}, CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if e := res.Header.Get("Sec-WebSocket-Extensions"); e != "" {
		t.Errorf("negotiated %q", e)
	}
}

// TestSlowReader fills the queue of a client that reads nothing.
func TestSlowReader(t *testing.T) {
	l := newLab(t, func(l *lab) { l.srv.timing.write = time.Minute })
	c := l.enter()
	big := room.Token{JWT: strings.Repeat("x", 512<<10)}
	taken := 0
	for ; taken < 1000 && c.room.conn.Send(big); taken++ {
	}
	if taken == 1000 {
		t.Fatal("the queue has no end")
	}
	c.room.waitDetached(t)
	if c.room.conn.Send(room.Token{}) {
		t.Error("a dead connection took a message")
	}
	if got := l.srv.Stats(); got.Slow != 1 || got.Sessions > 1 {
		t.Errorf("stats %+v", got)
	}
}

func TestQueueCountsMessages(t *testing.T) {
	s := New(Options{Rooms: newFakeRooms()})
	c := newSession(s, func() {})
	if !c.Send(room.Joined{}) {
		t.Fatal("the first message was not taken")
	}
	n := 1
	for c.Send(room.TrackUnpublished{SID: "TR_1"}) {
		n++
	}
	if n != maxQueued {
		t.Errorf("%d messages queued, want %d", n, maxQueued)
	}
	if c.ctx.Err() == nil {
		t.Error("the overflow does not end the connection")
	}
}

func TestQueueCountsBytes(t *testing.T) {
	s := New(Options{Rooms: newFakeRooms()})
	c := newSession(s, func() {})
	c.Send(room.Joined{})
	big := room.Token{JWT: strings.Repeat("x", maxQueuedBytes*2/5)}
	for i, want := range []bool{true, true, false} {
		if got := c.Send(big); got != want {
			t.Errorf("message %d: taken %t", i, got)
		}
	}
	if len(c.queue) != 0 || c.queued != 0 {
		t.Errorf("%d messages, %d bytes kept after the overflow", len(c.queue), c.queued)
	}
}

func TestWriteDeadline(t *testing.T) {
	l := newLab(t, func(l *lab) { l.srv.timing.write = 50 * time.Millisecond })
	c := l.enter()
	for range 40 { // more than the kernel buffers, less than the queue
		c.room.conn.Send(room.Token{JWT: strings.Repeat("x", 900<<10)})
		time.Sleep(5 * time.Millisecond)
	}
	c.room.waitDetached(t)
	if got := l.srv.Stats().Slow; got == 0 {
		t.Error("not counted")
	}
}

func TestFirstMessageMustGreet(t *testing.T) {
	s := New(Options{Rooms: newFakeRooms()})
	c := newSession(s, func() {})
	if c.Send(room.Token{JWT: "x"}) {
		t.Error("a token went before the join")
	}
	if !c.Send(room.Reconnected{}) || !c.Send(room.Token{JWT: "x"}) {
		t.Error("refused after the first message")
	}
	if s.Stats().Failed != 1 {
		t.Error("not counted")
	}
}

func TestNothingAfterLeave(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	if !c.room.conn.Send(room.Leave{Reason: room.ReasonDuplicateIdentity}) {
		t.Fatal("leave was not taken")
	}
	if c.room.conn.Send(room.Token{JWT: "late"}) {
		t.Error("a message after leave was taken")
	}
	c.room.conn.End()
	if c.read().GetLeave() == nil {
		t.Error("no leave")
	}
	if code := c.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", code)
	}
	c.room.waitDetached(t)
}

func TestRequestsAfterLeaveAreDropped(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Leave{Leave: &wire.LeaveRequest{}}})
	c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Mute{Mute: &wire.MuteTrackRequest{}}})
	if _, ok := c.room.next(t).(room.Bye); !ok {
		t.Fatal("no bye")
	}
	c.closed()
	c.room.waitDetached(t)
	if len(c.room.requests) != 0 {
		t.Errorf("asked %T", <-c.room.requests)
	}
}

func TestBusyRoom(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	c.room.setBusy(true)
	c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Mute{Mute: &wire.MuteTrackRequest{Sid: "TR_1"}}})
	time.Sleep(3 * roomRetry)
	c.room.setBusy(false)
	if _, ok := c.room.next(t).(room.Mute); !ok {
		t.Fatal("the request was lost")
	}
	c.room.setBusy(true)
	c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Mute{Mute: &wire.MuteTrackRequest{Sid: "TR_1"}}})
	if code := c.closed(); code != websocket.StatusTryAgainLater {
		t.Errorf("closed with %d", code)
	}
	c.room.waitDetached(t)
}

func TestClientVanishes(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	_ = c.ws.CloseNow()
	c.room.waitDetached(t)
	eventually(t, "no session", func() bool { return l.srv.Stats().Sessions == 0 })
}

func TestClientCloses(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	if err := c.ws.Close(websocket.StatusNormalClosure, ""); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	c.room.waitDetached(t)
}

// A browser whose page goes says so in the close code.
func TestPageGoes(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	if err := c.ws.Close(websocket.StatusGoingAway, ""); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	c.room.waitDetached(t)
	select {
	case got := <-c.room.requests:
		if got != (room.Gone{}) {
			t.Errorf("the room was told %#v", got)
		}
	default:
		t.Error("the room was told nothing")
	}
}

// TestSilentButAlive answers the server's pings and nothing else.
func TestSilentButAlive(t *testing.T) {
	l := newLab(t, func(l *lab) { l.srv.timing.probe, l.srv.timing.dead = 20*time.Millisecond, 400*time.Millisecond })
	c := l.enter()
	ctx := c.ws.CloseRead(t.Context()) // reads, and so answers pings
	select {
	case <-ctx.Done():
		t.Error("a client that answers pings was cut")
	case <-time.After(time.Second):
	}
	if l.srv.Stats().Silent != 0 {
		t.Error("counted as silent")
	}
}

// TestSilent answers nothing at all.
func TestSilent(t *testing.T) {
	l := newLab(t, func(l *lab) { l.srv.timing.probe, l.srv.timing.dead = 20*time.Millisecond, 100*time.Millisecond })
	c := l.enter()
	c.room.waitDetached(t)
	if l.srv.Stats().Silent != 1 {
		t.Error("not counted")
	}
}

func TestCloseTellsEverybody(t *testing.T) {
	l := newLab(t, nil)
	visitors := []*visitor{l.enter(), l.enter(), l.enter()}
	done := make(chan error, 1)
	go func() { done <- l.srv.Close(context.Background()) }() // ends when all visitors have left
	for _, c := range visitors {
		m := c.read().GetLeave()
		if m.GetReason() != wire.DisconnectReason_SERVER_SHUTDOWN || m.GetAction() != wire.LeaveRequest_RECONNECT {
			t.Errorf("told %v", m)
		}
		if code := c.closed(); code != websocket.StatusServiceRestart {
			t.Errorf("closed with %d", code)
		}
		c.room.waitDetached(t)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCloseCutsWhoDoesNotLeave(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := l.srv.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("Close took %v", d)
	}
	c.room.waitDetached(t)
}

func TestPanicEndsOneSession(t *testing.T) {
	l := newLab(t, nil)
	c, other := l.enter(), l.enter()
	c.room.mu.Lock()
	c.room.panics = true
	c.room.mu.Unlock()
	c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Mute{Mute: &wire.MuteTrackRequest{Sid: "TR_1"}}})
	c.closed()
	c.room.waitDetached(t)
	other.send(pingRequest())
	if other.read().GetPong() == 0 {
		t.Error("the other session ended too")
	}
	if l.srv.Stats().Failed != 1 || !strings.Contains(l.logged(), "panicked") || strings.Contains(l.logged(), "private words") {
		t.Errorf("failed %d, log %s", l.srv.Stats().Failed, l.logged())
	}
}

// A client that is told to resume comes back: the wire must say so.
func TestLeaveToResume(t *testing.T) {
	l := newLab(t, nil)
	c := l.enter()
	if !c.room.conn.Send(room.Leave{Reason: room.ReasonUnknown, Action: room.ActionResume}) {
		t.Fatal("leave was not taken")
	}
	c.room.conn.End()
	got := c.read().GetLeave()
	if got.GetAction() != wire.LeaveRequest_RESUME || !got.GetCanReconnect() || got.GetReason() != 0 {
		t.Errorf("told %+v", got)
	}
	if code := c.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", code)
	}
	c.room.waitDetached(t)
}
