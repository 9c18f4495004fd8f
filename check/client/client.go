// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package client joins a room as a browser does: signaling over a WebSocket,
// media through pion/webrtc, one peer connection for both directions. It shares
// no code with the media plane it talks to, and keeps nothing after Close.
package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

var (
	// ErrRefused tells that the server refused the WebSocket.
	ErrRefused = errors.New("the server refused the connection")
	// ErrLeft tells that the server ended the session.
	ErrLeft = errors.New("the server ended the session")
	// ErrNoRelay tells that the server names no relay.
	ErrNoRelay = errors.New("the server offers no relay")
	// ErrProtocol tells that the server answered something unexpected.
	ErrProtocol = errors.New("unexpected answer")
)

const (
	protocolVersion = 17
	readLimit       = 1 << 20
	pingPeriod      = 2 * time.Second
	initialSections = 3
)

// Options say where and how to join.
type Options struct {
	// URL is the site's videoroom address: "https://praxis.example/video".
	URL string
	// Token lets the client in.
	Token string
	// HTTP makes the WebSocket's handshake; nil: http.DefaultClient.
	HTTP *http.Client
	// API makes the peer connection; nil: pion's default.
	API *webrtc.API
	// Relayed sends media through the relay that the server names in its
	// greeting, and through nothing else. The relay's TLS is Dialer's business.
	Relayed bool
	// OnTrack is called for every track that comes in, on a goroutine of its own.
	OnTrack func(*webrtc.TrackRemote, *webrtc.RTPReceiver)
	// OnData is called for every data packet that comes in.
	OnData func(*wire.DataPacket)
	// OnState is called when the media path changes its state.
	OnState func(webrtc.PeerConnectionState)
	// OnSignal is called with every message of the server before the client acts
	// on it, in their order. It must not block nor change the message.
	OnSignal func(*wire.SignalResponse)
}

// Client is a joined participant. Its methods are safe for concurrent use.
type Client struct {
	opts     Options
	ws       *websocket.Conn
	pc       *webrtc.PeerConnection
	data     *webrtc.DataChannel // the reliable one
	ctx      context.Context
	cancel   context.CancelFunc
	done     chan struct{}
	answered chan struct{} // closed with the first answer

	mu        sync.Mutex
	offerID   uint32
	pending   bool // an offer is outstanding
	again     bool // another one is due
	published map[string]chan *wire.TrackInfo
	joined    *wire.JoinResponse
	rtt       time.Duration
	err       error
	negotiate chan struct{}
}

// Join connects and returns when the server has answered the first offer.
func Join(ctx context.Context, o Options) (*Client, error) {
	c := &Client{
		opts: o, done: make(chan struct{}), answered: make(chan struct{}),
		published: make(map[string]chan *wire.TrackInfo),
		negotiate: make(chan struct{}, 1),
	}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if !o.Relayed {
		if err := c.openPeer(webrtc.Configuration{}); err != nil {
			c.cancel()
			return nil, err
		}
	}
	if err := c.openSignal(ctx); err != nil {
		c.cancel()
		if c.pc != nil {
			_ = c.pc.Close()
		}
		return nil, err
	}
	go c.run() // ends with the WebSocket, which Close closes
	var err error
	select {
	case <-c.answered:
		return c, nil
	case <-c.done:
		err = c.Err()
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.Close()
	return nil, fmt.Errorf("joining: %w", err)
}

// openPeer makes the peer connection with the layout of livekit-client.
func (c *Client) openPeer(conf webrtc.Configuration) error {
	api := c.opts.API
	if api == nil {
		api = webrtc.NewAPI()
	}
	pc, err := api.NewPeerConnection(conf)
	if err != nil {
		return fmt.Errorf("making a peer connection: %w", err)
	}
	c.pc = pc
	var once sync.Once
	pc.OnSignalingStateChange(func(s webrtc.SignalingState) {
		if s == webrtc.SignalingStateStable {
			once.Do(func() { close(c.answered) })
		}
	})
	zero, unordered := uint16(0), false
	lossy := &webrtc.DataChannelInit{Ordered: &unordered, MaxRetransmits: &zero}
	for label, init := range map[string]*webrtc.DataChannelInit{"_lossy": lossy, "_reliable": nil} {
		dc, err := pc.CreateDataChannel(label, init)
		if err != nil {
			return fmt.Errorf("making a data channel: %w", err)
		}
		dc.OnMessage(c.receiveData)
		if init == nil {
			c.data = dc
		}
	}
	c.addSections(initialSections, initialSections)
	pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		if c.opts.OnTrack != nil {
			c.opts.OnTrack(t, r)
		}
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if c.opts.OnState != nil {
			c.opts.OnState(s)
		}
	})
	return nil
}

