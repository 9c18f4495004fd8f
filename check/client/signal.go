// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// run reads the WebSocket until it ends.
func (c *Client) run() {
	defer close(c.done)
	defer c.cancel()
	go c.tend() // ends with c.ctx, cancelled above
	for {
		_, b, err := c.ws.Read(c.ctx)
		if err != nil {
			c.fail(fmt.Errorf("reading the WebSocket: %w", err))
			return
		}
		var m wire.SignalResponse
		if err := proto.Unmarshal(b, &m); err != nil {
			c.fail(fmt.Errorf("%w: %w", ErrProtocol, err))
			return
		}
		if c.opts.OnSignal != nil {
			c.opts.OnSignal(&m)
		}
		if err := c.handle(&m); err != nil {
			c.fail(err)
			return
		}
	}
}

// tend sends pings and the offers that are due.
func (c *Client) tend() {
	tick := time.NewTicker(pingPeriod)
	defer tick.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
			c.ping()
		case <-c.negotiate:
			c.offer()
		}
	}
}

func (c *Client) ping() {
	c.mu.Lock()
	rtt := c.rtt
	c.mu.Unlock()
	_ = c.send(&wire.SignalRequest{Message: &wire.SignalRequest_PingReq{PingReq: &wire.Ping{
		Timestamp: time.Now().UnixMilli(), Rtt: rtt.Milliseconds(),
	}}})
}

func (c *Client) handle(m *wire.SignalResponse) error {
	switch m := m.Message.(type) {
	case *wire.SignalResponse_Join:
		c.mu.Lock()
		c.joined = m.Join
		c.mu.Unlock()
		if c.opts.Relayed {
			return c.relay(m.Join.IceServers)
		}
	case *wire.SignalResponse_Answer:
		return c.answer(m.Answer)
	case *wire.SignalResponse_TrackPublished:
		c.mu.Lock()
		if ch := c.published[m.TrackPublished.Cid]; ch != nil {
			ch <- m.TrackPublished.Track
			delete(c.published, m.TrackPublished.Cid)
		}
		c.mu.Unlock()
	case *wire.SignalResponse_MediaSectionsRequirement:
		c.addSections(int(m.MediaSectionsRequirement.NumAudios), int(m.MediaSectionsRequirement.NumVideos))
		c.due()
	case *wire.SignalResponse_PongResp:
		c.mu.Lock()
		c.rtt = time.Since(time.UnixMilli(m.PongResp.LastPingTimestamp))
		c.mu.Unlock()
	case *wire.SignalResponse_Leave:
		return fmt.Errorf("%w: %v", ErrLeft, m.Leave.Reason)
	}
	return nil
}

// relay makes the peer connection when the greeting has named the relays.
func (c *Client) relay(servers []*wire.ICEServer) error {
	conf := webrtc.Configuration{ICETransportPolicy: webrtc.ICETransportPolicyRelay}
	for _, s := range servers {
		for _, u := range s.Urls {
			// The dialer adds the TLS, so that it can be told which certificates
			// to accept and which proxy to take.
			u = strings.Replace(u, "turns:", "turn:", 1)
			conf.ICEServers = append(conf.ICEServers, webrtc.ICEServer{URLs: []string{u}, Username: s.Username, Credential: s.Credential})
		}
	}
	if len(conf.ICEServers) == 0 {
		return ErrNoRelay
	}
	if err := c.openPeer(conf); err != nil {
		return err
	}
	// The server is ICE-lite and learns candidates from checks, so the offer need
	// not wait for them.
	c.due()
	return nil
}

func (c *Client) answer(a *wire.SessionDescription) error {
	c.mu.Lock()
	current := a.Id == c.offerID
	c.mu.Unlock()
	if !current {
		return nil
	}
	sdp := a.Sdp
	if c.opts.Relayed {
		sdp = withoutTCP(sdp)
	}
	err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp})
	if err != nil {
		return fmt.Errorf("%w: applying the answer: %w", ErrProtocol, err)
	}
	// Only now may there be another offer.
	c.mu.Lock()
	c.pending = false
	again := c.again
	c.again = false
	c.mu.Unlock()
	if again {
		c.due()
	}
	return nil
}

// withoutTCP strips an answer of its ICE-TCP candidates. pion connects to them
// itself, even where its policy says relays alone.
func withoutTCP(sdp string) string {
	var out strings.Builder
	for line := range strings.Lines(sdp) {
		if !strings.HasPrefix(line, "a=candidate:") || !strings.Contains(line, " tcptype ") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// due asks for another offer; several requests make one.
func (c *Client) due() {
	select {
	case c.negotiate <- struct{}{}:
	default:
	}
}

func (c *Client) offer() {
	c.mu.Lock()
	if c.pending {
		c.again = true
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	offer, err := c.makeOffer()
	if err == nil {
		err = c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Offer{Offer: offer}})
	}
	if err != nil {
		c.fail(err)
		c.cancel()
	}
}

func (c *Client) send(m *wire.SignalRequest) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	if err := c.ws.Write(c.ctx, websocket.MessageBinary, b); err != nil {
		return fmt.Errorf("sending a message: %w", err)
	}
	return nil
}
