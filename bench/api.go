// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/webrtc/v4"
)

// feedbackPeriod is how often clients report on the packets that came in. It is
// the least that Chromium allows, which it reaches from about 0.2 Mbit/s on.
const feedbackPeriod = 50 * time.Millisecond

// newAPI makes clients with what browsers have, and no more: they answer NACKs
// and send them, repeat on a stream of its own, report on streams, and, with
// feedback, number what they send and report on each packet that they get.
func newAPI(feedback bool) (*webrtc.API, error) {
	me, ir := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := registerCodecs(me); err != nil {
		return nil, fmt.Errorf("registering a codec: %w", err)
	}
	if err := webrtc.ConfigureSimulcastExtensionHeaders(me); err != nil {
		return nil, fmt.Errorf("registering extensions: %w", err)
	}
	if feedback {
		if err := webrtc.ConfigureTWCCHeaderExtensionSender(me, ir); err != nil {
			return nil, fmt.Errorf("numbering packets: %w", err)
		}
		if err := webrtc.ConfigureTWCCSenderWithOptions(me, ir, twcc.SendInterval(feedbackPeriod)); err != nil {
			return nil, fmt.Errorf("making feedback: %w", err)
		}
	}
	rr, err1 := report.NewReceiverInterceptor()
	sr, err2 := report.NewSenderInterceptor()
	gen, err3 := nack.NewGeneratorInterceptor()
	res, err4 := nack.NewResponderInterceptor(nack.ResponderSize(512))
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return nil, fmt.Errorf("making interceptors: %w", err)
		}
	}
	for _, i := range []interceptor.Factory{rr, sr, gen, res} {
		ir.Add(i)
	}
	se := webrtc.SettingEngine{}
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIncludeLoopbackCandidate(true)
	se.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	return webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithInterceptorRegistry(ir), webrtc.WithSettingEngine(se)), nil
}

func registerCodecs(me *webrtc.MediaEngine) error {
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
	for _, c := range []struct {
		kind  webrtc.RTPCodecType
		codec webrtc.RTPCodecParameters
	}{
		{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecParameters{PayloadType: 111, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}}},
		{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecParameters{PayloadType: 96, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: feedback}}},
		{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecParameters{PayloadType: 97, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"}}},
	} {
		if err := me.RegisterCodec(c.codec, c.kind); err != nil {
			return err
		}
	}
	return nil
}