func (c *Client) receiveData(m webrtc.DataChannelMessage) {
	var p wire.DataPacket
	if c.opts.OnData != nil && proto.Unmarshal(m.Data, &p) == nil {
		c.opts.OnData(&p)
	}
}

// SendData sends a message to everybody in the room, reliably. It fails until
// the data channel is open, which is soon after the media path is.
func (c *Client) SendData(topic string, payload []byte) error {
	b, err := proto.Marshal(&wire.DataPacket{User: &wire.UserPacket{Payload: payload, Topic: &topic}})
	if err != nil {
		return fmt.Errorf("writing a data packet: %w", err)
	}
	if err := c.data.Send(b); err != nil {
		return fmt.Errorf("sending a data packet: %w", err)
	}
	return nil
}

func (c *Client) addSections(audios, videos int) {
	only := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	for range audios {
		_, _ = c.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, only)
	}
	for range videos {
		_, _ = c.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, only)
	}
}

// openSignal opens the WebSocket, with the first offer in its address where there
// is one already.
func (c *Client) openSignal(ctx context.Context) error {
	var offer *wire.SessionDescription
	if c.pc != nil {
		var err error
		if offer, err = c.makeOffer(); err != nil {
			return err
		}
	}
	inner, err := proto.Marshal(&wire.JoinRequest{
		ClientInfo:         &wire.ClientInfo{Sdk: wire.ClientInfo_GO, Version: "1.0.0", Protocol: protocolVersion},
		ConnectionSettings: &wire.ConnectionSettings{AutoSubscribe: true},
		PublisherOffer:     offer,
	})
	if err != nil {
		return fmt.Errorf("writing the join request: %w", err)
	}
	// Web servers take 16 KiB of headers or less; an offer with many codecs only
	// fits when compressed.
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err = z.Write(inner)
	if err := errors.Join(err, z.Close()); err != nil {
		return fmt.Errorf("compressing the join request: %w", err)
	}
	outer, err := proto.Marshal(&wire.WrappedJoinRequest{
		Compression: wire.WrappedJoinRequest_GZIP, JoinRequest: zipped.Bytes(),
	})
	if err != nil {
		return fmt.Errorf("writing the join request: %w", err)
	}
	u, err := url.Parse(strings.TrimRight(c.opts.URL, "/") + "/rtc/v1")
	if err != nil {
		return fmt.Errorf("reading the address: %w", err)
	}
	origin := u.Scheme + "://" + u.Host
	u.RawQuery = url.Values{"join_request": {base64.URLEncoding.EncodeToString(outer)}}.Encode()
	// The library leaves no body to close: on success the connection is the
	// WebSocket's, on failure it has read and replaced what there was.
	ws, res, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{ //nolint:bodyclose // see above
		HTTPClient: c.opts.HTTP,
		HTTPHeader: http.Header{"Authorization": {"Bearer " + c.opts.Token}, "Origin": {origin}},
	})
	if err != nil {
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			return fmt.Errorf("%w: HTTP status %d", ErrRefused, res.StatusCode)
		}
		return fmt.Errorf("opening the WebSocket: %w", withoutQuery(err))
	}
	ws.SetReadLimit(readLimit)
	c.ws = ws
	return nil
}

