// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
)

// The sizes of the layers, lowest first.
var (
	widths    = [3]uint32{320, 640, 1280}
	heights   = [3]uint32{180, 360, 720}
	qualities = [3]livekit.VideoQuality{livekit.VideoQuality_LOW, livekit.VideoQuality_MEDIUM, livekit.VideoQuality_HIGH}
)

var (
	opus = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	vp8  = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	vp9  = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP9, ClockRate: 90000}
	h264 = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000}
)

const (
	pictures = 20 // a second
	sounds   = 50
)

// encoder makes the payloads of the n-th picture or sound.
type encoder func(n int, key bool) [][]byte

// source feeds one encoding of a track.
type source struct {
	track *lksdk.LocalTrack
	key   atomic.Bool // the server wants a key frame
	keys  atomic.Int64
}

// newSource makes a track and feeds it until the test ends.
func newSource(t *testing.T, c webrtc.RTPCodecCapability, rate int, encode encoder, opts ...lksdk.LocalTrackOptions) *source {
	t.Helper()
	s := new(source)
	s.key.Store(true)
	track, err := lksdk.NewLocalTrack(c, append(opts, lksdk.WithRTCPHandler(s.feedback))...)
	if err != nil {
		t.Fatal(err)
	}
	s.track = track
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { // ends with the test
		defer close(done)
		s.feed(c.ClockRate/uint32(rate), time.Second/time.Duration(rate), encode, stop)
	}()
	t.Cleanup(func() { close(stop); <-done })
	return s
}

func (s *source) feedback(p rtcp.Packet) {
	switch p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		s.keys.Add(1)
		s.key.Store(true)
	}
}

func (s *source) feed(step uint32, every time.Duration, encode encoder, stop <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var seq uint16
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		payloads := encode(n, s.key.Swap(false))
		for i, b := range payloads {
			seq++
			_ = s.track.WriteRTP(&rtp.Packet{
				Header: rtp.Header{
					Version: 2, Marker: i == len(payloads)-1, SequenceNumber: seq, Timestamp: step * uint32(n+1),
				},
				Payload: b,
			}, nil) // before negotiation and after the end there is nowhere to write to
		}
	}
}

func newMicrophone(t *testing.T) *source {
	return newSource(t, opus, sounds, func(n int, _ bool) [][]byte {
		return [][]byte{append([]byte{0x78}, make([]byte, 60+n%20)...)}
	})
}

func newCamera(t *testing.T) *source { return newSource(t, vp8, pictures, pictureVP8(2)) }

// newSimulcast makes three encodings of one camera, lowest first.
func newSimulcast(t *testing.T) (tracks []*lksdk.LocalTrack) {
	t.Helper()
	for i := range widths {
		layer := &livekit.VideoLayer{Quality: qualities[i], Width: widths[i], Height: heights[i], Bitrate: 100_000 << i}
		tracks = append(tracks, newSource(t, vp8, pictures, pictureVP8(i), lksdk.WithSimulcast("camera-"+t.Name(), layer)).track)
	}
	return tracks
}

// newSVC makes one encoding that holds three spatial layers.
func newSVC(t *testing.T) *source { return newSource(t, vp9, pictures, pictureVP9) }

// pictureVP8 makes pictures of one layer in three packets (RFC 7741).
func pictureVP8(layer int) encoder {
	return func(n int, key bool) [][]byte {
		var out [][]byte
		for i := range 3 {
			b := make([]byte, 300)
			b[0], b[1] = 0x80, 0x80 // X; I
			binary.BigEndian.PutUint16(b[2:], 0x8000|uint16(n)&0x7fff)
			if i == 0 {
				b[0] |= 0x10 // S
				b[4] = 1     // an inter frame
				if key {
					b[4] = 0
					copy(b[7:], []byte{0x9d, 0x01, 0x2a})
					binary.LittleEndian.PutUint16(b[10:], uint16(widths[layer]))
					binary.LittleEndian.PutUint16(b[12:], uint16(heights[layer]))
				}
			}
			b[len(b)-1] = byte(layer)
			out = append(out, b)
		}
		return out
	}
}

