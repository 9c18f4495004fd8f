// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math/bits"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/caddy-videoroom/videoroom/check/client"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// lateLimit is how long a late joiner waits for the first packet.
const lateLimit = 15 * time.Second

// outcome is what one load measured, from the subscribers' side.
type outcome struct {
	Packets   uint64  `json:"packets"`    // reached subscribers in the window
	Expected  float64 `json:"expected"`   // should have
	Gaps      uint64  `json:"gaps"`       // sequence numbers never seen
	P50Micros float64 `json:"p50_us"`     // one way, publisher's write to subscriber's read
	P99Micros float64 `json:"p99_us"`     //
	LateMs    float64 `json:"late_ms"`    // dial to first picture (sound without video) of a late joiner
	Seconds   float64 `json:"seconds"`    // the window
	OwnCPU    float64 `json:"own_cpu"`    // of the load itself, in cores
	ServerCPU float64 `json:"server_cpu"` // seconds of the server in the window
	PeakRSS   int64   `json:"peak_rss"`   // bytes, of the server
}

// meters are shared by all subscriptions.
type meters struct {
	open    atomic.Bool // the window
	packets atomic.Uint64
	gaps    atomic.Uint64
	delay   [64 * 8]atomic.Uint64 // logarithmic, 8 steps per octave of nanoseconds
}

func (m *meters) note(d time.Duration) {
	ns := uint64(max(1, d))
	log := bits.Len64(ns) - 1
	step := uint64(0)
	if log >= 3 {
		step = ns >> (log - 3) & 7
	}
	m.delay[uint64(log)*8+step].Add(1)
}

func (m *meters) quantile(q float64) float64 {
	var total, sum uint64
	for i := range m.delay {
		total += m.delay[i].Load()
	}
	for i := range m.delay {
		sum += m.delay[i].Load()
		if float64(sum) >= q*float64(total) {
			log, step := i/8, i%8
			return float64(uint64(1)<<log) * (1 + float64(step)/8) / 1000
		}
	}
	return 0
}

// load runs one scenario against one server.
type load struct {
	s       scenario
	dial    dialer
	m       meters
	started atomic.Int64 // subscriptions that have received something
	clients []*client.Client
	stop    chan struct{}
	wg      sync.WaitGroup
}

func loadCommand(args []string) error {
	fs := flag.NewFlagSet("load", flag.ExitOnError)
	name := fs.String("scenario", "call20", "one of the scenarios")
	url := fs.String("url", "http://127.0.0.1:7880", "the server's address")
	key := fs.String("key", "devkey", "API key")
	secret := fs.String("secret", "secret", "API secret")
	window := fs.Duration("window", 7*time.Second, "how long to measure")
	pid := fs.Int("pid", 0, "the server's process, to measure")
	_ = fs.Parse(args)
	s, ok := scenarios[*name]
	if !ok {
		return fmt.Errorf("unknown scenario %q, known: %v", *name, scenarioNames())
	}
	l := &load{s: s, dial: dialer{url: *url, key: *key, secret: *secret}, stop: make(chan struct{})}
	out, err := l.run(*window, *pid)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func (l *load) run(window time.Duration, pid int) (*outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	defer l.close()
	if err := l.join(ctx); err != nil {
		return nil, err
	}
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second)
	runtime.GC()
	server0, own0, begin := cpuSeconds(pid), cpuSeconds(os.Getpid()), time.Now()
	l.m.open.Store(true)
	time.Sleep(window)
	l.m.open.Store(false)
	took := time.Since(begin).Seconds()
	out := &outcome{
		Packets: l.m.packets.Load(), Expected: l.s.expected() * took, Gaps: l.m.gaps.Load(),
		P50Micros: l.m.quantile(0.5), P99Micros: l.m.quantile(0.99), Seconds: took,
		ServerCPU: cpuSeconds(pid) - server0, OwnCPU: (cpuSeconds(os.Getpid()) - own0) / took, PeakRSS: peakRSS(pid),
	}
	for range l.s.late {
		ms, err := l.joinLate(ctx)
		if err != nil {
			return nil, err
		}
		out.LateMs = max(out.LateMs, ms)
	}
	return out, nil
}

