// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"
)

// A capability is base64url(version ‖ fields ‖ 128-bit HMAC-SHA-256). The key
// binds purpose and site, the HMAC's input the room where there is one. It is
// short, because it stands behind the # of a link that people send each other.
const (
	capVersion = 1
	capTag     = 16
	capMax     = 512

	visitE2EE = 1

	// What may end a grant: nobody enters the room unasked; it is locked; its link
	// has a key.
	grantKept   = 1
	grantLocked = 2
	grantKeyed  = 4
)

// Visit is what a visitor link's capability says.
type Visit struct {
	// Host is the id of the host who opened the room; empty where a site has no
	// hosts.
	Host string
	// Expires ends the link.
	Expires time.Time
	// E2EE: the call that the link leads to is encrypted from end to end; the
	// link's text begins with [Confidential].
	E2EE bool
}

// Confidential begins the secret of every link to a call that is encrypted from end
// to end: pages see it, and begin no other call by such a link. It is signed along.
const Confidential = "e2ee-"

// HostKey is what a host link's capability says.
type HostKey struct {
	Host string
	// Generation is raised to void the links printed before.
	Generation uint32
}

// Grant lets a host reopen a room after a restart of the server.
type Grant struct {
	Room, Host      string
	Opened, Expires time.Time
	// Locked keeps newcomers waiting in the room that is reopened.
	Locked bool
	// Kept keeps everybody waiting until the host admits them, also on sites
	// where nobody has to wait.
	Kept bool
	// Keyed tells that the room's link has a key, of which the server knows nothing
	// else.
	Keyed bool
}

func (g Grant) flags() (flags byte) {
	if g.Kept {
		flags |= grantKept
	}
	if g.Locked {
		flags |= grantLocked
	}
	if g.Keyed {
		flags |= grantKeyed
	}
	return flags
}

// Visit mints the capability of a visitor link to a room.
func (k *Keys) Visit(site, room string, v Visit) (string, error) {
	e := encoder{}
	e.time(v.Expires)
	e.text(v.Host)
	if !v.E2EE {
		return e.seal(k.derive(purposeVisit, site), room)
	}
	e.b = append(e.b, visitE2EE)
	capability, err := e.seal(k.derive(purposeVisit, site), room)
	return Confidential + capability, err
}

// VerifyVisit checks the capability of a visitor link to a room. It returns
// [ErrBadCapability], or [ErrCapabilityExpired] to the holder of an authentic
// one. The time it takes does not tell the two apart from each other.
func (k *Keys) VerifyVisit(site, room, capability string, now time.Time) (Visit, error) {
	capability, confidential := strings.CutPrefix(capability, Confidential)
	d := unseal(k.derive(purposeVisit, site), room, capability)
	v := Visit{Expires: d.time(), Host: d.text(), E2EE: confidential}
	if confidential {
		d.ok = d.take(1)[0] == visitE2EE && d.ok
	}
	if !d.done() || !ValidID(room) {
		return Visit{}, ErrBadCapability
	}
	if !now.Before(v.Expires) {
		return Visit{}, ErrCapabilityExpired
	}
	return v, nil
}

// HostKey mints the capability of a host link.
func (k *Keys) HostKey(site string, h HostKey) (string, error) {
	e := encoder{}
	e.uint32(h.Generation)
	e.text(h.Host)
	return e.seal(k.derive(purposeHost, site), "")
}

// VerifyHostKey checks the capability of a host link. It returns
// [ErrBadCapability]. The caller compares host and generation with the
// configuration.
func (k *Keys) VerifyHostKey(site, capability string) (HostKey, error) {
	d := unseal(k.derive(purposeHost, site), "", capability)
	h := HostKey{Generation: d.uint32(), Host: d.text()}
	if !d.done() {
		return HostKey{}, ErrBadCapability
	}
	return h, nil
}

// Grant mints a room grant.
func (k *Keys) Grant(site string, g Grant) (string, error) {
	e := encoder{}
	e.text(g.Room)
	e.time(g.Opened)
	e.time(g.Expires)
	e.text(g.Host)
	if flags := g.flags(); flags != 0 {
		e.b = append(e.b, flags)
	}
	return e.seal(k.derive(purposeGrant, site), "")
}

// VerifyGrant checks a room grant. It returns [ErrBadCapability] or
// [ErrCapabilityExpired].
func (k *Keys) VerifyGrant(site, capability string, now time.Time) (Grant, error) {
	d := unseal(k.derive(purposeGrant, site), "", capability)
	g := Grant{Room: d.text(), Opened: d.time(), Expires: d.time(), Host: d.text()}
	if !d.done() { // a byte that most grants lack
		flags := d.take(1)[0]
		g.Locked, g.Kept, g.Keyed = flags&grantLocked != 0, flags&grantKept != 0, flags&grantKeyed != 0
		d.ok = d.ok && flags != 0 && flags == g.flags()
	}
	if !d.done() || !ValidID(g.Room) {
		return Grant{}, ErrBadCapability
	}
	if !now.Before(g.Expires) {
		return Grant{}, ErrCapabilityExpired
	}
	return g, nil
}

