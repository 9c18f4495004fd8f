// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

// maxNackSeqs bounds the packets asked for by one RTCP packet.
const maxNackSeqs = 256

// sentReport remembers a sender report of ours, so that the reception report
// that echoes it tells the round-trip time.
type sentReport struct {
	mid uint32 // middle 32 bits of the NTP time stamp
	at  int64
}

// remoteReport is the latest reception report for a forwarded track.
type remoteReport struct {
	fractionLost uint8
	jitter       uint32
	at           int64
}

// receiveRTCP authenticates and handles one RTCP datagram.
func (t *transport) receiveRTCP(c *core, b []byte, from netip.AddrPort, local netip.Addr, via outbox) {
	if t.srtpIn == nil {
		c.stats.dropped.Add(1)
		return
	}
	plain, err := t.srtpIn.DecryptRTCP(nil, b, nil)
	if err != nil {
		c.stats.dropped.Add(1)
		return
	}
	t.followMedia(c, from, local, via)
	if plain = t.transportFeedback(c, plain); len(plain) == 0 {
		return
	}
	pkts, err := rtcp.Unmarshal(plain)
	if err != nil {
		c.stats.dropped.Add(1)
		return
	}
	for _, p := range pkts {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			t.senderReport(c, p)
			t.receptionReports(c, p.Reports)
		case *rtcp.ReceiverReport:
			t.receptionReports(c, p.Reports)
		case *rtcp.TransportLayerNack:
			t.nack(c, p)
		case *rtcp.PictureLossIndication:
			t.keyWanted(c, p.MediaSSRC)
		case *rtcp.FullIntraRequest:
			for _, e := range p.FIR {
				t.keyWanted(c, e.SSRC)
			}
		}
	}
}

func (t *transport) senderReport(c *core, p *rtcp.SenderReport) {
	if l := t.bySrc[p.SSRC]; l != nil {
		l.sr = senderInfo{ntp: p.NTPTime, rtp: p.RTPTime, at: c.now}
	}
}

func (t *transport) keyWanted(c *core, ssrc uint32) {
	if d := t.bySSRC[ssrc]; d != nil {
		d.wantKey(c)
	}
}

func (t *transport) nack(c *core, p *rtcp.TransportLayerNack) {
	d := t.bySSRC[p.MediaSSRC]
	if d == nil {
		return
	}
	n := 0
	for _, pair := range p.Nacks {
		seq, bits := pair.PacketID, uint16(pair.LostPackets)
		for {
			if n++; n > maxNackSeqs {
				return
			}
			d.resend(c, seq)
			if bits == 0 {
				break
			}
			for bits&1 == 0 {
				bits >>= 1
				seq++
			}
			bits >>= 1
			seq++
		}
	}
}

func (t *transport) receptionReports(c *core, reports []rtcp.ReceptionReport) {
	worst, seen := 0.0, false
	for i := range reports {
		r := &reports[i]
		d := t.bySSRC[r.SSRC]
		if d == nil {
			continue
		}
		d.remote = remoteReport{fractionLost: r.FractionLost, jitter: r.Jitter, at: c.now}
		d.lost = d.lost*0.7 + float64(r.FractionLost)/256*0.3
		t.quality.down.heard(d.track, r.Jitter, c.now)
		worst, seen = max(worst, float64(r.FractionLost)/256), true
		for _, s := range d.reports {
			if s.at != 0 && s.mid == r.LastSenderReport {
				delay := int64(r.Delay) * int64(time.Second) / 65536
				if rtt := c.now - s.at - delay; rtt > 0 && rtt < int64(10*time.Second) {
					t.noteRTT(rtt)
				}
			}
		}
	}
	if seen {
		t.loss = t.loss*0.7 + worst*0.3
		if t.line != nil {
			t.line.est.Loss(c.now, worst, t.rtt)
		}
	}
}

func (t *transport) noteRTT(rtt int64) {
	if t.rtt == 0 {
		t.rtt = rtt
		return
	}
	t.rtt = (7*t.rtt + rtt) / 8
}

// report collects the sender and receiver reports that are due.
func (t *transport) report(c *core) {
	var rr rtcp.ReceiverReport
	rr.SSRC = t.ssrc
	for _, u := range t.ups {
		for _, l := range u.layers {
			if l.ssrc == 0 || l.packets == 0 || len(rr.Reports) == 31 {
				continue
			}
			rr.Reports = append(rr.Reports, l.receptionReport(c))
		}
	}
	if len(rr.Reports) > 0 {
		t.rtcpOut = append(t.rtcpOut, &rr)
		t.watchUplink(c)
	}
	for _, d := range t.downs {
		if p := d.senderReport(c); p != nil {
			t.rtcpOut = append(t.rtcpOut, p)
		}
	}
}

func (l *upLayer) receptionReport(c *core) rtcp.ReceptionReport {
	s := l.loss.Report(c.now)
	out := rtcp.ReceptionReport{
		SSRC: l.ssrc, FractionLost: s.FractionLost, TotalLost: uint32(max(0, s.CumulativeLost)) & 0xffffff,
		LastSequenceNumber: s.HighestSeq, Jitter: s.Jitter,
	}
	l.track.pub.quality.heard(s.FractionLost)
	l.lostNow = float64(s.FractionLost) / 256
	l.lost = l.lost*0.7 + l.lostNow*0.3
	l.track.pub.quality.up.heard(l.track, s.Jitter, c.now)
	if l.track.kind == Audio {
		out.FractionLost = max(out.FractionLost, l.track.heardLoss(c.now))
	}
	if l.sr.at != 0 {
		out.LastSenderReport = uint32(l.sr.ntp >> 16)
		out.Delay = uint32((c.now - l.sr.at) * 65536 / int64(time.Second))
	}
	return out
}

// senderReport translates the publisher's latest report to the outgoing stream
// and moves it on to now. The publisher's own clock stays, so that all its
// tracks keep their lip sync (RFC 3550 §6.4.1).
func (d *downTrack) senderReport(c *core) *rtcp.SenderReport {
	l := d.layer(d.current)
	if l == nil || d.packets == 0 || l.sr.at == 0 {
		return nil
	}
	age := c.now - l.sr.at
	ntp := l.sr.ntp + uint64(age/int64(time.Second))<<32 +
		uint64(age%int64(time.Second))<<32/uint64(time.Second)
	ts := l.sr.rtp + d.tsOffset + uint32(age*int64(d.track.clock)/int64(time.Second))
	d.reports[d.nextReport%len(d.reports)] = sentReport{mid: uint32(ntp >> 16), at: c.now}
	d.nextReport++
	return &rtcp.SenderReport{
		SSRC: d.ssrc, NTPTime: ntp, RTPTime: ts, PacketCount: d.packets, OctetCount: d.octets,
	}
}