func (l *load) join(ctx context.Context) error {
	for r := range l.s.rooms {
		room := fmt.Sprintf("bench-%d", r)
		for p := range l.s.participants {
			c, err := l.connect(ctx, room, fmt.Sprintf("p%d", p), nil)
			if err != nil {
				return fmt.Errorf("participant %d of room %d: %w", p, r, err)
			}
			if p < l.s.publishers {
				if err := l.publish(ctx, c); err != nil {
					return fmt.Errorf("publishing: %w", err)
				}
			}
			time.Sleep(30 * time.Millisecond)
		}
	}
	return nil
}

// settle waits until every subscription has received something.
func (l *load) settle(ctx context.Context) error {
	kinds := 0
	if l.s.video {
		kinds++
	}
	if l.s.audio {
		kinds++
	}
	want := int64(l.s.rooms * l.s.publishers * (l.s.participants - 1) * kinds)
	for l.started.Load() < want {
		select {
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d streams arrived", l.started.Load(), want)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func (l *load) joinLate(ctx context.Context) (ms float64, err error) {
	first := make(chan struct{}, 1)
	begin := time.Now()
	if _, err = l.connect(ctx, "bench-0", "late", first); err != nil {
		return 0, fmt.Errorf("late joiner: %w", err)
	}
	select {
	case <-first:
		return float64(time.Since(begin)) / 1e6, nil
	case <-time.After(lateLimit):
		return float64(lateLimit) / 1e6, nil // told as it is: nothing came in that time
	}
}

func (l *load) connect(ctx context.Context, room, identity string, first chan struct{}) (*client.Client, error) {
	token, err := l.dial.token(room, identity)
	if err != nil {
		return nil, err
	}
	api, err := newAPI()
	if err != nil {
		return nil, err
	}
	c, err := client.Join(ctx, client.Options{
		URL: l.dial.url, Token: token, API: api, HTTP: trusting,
		OnTrack: func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { l.receive(t, first) },
	})
	if err != nil {
		return nil, err
	}
	l.clients = append(l.clients, c)
	return c, nil
}

// newAPI makes clients as lean as clients can be that still answer NACKs, ask
// for what is lost and report: the load must not be what is measured.
func newAPI() (*webrtc.API, error) {
	me := &webrtc.MediaEngine{}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	for _, c := range []struct {
		kind  webrtc.RTPCodecType
		codec webrtc.RTPCodecParameters
	}{
		{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecParameters{PayloadType: 111, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}}},
		{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecParameters{PayloadType: 96, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: feedback}}},
		{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecParameters{PayloadType: 97, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"}}},
	} {
		if err := me.RegisterCodec(c.codec, c.kind); err != nil {
			return nil, fmt.Errorf("registering a codec: %w", err)
		}
	}
	ir := &interceptor.Registry{}
	rr, err := report.NewReceiverInterceptor()
	if err != nil {
		return nil, fmt.Errorf("making reports: %w", err)
	}
	sr, err := report.NewSenderInterceptor()
	if err != nil {
		return nil, fmt.Errorf("making reports: %w", err)
	}
	gen, err := nack.NewGeneratorInterceptor()
	if err != nil {
		return nil, fmt.Errorf("making NACKs: %w", err)
	}
	for _, i := range []interceptor.Factory{rr, sr, gen} {
		ir.Add(i)
	}
	se := webrtc.SettingEngine{}
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIncludeLoopbackCandidate(true)
	se.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	return webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithInterceptorRegistry(ir), webrtc.WithSettingEngine(se)), nil
}

// receive counts and times a track's packets until its connection ends.
func (l *load) receive(t *webrtc.TrackRemote, first chan struct{}) {
	var last uint16
	buf, n := make([]byte, 1600), 0
	var p rtp.Packet
	for {
		size, _, err := t.Read(buf)
		if err != nil {
			return
		}
		now := time.Now().UnixNano()
		if p.Unmarshal(buf[:size]) != nil || len(p.Payload) < 24 {
			continue
		}
		if n++; n == 1 {
			l.started.Add(1)
			if first != nil && (t.Kind() == webrtc.RTPCodecTypeVideo || !l.s.video) {
				first <- struct{}{}
			}
		}
		ahead := int16(p.SequenceNumber - last)
		if l.m.open.Load() {
			l.m.packets.Add(1)
			if n > 1 && ahead > 1 && ahead < 1000 {
				l.m.gaps.Add(uint64(ahead - 1))
			}
			l.m.note(time.Duration(now - int64(binary.BigEndian.Uint64(p.Payload[len(p.Payload)-8:]))))
		}
		if n == 1 || ahead > 0 {
			last = p.SequenceNumber
		}
	}
}

func (l *load) publish(ctx context.Context, c *client.Client) error {
	add := func(kind, mime string, source wire.TrackSource, feed func(*webrtc.TrackLocalStaticRTP)) error {
		id := fmt.Sprintf("%s-%p", kind, c)
		t, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, id, "bench")
		if err != nil {
			return err
		}
		if _, err = c.Publish(ctx, t, source, 1280, 720); err != nil {
			return err
		}
		l.wg.Add(1)
		go func() { // ends when close closes l.stop
			defer l.wg.Done()
			feed(t)
		}()
		return nil
	}
	if l.s.video {
		if err := add("cam", webrtc.MimeTypeVP8, wire.TrackSource_CAMERA, l.sendVideo); err != nil {
			return err
		}
	}
	if l.s.audio {
		return add("mic", webrtc.MimeTypeOpus, wire.TrackSource_MICROPHONE, l.sendAudio)
	}
	return nil
}

