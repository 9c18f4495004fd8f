// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"net/netip"
	"strings"

	"github.com/pion/stun/v4"
)

// This file is an ICE-lite agent (RFC 8445 §2.5): it answers checks and sends none
// to find paths (probe.go asks whether one still works). Checks without a known
// ufrag or with a wrong integrity get no answer at all, so that the socket
// reflects nothing.

// maxPaths bounds the addresses remembered per transport; the longest silent one
// makes room for a new one.
const maxPaths = 8

// iceSilence is how long the selected path may be silent before a nomination of
// another path takes effect at once.
const iceSilence = int64(1e9)

type credentials struct{ ufrag, pwd string }

var ufragEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newCredentials makes an ICE user name that begins with its loop's letter, so
// that a check received by any loop finds the owner without a shared table.
func newCredentials(loop int) credentials {
	var b [30]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	s := ufragEncoding.EncodeToString(b[:])
	return credentials{ufrag: string(rune('a'+loop)) + s[:15], pwd: s[15:47]}
}

// ufragLoop returns the loop that made a ufrag.
func ufragLoop(ufrag string) (loop int, ok bool) {
	if len(ufrag) != 16 || ufrag[0] < 'a' || ufrag[0] > 'z' {
		return 0, false
	}
	return int(ufrag[0] - 'a'), true
}

// stunUfrag returns our half of a binding request's USERNAME without decoding
// the whole message.
func stunUfrag(b []byte) (string, bool) {
	for off := 20; off+4 <= len(b); {
		typ := uint16(b[off])<<8 | uint16(b[off+1])
		n := int(b[off+2])<<8 | int(b[off+3])
		if off+4+n > len(b) {
			return "", false
		}
		if typ == uint16(stun.AttrUsername) {
			local, _, ok := bytes.Cut(b[off+4:off+4+n], []byte{':'})
			return string(local), ok
		}
		off += 4 + (n+3)&^3
	}
	return "", false
}

// path is one remote address that passed a connectivity check, on one of our
// sides: the same remote address may reach several ports of ours.
type path struct {
	via       outbox
	addr      netip.AddrPort
	local     netip.Addr
	nominated bool
	answered  bool // a probe
	seen      int64
	ufrag     string // ours, of the newest check
	size      int    // of the newest check
}

func (c *core) receiveSTUN(b []byte, from netip.AddrPort, local netip.Addr, via outbox) bool {
	if id, ok := stunAnswer(b); ok {
		t := c.byProbe[id]
		if t == nil {
			return false
		}
		t.receiveAnswer(c, b, id, from, local, via)
		return true
	}
	ufrag, ok := stunUfrag(b)
	if !ok {
		c.stats.stunRefused.Add(1)
		return true
	}
	t := c.byUfrag[ufrag]
	if t == nil {
		return false
	}
	if c.byAddr[from] != t && !c.strangers.allow(c.now, from.Addr()) {
		c.stats.stunRefused.Add(1)
		return true
	}
	t.check(c, b, from, local, via)
	return true
}

// check answers one connectivity check (RFC 8445 §7.3).
func (t *transport) check(c *core, b []byte, from netip.AddrPort, local netip.Addr, via outbox) {
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	if m.Decode() != nil || m.Type != stun.BindingRequest {
		c.stats.stunRefused.Add(1)
		return
	}
	var user stun.Username
	if user.GetFrom(m) != nil {
		c.stats.stunRefused.Add(1)
		return
	}
	ours, theirs, _ := strings.Cut(string(user), ":")
	cred, ok := t.credentialsFor(ours)
	remote, _ := t.remoteFor(ours)
	if !ok || theirs != remote.ufrag ||
		stun.NewShortTermIntegrity(cred.pwd).Check(m) != nil {
		c.stats.stunRefused.Add(1)
		return
	}
	if m.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(m) != nil {
		c.stats.stunRefused.Add(1)
		return
	}
	addr := from.Addr().Unmap()
	answer, err := stun.Build(m, stun.BindingSuccess,
		&stun.XORMappedAddress{IP: addr.AsSlice(), Port: int(from.Port())},
		stun.NewShortTermIntegrity(cred.pwd), stun.Fingerprint)
	if err != nil {
		return
	}
	via.WriteTo(answer.Raw, from, local)
	p := t.path(from, via)
	if p == nil {
		p = t.addPath(c, from, via)
	}
	p.local, p.ufrag, p.size = local, ours, len(b)
	t.seen(c, p, m.Contains(stun.AttrUseCandidate), ours == t.cred.ufrag)
}

