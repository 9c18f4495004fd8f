// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// clientHello returns the first flight of a TLS client.
func clientHello(t testing.TB, cfg *tls.Config) []byte {
	t.Helper()
	cfg.InsecureSkipVerify = true
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tls.Client(near, cfg).HandshakeContext(context.Background())
	}()
	far.SetReadDeadline(time.Now().Add(5 * time.Second))
	head := make([]byte, recordHeader)
	if _, err := io.ReadFull(far, head); err != nil {
		t.Fatal(err)
	}
	b := slices.Concat(head, make([]byte, binary.BigEndian.Uint16(head[3:])))
	if _, err := io.ReadFull(far, b[recordHeader:]); err != nil {
		t.Fatal(err)
	}
	far.Close()
	<-done
	return b
}

// rerecorded puts a ClientHello into records of n octets.
func rerecorded(hello []byte, n int) []byte {
	var out []byte
	for body := hello[recordHeader:]; len(body) > 0; body = body[min(n, len(body)):] {
		part := body[:min(n, len(body))]
		out = append(out, recordHandshake, 3, 1)
		out = binary.BigEndian.AppendUint16(out, uint16(len(part)))
		out = append(out, part...)
	}
	return out
}

// bindingFrame returns a framed STUN Binding request with extra octets of an
// attribute.
func bindingFrame(extra int) []byte {
	var msg []byte
	msg = binary.BigEndian.AppendUint16(msg, 1)
	msg = binary.BigEndian.AppendUint16(msg, uint16(extra))
	msg = binary.BigEndian.AppendUint32(msg, stunCookie)
	msg = append(msg, "transaction!"...)
	if extra > 0 {
		msg = binary.BigEndian.AppendUint16(msg, 0x8022)
		msg = binary.BigEndian.AppendUint16(msg, uint16(extra-4))
		msg = append(msg, make([]byte, extra-4)...)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
}

type openingCase struct {
	name string
	b    []byte
	want opening
}

func openingCases(t testing.TB) []openingCase {
	plain := clientHello(t, &tls.Config{ServerName: "a.example"})
	alpn := clientHello(t, &tls.Config{ServerName: "a.example", NextProtos: []string{"h2", "http/1.1"}})
	http1 := clientHello(t, &tls.Config{ServerName: "a.example", NextProtos: []string{"http/1.1"}})
	twice := clientHello(t, &tls.Config{ServerName: "a.example", NextProtos: []string{"http/1.1", "http/1.1"}})
	own := clientHello(t, &tls.Config{ServerName: "a.example", NextProtos: []string{"stun.turn"}})
	old := clientHello(t, &tls.Config{MaxVersion: tls.VersionTLS12})
	oldALPN := clientHello(t, &tls.Config{MaxVersion: tls.VersionTLS12, NextProtos: []string{"acme-tls/1"}})
	broken := bytes.Clone(plain)
	broken[recordHeader+handshakeHeader+34] = 255 // session id beyond the end
	notHello := bytes.Clone(plain)
	notHello[recordHeader] = 2
	long := bindingFrame(200)
	wrongCookie, wrongLength, response := bindingFrame(8), bindingFrame(8), bindingFrame(8)
	wrongCookie[9] ^= 1
	wrongLength[1]++
	response[2] = 1
	return []openingCase{
		{"plain", plain, openingTLSPlain},
		{"ALPN", alpn, openingTLS},
		{"HTTP/1.1 alone", http1, openingTLSPlain},
		{"HTTP/1.1 twice", twice, openingTLS},
		{"TURN's own ALPN", own, openingTLS},
		{"TLS 1.2 plain", old, openingTLSPlain},
		{"TLS 1.2 ALPN", oldALPN, openingTLS},
		{"plain in records of 100", rerecorded(plain, 100), openingTLSPlain},
		{"ALPN in records of 100", rerecorded(alpn, 100), openingTLS},
		{"in records of 1", rerecorded(plain, 1), openingTLS},
		{"broken", broken, openingTLS},
		{"another handshake message", notHello, openingTLS},
		{"empty record", []byte{recordHandshake, 3, 1, 0, 0, 1, 1, 1, 1, 1}, openingTLS},
		{"record beyond the limit", []byte{recordHandshake, 3, 1, 0xff, 0xff}, openingTLS},
		{"message beyond the limit", []byte{recordHandshake, 3, 1, 0, 4, 1, 0xff, 0, 0}, openingTLS},
		{"ICE-TCP", bindingFrame(0), openingICE},
		{"ICE-TCP with attributes", long, openingICE},
		{"wrong cookie", wrongCookie, openingOther},
		{"wrong length", wrongLength, openingOther},
		{"not a request", response, openingOther},
		{"longest frame", bindingFrame(1480), openingICE},
		{"frame beyond the limit", bindingFrame(1484), openingOther},
		{"HTTP", []byte("GET / HTTP/1.1\r\n"), openingOther},
		{"PROXY", []byte("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), openingOther},
		{"PROXY v2", []byte("\r\n\r\n\x00\r\nQUIT\n"), openingOther},
	}
}

// decides checks that b is what it is however it comes in, and returns what.
func decides(t *testing.T, b []byte) opening {
	t.Helper()
	whole, wholeNeed := classify(b)
	if whole == openingShort && (wholeNeed <= len(b) || wholeNeed > maxOpeningSearch) {
		t.Fatalf("%d of %d octets needed", wholeNeed, len(b))
	}
	for i := range len(b) {
		kind, need := classify(b[:i])
		switch {
		case kind == openingShort && (need <= i || need > maxOpeningSearch):
			t.Fatalf("%d of %d octets needed", need, i)
		case kind == openingShort && whole != openingShort && need > len(b):
			t.Fatalf("after %d octets %d are needed, but %d are enough", i, need, len(b))
		case kind != openingShort && kind != whole:
			t.Fatalf("after %d octets %d, after %d octets %d", i, kind, len(b), whole)
		}
	}
	return whole
}

func TestClassify(t *testing.T) {
	for _, c := range openingCases(t) {
		t.Run(c.name, func(t *testing.T) {
			before := bytes.Clone(c.b)
			if got := decides(t, c.b); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
			if got := decides(t, append(bytes.Clone(c.b), "more"...)); got != c.want {
				t.Errorf("with more after it: got %d, want %d", got, c.want)
			}
			if !bytes.Equal(before, c.b) {
				t.Error("classify has changed its input")
			}
		})
	}
}

// The rest of a hello whose beginning was announced is waited for by as many
// octets as it has.
func TestClassifyNeedsNoMoreThanThereIs(t *testing.T) {
	hello := clientHello(t, &tls.Config{ServerName: "a.example"})
	kind, need := classify(hello[:recordHeader])
	if kind != openingShort || need != len(hello) {
		t.Errorf("got %d, %d; want %d octets", kind, need, len(hello))
	}
}

// helloSeen reads b as crypto/tls does.
func helloSeen(b []byte) (seen bool, protocols []string) {
	enough := errors.New("enough")
	conn := tls.Server(&readOnlyConn{r: bytes.NewReader(b)}, &tls.Config{
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			seen, protocols = true, h.SupportedProtos
			return nil, enough
		},
	})
	conn.HandshakeContext(context.Background())
	return seen, protocols
}

// readOnlyConn is a connection from which r can be read.
type readOnlyConn struct {
	net.Conn
	r io.Reader
}

func (c *readOnlyConn) Read(p []byte) (int, error)       { return c.r.Read(p) }
func (c *readOnlyConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c *readOnlyConn) Close() error                     { return nil }
func (c *readOnlyConn) SetDeadline(time.Time) error      { return nil }
func (c *readOnlyConn) SetReadDeadline(time.Time) error  { return nil }
func (c *readOnlyConn) SetWriteDeadline(time.Time) error { return nil }
func (c *readOnlyConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}
}
func (c *readOnlyConn) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 2} }

func FuzzClientHello(f *testing.F) {
	for _, c := range openingCases(f) {
		if len(c.b) < 4<<10 {
			f.Add(c.b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4<<10 {
			return // quadratic
		}
		kind := decides(t, b)
		seen, protocols := helloSeen(b)
		if !seen {
			return
		}
		want := openingTLS
		if len(protocols) == 0 || slices.Equal(protocols, []string{"http/1.1"}) {
			want = openingTLSPlain
		}
		if kind != want && !manyRecords(b) {
			t.Errorf("crypto/tls sees a ClientHello, ALPN %q; we say %d", protocols, kind)
		}
	})
}

// manyRecords tells whether the first flight has more records than we look at.
func manyRecords(b []byte) bool {
	n := 0
	for len(b) >= recordHeader {
		b = b[min(len(b), recordHeader+int(binary.BigEndian.Uint16(b[3:]))):]
		n++
	}
	return n >= maxHelloRecords
}
