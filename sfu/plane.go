// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package sfu is the media plane: it receives each participant's sound and
// picture once and forwards them, still encoded, to everybody who wants them.
// It owns transports (ICE-lite, DTLS, SRTP, SCTP) and what flows through them.
// It knows nothing of names, roles and rooms' rules, never decodes media, and
// never touches a file or opens an outbound connection.
package sfu

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/selfsign"

	"github.com/caddy-videoroom/videoroom/port"
)

// certificateLife is how long one DTLS certificate serves new peers.
const certificateLife = 24 * time.Hour

// PlaneConfig describes a media plane.
type PlaneConfig struct {
	// Port is the plane's own UDP port; 0 lets the system choose (tests), NoPort
	// opens none: then everything comes in by Datagrams and OpenLink.
	Port int
	// Reach tells what else clients may reach the plane at; nil: nothing. It is
	// asked for every answer, and owns nothing of what it returns.
	Reach func() Reach
	// Addr limits the sockets to one address; invalid: all addresses.
	Addr netip.Addr
	// PublicIPs are announced to clients instead of the machine's own public
	// addresses. The machine's private addresses are announced as well.
	PublicIPs []netip.Addr
	// Loops is the number of loops; 0: one per processor, at most 16.
	Loops int
	// answerTime, when set by tests of slow clients, replaces the package's.
	answerTime time.Duration
	// Log receives events of the plane; never addresses.
	Log *slog.Logger
}

// NoPort is the Port of a plane without a socket of its own.
const NoPort = -1

// maxLoops bounds the loops; their letters must fit an ICE user name.
const maxLoops = 16

// Reach is what clients may reach the plane at beside its own port. An address of
// [::] or 0.0.0.0 stands for all of the machine's, or all of IPv4.
type Reach struct {
	// UDP are sockets whose datagrams come in by Datagrams, TCP take ICE-TCP; the
	// best first.
	UDP, TCP []netip.AddrPort
	// Relayed stands for the plane towards relays; invalid: there are none.
	Relayed netip.AddrPort
}

// Plane is the media plane of one process.
type Plane struct {
	cfg    PlaneConfig
	log    *slog.Logger
	loops  []*loop
	stats  counters
	dir    *directory
	next   atomic.Uint32
	links  atomic.Uint32
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // handshake goroutines of peers

	mu       sync.Mutex // guards the certificate
	cert     tls.Certificate
	print    string
	certTime time.Time
}

// NewPlane opens the sockets and starts the loops.
func NewPlane(cfg PlaneConfig) (*Plane, error) {
	if cfg.Loops == 0 {
		cfg.Loops = runtime.GOMAXPROCS(0)
	}
	cfg.Loops = min(cfg.Loops, maxLoops)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p := &Plane{cfg: cfg, log: cfg.Log, dir: newDirectory()}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	addr := cfg.Addr
	if !addr.IsValid() {
		addr = netip.IPv6Unspecified()
	}
	for i := range cfg.Loops {
		if cfg.Port == NoPort {
			p.loops = append(p.loops, newLoop(i, nil, p.dir, &p.stats, p.log))
			continue
		}
		sock, err := port.Listen(netip.AddrPortFrom(addr, uint16(p.Port())), cfg.Loops > 1)
		if err != nil {
			_ = p.Close()
			return nil, fmt.Errorf("opening UDP port %d for media: %w", cfg.Port, err)
		}
		p.loops = append(p.loops, newLoop(i, sock, p.dir, &p.stats, p.log))
	}
	for _, l := range p.loops {
		l.siblings = p.loops
		if cfg.answerTime > 0 {
			l.core.answerTime = int64(cfg.answerTime)
		}
	}
	for _, l := range p.loops {
		l.start()
	}
	return p, nil
}

// Port returns the plane's own UDP port, NoPort where it has none.
func (p *Plane) Port() int {
	if len(p.loops) > 0 && p.loops[0].own != nil {
		return int(p.loops[0].own.sock.LocalAddr().Port())
	}
	return p.cfg.Port
}

// Close ends all peers and loops and closes the sockets.
func (p *Plane) Close() error {
	p.cancel()
	for _, l := range p.loops {
		l.stop()
	}
	p.wg.Wait()
	return nil
}

// Stats counts what the plane carries now.
func (p *Plane) Stats() Stats {
	s := &p.stats
	return Stats{
		Rooms: int(s.rooms.Load()), Peers: int(s.peers.Load()),
		Tracks: int(s.tracks.Load()), Subscriptions: int(s.subscriptions.Load()),
		PacketsIn: s.in.Load(), PacketsOut: s.out.Load(), Dropped: s.dropped.Load(),
	}
}

// NewRoom reserves a place on one of the loops, in turn.
func (p *Plane) NewRoom(events RoomEvents) *Room {
	l := p.loops[int(p.next.Add(1)-1)%len(p.loops)]
	r := &Room{plane: p, post: l.post, loop: l.core.index, media: &roomMedia{events: events}, peers: make(map[string]*Peer)}
	r.post(func(c *core) { c.rooms[r.media] = struct{}{} })
	p.stats.rooms.Add(1)
	return r
}

// certificate returns the DTLS certificate for new peers and its fingerprint.
func (p *Plane) certificate() (tls.Certificate, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.print != "" && time.Since(p.certTime) < certificateLife {
		return p.cert, p.print, nil
	}
	cert, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return tls.Certificate{}, "", fmt.Errorf("making a DTLS certificate: %w", err)
	}
	sum := sha256.Sum256(cert.Certificate[0])
	p.cert, p.print, p.certTime = cert, formatFingerprint(sum[:]), time.Now()
	return p.cert, p.print, nil
}
