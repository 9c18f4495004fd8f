// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/deadline"
)

const (
	// bridgeQueue is how many DTLS datagrams may wait for the handshake or the
	// data channels; more are dropped, and DTLS and SCTP send them again.
	bridgeQueue      = 128
	handshakeTimeout = 15 * time.Second
	// maxHandshakes bounds handshakes under way at once: each may buffer up to
	// 2 MB of fragments.
	maxHandshakes = 200

	srtpReplayWindow  = 512
	srtcpReplayWindow = 64
)

var errFingerprint = errors.New("certificate does not match the offered fingerprint")

// bridge is the in-memory connection between the loop and pion's DTLS, which
// keeps goroutines of its own. Datagrams come in from the loop by deliver and go
// out through send.
type bridge struct {
	in       chan []byte
	found    chan struct{} // closed when there is a path
	finding  sync.Once
	done     chan struct{}
	once     sync.Once
	send     func([]byte)
	deadline *deadline.Deadline
}

func newBridge(send func([]byte)) *bridge {
	return &bridge{
		in:       make(chan []byte, bridgeQueue),
		found:    make(chan struct{}),
		done:     make(chan struct{}),
		send:     send,
		deadline: deadline.New(),
	}
}

// deliver hands over one datagram; it returns false when the queue is full.
func (b *bridge) deliver(data []byte) bool {
	select {
	case b.in <- append([]byte(nil), data...):
		return true
	default:
		return false
	}
}

// reach tells that the client can be reached. b may be nil.
func (b *bridge) reach() {
	if b != nil {
		b.finding.Do(func() { close(b.found) })
	}
}

// wait waits until the handshake can begin: until there is a path where it is us
// who begin, else until the client has, so that its resources are spent only on
// clients that came so far. False: the bridge or ctx ended before.
func (b *bridge) wait(ctx context.Context, active bool) bool {
	var found chan struct{}
	in := b.in
	if active {
		found, in = b.found, nil
	}
	select {
	case <-found:
		return true
	case first := <-in:
		b.deliver(first)
		return true
	case <-b.done:
	case <-ctx.Done():
	}
	return false
}

// ended tells that our side has closed the bridge.
func (b *bridge) ended() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

func (b *bridge) close() { b.once.Do(func() { close(b.done) }) }

// ReadFrom implements net.PacketConn.
func (b *bridge) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case data := <-b.in:
		return copy(p, data), bridgeAddr{}, nil
	case <-b.done:
		return 0, nil, net.ErrClosed
	case <-b.deadline.Done():
		return 0, nil, b.deadline.Err()
	}
}

// WriteTo implements net.PacketConn.
func (b *bridge) WriteTo(p []byte, _ net.Addr) (int, error) {
	select {
	case <-b.done:
		return 0, net.ErrClosed
	default:
	}
	b.send(append([]byte(nil), p...))
	return len(p), nil
}

// Close implements net.PacketConn.
func (b *bridge) Close() error { b.close(); return nil }

// LocalAddr implements net.PacketConn.
func (b *bridge) LocalAddr() net.Addr { return bridgeAddr{} }

// SetDeadline implements net.PacketConn.
func (b *bridge) SetDeadline(t time.Time) error { return b.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (b *bridge) SetReadDeadline(t time.Time) error { b.deadline.Set(t); return nil }

// SetWriteDeadline implements net.PacketConn; writes never wait.
func (b *bridge) SetWriteDeadline(time.Time) error { return nil }

// bridgeAddr stands for the peer: true addresses stay in the loop.
type bridgeAddr struct{}

func (bridgeAddr) Network() string { return "memory" }
func (bridgeAddr) String() string  { return "peer" }

// srtpProfiles in our order of preference. Mostly we are the DTLS server, so it
// decides; AES-128-GCM costs a sixth of AES-CM with HMAC-SHA1.
var srtpProfiles = []dtls.SRTPProtectionProfile{
	dtls.SRTP_AEAD_AES_128_GCM,
	dtls.SRTP_AEAD_AES_256_GCM,
	dtls.SRTP_AES128_CM_HMAC_SHA1_80,
}

// secure runs the handshake, as DTLS client where active, and returns the
// connection, with the other side's certificate checked against the fingerprints
// of its description (RFC 8122).
func (b *bridge) secure(ctx context.Context, cert tls.Certificate, fingerprints []string, active bool) (*dtls.Conn, error) {
	conn, err := b.open(cert, fingerprints, active)
	if err != nil {
		return nil, fmt.Errorf("preparing DTLS: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("DTLS handshake: %w", err)
	}
	return conn, nil
}

func (b *bridge) open(cert tls.Certificate, fingerprints []string, active bool) (*dtls.Conn, error) {
	both := []dtls.Option{
		dtls.WithCertificates(cert),
		dtls.WithSRTPProtectionProfiles(srtpProfiles...),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithInsecureSkipVerify(true), // self-signed by design; the fingerprint decides
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error {
			return matchFingerprint(raw, fingerprints)
		}),
		dtls.WithReplayProtectionWindow(64),
		dtls.WithMTU(1200),
		dtls.WithFlightInterval(200 * time.Millisecond),
		dtls.WithLoggerFactory(silence{}),
	}
	if active {
		var opts []dtls.ClientOption
		for _, o := range both {
			opts = append(opts, o)
		}
		return dtls.ClientWithOptions(b, bridgeAddr{}, opts...)
	}
	opts := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert)}
	for _, o := range both {
		opts = append(opts, o)
	}
	return dtls.ServerWithOptions(b, bridgeAddr{}, opts...)
}

func matchFingerprint(raw [][]byte, fingerprints []string) error {
	if len(raw) == 0 {
		return errFingerprint
	}
	sum := sha256.Sum256(raw[0])
	got := []byte(formatFingerprint(sum[:]))
	for _, f := range fingerprints {
		if subtle.ConstantTimeCompare(got, []byte(strings.ToUpper(f))) == 1 {
			return nil
		}
	}
	return errFingerprint
}

// formatFingerprint writes a digest as SDP does: upper-case octets with colons.
func formatFingerprint(sum []byte) string {
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = strings.ToUpper(hex.EncodeToString([]byte{b}))
	}
	return strings.Join(parts, ":")
}

// srtpContexts derives the keys of both directions (RFC 5764); active tells that
// we were the DTLS client.
func srtpContexts(conn *dtls.Conn, active bool) (in, out *srtp.Context, err error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return nil, nil, errors.New("no SRTP profile negotiated")
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return nil, nil, errors.New("no DTLS state")
	}
	cfg := &srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := cfg.ExtractSessionKeysFromDTLS(&state, active); err != nil {
		return nil, nil, fmt.Errorf("exporting SRTP keys: %w", err)
	}
	in, err = srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile,
		srtp.SRTPReplayProtection(srtpReplayWindow), srtp.SRTCPReplayProtection(srtcpReplayWindow))
	if err != nil {
		return nil, nil, fmt.Errorf("SRTP receive context: %w", err)
	}
	out, err = srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile)
	if err != nil {
		return nil, nil, fmt.Errorf("SRTP send context: %w", err)
	}
	return in, out, nil
}
