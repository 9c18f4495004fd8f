// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"encoding/binary"

	pion "github.com/pion/stun/v4"
)

// turnMethods are the requests that the server answers after authentication.
// CONNECT and CONNECTION-BIND of RFC 6062 are not among them.
var turnMethods = map[pion.Method]func(*turnRequest) error{
	pion.MethodAllocate:         (*turnRequest).allocate,
	pion.MethodRefresh:          (*turnRequest).refresh,
	pion.MethodCreatePermission: (*turnRequest).createPermission,
	pion.MethodChannelBind:      (*turnRequest).channelBind,
}

// turnAttributes are the attributes that a client may require us to understand.
// DONT-FRAGMENT is not among them (RFC 8656 section 7.2).
var turnAttributes = map[pion.AttrType]bool{
	pion.AttrUsername:               true,
	pion.AttrRealm:                  true,
	pion.AttrNonce:                  true,
	pion.AttrMessageIntegrity:       true,
	pion.AttrLifetime:               true,
	pion.AttrXORPeerAddress:         true,
	pion.AttrData:                   true,
	pion.AttrChannelNumber:          true,
	pion.AttrRequestedTransport:     true,
	pion.AttrRequestedAddressFamily: true,
	pion.AttrEvenPort:               true,
	pion.AttrReservationToken:       true,
}

// message takes a STUN message. What is malformed or nobody waits for an answer
// to is dropped. An error ends the connection.
func (c *turnConn) message(b []byte) error {
	c.msg.Raw = b
	sound := c.msg.Decode() == nil &&
		(!c.msg.Contains(pion.AttrFingerprint) || pion.Fingerprint.Check(&c.msg) == nil)
	if !sound {
		return nil
	}
	switch c.msg.Type.Class {
	case pion.ClassRequest:
		r := turnRequest{c: c, m: &c.msg}
		return r.serve()
	case pion.ClassIndication:
		if c.msg.Type.Method == pion.MethodSend {
			c.sendIndication()
		}
	}
	return nil
}

func (r *turnRequest) serve() error {
	if r.m.Type.Method == pion.MethodBinding {
		if required := unknownAttributes(r.m); len(required) > 0 {
			return r.unknown(r.answer(pion.ClassErrorResponse, pion.CodeUnknownAttribute, required))
		}
		return r.unknown(r.succeed(xorAddrAttr{pion.AttrXORMappedAddress, r.c.client}))
	}
	method, ok := turnMethods[r.m.Type.Method]
	if !ok {
		return r.strike(r.fail(pion.CodeBadRequest))
	}
	if ok, err := r.authenticate(); !ok {
		return err
	}
	if required := unknownAttributes(r.m); len(required) > 0 {
		return r.answer(pion.ClassErrorResponse, pion.CodeUnknownAttribute, required)
	}
	return method(r)
}

// unknownAttributes returns what a client requires us to understand and we do
// not.
func unknownAttributes(m *pion.Message) (unknown pion.UnknownAttributes) {
	for _, a := range m.Attributes {
		if a.Type.Required() && !turnAttributes[a.Type] {
			unknown = append(unknown, a.Type)
		}
	}
	return unknown
}

// allocate serves Allocate (RFC 8656 section 7.2).
func (r *turnRequest) allocate() error {
	c := r.c
	if c.alloc != nil {
		return r.fail(pion.CodeAllocMismatch)
	}
	if !c.now.Before(r.user.Expires) {
		return r.strike(r.challenge(pion.CodeUnauthorized))
	}
	if code := refusal(r.m); code != 0 {
		return r.fail(code)
	}
	a := &allocation{c: c, username: r.username, key: r.key, participant: r.user.Participant}
	if a.user = c.t.acquire(a.participant, c); a.user == nil {
		c.t.overQuota.Add(1)
		return r.fail(pion.CodeAllocQuotaReached)
	}
	relay, err := c.t.open(a.participant, a.deliver)
	if err != nil {
		c.t.release(a.participant, c)
		return r.fail(pion.CodeInsufficientCapacity)
	}
	a.relay, a.until = relay, c.now.Add(TURNLifetime)
	c.alloc = a
	c.t.allocations.Add(1)
	c.place.leave()
	return r.succeed(
		xorAddrAttr{pion.AttrXORRelayedAddress, c.t.relayedAddr()},
		lifetimeAttr(TURNLifetime.Seconds()),
		xorAddrAttr{pion.AttrXORMappedAddress, c.client},
	)
}

// protocolUDP is UDP's number in REQUESTED-TRANSPORT.
const protocolUDP = 17