// Pseudonym returns a host's identity in a room: the same after a reload of
// the page and a restart of the server, so that coming back replaces the lost
// connection; unlinkable between rooms.
func (k *Keys) Pseudonym(site, room, host string) string {
	e := encoder{}
	e.text(room)
	e.text(host)
	return idText(mac(k.derive(purposePseudonym, site), e.b))
}

// Guest returns the secret of a guest's link to the room of an appointment: 128
// bits in the spelling of [NewSecret]. It can be computed again for the next mail,
// so that nothing but its hash is ever stored; each generation has another. With
// e2ee it begins with [Confidential], and differs in the rest too.
func (k *Keys) Guest(site, room, guest string, generation uint32, e2ee bool) string {
	e := encoder{}
	e.text(room)
	e.text(guest)
	e.uint32(generation)
	return e.secret(k.derive(purposeGuest, site), e2ee)
}

// Standing returns the id of a room that a host keeps and the secret of its link,
// both in the spelling of random ones. They are the same whenever they are asked
// for, so that nothing is stored; each generation has another secret, and so have
// calls that are encrypted from end to end, as with [Keys.Guest].
func (k *Keys) Standing(site, host, room string, generation uint32, e2ee bool) (id, secret string) {
	e := encoder{}
	e.text(host)
	e.text(room)
	key := k.derive(purposeStanding, site)
	id = idText(mac(key, e.b))
	e.uint32(generation) // and with it a message that no room's id is made of
	return id, e.secret(key, e2ee)
}

// IsGuestSecret tells whether a text has the form of a guest's secret, which no
// capability has.
func IsGuestSecret(text string) bool {
	text = strings.TrimPrefix(text, Confidential)
	if len(text) != b64.EncodedLen(idSize) {
		return false
	}
	_, err := decode(text)
	return err == nil
}

type encoder struct {
	b   []byte
	err error
}

func (e *encoder) uint32(v uint32) { e.b = binary.BigEndian.AppendUint32(e.b, v) }

// time stores whole seconds in 32 bits, good until 2106.
func (e *encoder) time(t time.Time) {
	s := t.Unix()
	if s < 0 || s > math.MaxUint32 {
		e.err = fmt.Errorf("time out of range: %w", ErrTooLong)
		s = 0
	}
	e.uint32(uint32(s))
}

func (e *encoder) text(s string) {
	if len(s) > math.MaxUint8 {
		e.err = fmt.Errorf("text of %d bytes: %w", len(s), ErrTooLong)
		s = ""
	}
	e.b = append(append(e.b, byte(len(s))), s...)
}

// secret is the code of the fields as the secret of a link.
func (e *encoder) secret(key []byte, e2ee bool) string {
	if !e2ee {
		return b64.EncodeToString(mac(key, e.b)[:idSize])
	}
	e.text(Confidential)
	return Confidential + b64.EncodeToString(mac(key, e.b)[:idSize])
}

func (e *encoder) seal(key []byte, context string) (string, error) {
	if e.err != nil {
		return "", fmt.Errorf("minting a capability: %w", e.err)
	}
	body := append([]byte{capVersion}, e.b...)
	if len(body)+capTag > capMax {
		return "", fmt.Errorf("minting a capability: %w", ErrTooLong)
	}
	return b64.EncodeToString(append(body, capMAC(key, context, body)...)), nil
}

func capMAC(key []byte, context string, body []byte) []byte {
	m := binary.BigEndian.AppendUint32(nil, uint32(len(context)))
	m = append(append(m, context...), body...)
	return mac(key, m)[:capTag]
}

// decoder reads fields; a bad one yields zero values and done() == false.
type decoder struct {
	b  []byte
	ok bool
}

// unseal verifies a capability. The HMAC is computed whatever the input looks
// like, so that a malformed link costs the same as a forged one.
func unseal(key []byte, context, capability string) *decoder {
	var raw []byte
	if len(capability) <= b64.EncodedLen(capMax) {
		// Of a malformed text a part is decoded, which could be a whole capability.
		if b, err := decode(capability); err == nil {
			raw = b
		}
	}
	ok := len(raw) > capTag
	if !ok {
		raw = make([]byte, capTag+1)
	}
	body, tag := raw[:len(raw)-capTag], raw[len(raw)-capTag:]
	ok = hmac.Equal(tag, capMAC(key, context, body)) && ok && body[0] == capVersion
	return &decoder{b: body[1:], ok: ok}
}

func (d *decoder) take(n int) []byte {
	if !d.ok || len(d.b) < n {
		d.ok = false
		return make([]byte, n)
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) uint32() uint32  { return binary.BigEndian.Uint32(d.take(4)) }
func (d *decoder) time() time.Time { return time.Unix(int64(d.uint32()), 0).UTC() }

func (d *decoder) text() string {
	n := int(d.take(1)[0])
	if !d.ok {
		return ""
	}
	return string(d.take(n))
}

func (d *decoder) done() bool { return d.ok && len(d.b) == 0 }
