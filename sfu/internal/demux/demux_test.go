// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package demux

import (
	"encoding/binary"
	"testing"
)

// datagram returns n bytes that start with first and second and are a valid
// STUN message apart from the first two bytes.
func datagram(first, second byte, n int) []byte {
	b := make([]byte, n)
	b[0], b[1] = first, second
	if n >= 20 {
		binary.BigEndian.PutUint16(b[2:], uint16(n-20))
		binary.BigEndian.PutUint32(b[4:], stunCookie)
	}
	return b
}

// oracle states RFC 7983 section 7, RFC 9443 section 3 and RFC 5761 section 4
// once more, as literally as they are written.
func oracle(b []byte) Class {
	ranges := []struct {
		low, high int
		class     Class
		least     int
	}{
		{0, 3, STUN, 20}, {16, 19, Unknown, 0}, {20, 63, DTLS, 13},
		{64, 79, Unknown, 0}, {80, 127, Unknown, 0}, {128, 191, RTP, 8}, {192, 255, Unknown, 0},
	}
	for _, r := range ranges {
		if len(b) < 2 || int(b[0]) < r.low || int(b[0]) > r.high || len(b) < r.least {
			continue
		}
		switch r.class {
		case STUN:
			length := int(b[2])<<8 | int(b[3])
			cookie := b[4] == 0x21 && b[5] == 0x12 && b[6] == 0xA4 && b[7] == 0x42
			if !cookie || length&3 != 0 || length != len(b)-20 {
				return Unknown
			}
		case RTP:
			if pt := b[1] & 0x7F; b[1] > 127 && pt >= 64 && pt <= 95 {
				return RTCP
			}
			if len(b) < 12 {
				return Unknown
			}
		}
		return r.class
	}
	return Unknown
}

func TestEveryFirstByte(t *testing.T) {
	for first := range 256 {
		for _, second := range []byte{0, 1, 96, 111, 191, 192, 200, 205, 223, 224, 239} {
			for _, n := range []int{8, 11, 12, 13, 19, 20, 24, 100, 1200} {
				b := datagram(byte(first), second, n)
				if got, want := Classify(b), oracle(b); got != want {
					t.Fatalf("first %d second %d length %d: %v, want %v", first, second, n, got, want)
				}
			}
		}
	}
}

func TestEverySecondByte(t *testing.T) {
	for second := range 256 {
		want := RTP
		if second >= 192 && second <= 223 {
			want = RTCP
		}
		if got := Classify(datagram(0x80, byte(second), 60)); got != want {
			t.Errorf("second byte %d: %v, want %v", second, got, want)
		}
	}
}

func TestClassify(t *testing.T) {
	stun := datagram(0, 1, 28)
	noCookie := datagram(0, 1, 28)
	noCookie[7]++
	longer := append(datagram(0, 1, 28), 0, 0, 0, 0)
	odd := datagram(0, 1, 30)
	tests := []struct {
		name string
		b    []byte
		want Class
	}{
		{"empty", nil, Unknown},
		{"one byte", []byte{0x80}, Unknown},
		{"stun binding request", stun, STUN},
		{"stun without cookie", noCookie, Unknown},
		{"stun with bytes behind it", longer, Unknown},
		{"stun cut off", stun[:24], Unknown},
		{"stun with a length not a multiple of four", odd, Unknown},
		{"stun header alone", datagram(1, 1, 20), STUN},
		{"dtls handshake", datagram(22, 254, 13), DTLS},
		{"dtls 1.3 unified header", datagram(0x2F, 0, 40), DTLS},
		{"dtls cut off", datagram(22, 254, 12), Unknown},
		{"rtp", datagram(0x90, 111, 40), RTP},
		{"rtp with marker", datagram(0x80, 0x80|96, 40), RTP},
		{"rtp cut off", datagram(0x80, 96, 11), Unknown},
		{"rtcp receiver report", datagram(0x81, 201, 8), RTCP},
		{"rtcp feedback", datagram(0x8F, 205, 20), RTCP},
		{"rtcp cut off", datagram(0x81, 201, 7), Unknown},
		{"turn channel data", datagram(0x40, 0, 40), Unknown},
		{"quic short header", datagram(0x5F, 0, 40), Unknown},
		{"quic long header", datagram(0xC3, 0, 1200), Unknown},
		{"zrtp", datagram(16, 0, 40), Unknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Classify(test.b); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestClassNames(t *testing.T) {
	for class, want := range map[Class]string{STUN: "stun", DTLS: "dtls", RTP: "rtp", RTCP: "rtcp", Unknown: "unknown", 99: "unknown"} {
		if got := class.String(); got != want {
			t.Errorf("class %d is %q, want %q", class, got, want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add([]byte{})
	f.Add(datagram(0, 1, 28))
	f.Add(datagram(22, 254, 60))
	f.Add(datagram(0x90, 111, 60))
	f.Add(datagram(0x80, 200, 60))
	f.Fuzz(func(t *testing.T, b []byte) {
		want := oracle(b)
		if len(b) < 8 {
			want = Unknown
		}
		if got := Classify(b); got != want {
			t.Fatalf("%x: %v, want %v", b, got, want)
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	packets := [][]byte{datagram(0x90, 111, 120), datagram(0x80, 200, 60), datagram(0, 1, 80), datagram(22, 254, 200)}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if Classify(packets[i&3]) == Unknown {
			b.Fatal("unknown datagram")
		}
		i++
	}
}