// refusal returns why an allocation that is asked for cannot be had, or 0.
func refusal(m *pion.Message) pion.ErrorCode {
	transport, err := m.Get(pion.AttrRequestedTransport)
	if err != nil || len(transport) != 4 {
		return pion.CodeBadRequest
	}
	if transport[0] != protocolUDP {
		return pion.CodeUnsupportedTransProto
	}
	family, err := m.Get(pion.AttrRequestedAddressFamily)
	hasFamily := err == nil
	if hasFamily && len(family) != 4 {
		return pion.CodeBadRequest
	}
	even, reserved := m.Contains(pion.AttrEvenPort), m.Contains(pion.AttrReservationToken)
	switch {
	case reserved && (even || hasFamily):
		return pion.CodeBadRequest
	case even, reserved:
		return pion.CodeInsufficientCapacity
	case hasFamily && family[0] != familyIPv4:
		return pion.CodeAddrFamilyNotSupported
	}
	return 0
}

// refresh serves Refresh (RFC 8656 section 8.2).
func (r *turnRequest) refresh() error {
	c := r.c
	if c.alloc == nil {
		return r.fail(pion.CodeAllocMismatch)
	}
	if v, err := r.m.Get(pion.AttrRequestedAddressFamily); err == nil && (len(v) != 4 || v[0] != familyIPv4) {
		return r.fail(pion.CodePeerAddrFamilyMismatch)
	}
	if v, err := r.m.Get(pion.AttrLifetime); err == nil {
		if len(v) != 4 {
			return r.fail(pion.CodeBadRequest)
		}
		if binary.BigEndian.Uint32(v) == 0 {
			c.deallocate()
			c.stayOut()
			return r.succeed(lifetimeAttr(0))
		}
	}
	c.alloc.until = c.now.Add(TURNLifetime)
	return r.succeed(lifetimeAttr(TURNLifetime.Seconds()))
}

// createPermission serves CreatePermission (RFC 8656 section 10.2). The port
// counts here, which the RFC leaves aside: there is one peer with one port.
func (r *turnRequest) createPermission() error {
	c := r.c
	if c.alloc == nil {
		return r.fail(pion.CodeAllocMismatch)
	}
	peers, allowed := 0, 0
	for _, a := range r.m.Attributes {
		if a.Type != pion.AttrXORPeerAddress {
			continue
		}
		if !wellFormedAddr(a.Value) {
			return r.fail(pion.CodeBadRequest)
		}
		peers++
		if xorAddr(a.Value) == VirtualPeer {
			allowed++
		}
	}
	switch {
	case peers == 0:
		return r.fail(pion.CodeBadRequest)
	case allowed != peers:
		c.t.denied.Add(1)
		return r.fail(pion.CodeForbidden)
	}
	c.alloc.permit(c.now)
	return r.succeed()
}

// channelBind serves ChannelBind (RFC 8656 section 12.2).
func (r *turnRequest) channelBind() error {
	c := r.c
	if c.alloc == nil {
		return r.fail(pion.CodeAllocMismatch)
	}
	number, err := r.m.Get(pion.AttrChannelNumber)
	if err != nil || len(number) != 4 {
		return r.fail(pion.CodeBadRequest)
	}
	channel := uint32(binary.BigEndian.Uint16(number))
	peer, err := r.m.Get(pion.AttrXORPeerAddress)
	if err != nil || channel < minChannel || channel > maxChannel || !wellFormedAddr(peer) {
		return r.fail(pion.CodeBadRequest)
	}
	if xorAddr(peer) != VirtualPeer {
		c.t.denied.Add(1)
		return r.fail(pion.CodeForbidden)
	}
	if bound := c.alloc.channel.Load(); bound != 0 && bound != channel {
		return r.fail(pion.CodeBadRequest)
	}
	c.alloc.permit(c.now)
	c.alloc.channelUntil = c.now.Add(turnChannel)
	c.alloc.channel.Store(channel)
	return r.succeed()
}

// sendIndication takes a Send indication (RFC 8656 section 11.4).
func (c *turnConn) sendIndication() {
	peer, err := c.msg.Get(pion.AttrXORPeerAddress)
	if err != nil || c.alloc == nil {
		return
	}
	if xorAddr(peer) != VirtualPeer {
		c.t.denied.Add(1)
		return
	}
	data, err := c.msg.Get(pion.AttrData)
	if err != nil || len(unknownAttributes(&c.msg)) > 0 {
		return
	}
	c.alloc.send(data)
}
