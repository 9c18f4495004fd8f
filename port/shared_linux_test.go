// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && !portable

package port

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// What the kernel says about a datagram must come with that datagram: quic-go
// reads ECN and the destination from it.
func TestSharedKeepsControlMessages(t *testing.T) {
	c, _, m := sharing(t, ":0")
	setInt(t, c.UDPConn, unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
	setInt(t, c.UDPConn, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	conn, from := sender(t, c)
	for ecn := range 4 {
		setInt(t, conn, unix.IPPROTO_IP, unix.IP_TOS, ecn)
		put(t, conn, stun(), starting(0x40, ecn+1), starting(22, 9))
	}
	ms := messages(8)
	for i := 0; i < 4; {
		n, err := c.ReadBatch(ms[i:], 0)
		if err != nil {
			t.Fatal(err)
		}
		i += n
	}
	for ecn, msg := range ms[:4] {
		if msg.N != ecn+2 || msg.Flags != 0 || msg.Addr.(*net.UDPAddr).AddrPort().Port() != from.Port() {
			t.Errorf("message %d: %d octets, flags %x, from %v", ecn, msg.N, msg.Flags, msg.Addr)
		}
		scms, err := unix.ParseSocketControlMessage(msg.OOB[:msg.NN])
		if err != nil {
			t.Fatal(err)
		}
		var tos, info bool
		for _, scm := range scms {
			switch {
			case scm.Header.Level == unix.IPPROTO_IP && scm.Header.Type == unix.IP_TOS:
				tos = int(scm.Data[0]) == ecn
			case scm.Header.Level == unix.IPPROTO_IP && scm.Header.Type == unix.IP_PKTINFO:
				info = bytes.Equal(scm.Data[8:12], []byte{127, 0, 0, 1})
			}
		}
		if !tos || !info {
			t.Errorf("message %d: ECN right %v, destination right %v", ecn, tos, info)
		}
	}
	for _, d := range m.taken() {
		if d.Addr != from || d.Local != v4 {
			t.Errorf("the sink got one from %v to %v", d.Addr, d.Local)
		}
	}
	// A reader without room for them is told so.
	put(t, conn, starting(0x40, 20))
	small := []ipv4.Message{{Buffers: [][]byte{make([]byte, 8), make([]byte, 4)}, OOB: make([]byte, 4)}}
	if n, err := c.ReadBatch(small, 0); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if small[0].N != 12 || small[0].NN != 0 || small[0].Flags != unix.MSG_TRUNC|unix.MSG_CTRUNC {
		t.Errorf("cut to %d octets, %d of control, flags %x", small[0].N, small[0].NN, small[0].Flags)
	}
}

func setInt(t *testing.T, conn *net.UDPConn, level, opt, value int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = unix.SetsockoptInt(int(fd), level, opt, value) }); err != nil || inner != nil {
		t.Fatal(err, inner)
	}
}

// A reply leaves from the address that the request was sent to, or the browser
// takes it for somebody else's.
func TestSharedRepliesFromTheRightAddress(t *testing.T) {
	for _, network := range []string{"udp", "udp4"} {
		h, m := new(Hub), &media{reply: true}
		pc, err := h.WrapPacketConn(udp(t, network, ":0"))
		if err != nil {
			t.Fatal(err)
		}
		c := pc.(*sharedConn)
		ended := make(chan struct{})
		go func() { // ends with the socket
			defer close(ended)
			_, _ = c.ReadBatch(messages(8), 0)
		}()
		detach := h.Attach(m)
		port := c.LocalAddr().(*net.UDPAddr).Port
		hosts := []string{"127.0.0.1", "127.0.0.9"}
		if network == "udp" {
			hosts = append(hosts, "::1")
		}
		for _, host := range hosts {
			ip := netip.MustParseAddr(host)
			// A connected socket hears its peer only.
			conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(port))))
			if err != nil {
				t.Skip(err)
			}
			put(t, conn, stun())
			if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 100)
			if n, err := conn.Read(buf); err != nil || !bytes.Equal(buf[:n], stun()) {
				t.Errorf("%s over %s: %x, %v", host, network, buf[:n], err)
			}
			got := m.taken()
			if d := got[len(got)-1]; d.Local != ip || d.Addr.Addr().Is4() != ip.Is4() {
				t.Errorf("%s over %s: from %v to %v", host, network, d.Addr, d.Local)
			}
			conn.Close()
		}
		detach()
		c.UDPConn.Close()
		<-ended
	}
}

