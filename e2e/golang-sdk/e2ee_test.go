// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/livekit/server-sdk-go/v2/e2ee"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const (
	rightPhrase = "what the two of them agreed on"
	wrongPhrase = "what somebody else guesses"
	keyIndex    = 5
	marker      = "said in confidence"
)

// holding makes a provider of the key that a passphrase stands for.
func holding(t *testing.T, phrase string, index uint32) *e2ee.ExternalKeyProvider {
	t.Helper()
	keys := e2ee.NewExternalKeyProvider()
	if err := keys.SetKeyFromPassphrase(phrase, index); err != nil {
		t.Fatal(err)
	}
	return keys
}

// sealedMedia is one kind of track that the SDK can encrypt.
type sealedMedia struct {
	name  string
	codec lksdk.Codec
	cap   webrtc.RTPCodecCapability
	rate  int // frames a second
	depay func() rtp.Depacketizer
	frame func(n int) []byte // the n-th frame, with the marker
	clear int                // octets at its front that stay readable
}

var sealed = []sealedMedia{
	{
		"opus", lksdk.CodecOpus, opus, sounds, func() rtp.Depacketizer { return &codecs.OpusPacket{} },
		func(n int) []byte { return fmt.Appendf([]byte{0x78}, "%04d %s", n, marker) },
		1,
	},
	{
		"h264", lksdk.CodecH264, h264, pictures, func() rtp.Depacketizer { return &codecs.H264Packet{} },
		keyPictureH264,
		len(parametersH264) + 6,
	},
}

var parametersH264 = []byte{
	0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x1e, 0x90, 0x0f, 0x08, 0x84, 0x6a, // a sequence
	0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, // a picture
}

// keyPictureH264 makes a picture of several packets that needs no other.
func keyPictureH264(n int) []byte {
	b := append(bytes.Clone(parametersH264), 0, 0, 0, 1, 0x65, 0x88)
	b = fmt.Appendf(b, "%04d %s", n, marker)
	for i := range 3000 {
		b = append(b, byte(i%250)+1)
	}
	return b
}

// publish has a member send a track of which the SDK encrypts every frame.
func (k sealedMedia) publish(t *testing.T, m *member, keys *e2ee.ExternalKeyProvider) {
	t.Helper()
	enc, err := lksdk.NewFrameEncryptor(keys, k.codec)
	if err != nil {
		t.Fatal(err)
	}
	track, err := lksdk.NewLocalTrack(k.cap, lksdk.WithFrameEncryptor(enc))
	if err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { // ends with the test
		defer close(done)
		k.feed(track, stop)
	}()
	t.Cleanup(func() { close(stop); <-done })
	_, err = m.LocalParticipant.PublishTrack(track, &lksdk.TrackPublicationOptions{
		Name: k.name, Encryption: livekit.Encryption_GCM, VideoWidth: 640, VideoHeight: 360,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (k sealedMedia) feed(track *lksdk.LocalTrack, stop <-chan struct{}) {
	every := time.Second / time.Duration(k.rate)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		// Before negotiation and after the end there is nowhere to write to.
		_ = track.WriteSample(media.Sample{Data: k.frame(n), Duration: every}, nil)
	}
}

// frames puts together what a stream brings from now on, as it came. The SDK's
// sample builder would give the parameters of H.264 apart from their picture,
// which are encrypted as one.
func (k sealedMedia) frames(s *stream) <-chan []byte {
	out := make(chan []byte, 256)
	depay := k.depay()
	var frame []byte
	var seq uint16
	broken := true // until the first frame has ended
	tap := func(p *rtp.Packet) {
		part, err := depay.Unmarshal(p.Payload)
		broken = broken || err != nil || p.SequenceNumber != seq+1
		seq = p.SequenceNumber
		frame = append(frame, part...)
		if !p.Marker {
			return
		}
		if !broken {
			select {
			case out <- frame:
			default: // enough for the test
			}
		}
		frame, broken = nil, false
	}
	s.tap.Store(&tap)
	return out
}

// TestFrameEncryption has frames pass that only members with the key can read:
// the server tells that they are encrypted, and hands on what it was given.
func TestFrameEncryption(t *testing.T) {
	t.Parallel()
	for _, k := range sealed {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			between(t, func(t *testing.T, from, to topology) {
				anna, bert := join(t, serverURL, "anna", from), join(t, serverURL, "bert", to)
				k.publish(t, anna, holding(t, rightPhrase, keyIndex))
				s := next(t, bert.streams, "bert gets anna's track")
				if got := s.pub.TrackInfo().GetEncryption(); got != livekit.Encryption_GCM {
					t.Errorf("the track says %v of its encryption", got)
				}
				if trailer := bert.SifTrailer(); len(trailer) > 0 {
					t.Errorf("the server may put frames of its own in, with the trailer %x", trailer)
				}
				k.check(t, k.frames(s))
			})
		})
	}
}

