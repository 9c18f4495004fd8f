// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"

	"github.com/caddy-videoroom/videoroom/check/client"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// probe is one run of the check.
type probe struct {
	base   string
	opts   Options
	report *report
	http   *http.Client
}

// party is one of the two test participants.
type party struct {
	*client.Client
	connected chan struct{}
	took      time.Duration
	meter     *meter
	heard     chan string // payloads of data packets
}

func (p *probe) run(ctx context.Context) {
	s, err := p.getSite(ctx)
	if err != nil {
		p.report.fail("website", adviseWeb(err), "%v", err)
		return
	}
	p.report.ok("website", "answers as %q, videoroom %s", s.Practice, s.Version)
	t, err := p.getTickets(ctx)
	if err != nil {
		p.report.fail("test room", "", "%v", err)
		return
	}
	var both [2]*party
	for i, token := range t.Tokens {
		one, err := p.join(ctx, token)
		if err != nil {
			p.report.fail("signaling", adviseSignal(err), "%v", err)
			return
		}
		defer one.Close()
		both[i] = one
	}
	p.report.ok("signaling", "WebSocket joined a test room")
	if p.media(ctx, both) {
		p.exchange(ctx, both[0], both[1])
		p.data(ctx, both[0], both[1])
	}
	p.report.note("media over TCP", "not offered by this server")
}

// join brings one participant into the test room.
func (p *probe) join(ctx context.Context, token string) (*party, error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	se := webrtc.SettingEngine{}
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIncludeLoopbackCandidate(true) // a webmaster checks from the server itself
	me := &webrtc.MediaEngine{}
	if err := me.RegisterDefaultCodecs(); err != nil {
		return nil, fmt.Errorf("preparing codecs: %w", err)
	}
	one := &party{connected: make(chan struct{}), meter: newMeter(), heard: make(chan string, 1)}
	begin := time.Now()
	var once sync.Once
	c, err := client.Join(ctx, client.Options{
		URL: p.base, Token: token, HTTP: p.http,
		API:     webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithSettingEngine(se)),
		OnTrack: one.meter.receive,
		OnData: func(d *wire.DataPacket) {
			select {
			case one.heard <- string(d.GetUser().GetPayload()):
			default: // only the first is waited for
			}
		},
		OnState: func(s webrtc.PeerConnectionState) {
			if s == webrtc.PeerConnectionStateConnected {
				once.Do(func() {
					one.took = time.Since(begin)
					close(one.connected)
				})
			}
		},
	})
	if err != nil {
		return nil, err
	}
	one.Client = c
	return one, nil
}

// media waits for both media paths and reports them.
func (p *probe) media(ctx context.Context, both [2]*party) bool {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	for _, one := range both {
		select {
		case <-one.connected:
		case <-one.Done():
			p.report.fail("media over UDP", "", "%v", one.Err())
			return false
		case <-ctx.Done():
			where := offered(one.Peer().RemoteDescription())
			p.report.fail("media over UDP",
				"Let UDP through to one of these addresses: in the firewall of the server and of its hosting provider, "+
					"and in the one you sit behind. If none of them is what the internet reaches the server at, set public_ip.",
				"no connection to %s within %s", where, p.opts.Timeout)
			return false
		}
	}
	addr, rtt := selected(both[0].Peer())
	p.report.ok("media over UDP", "connected in %s to %s, round trip %s",
		round(both[0].took), addr, round(rtt))
	return true
}

// exchange sends sound, picture and data from a to b and reports what arrives.
func (p *probe) exchange(ctx context.Context, a, b *party) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Duration+p.opts.Timeout)
	defer cancel()
	src, err := newSource()
	if err == nil {
		if _, err = a.Publish(ctx, src.audio, wire.TrackSource_MICROPHONE, 0, 0); err == nil {
			_, err = a.Publish(ctx, src.video, wire.TrackSource_CAMERA, 640, 360)
		}
	}
	if err != nil {
		p.report.fail("sound and picture", "", "cannot publish: %v", err)
		return
	}
	sent := src.play(ctx, p.opts.Duration)
	p.verdict("sound", b.meter.result(webrtc.RTPCodecTypeAudio), sent.audio)
	p.verdict("picture", b.meter.result(webrtc.RTPCodecTypeVideo), sent.video)
	if rtt := a.RTT(); rtt > 0 {
		p.report.note("signaling", "round trip %s", round(rtt))
	}
}

// data sends a message as the chat does.
func (p *probe) data(ctx context.Context, a, b *party) {
	const hello = "videoroom check"
	begin := time.Now()
	if err := a.SendData("check", []byte(hello)); err != nil {
		p.report.fail("chat", "", "%v", err)
		return
	}
	select {
	case got := <-b.heard:
		if got != hello {
			p.report.fail("chat", "", "another message arrived than was sent")
			return
		}
		p.report.ok("chat", "a message arrived after %s", round(time.Since(begin)))
	case <-time.After(p.opts.Timeout):
		p.report.fail("chat", "", "a message did not arrive")
	case <-ctx.Done():
	}
}

// verdict judges what arrived of one track.
func (p *probe) verdict(what string, got result, sent int) {
	switch loss := got.loss(); {
	case got.packets == 0:
		p.report.fail(what, "The connection stands but nothing passes: look for a firewall that cuts UDP after a while.",
			"nothing of %d packets arrived", sent)
	case loss > 0.05:
		p.report.warn(what, "The line loses packets. Try a cable instead of Wi-Fi, or another network.",
			"%d packets, %.1f %% lost, delay %s", got.packets, loss*100, round(got.delay))
	default:
		p.report.ok(what, "%d packets, %.1f %% lost, delay %s, jitter %s",
			got.packets, loss*100, round(got.delay), round(got.jitter))
	}
}

// offered lists the addresses in an answer.
func offered(d *webrtc.SessionDescription) string {
	if d == nil {
		return "the server"
	}
	var out []string
	for line := range strings.Lines(d.SDP) {
		if f := strings.Fields(line); len(f) > 5 && strings.HasPrefix(f[0], "a=candidate:") {
			if strings.Contains(f[4], ":") {
				f[4] = "[" + f[4] + "]"
			}
			out = append(out, f[4]+":"+f[5])
		}
	}
	return strings.Join(out, ", ")
}

// selected tells the server's address of the path in use and its round-trip time.
func selected(pc *webrtc.PeerConnection) (addr string, rtt time.Duration) {
	dtls := pc.SCTP().Transport()
	pair, err := dtls.ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return "the server", 0
	}
	addr = fmt.Sprintf("%s port %d", pair.Remote.Address, pair.Remote.Port)
	if s, ok := dtls.ICETransport().GetSelectedCandidatePairStats(); ok {
		rtt = time.Duration(s.CurrentRoundTripTime * float64(time.Second))
	}
	return addr, rtt
}

// round shortens a duration for people.
func round(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

func adviseWeb(err error) string {
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown):
		return "The certificate is not from a known authority. For a test site with an internal one, add --insecure."
	case errors.Is(err, errAnswer):
		return "Is the address complete? It ends with the path of the videoroom directive, usually /video."
	}
	return "Is the address right, and does the site open in a browser?"
}

func adviseSignal(err error) string {
	if errors.Is(err, client.ErrRefused) {
		return "Something between here and Caddy does not pass WebSockets on: look at proxies in front of it."
	}
	return ""
}