// The address of a packet has the form that quic-go gets without us.
func TestSharedAddressForm(t *testing.T) {
	plain := udp(t, "udp", "[::]:0")
	c, _, _ := sharing(t, "[::]:0")
	conn, _ := sender(t, c)
	put(t, conn, starting(0x40, 1))
	_, got, err := c.ReadFromUDPAddrPort(make([]byte, 10))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := udp(t, "udp4", "127.0.0.1:0").WriteTo([]byte{1}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: plain.LocalAddr().(*net.UDPAddr).Port}); err != nil {
		t.Fatal(err)
	}
	_, want, err := plain.ReadFromUDPAddrPort(make([]byte, 10))
	if err != nil {
		t.Fatal(err)
	}
	if got.Addr() != want.Addr() {
		t.Errorf("%v instead of %v", got.Addr(), want.Addr())
	}
}

// Neither media nor HTTP/3 in full flow may keep the collector busy.
func TestSharedDoesNotAllocate(t *testing.T) {
	c, h, _ := sharing(t, ":0")
	h.Attach(idle{})
	conn, _ := sender(t, c)
	rtp, quic, ms := starting(0x80, 170), starting(0x40, 1200), messages(8)
	if n := testing.AllocsPerRun(200, func() {
		for range 4 {
			_, _ = conn.Write(rtp)
			_, _ = conn.Write(quic)
		}
		for got := 0; got < 4; {
			n, err := c.ReadBatch(ms, 0)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
	}); n > 0 {
		t.Errorf("%v allocations for 8 datagrams", n)
	}
	if s := h.SharedStats(); s.Media < 4*200 || s.QUIC < 4*200 {
		t.Errorf("counted %+v", s)
	}
}

// idle knows everybody and keeps nothing.
type idle struct{}

func (idle) Datagrams(*Socket, []Datagram) {}
func (idle) Known(netip.AddrPort) bool     { return true }
func (idle) Stream(net.Conn, []byte)       {}
func (idle) TLS(net.Conn, []byte)          {}

// segmented tells whether control messages ask the kernel to cut a train.
func segmented(oob []byte) bool {
	scms, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return false
	}
	for _, scm := range scms {
		if scm.Header.Level == unix.SOL_UDP && scm.Header.Type == unix.UDP_SEGMENT {
			return true
		}
	}
	return false
}

// cpuTime returns the processor time that this process has used.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Media leaves a shared socket in trains too, and from the right address.
func TestSharedSocketSendsTrains(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "0.0.0.0:0", ":0"} {
		c, h, _ := sharing(t, addr)
		s := h.SharedSockets()[0]
		if !s.GSO() {
			t.Skip("this kernel does not segment")
		}
		var messages int
		spy(s, &messages)
		b := open(t, v4)
		var d Dest
		d.Set(b.LocalAddr(), v4)
		burst(t, s, b, &d, 20)
		if messages != 1 {
			t.Errorf("20 equal datagrams took %d messages", messages)
		}
		if err := s.WriteTo([]byte("one"), b.LocalAddr(), v4); err != nil {
			t.Error(err)
		}
		if got := take(t, b, 1); got[0].Addr != netip.AddrPortFrom(v4, uint16(c.LocalAddr().(*net.UDPAddr).Port)) {
			t.Errorf("came from %v", got[0].Addr)
		}
	}
}