// pictureVP9 makes pictures of three spatial layers, one packet each (RFC 9628,
// non-flexible mode): upper layers predict from the lower one in key pictures,
// otherwise all predict from their own past.
func pictureVP9(n int, key bool) [][]byte {
	var out [][]byte
	for sid := range byte(3) {
		first := byte(0x80 | 0x20 | 0x08 | 0x04) // I L B E
		if !key {
			first |= 0x40 // P
		}
		layers := sid << 1
		if key && sid > 0 {
			layers |= 1 // D
		}
		if key && sid == 0 {
			first |= 0x02 // V
		}
		b := []byte{first, 0x80 | byte(n>>8)&0x7f, byte(n), layers, byte(n)}
		if key && sid == 0 {
			b = append(b, 2<<5|0x18) // three layers, sizes, a picture group
			for i := range widths {
				b = binary.BigEndian.AppendUint16(b, uint16(widths[i]))
				b = binary.BigEndian.AppendUint16(b, uint16(heights[i]))
			}
			b = append(b, 1, 0x04, 1) // one picture, predicting from the one before
		}
		if key && sid == 0 {
			b = append(b, 0x82, 0x49, 0x83, 0x42) // the key frame's header, profile 0
		} else {
			b = append(b, 0x86, 0, 0, 0)
		}
		out = append(out, append(b, make([]byte, 200)...))
	}
	return out
}

// stream is a received track with what came of it.
type stream struct {
	remote *webrtc.TrackRemote
	pub    *lksdk.RemoteTrackPublication
	from   string

	packets atomic.Int64
	bad     atomic.Int64 // not parseable by the codec's payload format
	layer   atomic.Int32 // of the last VP8 packet
	width   atomic.Int32 // of the last VP8 key frame
	spatial [3]atomic.Int64
	marked  atomic.Int32 // spatial layer of the last packet with a marker
	ended   atomic.Bool
	tap     atomic.Pointer[func(*rtp.Packet)] // gets every packet, if set
}

func (s *stream) read() {
	defer s.ended.Store(true)
	for {
		p, _, err := s.remote.ReadRTP()
		if err != nil {
			return
		}
		if len(p.Payload) == 0 {
			continue // padding
		}
		ok := true
		switch s.remote.Codec().MimeType {
		case webrtc.MimeTypeVP8:
			ok = s.noteVP8(p)
		case webrtc.MimeTypeVP9:
			ok = s.noteVP9(p)
		case webrtc.MimeTypeOpus:
			ok = p.Payload[0] == 0x78
		}
		if tap := s.tap.Load(); tap != nil {
			(*tap)(p)
		}
		if !ok {
			s.bad.Add(1)
		}
		s.packets.Add(1)
	}
}

func (s *stream) noteVP8(p *rtp.Packet) bool {
	var d codecs.VP8Packet
	frame, err := d.Unmarshal(p.Payload)
	if err != nil || len(frame) < 10 || d.I != 1 {
		return false
	}
	if d.S == 1 && d.PID == 0 && frame[0]&1 == 0 {
		s.width.Store(int32(binary.LittleEndian.Uint16(frame[6:]) & 0x3fff))
	}
	s.layer.Store(int32(frame[len(frame)-1]))
	return true
}

func (s *stream) noteVP9(p *rtp.Packet) bool {
	var d codecs.VP9Packet
	if _, err := d.Unmarshal(p.Payload); err != nil || !d.L || d.SID > 2 {
		return false
	}
	s.spatial[d.SID].Add(1)
	if p.Marker {
		s.marked.Store(int32(d.SID))
	}
	return true
}

// flowing waits for so many packets more.
func (s *stream) flowing(t *testing.T, n int64) {
	t.Helper()
	want := s.packets.Load() + n
	eventually(t, "packets of "+s.pub.Name(), func() bool { return s.packets.Load() >= want })
	if bad := s.bad.Load(); bad > 0 {
		t.Fatalf("%d packets of %s are damaged", bad, s.pub.Name())
	}
}

// still checks that nothing comes any more.
func (s *stream) still(t *testing.T) {
	t.Helper()
	time.Sleep(500 * time.Millisecond) // what is on its way may arrive
	before := s.packets.Load()
	time.Sleep(500 * time.Millisecond)
	if n := s.packets.Load() - before; n > 0 {
		t.Fatalf("%d packets of %s came although none should", n, s.pub.Name())
	}
}