// withoutQuery strips the address from an error: it carries the offer.
func withoutQuery(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func (c *Client) makeOffer() (*wire.SessionDescription, error) {
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		return nil, fmt.Errorf("making an offer: %w", err)
	}
	if err := c.pc.SetLocalDescription(offer); err != nil {
		return nil, fmt.Errorf("applying the offer: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offerID++
	c.pending = true
	return &wire.SessionDescription{Type: "offer", Sdp: c.pc.LocalDescription().SDP, Id: c.offerID}, nil
}

// Publish announces a local track and offers it. With more encodings of the same
// picture it is published as simulcast: t is the smallest, all have RIDs, and w and
// h are those of the largest, each of the others being half as wide and high as the
// next.
func (c *Client) Publish(ctx context.Context, t webrtc.TrackLocal, source wire.TrackSource, w, h uint32, larger ...webrtc.TrackLocal) (*wire.TrackInfo, error) {
	ch := make(chan *wire.TrackInfo, 1)
	c.mu.Lock()
	c.published[t.ID()] = ch
	c.mu.Unlock()
	kind := wire.TrackType_AUDIO
	if t.Kind() == webrtc.RTPCodecTypeVideo {
		kind = wire.TrackType_VIDEO
	}
	add := &wire.AddTrackRequest{Cid: t.ID(), Name: t.ID(), Type: kind, Source: source, Width: w, Height: h}
	for i := range len(larger) + 1 {
		if len(larger) > 0 {
			less := len(larger) - i
			add.Layers = append(add.Layers, &wire.VideoLayer{Quality: wire.VideoQuality(i), Width: w >> less, Height: h >> less})
		}
	}
	if err := c.send(&wire.SignalRequest{Message: &wire.SignalRequest_AddTrack{AddTrack: add}}); err != nil {
		return nil, err
	}
	tr, err := c.pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, fmt.Errorf("adding the track: %w", err)
	}
	for _, more := range larger {
		if err := tr.Sender().AddEncoding(more); err != nil {
			return nil, fmt.Errorf("adding an encoding: %w", err)
		}
	}
	select {
	case info := <-ch:
		c.due()
		return info, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.done:
		return nil, c.Err()
	}
}

// Show tells the server how large a track that is received is shown.
func (c *Client) Show(sid string, w, h uint32) error {
	return c.send(&wire.SignalRequest{Message: &wire.SignalRequest_TrackSetting{TrackSetting: &wire.UpdateTrackSettings{
		TrackSids: []string{sid}, Width: w, Height: h,
	}}})
}

// Trickle sends one of the client's candidates. The server is ICE-lite and does
// not need it; browsers send it all the same.
func (c *Client) Trickle(i webrtc.ICECandidateInit) error {
	raw, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("writing a candidate: %w", err)
	}
	return c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Trickle{Trickle: &wire.TrickleRequest{CandidateInit: string(raw)}}})
}

// Peer returns the peer connection, for its statistics.
func (c *Client) Peer() *webrtc.PeerConnection { return c.pc }

// Joined returns what the server said at the join, nil before.
func (c *Client) Joined() *wire.JoinResponse {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.joined
}

// RTT returns the round-trip time of the signaling connection, 0 before the
// first ping came back.
func (c *Client) RTT() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rtt
}

func (c *Client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// Err returns why the session ended, nil while it runs.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Done is closed when the session has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close leaves the room and frees everything.
func (c *Client) Close() {
	_ = c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Leave{Leave: &wire.LeaveRequest{
		Reason: wire.DisconnectReason_CLIENT_INITIATED,
	}}})
	c.cancel()
	_ = c.ws.CloseNow()
	<-c.done
	if c.pc != nil {
		_ = c.pc.Close()
	}
}
