// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const (
	framePeriod = 40 * time.Millisecond
	soundPeriod = 20 * time.Millisecond
	frameBytes  = 4000 // 0.8 Mbit/s
	soundBytes  = 80
	// stampAt is where a frame carries the time it was sent, after what a codec
	// header would take.
	stampAt = 10
)

// source makes sound and picture that carry the time they were sent. They are
// shaped like Opus and VP8 but mean nothing: no camera is touched.
type source struct {
	audio, video *webrtc.TrackLocalStaticSample
}

func newSource() (*source, error) {
	audio, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "check-sound", "check")
	if err != nil {
		return nil, fmt.Errorf("making a sound track: %w", err)
	}
	video, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "check-picture", "check")
	if err != nil {
		return nil, fmt.Errorf("making a picture track: %w", err)
	}
	return &source{audio: audio, video: video}, nil
}

// amounts counts what was sent.
type amounts struct{ audio, video int }

// play sends for d and a little settling time.
func (s *source) play(ctx context.Context, d time.Duration) (sent amounts) {
	tick := time.NewTicker(soundPeriod)
	defer tick.Stop()
	begin := time.Now()
	for n := 0; time.Since(begin) < d; n++ {
		select {
		case <-ctx.Done():
			return sent
		case now := <-tick.C:
			if s.audio.WriteSample(media.Sample{Data: stamped(soundBytes, now), Duration: soundPeriod}) == nil {
				sent.audio++
			}
			if n%2 == 0 && s.video.WriteSample(media.Sample{Data: stamped(frameBytes, now), Duration: framePeriod}) == nil {
				sent.video++
			}
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(300 * time.Millisecond):
	}
	return sent
}

// stamped makes a frame that carries its time. Its first byte is zero, which a
// forwarder reads as a VP8 key frame.
func stamped(n int, now time.Time) []byte {
	b := make([]byte, n)
	binary.BigEndian.PutUint64(b[stampAt:], uint64(now.UnixNano()))
	return b
}

// result sums up what arrived of one kind.
type result struct {
	packets, lost int
	delay, jitter time.Duration
}

func (r result) loss() float64 {
	if r.packets == 0 {
		return 1
	}
	return float64(r.lost) / float64(r.packets+r.lost)
}

// meter receives tracks and measures them.
type meter struct {
	mu   sync.Mutex
	kind map[webrtc.RTPCodecType]*counter
}

type counter struct {
	result
	first, highest uint16
	delays         int
	sum            time.Duration
	last           time.Duration
}

func newMeter() *meter { return &meter{kind: make(map[webrtc.RTPCodecType]*counter)} }

// receive reads a track until its connection ends.
func (m *meter) receive(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		m.take(t.Kind(), p, time.Now())
	}
}

func (m *meter) take(kind webrtc.RTPCodecType, p *rtp.Packet, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.kind[kind]
	if c == nil {
		c = &counter{first: p.SequenceNumber, highest: p.SequenceNumber}
		m.kind[kind] = c
	}
	c.packets++
	if int16(p.SequenceNumber-c.highest) > 0 {
		c.highest = p.SequenceNumber
	}
	c.lost = max(0, int(c.highest-c.first)+1-c.packets)
	payload, ok := p.Payload, true
	if kind == webrtc.RTPCodecTypeVideo {
		var v codecs.VP8Packet
		b, err := v.Unmarshal(p.Payload)
		payload, ok = b, err == nil && v.S == 1
	}
	if !ok || len(payload) < stampAt+8 {
		return
	}
	d := now.Sub(time.Unix(0, int64(binary.BigEndian.Uint64(payload[stampAt:]))))
	if d < 0 || d > time.Minute {
		return
	}
	c.delays++
	c.sum += d
	c.delay = c.sum / time.Duration(c.delays)
	c.jitter += ((c.last - d).Abs() - c.jitter) / 16
	c.last = d
}

func (m *meter) result(kind webrtc.RTPCodecType) result {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.kind[kind]; c != nil {
		return c.result
	}
	return result{}
}
