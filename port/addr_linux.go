// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && !portable

package port

import (
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// controlSize holds IPV6_PKTINFO and UDP_SEGMENT together.
const controlSize = 64

// ancillary is a buffer of control messages, aligned as the kernel wants it.
type ancillary struct {
	_ [0]unix.Cmsghdr
	b [controlSize]byte
}

// put appends one control message at off and returns its payload and the new
// length. The buffer is large enough for what this package puts.
func (a *ancillary) put(off int, level, typ int32, size int) ([]byte, int) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&a.b[off]))
	h.Level, h.Type = level, typ
	h.SetLen(unix.CmsgLen(size))
	data := off + unix.CmsgLen(0)
	return a.b[data : data+size], off + unix.CmsgSpace(size)
}

// destSys keeps an address in the kernel's form.
type destSys struct {
	addr  netip.AddrPort
	local netip.Addr
	v6    bool
	wild  bool // the socket is bound to all addresses
	ready bool
	// whole is set when the path to addr does not carry segments: for instance
	// when one is longer than its MTU.
	whole bool

	name    unix.RawSockaddrInet6
	nameLen uint32 // 0: addr cannot be reached from the socket
	ctl     ancillary
	ctlLen  int
}

// resolve brings d's kernel form up to date for s and tells whether s can reach
// it.
func (d *Dest) resolve(s *Socket) bool {
	y := &d.sys
	if !y.ready || y.addr != d.Addr || y.local != d.Local || y.v6 != s.sys.v6 || y.wild != s.wildcard {
		*y = destSys{addr: d.Addr, local: d.Local, v6: s.sys.v6, wild: s.wildcard, ready: true}
		y.nameLen = putName(&y.name, d.Addr, y.v6)
		if s.wildcard {
			y.putSource()
		}
	}
	return y.nameLen > 0
}

// putName writes addr into sa for a socket of the given family and returns the
// length, 0 where the family cannot carry it.
func putName(sa *unix.RawSockaddrInet6, addr netip.AddrPort, v6 bool) uint32 {
	ip := addr.Addr()
	if !ip.IsValid() {
		return 0
	}
	if !v6 {
		ip = ip.Unmap()
		if !ip.Is4() {
			return 0
		}
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		sa4.Family = unix.AF_INET
		sa4.Addr = ip.As4()
		putPort(&sa4.Port, addr.Port())
		return unix.SizeofSockaddrInet4
	}
	sa.Family = unix.AF_INET6
	sa.Addr = ip.As16()
	sa.Scope_id = zoneIndex(ip.Zone())
	putPort(&sa.Port, addr.Port())
	return unix.SizeofSockaddrInet6
}

// putSource writes the PKTINFO message that names the source address.
func (y *destSys) putSource() {
	local := y.local.Unmap()
	if !local.IsValid() || local.IsUnspecified() || local.Is4() != y.addr.Addr().Unmap().Is4() {
		return
	}
	if !y.v6 {
		p, n := y.ctl.put(0, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		(*unix.Inet4Pktinfo)(unsafe.Pointer(&p[0])).Spec_dst = local.As4()
		y.ctlLen = n
		return
	}
	p, n := y.ctl.put(0, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&p[0]))
	info.Addr = local.As16()
	info.Ifindex = zoneIndex(local.Zone())
	y.ctlLen = n
}

// readName is the reverse of putName.
func readName(sa *unix.RawSockaddrInet6) netip.AddrPort {
	switch sa.Family {
	case unix.AF_INET:
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(sa4.Addr), readPort(&sa4.Port))
	case unix.AF_INET6:
		ip := netip.AddrFrom16(sa.Addr).Unmap()
		if sa.Scope_id != 0 && ip.IsLinkLocalUnicast() {
			ip = ip.WithZone(strconv.FormatUint(uint64(sa.Scope_id), 10))
		}
		return netip.AddrPortFrom(ip, readPort(&sa.Port))
	}
	return netip.AddrPort{}
}

// readLocal finds the destination address among the control messages in b,
// which is aligned as the kernel wants it.
func readLocal(b []byte) netip.Addr {
	for off := 0; off+unix.SizeofCmsghdr <= len(b); {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[off]))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || off+size > len(b) {
			break
		}
		data := b[off+unix.CmsgLen(0) : off+size]
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			return netip.AddrFrom4((*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0])).Addr)
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&data[0]))
			ip := netip.AddrFrom16(info.Addr).Unmap()
			if ip.IsLinkLocalUnicast() && ip.Is6() {
				ip = ip.WithZone(strconv.FormatUint(uint64(info.Ifindex), 10))
			}
			return ip
		}
		off += unix.CmsgSpace(size - unix.CmsgLen(0))
	}
	return netip.Addr{}
}

// zoneIndex returns the interface that an IPv6 zone names, 0 for none.
func zoneIndex(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if ifi, err := net.InterfaceByName(zone); err == nil {
		return uint32(ifi.Index)
	}
	return 0
}

// putPort writes a port in network byte order.
func putPort(p *uint16, port uint16) {
	b := (*[2]byte)(unsafe.Pointer(p))
	b[0], b[1] = byte(port>>8), byte(port)
}

// readPort reads a port in network byte order.
func readPort(p *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(p))
	return uint16(b[0])<<8 | uint16(b[1])
}
