// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"errors"
	"reflect"
	"time"

	"github.com/coder/websocket"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// reader is what the reader goroutine keeps between messages.
type reader struct {
	*session
	pace     pace
	trickled int
}

// read is the reader goroutine. It ends the session.
func (c *session) read() {
	defer c.end()
	defer c.guard()
	if c.room == nil {
		c.drain()
		return
	}
	r := reader{session: c, pace: newPace()}
	for {
		kind, data, err := c.ws.Read(c.ctx)
		if err != nil {
			c.lost(err)
			return
		}
		c.alive()
		if err := r.take(kind, data); err != nil {
			c.refuse(err)
			c.drain()
			return
		}
	}
}

// drain reads on, so that the closing handshake goes through, until the writer
// has closed the connection.
func (c *session) drain() {
	for {
		if _, _, err := c.ws.Read(c.ctx); err != nil {
			return
		}
	}
}

// lost counts why reading ended, and tells the room where a browser says that its
// page has gone. Not every page can take leave before: Firefox sends nothing more
// of one that goes to an empty page.
func (c *session) lost(err error) {
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig):
		c.server.counters.limited.Add(1)
	case websocket.CloseStatus(err) == websocket.StatusGoingAway && c.room != nil:
		c.room.Handle(room.Gone{})
	}
}

// end waits for the writer and tells the room, which waits for it even where it
// ended the connection itself.
func (c *session) end() {
	c.cancel()
	<-c.wrote
	_ = c.ws.CloseNow()
	c.mu.Lock()
	c.sealed = true
	c.queue, c.queued = nil, 0
	c.mu.Unlock()
	if c.room != nil {
		c.room.Detach()
	}
	c.release()
	c.server.leave(c)
}

// errLeft ends reading after the client took leave.
var errLeft = errors.New("client left")

// closeCodes maps what ends reading to close codes; searched in order.
var closeCodes = []struct {
	is   error
	code websocket.StatusCode
}{
	{errMalformed, websocket.StatusInvalidFramePayloadData},
	{errLimit, websocket.StatusPolicyViolation},
	{errFlood, websocket.StatusPolicyViolation},
	{errRoomBusy, websocket.StatusTryAgainLater},
}

// refuse ends the session because of what the client sent.
func (c *session) refuse(err error) {
	switch {
	case errors.Is(err, errMalformed):
		c.server.counters.malformed.Add(1)
	case errors.Is(err, errLimit), errors.Is(err, errFlood):
		c.server.counters.limited.Add(1)
	}
	for _, e := range closeCodes {
		if errors.Is(err, e.is) {
			c.shut(e.code)
			return
		}
	}
}

// take handles one frame. An error ends the session.
func (r *reader) take(kind websocket.MessageType, data []byte) error {
	wait, err := r.pace.take(len(data), time.Now())
	if err != nil {
		return err
	}
	if wait > 0 {
		r.rest(wait)
	}
	if kind == websocket.MessageText {
		r.text.Store(true)
	}
	req, err := parseRequest(kind, data)
	if err != nil {
		return err
	}
	if answered, ok := own[reflect.TypeOf(req.GetMessage())]; ok {
		for _, res := range answered(req, time.Now()) {
			r.reply(res)
		}
		return nil
	}
	ask, err := translate(req)
	if ask == nil || err != nil {
		return err
	}
	return r.ask(ask)
}

// rest makes a client that sends too fast wait; meanwhile its messages fill
// its own send buffer.
func (r *reader) rest(wait time.Duration) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.ctx.Done():
	}
}

// ask hands a request to the room.
func (r *reader) ask(ask room.Request) error {
	switch ask.(type) {
	case room.Offer, room.Reply:
		r.trickled = 0
	case room.Trickle:
		// The media plane answers to what reaches it; candidates beyond the limit
		// are of no use to anybody.
		if r.trickled++; r.trickled > maxTrickle {
			return nil
		}
	case room.Bye:
		r.bye(ask)
		return errLeft
	}
	return r.hand(ask)
}

// hand gives a request to the room. A room that is busy makes the client wait
// as a rate limit does, for roomPatience at most.
func (r *reader) hand(ask room.Request) error {
	for waited := time.Duration(0); !r.room.Handle(ask); waited += roomRetry {
		if waited >= roomPatience || r.over() {
			return errRoomBusy
		}
		r.rest(roomRetry)
	}
	return nil
}

// bye tells the room that the client leaves and takes leave of the client.
func (r *reader) bye(ask room.Request) {
	r.room.Handle(ask) // a room that takes no request learns of the end by Detach
	r.reply(leave(nil, room.Leave{Reason: room.ReasonClientInitiated, Action: room.ActionDisconnect}))
	r.shut(websocket.StatusNormalClosure)
}

// own lists the members of SignalRequest that sessions answer themselves.
var own = map[reflect.Type]func(*wire.SignalRequest, time.Time) []*wire.SignalResponse{
	reflect.TypeFor[*wire.SignalRequest_Ping]():                      pong,
	reflect.TypeFor[*wire.SignalRequest_PingReq]():                   pongResp,
	reflect.TypeFor[*wire.SignalRequest_PublishDataTrackRequest]():   refuseDataTrack,
	reflect.TypeFor[*wire.SignalRequest_UnpublishDataTrackRequest](): refuseDataTrack,
	reflect.TypeFor[*wire.SignalRequest_StoreDataBlobRequest]():      refuseBlob,
	reflect.TypeFor[*wire.SignalRequest_GetDataBlobRequest]():        refuseBlob,
}

func pong(_ *wire.SignalRequest, now time.Time) []*wire.SignalResponse {
	return []*wire.SignalResponse{{Message: &wire.SignalResponse_Pong{Pong: now.UnixMilli()}}}
}

func pongResp(req *wire.SignalRequest, now time.Time) []*wire.SignalResponse {
	return []*wire.SignalResponse{{Message: &wire.SignalResponse_PongResp{PongResp: &wire.Pong{
		LastPingTimestamp: req.GetPingReq().GetTimestamp(), Timestamp: now.UnixMilli(),
	}}}}
}

// refuseDataTrack answers in the form by which clients find the request again.
func refuseDataTrack(req *wire.SignalRequest, _ time.Time) []*wire.SignalResponse {
	res := &wire.RequestResponse{
		Reason: wire.RequestResponse_NOT_ALLOWED, Message: "data tracks are not served",
	}
	if p := req.GetPublishDataTrackRequest(); p != nil {
		res.Request = &wire.RequestResponse_PublishDataTrack{PublishDataTrack: p}
	}
	if u := req.GetUnpublishDataTrackRequest(); u != nil {
		res.Request = &wire.RequestResponse_UnpublishDataTrack{UnpublishDataTrack: u}
	}
	return refused(res)
}

func refuseBlob(req *wire.SignalRequest, _ time.Time) []*wire.SignalResponse {
	return refused(&wire.RequestResponse{
		RequestId: max(req.GetStoreDataBlobRequest().GetRequestId(), req.GetGetDataBlobRequest().GetRequestId()),
		Reason:    wire.RequestResponse_NOT_ALLOWED,
		Message:   "data blobs are not served",
	})
}

func refused(res *wire.RequestResponse) []*wire.SignalResponse {
	return []*wire.SignalResponse{{Message: &wire.SignalResponse_RequestResponse{RequestResponse: res}}}
}
