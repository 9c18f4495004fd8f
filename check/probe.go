// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
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

// way is one way for media to the server.
type way struct {
	name    string
	types   []webrtc.NetworkType
	relayed bool
	advice  string
	absent  string // what to do where the server does not offer it, if anything
}

var ways = []way{
	{
		name: "media over UDP", types: []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6},
		advice: "Let UDP through to one of these addresses: in the firewall of the server and of its hosting provider, " +
			"and in the one you sit behind. If none of them is what the internet reaches the server at, set public_ip.",
		absent: "It is the best way. Where videoroom has been added to a running Caddy, stop Caddy and start it again; " +
			"otherwise Caddy's log says since its last start what keeps calls from UDP.",
	},
	{
		name: "media over TCP", types: []webrtc.NetworkType{webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6},
		advice: "Something between here and the server lets only TLS pass on this port. That does no harm where media over TLS works.",
	},
	{
		// Relayed candidates count as UDP, whatever carries them to the relay.
		name: "media over TLS", types: []webrtc.NetworkType{
			webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6,
		}, relayed: true,
		advice: "A proxy that opens TLS connections may be in the way: exempt this server from inspection.",
	},
}

func (p *probe) run(ctx context.Context) {
	s, err := p.getSite(ctx)
	if err != nil {
		p.report.fail("website", adviseWeb(err), "%v", err)
		return
	}
	p.report.ok("website", "answers as %q, videoroom %s", s.Practice, s.Version)
	works := 0
	for _, w := range ways {
		if p.opts.Proxy != "" && !w.relayed {
			p.report.note(w.name, "not tried: it does not pass through a proxy")
			continue
		}
		out := p.try(ctx, w, works == 0)
		if out == broken {
			return
		}
		if out == worked {
			works++
		}
	}
	if works == 0 {
		p.report.fail("media", "", "no way for sound and picture to this server")
	}
}

// outcome of one way.
type outcome uint8

const (
	worked  outcome = iota + 1
	failed          // this way does not work
	offered         // the server does not offer it
	broken          // nothing else is worth trying
)

// try sends media one way: all that a call needs where full is set, else only
// enough to know.
func (p *probe) try(ctx context.Context, w way, full bool) outcome {
	t, err := p.getTickets(ctx)
	if err != nil {
		p.report.fail("test room", "", "%v", err)
		return broken
	}
	var both [2]*party
	for i, token := range t.Tokens {
		one, err := p.join(ctx, token, w)
		switch {
		case errors.Is(err, client.ErrNoRelay):
			p.report.absent(w)
			return offered
		case err != nil:
			p.report.fail("signaling", adviseSignal(err), "%v", err)
			return broken
		}
		defer one.Close()
		both[i] = one
	}
	if full {
		p.report.ok("signaling", "WebSocket joined a test room")
	}
	if out := p.media(ctx, w, both); out != worked {
		return out
	}
	if full {
		p.exchange(ctx, both[0], both[1])
		p.data(ctx, both[0], both[1])
	}
	return worked
}

// join brings one participant into the test room.
func (p *probe) join(ctx context.Context, token string, w way) (*party, error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	se := webrtc.SettingEngine{}
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIncludeLoopbackCandidate(true) // a webmaster checks from the server itself
	se.SetNetworkTypes(w.types)
	se.SetRelayAcceptanceMinWait(0) // there is nothing better to wait for
	se.SetICEProxyDialer(&tlsDialer{insecure: p.opts.Insecure, proxy: p.opts.Proxy, timeout: p.opts.Timeout})
	me := &webrtc.MediaEngine{}
	if err := me.RegisterDefaultCodecs(); err != nil {
		return nil, fmt.Errorf("preparing codecs: %w", err)
	}
	one := &party{connected: make(chan struct{}), meter: newMeter(), heard: make(chan string, 1)}
	begin := time.Now()
	var once sync.Once
	c, err := client.Join(ctx, client.Options{
		URL: p.base, Token: token, HTTP: p.http, Relayed: w.relayed,
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
func (p *probe) media(ctx context.Context, w way, both [2]*party) outcome {
	where := addresses(both[0].Peer().RemoteDescription(), w)
	if where == "" {
		p.report.absent(w)
		return offered
	}
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	for _, one := range both {
		select {
		case <-one.connected:
		case <-one.Done():
			p.report.fail(w.name, "", "%v", one.Err())
			return failed
		case <-ctx.Done():
			p.report.warn(w.name, w.advice, "no connection to %s within %s", where, p.opts.Timeout)
			return failed
		}
	}
	addr, rtt := selected(both[0].Peer())
	if w.relayed {
		addr = "the site's own port"
	}
	p.report.ok(w.name, "connected in %s to %s, round trip %s", round(both[0].took), addr, round(rtt))
	return worked
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

// addresses lists where an answer offers to take media of one way; "" where it
// does not.
func addresses(d *webrtc.SessionDescription, w way) string {
	if d == nil {
		return ""
	}
	if w.relayed {
		return "the relay"
	}
	proto := w.types[0].String()[:3]
	var out []string
	for line := range strings.Lines(d.SDP) {
		f := strings.Fields(line)
		if len(f) < 6 || !strings.HasPrefix(f[0], "a=candidate:") || f[2] != proto {
			continue
		}
		a, err := netip.ParseAddr(f[4])
		if err == nil && !relayOnly.Contains(a) {
			out = append(out, net.JoinHostPort(f[4], f[5]))
		}
	}
	return strings.Join(out, ", ")
}

// relayOnly is where the address lies that only relays know what to do with.
var relayOnly = netip.MustParsePrefix("198.18.0.0/15")

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