func (k sealedMedia) check(t *testing.T, frames <-chan []byte) {
	t.Helper()
	opener := func(phrase string, index uint32) *e2ee.GCMFrameDecryptor {
		d, err := lksdk.NewFrameDecryptor(holding(t, phrase, index), k.codec, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	right, wrong, other := opener(rightPhrase, keyIndex), opener(wrongPhrase, keyIndex), opener(rightPhrase, keyIndex+1)
	last := -1
	for range 30 {
		raw := next(t, frames, "encrypted frames")
		if bytes.Contains(raw, []byte(marker)) {
			t.Fatal("a frame can be read by the server")
		}
		if tail := raw[len(raw)-2:]; tail[0] != lksdk.LIVEKIT_IV_LENGTH || tail[1] != keyIndex {
			t.Fatalf("a frame ends with %x", tail)
		}
		for name, d := range map[string]*e2ee.GCMFrameDecryptor{"another key": wrong, "no key of its index": other} {
			if plain, err := d.DecryptFrame(raw); err == nil {
				t.Fatalf("%s opens a frame: %q", name, plain)
			}
		}
		plain, err := right.DecryptFrame(raw)
		if err != nil {
			t.Fatalf("the key does not open a frame of %d octets: %v", len(raw), err)
		}
		var n int
		if _, err := fmt.Sscanf(string(plain[k.clear:]), "%04d", &n); err != nil || !bytes.Equal(plain, k.frame(n)) {
			t.Fatalf("a frame came out as %.60q", plain)
		}
		if n <= last {
			t.Fatalf("frame %d came after %d", n, last)
		}
		last = n
	}
}

// TestPlainTracksSaySo: what is told of a track's encryption is its publisher's
// word.
func TestPlainTracksSaySo(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, kind topology) {
		anna, bert := join(t, serverURL, "anna", kind), join(t, serverURL, "bert", kind)
		publish(t, anna, "voice")
		if got := next(t, bert.streams, "anna's track").pub.TrackInfo().GetEncryption(); got != livekit.Encryption_NONE {
			t.Errorf("the track says %v of its encryption", got)
		}
	})
}

// TestDataEncryption has messages pass that the server cannot read: members
// with the key get them, with their sender and their topic, and nobody else.
func TestDataEncryption(t *testing.T) {
	t.Parallel()
	between(t, func(t *testing.T, from, to topology) {
		with := func(phrase string) lksdk.ConnectOption {
			return lksdk.WithDataEncryption(&lksdk.EncryptionOptions{KeyProvider: holding(t, phrase, keyIndex)})
		}
		anna := join(t, serverURL, "anna", from, with(rightPhrase))
		bert := join(t, serverURL, "bert", to, with(rightPhrase))
		carl := join(t, serverURL, "carl", to, with(wrongPhrase))
		dora := join(t, serverURL, "dora", from)
		greet(t, anna, bert)
		greet(t, bert, anna)
		for _, m := range []*member{carl, dora} {
			never(t, m.messages, m.identity+" read what is encrypted")
		}
		for _, reliable := range []bool{true, false} {
			text := fmt.Sprint(marker, " ", reliable)
			send(t, anna, text, lksdk.WithDataPublishReliable(reliable))
			until(t, bert, message{"anna", text, ""})
		}
		send(t, anna, marker+" to one", lksdk.WithDataPublishReliable(true), lksdk.WithDataPublishDestination([]string{"bert"}))
		until(t, bert, message{"anna", marker + " to one", ""})
		for _, m := range []*member{carl, dora} {
			never(t, m.messages, m.identity+" read what is encrypted")
		}
		// They are reached by what is not encrypted: silence is no failure of theirs.
		send(t, dora, "in the clear", lksdk.WithDataPublishReliable(true))
		until(t, carl, message{"dora", "in the clear", ""})
	})
}