// seen takes note of a check on a path and selects it where it should be.
func (t *transport) seen(c *core, p *path, nominate, current bool) {
	p.seen = c.now
	p.nominated = p.nominated || nominate
	// A nomination moves the media at once when there is nothing to move or the
	// old path is silent. Otherwise the first authenticated packet from the new
	// path moves it (followMedia), so that checks alone never make it flap.
	restarted := current && t.selectedUfrag != t.cred.ufrag
	if nominate && (!t.selected.IsValid() || restarted || c.now-t.lastMedia > iceSilence) {
		t.selectPath(p)
	}
	if !t.selected.IsValid() || t.on(p.addr, p.via) {
		t.alive(c)
	}
}

// followMedia moves the outgoing path to where authenticated packets come from:
// at once where the client has nominated it, else after it has answered a probe.
// Until then a packet, which anybody may have caught and sent on, proves nothing.
func (t *transport) followMedia(c *core, from netip.AddrPort, local netip.Addr, via outbox) {
	if !t.on(from, via) {
		p := t.path(from, via)
		switch {
		case p != nil && p.nominated:
			t.selectPath(p)
		case p != nil && p.answered && t.moveTo(c, p):
		default:
			t.askStray(c, from, local, via)
			return
		}
	}
	t.lastMedia = c.now
	if t.state != PeerConnected || c.now-t.lastSeen > outage {
		t.alive(c)
	}
	t.lastSeen, t.unanswered = c.now, 0
}

// on tells whether the selected path is the given one.
func (t *transport) on(a netip.AddrPort, via outbox) bool { return t.selected == a && t.via == via }

func (t *transport) selectPath(p *path) {
	if t.line != nil && t.selected.IsValid() {
		t.line.reset()
	}
	t.selected, t.via, t.selectedUfrag = p.addr, p.via, p.ufrag
	t.dest.Set(p.addr, p.local)
	t.dtls.reach()
}

// sendDTLS sends one DTLS datagram on the selected path, before there is one on
// the newest.
func (t *transport) sendDTLS(b []byte) {
	p := t.path(t.selected, t.via)
	if p == nil && len(t.paths) > 0 {
		p = &t.paths[len(t.paths)-1]
	}
	if p != nil {
		p.via.WriteTo(b, p.addr, p.local)
	}
}

func (t *transport) path(a netip.AddrPort, via outbox) *path {
	for i := range t.paths {
		if t.paths[i].addr == a && t.paths[i].via == via {
			return &t.paths[i]
		}
	}
	return nil
}

func (t *transport) addPath(c *core, a netip.AddrPort, via outbox) *path {
	if len(t.paths) == maxPaths {
		oldest := -1
		for i := range t.paths {
			if !t.on(t.paths[i].addr, t.paths[i].via) && (oldest < 0 || t.paths[i].seen < t.paths[oldest].seen) {
				oldest = i
			}
		}
		gone := t.paths[oldest].addr
		t.paths = append(t.paths[:oldest], t.paths[oldest+1:]...)
		c.forgetAddr(t, gone)
	}
	// The integrity of the check proves that whoever is at this address now
	// holds the credentials: a former owner of the address has lost it.
	c.byAddr[a] = t
	c.dir.set(a, c.index)
	t.paths = append(t.paths, path{addr: a, via: via})
	return &t.paths[len(t.paths)-1]
}

// forgetAddr drops an address that no path of t uses any more.
func (c *core) forgetAddr(t *transport, a netip.AddrPort) {
	for i := range t.paths {
		if t.paths[i].addr == a {
			return
		}
	}
	if c.byAddr[a] == t {
		delete(c.byAddr, a)
		c.dir.remove([]netip.AddrPort{a}, c.index)
	}
}

// credentialsFor returns the credentials with the given ufrag: the current ones,
// or the former ones after an ICE restart until a new path is selected.
func (t *transport) credentialsFor(ufrag string) (credentials, bool) {
	switch ufrag {
	case t.cred.ufrag:
		return t.cred, true
	case t.formerCred.ufrag:
		return t.formerCred, t.formerCred.ufrag != ""
	}
	return credentials{}, false
}

// remoteFor returns the client's credentials that belong to a ufrag of ours.
func (t *transport) remoteFor(ours string) (credentials, bool) {
	switch ours {
	case t.cred.ufrag:
		return t.remote, true
	case t.formerCred.ufrag:
		return t.formerRemote, t.formerCred.ufrag != ""
	}
	return credentials{}, false
}

// restart takes new credentials after the client began an ICE restart
// (RFC 8445 §2.4); the former ones stay valid so that media goes on meanwhile.
func (t *transport) restart(c *core, cred, remote credentials) {
	if t.formerCred.ufrag != "" {
		delete(c.byUfrag, t.formerCred.ufrag)
	}
	t.formerCred, t.formerRemote = t.cred, t.remote
	t.cred, t.remote = cred, remote
	c.byUfrag[cred.ufrag] = t
}