func (l *load) sendVideo(t *webrtc.TrackLocalStaticRTP) {
	p := rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, pictureBytes)}
	picture := uint16(0)
	l.every(time.Second/picturesPerSecond, func() {
		picture++
		p.Timestamp += 90000 / picturesPerSecond
		for i := range packetsPerPicture {
			b := p.Payload
			b[0], b[1] = 0x80, 0x80 // X; I
			if i == 0 {
				b[0] |= 0x10 // S
			}
			binary.BigEndian.PutUint16(b[2:], 0x8000|picture)
			b[4] = 0 // a key frame every time: any late joiner can begin
			copy(b[7:], []byte{0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02})
			p.Marker = i == packetsPerPicture-1
			p.SequenceNumber++
			binary.BigEndian.PutUint64(b[len(b)-8:], uint64(time.Now().UnixNano()))
			_ = t.WriteRTP(&p)
		}
	})
}

func (l *load) sendAudio(t *webrtc.TrackLocalStaticRTP) {
	p := rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, soundBytes)}
	p.Payload[0] = 0x78
	l.every(time.Second/soundPerSecond, func() {
		p.Timestamp += 48000 / soundPerSecond
		p.SequenceNumber++
		binary.BigEndian.PutUint64(p.Payload[len(p.Payload)-8:], uint64(time.Now().UnixNano()))
		_ = t.WriteRTP(&p)
	})
}

// every calls f at a steady rate, making up for late ticks.
func (l *load) every(d time.Duration, f func()) {
	next := time.Now()
	for {
		next = next.Add(d)
		select {
		case <-l.stop:
			return
		case <-time.After(time.Until(next)):
			f()
		}
	}
}

func (l *load) close() {
	close(l.stop)
	l.wg.Wait()
	var wg sync.WaitGroup
	for _, c := range l.clients {
		wg.Add(1)
		go func() { // ends with the client
			defer wg.Done()
			c.Close()
		}()
	}
	wg.Wait()
}
