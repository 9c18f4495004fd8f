// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/stun/v4"
)

// fuzzCall is a running call of two whose core the fuzzer feeds.
func fuzzCall(t testing.TB) (s *sim, a, b *simClient, k *simSink) {
	s = newSim(t, 1)
	a, b = s.client("PA_a"), s.client("PA_b")
	src := a.publish("TR_v", 3)
	k = b.subscribe(src[0].track)
	s.ticking()
	s.run(200 * time.Millisecond)
	return s, a, b, k
}

// stillWorks fails the test when the call has suffered.
func stillWorks(t *testing.T, s *sim, k *simSink) {
	t.Helper()
	before := k.frames
	s.run(200 * time.Millisecond)
	if k.frames < before+3 {
		t.Fatalf("the call stopped: %d pictures in a fifth of a second", k.frames-before)
	}
}

// FuzzDatagram throws datagrams at a core as they come from the network: from a
// stranger and from a participant's address.
func FuzzDatagram(f *testing.F) {
	m := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("a:b"), stun.NewShortTermIntegrity("x"), stun.Fingerprint)
	f.Add(m.Raw)
	f.Add([]byte{0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0x10, 0})
	f.Add([]byte{0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2})
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingSuccess, stun.NewShortTermIntegrity("x"), stun.Fingerprint).Raw)
	f.Add([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, a, _, k := fuzzCall(t)
		sent := s.box.sent + s.box.written
		s.c.receive(append([]byte(nil), data...), netip.MustParseAddrPort("203.0.113.9:1"), netip.Addr{}, s.box)
		s.c.receive(append([]byte(nil), data...), a.addr, netip.Addr{}, s.box)
		if s.box.sent+s.box.written != sent {
			t.Fatal("an unauthenticated datagram made the core send")
		}
		stillWorks(t, s, k)
	})
}

// FuzzCheck throws STUN messages with right user names at the ICE agent; without
// the password nothing is ever answered.
func FuzzCheck(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0})
	f.Fuzz(func(t *testing.T, attrs []byte) {
		s, a, _, k := fuzzCall(t)
		m := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(a.t.cred.ufrag+":"+a.t.remote.ufrag))
		raw := append(m.Raw, attrs...)
		raw[2], raw[3] = byte((len(raw)-20)>>8), byte(len(raw)-20)
		other := netip.MustParseAddrPort("203.0.113.9:1")
		s.c.receive(raw, other, netip.Addr{}, s.box)
		if s.c.byAddr[other] != nil {
			t.Fatal("a check without integrity was believed")
		}
		stillWorks(t, s, k)
	})
}

// FuzzAnswer throws answers to probes that are under way at the core; without the
// client's password none is a sign of life.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0x20, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0})
	f.Add(append([]byte{0, 8, 0, 20}, make([]byte, 20)...))
	f.Add([]byte{0x80, 0x28, 0, 4, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, attrs []byte) {
		if len(attrs) > 1000 {
			return
		}
		s, _, b, k := fuzzCall(t)
		b.up.loss = 1
		s.run(700 * time.Millisecond)
		b.up.loss = 0
		if len(b.t.probes) == 0 {
			t.Fatal("no probe")
		}
		m := stun.MustBuild(stun.NewTransactionIDSetter(b.t.probes[0].id), stun.BindingSuccess)
		raw := append(m.Raw, attrs...)
		raw[2], raw[3] = byte((len(raw)-20)>>8), byte(len(raw)-20)
		seen := b.t.lastSeen
		s.c.receive(raw, b.addr, netip.Addr{}, s.box)
		if b.t.lastSeen != seen {
			t.Fatal("an answer without integrity was believed")
		}
		stillWorks(t, s, k)
	})
}

// FuzzAuthenticRTP sends arbitrary RTP with a participant's true keys, as a
// hostile participant would.
func FuzzAuthenticRTP(f *testing.F) {
	f.Add(uint8(0), uint16(1), uint32(1), []byte{0x90, 0xe0, 0x80, 1, 1, 1, 0}, false)
	f.Add(uint8(1), uint16(9), uint32(1), []byte{0, 1, 0x10}, true)
	f.Fuzz(func(t *testing.T, which uint8, seq uint16, ts uint32, payload []byte, rtx bool) {
		if len(payload) > 1300 {
			return
		}
		s, a, b, _ := fuzzCall(t)
		b.subs = map[uint32]*simSink{} // hostile payloads need not be decodable
		s.clients = map[netip.AddrPort]*simClient{}
		src := a.pubs[int(which)%3]
		h := rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: seq, Timestamp: ts, SSRC: src.ssrc}
		if rtx {
			h.PayloadType, h.SSRC = 97, src.rtxSSRC
		}
		for range 3 {
			p := rtp.Packet{Header: h, Payload: payload}
			a.sendRTP(&p)
			h.SequenceNumber++
			s.run(20 * time.Millisecond)
		}
	})
}

// FuzzAuthenticRTCP sends arbitrary RTCP with a participant's true keys.
func FuzzAuthenticRTCP(f *testing.F) {
	seed := func(p rtcp.Packet) {
		if raw, err := p.Marshal(); err == nil {
			f.Add(raw)
		}
	}
	seed(&rtcp.TransportLayerNack{MediaSSRC: 1, Nacks: []rtcp.NackPair{{PacketID: 1, LostPackets: 0xffff}}})
	seed(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 1}}})
	seed(&rtcp.SenderReport{SSRC: 1, NTPTime: 1 << 63})
	seed(&rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 1}}})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < 8 || len(raw) > 1300 {
			return
		}
		s, _, b, k := fuzzCall(t)
		enc, err := b.out.EncryptRTCP(nil, raw, nil)
		if err != nil {
			return
		}
		b.send(enc)
		stillWorks(t, s, k)
	})
}
