// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// This file asks clients for signs of life. An ICE-lite agent sends no checks to
// find paths (RFC 8445 §2.5), but it may find out whether one that the client has
// checked still works (RFC 7675): a muted client can be silent for seconds, and
// so can a path that has died. A probe goes where a check came from, or where
// media authenticated as the client's came from, and is not larger than the
// client's checks.

const (
	// probeAfter is how long the selected path may be silent before it is asked,
	// and probePeriod the time from one probe to the next. A path that has left
	// maxUnanswered probes in a row without a sign of life is dead.
	probeAfter    = int64(600 * time.Millisecond)
	probePeriod   = int64(300 * time.Millisecond)
	maxUnanswered = 4

	// strayPeriod is the time between two probes to addresses that authentic
	// media came from, but no check.
	strayPeriod = int64(200 * time.Millisecond)
	// moveAfter is how long the selected path must have been silent before media
	// moves to such an address: copies that a network makes of packets on the
	// way do not count.
	moveAfter = int64(100 * time.Millisecond)

	// maxProbes bounds the probes of a transport that may still be answered, and
	// probeLife is how long each may be.
	maxProbes = 8
	probeLife = int64(3 * time.Second)

	// probePriority is what a peer-reflexive candidate of ours would have
	// (RFC 8445 §5.1.2.1); checks must tell one.
	probePriority = uint32(110<<24 | 65535<<8 | 255)
)

// probeID is the transaction id of a probe. It begins with the number of its
// loop, so that an answer received by any loop finds the owner.
type probeID [stun.TransactionIDSize]byte

func newProbeID(c *core) (id probeID) {
	c.entropy(id[:])
	id[0] = byte(c.index)
	return id
}

// probe is one that may still be answered.
type probe struct {
	id  probeID
	at  int64
	to  netip.AddrPort
	via outbox
	pwd string // the client's, that protects the answer
}

// stunAnswer returns the transaction id of a success response to a binding
// request.
func stunAnswer(b []byte) (id probeID, ok bool) {
	if len(b) < 20 || binary.BigEndian.Uint16(b) != stun.BindingSuccess.Value() {
		return id, false
	}
	return probeID(b[8:20]), true
}

// ask probes the silent selected path where it is due, and tells when it is dead.
func (t *transport) ask(c *core) {
	if c.now < t.nextProbe || t.renewing() {
		return
	}
	if t.unanswered == maxUnanswered {
		t.setState(PeerSilent)
		return
	}
	t.nextProbe = c.now + probePeriod
	// Without any path (its stream has ended) nothing can be asked, nor answered.
	if p := t.path(t.selected, t.via); p == nil || t.sendProbe(c, p, p.addr, p.local, p.via) {
		t.unanswered++
	}
}

// renewing tells that the client has begun an ICE restart and not yet nominated
// a path: it knows, and is at work.
func (t *transport) renewing() bool {
	return t.selectedUfrag != t.cred.ufrag && t.formerCred.ufrag != ""
}

// askStray probes an address that an authentic packet of the client came from,
// but no check. Only the answer makes it a path (see answered).
func (t *transport) askStray(c *core, from netip.AddrPort, local netip.Addr, via outbox) {
	if c.now < t.nextStray {
		return
	}
	if like := t.path(t.selected, t.via); like != nil {
		t.nextStray = c.now + strayPeriod
		t.sendProbe(c, like, from, local, via)
	}
}

// sendProbe sends a binding request as a controlled agent (RFC 8445 §7.1) with
// the credentials of a path. It returns false where they are out of date, or
// where the client's checks are smaller than ours would be.
func (t *transport) sendProbe(c *core, like *path, to netip.AddrPort, local netip.Addr, via outbox) bool {
	theirs, ok := t.remoteFor(like.ufrag)
	if !ok || theirs.pwd == "" {
		return false
	}
	id := newProbeID(c)
	m, err := stun.Build(stun.BindingRequest, stun.NewTransactionIDSetter(id),
		stun.NewUsername(theirs.ufrag+":"+like.ufrag),
		stun.RawAttribute{Type: stun.AttrPriority, Value: binary.BigEndian.AppendUint32(nil, probePriority)},
		stun.RawAttribute{Type: stun.AttrICEControlled, Value: binary.BigEndian.AppendUint64(nil, t.tieBreaker)},
		stun.NewShortTermIntegrity(theirs.pwd), stun.Fingerprint)
	if err != nil || len(m.Raw) > like.size {
		return false
	}
	if len(t.probes) == maxProbes {
		t.forgetProbe(c, 0)
	}
	t.probes = append(t.probes, probe{id: id, at: c.now, to: to, via: via, pwd: theirs.pwd})
	c.byProbe[id] = t
	via.WriteTo(m.Raw, to, local)
	return true
}

func (t *transport) forgetProbe(c *core, i int) {
	delete(c.byProbe, t.probes[i].id)
	t.probes = append(t.probes[:i], t.probes[i+1:]...)
}

// receiveAnswer takes the answer to a probe. Each is taken once, only from where
// the probe went, and only with the client's integrity.
func (t *transport) receiveAnswer(c *core, b []byte, id probeID, from netip.AddrPort, local netip.Addr, via outbox) {
	for i := range t.probes {
		p := t.probes[i]
		if p.id != id {
			continue
		}
		m := &stun.Message{Raw: append([]byte(nil), b...)}
		if p.to != from || p.via != via || c.now-p.at > probeLife || m.Decode() != nil ||
			stun.NewShortTermIntegrity(p.pwd).Check(m) != nil ||
			m.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(m) != nil {
			break
		}
		t.forgetProbe(c, i)
		t.answered(c, from, local, via)
		return
	}
	c.stats.stunRefused.Add(1)
}

// answered notes that the client is where a probe went.
func (t *transport) answered(c *core, from netip.AddrPort, local netip.Addr, via outbox) {
	if t.on(from, via) {
		t.alive(c)
		return
	}
	was := t.path(t.selected, t.via)
	if was == nil {
		return // the client must nominate
	}
	ufrag, size := was.ufrag, was.size
	p := t.path(from, via)
	if p == nil {
		p = t.addPath(c, from, via)
		p.ufrag, p.size = ufrag, size
	}
	p.local, p.seen, p.answered = local, c.now, true
	t.moveTo(c, p)
}

// moveTo selects a path that the client answers on, unless the selected one is
// in use.
func (t *transport) moveTo(c *core, p *path) bool {
	if c.now-t.lastSeen <= moveAfter {
		return false
	}
	t.selectPath(p)
	t.alive(c)
	return true
}
