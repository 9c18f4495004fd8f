// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/caddy-videoroom/videoroom/check/client"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// video is a camera with its layers.
type video struct {
	layers []*encoding
}

// encoding is one layer of a camera.
type encoding struct {
	layer
	track *webrtc.TrackLocalStaticRTP
	off   atomic.Bool // nobody wants it
	key   atomic.Bool // the next picture has to be a key frame
	exts  atomic.Pointer[[]extension]
}

// extension is a header extension that tells a layer's name or section.
type extension struct {
	id    uint8
	value []byte
}

// signal hears which layers anybody wants.
func (l *load) signal(m *wire.SignalResponse) {
	u := m.GetSubscribedQualityUpdate()
	if u == nil {
		return
	}
	wanted := u.SubscribedQualities
	for _, c := range u.SubscribedCodecs {
		wanted = c.Qualities
	}
	l.mu.Lock()
	v := l.cameras[u.TrackSid]
	l.mu.Unlock()
	if v == nil {
		return // before the publication is complete everything is sent
	}
	for _, q := range wanted {
		if i := int(q.Quality); i < len(v.layers) {
			if v.layers[i].off.Swap(!q.Enabled) && q.Enabled {
				v.layers[i].key.Store(true)
			}
		}
	}
}

// publish sends what publisher p of a room has.
func (l *load) publish(ctx context.Context, c *client.Client, p int) error {
	if l.s.video {
		if err := l.publishVideo(ctx, c, p); err != nil {
			return err
		}
	}
	if !l.s.audio {
		return nil
	}
	t, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, fmt.Sprintf("mic-%p", c), "bench")
	if err != nil {
		return fmt.Errorf("making a track: %w", err)
	}
	if _, err = c.Publish(ctx, t, wire.TrackSource_MICROPHONE, 0, 0); err != nil {
		return err
	}
	for _, s := range c.Peer().GetSenders() {
		if s.Track() == webrtc.TrackLocal(t) {
			go drain(func(b []byte) error { _, _, err := s.Read(b); return err }) // ends with the sender
		}
	}
	l.goOn(func() { l.sendAudio(t, l.s.talks(p)) })
	return nil
}

// goOn runs f until close.
func (l *load) goOn(f func()) {
	l.wg.Add(1)
	go func() { // ends when close closes l.stop
		defer l.wg.Done()
		f()
	}()
}

func (l *load) publishVideo(ctx context.Context, c *client.Client, p int) error {
	v := new(video)
	var tracks []webrtc.TrackLocal
	for _, y := range l.s.layers {
		var opts []func(*webrtc.TrackLocalStaticRTP)
		if y.rid != "" {
			opts = append(opts, webrtc.WithRTPStreamID(y.rid))
		}
		t, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, fmt.Sprintf("cam-%p", c), "bench", opts...)
		if err != nil {
			return fmt.Errorf("making a track: %w", err)
		}
		e := &encoding{layer: y, track: t}
		e.key.Store(true)
		v.layers = append(v.layers, e)
		tracks = append(tracks, t)
	}
	info, err := c.Publish(ctx, tracks[0], wire.TrackSource_CAMERA, 1280, 720, tracks[1:]...)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.cameras[info.Sid] = v
	l.large[info.Sid] = p == 0
	l.mu.Unlock()
	for _, tr := range c.Peer().GetTransceivers() {
		if s := tr.Sender(); s != nil && s.Track() == tracks[0] {
			for _, e := range v.layers {
				go e.listen(s)                   // ends with the sender
				l.goOn(func() { e.send(l, tr) }) // ends when close closes l.stop
			}
		}
	}
	return nil
}

// listen hears of wanted key frames, and has the repairs made.
func (e *encoding) listen(s *webrtc.RTPSender) {
	for {
		var pkts []rtcp.Packet
		var err error
		if e.rid == "" {
			pkts, _, err = s.ReadRTCP()
		} else {
			pkts, _, err = s.ReadSimulcastRTCP(e.rid)
		}
		if err != nil {
			return
		}
		for _, p := range pkts {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				e.key.Store(true)
			}
		}
	}
}

// name returns the extensions that tell the layer, nil before they are agreed on.
func (e *encoding) name(tr *webrtc.RTPTransceiver) []extension {
	if p := e.exts.Load(); p != nil {
		return *p
	}
	var out []extension
	for _, h := range tr.Sender().GetParameters().HeaderExtensions {
		switch {
		case h.URI == sdp.SDESMidURI && tr.Mid() != "":
			out = append(out, extension{uint8(h.ID), []byte(tr.Mid())})
		case h.URI == sdp.SDESRTPStreamIDURI:
			out = append(out, extension{uint8(h.ID), []byte(e.rid)})
		}
	}
	if len(out) == 2 {
		e.exts.Store(&out)
	}
	return out
}

func (e *encoding) send(l *load, tr *webrtc.RTPTransceiver) {
	p := rtp.Packet{Payload: make([]byte, e.size)}
	seq, ts, picture := uint16(0), uint32(0), uint16(0)
	l.every(time.Second/time.Duration(e.pictures), func() {
		ts += 90000 / uint32(e.pictures)
		if e.off.Load() || tr.Mid() == "" {
			return
		}
		picture++
		key := e.key.Swap(false)
		for i := range e.packets {
			b := p.Payload
			b[0], b[1] = 0x80, 0x80 // X; I
			binary.BigEndian.PutUint16(b[2:], 0x8000|picture)
			b[4] = 1 // of the frames before
			if i == 0 {
				b[0] |= 0x10 // S
				if key {
					b[4] = 0
				}
			}
			copy(b[7:], []byte{0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02})
			seq++
			p.Header = rtp.Header{Version: 2, Marker: i == e.packets-1, SequenceNumber: seq, Timestamp: ts}
			if e.rid != "" {
				for _, x := range e.name(tr) {
					_ = p.SetExtension(x.id, x.value)
				}
			}
			binary.BigEndian.PutUint64(b[len(b)-8:], uint64(time.Now().UnixNano()))
			_ = e.track.WriteRTP(&p)
		}
	})
}

func (l *load) sendAudio(t *webrtc.TrackLocalStaticRTP, talks bool) {
	p := rtp.Packet{Payload: make([]byte, soundBytes)}
	p.Payload[0] = 0x78
	seq, ts, period := uint16(0), uint32(0), time.Second/soundPerSecond
	if !talks {
		period = silence
	}
	l.every(period, func() {
		seq++
		ts += uint32(48000 * period / time.Second)
		p.Header = rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: ts}
		binary.BigEndian.PutUint64(p.Payload[len(p.Payload)-8:], uint64(time.Now().UnixNano()))
		_ = t.WriteRTP(&p)
	})
}

// every calls f at a steady rate, making up for late ticks.
func (l *load) every(d time.Duration, f func()) {
	next := time.Now()
	for {
		next = next.Add(d)
		select {
		case <-l.stop:
			return
		case <-time.After(time.Until(next)):
			f()
		}
	}
}
