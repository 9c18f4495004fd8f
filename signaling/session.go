// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"context"
	"errors"
	"net"
	"reflect"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// session is one connection. Its reader goroutine owns the input and the end
// of the session, its writer goroutine the output; the queue between rooms and
// writer is the only shared state.
type session struct {
	server  *Server
	room    room.Session // set before the goroutines start; nil after a refusal
	ws      *websocket.Conn
	release func() // gives back the client's place

	ctx    context.Context // ends the connection at once
	cancel context.CancelFunc
	wrote  chan struct{} // closed when the writer has ended

	relays []Relay       // told with the first message
	pause  time.Duration // after the first message; the writer's

	born time.Time
	seen atomic.Int64 // when the client was last heard, in nanoseconds since born
	text atomic.Bool  // the client speaks JSON

	mu      sync.Mutex
	queue   []frame
	queued  int // bytes
	greeted bool
	sealed  bool // nothing more is queued; close with code once it is written
	code    websocket.StatusCode
	wake    chan struct{} // capacity 1
}

// frame is one encoded message.
type frame struct {
	kind websocket.MessageType
	data []byte
}

var _ room.Conn = (*session)(nil)

func newSession(s *Server, release func()) *session {
	c := &session{
		server:  s,
		release: release,
		born:    time.Now(),
		wrote:   make(chan struct{}),
		code:    websocket.StatusNormalClosure,
		wake:    make(chan struct{}, 1),
	}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	return c
}

// abandon ends a session that never got a connection.
func (c *session) abandon() {
	c.cancel()
	if c.room != nil {
		c.room.Handle(room.Bye{Reason: room.ReasonJoinFailure})
		c.room.Detach()
	}
	c.release()
	c.server.leave(c)
}

// start runs the session on its connection.
func (c *session) start(ws *websocket.Conn, conn net.Conn) {
	c.ws = ws
	context.AfterFunc(c.ctx, func() { _ = conn.Close() })
	c.alive()
	go c.write() // ends when the queue is sealed and written, or with ctx
	go c.read()  // ends when the connection does; ctx ends the connection
}

// Send implements room.Conn. It encodes at once, so that the message may
// change afterwards. A client that reads so slowly that the queue is full
// loses the connection.
func (c *session) Send(m room.Message) bool {
	res := c.server.greeting.encode(m)
	if res == nil {
		c.defect("message without encoding", reflect.TypeOf(m).String())
		return false
	}
	addRelays(res, c.relays)
	leave, last := m.(room.Leave)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.greeted && !greets(m) {
		c.defect("message before the first", reflect.TypeOf(m).String())
		return false
	}
	if !c.push(res) {
		return false
	}
	c.greeted = true
	if last {
		c.sealed = true
		if leave.Reason == room.ReasonServerShutdown {
			c.code = websocket.StatusServiceRestart
		}
	}
	return true
}

// greets reports whether clients take m for the first message.
func greets(m room.Message) bool {
	switch m.(type) {
	case room.Joined, room.Reconnected, room.Leave:
		return true
	}
	return false
}

// End implements room.Conn.
func (c *session) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sealed = true
	c.signal()
}

// reply queues an answer of the session itself.
func (c *session) reply(res *wire.SignalResponse) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.push(res)
}

// push encodes and queues a message. The caller holds mu.
func (c *session) push(res *wire.SignalResponse) bool {
	if c.sealed || c.ctx.Err() != nil {
		return false
	}
	f, err := c.encode(res)
	if err != nil {
		c.defect("encoding a message", reflect.TypeOf(res.GetMessage()).String())
		return false
	}
	full := len(c.queue) >= maxQueued || c.queued+len(f.data) > maxQueuedBytes
	if full && len(c.queue) > 0 {
		c.server.counters.slow.Add(1)
		c.sealed, c.queue, c.queued = true, nil, 0
		c.cancel()
		return false
	}
	c.queue = append(c.queue, f)
	c.queued += len(f.data)
	c.signal()
	return true
}

func (c *session) encode(res *wire.SignalResponse) (frame, error) {
	if c.text.Load() {
		data, err := protojson.Marshal(res)
		return frame{websocket.MessageText, data}, err
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(res)
	return frame{websocket.MessageBinary, data}, err
}

// signal wakes the writer.
func (c *session) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// shut seals the queue; the connection is closed with code once what is queued
// has been written.
func (c *session) shut(code websocket.StatusCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sealed {
		return
	}
	c.sealed, c.code = true, code
	c.signal()
}

// over reports whether the session is ending.
func (c *session) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sealed || c.ctx.Err() != nil
}

// restart tells the client to come back to the next process.
func (c *session) restart() {
	c.reply(leave(nil, room.Leave{Reason: room.ReasonServerShutdown, Action: room.ActionReconnect}))
	c.shut(websocket.StatusServiceRestart)
}

// pop takes the next frame. ok is false when there is none; done tells that
// there will be none.
func (c *session) pop() (f frame, ok, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return frame{}, false, c.sealed
	}
	f = c.queue[0]
	c.queue[0] = frame{}
	c.queue = c.queue[1:]
	c.queued -= len(f.data)
	return f, true, false
}

func (c *session) alive() { c.seen.Store(int64(time.Since(c.born))) }

func (c *session) silence() time.Duration {
	return time.Since(c.born) - time.Duration(c.seen.Load())
}

// defect records an error of this process.
func (c *session) defect(what, kind string) {
	c.server.counters.failed.Add(1)
	c.server.log.Error("signaling: "+what, "type", kind)
}

// guard ends the session instead of the process when its goroutine panics.
// What was panicked with may hold a participant's words and is not logged.
func (c *session) guard() {
	if recover() != nil {
		c.server.counters.failed.Add(1)
		c.server.log.Error("signaling: a session panicked", "stack", string(debug.Stack()))
		c.cancel()
	}
}

// write is the writer goroutine.
func (c *session) write() {
	defer close(c.wrote)
	defer c.guard()
	tick := time.NewTicker(c.server.timing.probe / 2)
	defer tick.Stop()
	for {
		if !c.flush() {
			return
		}
		select {
		case <-c.wake:
		case <-tick.C:
			if !c.probe() {
				c.server.counters.silent.Add(1)
				c.cancel()
				return
			}
		case <-c.ctx.Done():
			return
		}
	}
}

// flush writes what is queued and returns false when the session is over.
func (c *session) flush() bool {
	for {
		f, ok, done := c.pop()
		if done {
			c.mu.Lock()
			code := c.code
			c.mu.Unlock()
			_ = c.ws.Close(code, "")
			return false
		}
		if !ok {
			return true
		}
		ctx, cancel := context.WithTimeout(c.ctx, c.server.timing.write)
		err := c.ws.Write(ctx, f.kind, f.data)
		cancel()
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				c.server.counters.slow.Add(1)
			}
			c.cancel()
			return false
		}
		c.settle()
	}
}

// settle waits after the first message, where the client needs that.
func (c *session) settle() {
	if c.pause == 0 {
		return
	}
	t := time.NewTimer(c.pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
	c.pause = 0
}

// probe pings a client that has been silent: pages in the background are slow
// to send their own pings, but their browser answers this one. It returns
// false when the client is gone.
func (c *session) probe() bool {
	silent := c.silence()
	if silent < c.server.timing.probe {
		return true
	}
	left := c.server.timing.dead - silent
	if left <= 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(c.ctx, left)
	defer cancel()
	err := c.ws.Ping(ctx)
	return err == nil || c.silence() < c.server.timing.dead
}
