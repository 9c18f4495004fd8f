// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"context"
	"strings"

	"github.com/caddy-videoroom/videoroom/sfu/internal/sdp"
)

// connection is the control half of one transport. A peer has one, or two.
type connection struct {
	t         *transport
	data      channels
	sessionID uint64
	version   uint64

	joined   bool // the transport is in its core
	cred     credentials
	remote   string // the client's ICE ufrag
	identity string // the client's certificate fingerprints, joined
}

func newConnection(t *transport) connection {
	return connection{t: t, sessionID: uint64(random32())}
}

// join puts the transport into its core and starts waiting for the handshake. o
// is the client's first description, which decides who begins it: the side that
// is active (RFC 8842).
func (p *Peer) join(n *connection, o *sdp.Offer) {
	prints := sha256Prints(o)
	n.joined = true
	n.remote, n.identity = o.Ufrag, strings.Join(prints, " ")
	t, post := n.t, p.room.post
	t.cred, t.remote, t.exts = n.cred, credentials{o.Ufrag, o.Pwd}, collectExts(o)
	t.dtls = newBridge(func(b []byte) {
		post(func(*core) { t.sendDTLS(b) })
	})
	post(func(c *core) { c.addTransport(t) })
	active := o.Setup == sdp.SetupPassive
	p.room.plane.wg.Add(1)
	go func() { // ends when the bridge is closed, by removeTransport at the latest
		defer p.room.plane.wg.Done()
		p.handshake(n, prints, active)
	}()
}

// handshake runs DTLS and then the data channels above it.
func (p *Peer) handshake(n *connection, fingerprints []string, active bool) {
	t, post := n.t, p.room.post
	fail := func() { post(func(c *core) { t.setState(PeerFailed) }) }
	defer t.dtls.close()
	if !t.dtls.wait(p.room.plane.ctx, active) {
		return
	}
	under := &p.room.plane.stats.handshakes
	if under.Add(1) > maxHandshakes {
		under.Add(-1)
		fail()
		return
	}
	conn, err := t.dtls.secure(p.room.plane.ctx, p.cert, fingerprints, active)
	under.Add(-1)
	if err != nil {
		fail()
		return
	}
	defer func() { _ = conn.Close() }()
	in, out, err := srtpContexts(conn, active)
	if err != nil {
		fail()
		return
	}
	post(func(c *core) { t.setKeys(c, in, out) })
	stop := context.AfterFunc(p.room.plane.ctx, t.dtls.close)
	defer stop()
	if err := n.data.serve(conn, p.events, p.channels(n, active)); err == nil || !t.dtls.ended() {
		// The client ended its association (or broke it): without data channels
		// and handshake state the path is of no use any more.
		fail()
	}
}

// restart renews ICE on a connection that is under way, when the client's
// description has other credentials than before.
func (p *Peer) restart(n *connection, cred credentials, o *sdp.Offer) {
	n.cred, n.remote = cred, o.Ufrag
	t, remote := n.t, credentials{o.Ufrag, o.Pwd}
	p.room.post(func(c *core) { t.restart(c, cred, remote) })
}

// end ends a transport, whether or not it ever began.
func (c *core) end(t *transport, joined bool) {
	if joined {
		c.removeTransport(t)
		return
	}
	t.setState(PeerClosed)
}
