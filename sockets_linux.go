// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"encoding/hex"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

const procFD = "/proc/self/fd"

// descriptors returns what the open file descriptors of this process lead to.
func descriptors() ([]string, bool) {
	entries, err := os.ReadDir(procFD)
	if err != nil {
		return nil, false
	}
	var targets []string
	for _, e := range entries {
		// The one of this very listing is gone by now.
		if target, err := os.Readlink(procFD + "/" + e.Name()); err == nil {
			targets = append(targets, target)
		}
	}
	return targets, true
}

func openFiles() auditFiles {
	targets, known := descriptors()
	files := auditFiles{Known: known, Open: []string{}}
	for _, target := range targets {
		if strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "/proc/") && !slices.Contains(files.Open, target) {
			files.Open = append(files.Open, target)
		}
	}
	slices.Sort(files.Open)
	return files
}

// States in /proc/net/tcp.
const (
	tcpEstablished = "01"
	tcpListen      = "0A"
)

func openSockets() auditSockets {
	targets, known := descriptors()
	ours := make(map[string]bool)
	for _, target := range targets {
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			ours[strings.TrimSuffix(inode, "]")] = true
		}
	}
	s := auditSockets{Known: known, Listening: []string{}, Outbound: []string{}}
	ports := make(map[uint16]bool)
	var connections []procSocket
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		sockets, ok := procSockets(table, ours)
		s.Known = s.Known && (ok || strings.HasSuffix(table, "6"))
		for _, at := range sockets {
			udp := strings.HasPrefix(table, "udp")
			switch {
			case udp && !at.remote.Addr().IsUnspecified():
				s.Outbound = append(s.Outbound, "udp "+at.remote.String())
			case udp || at.state == tcpListen:
				s.Listening = append(s.Listening, table[:3]+" "+at.local.String())
				ports[at.local.Port()] = true
			case at.state == tcpEstablished:
				connections = append(connections, at)
			}
		}
	}
	for _, at := range connections {
		if ports[at.local.Port()] {
			s.Inbound++
		} else {
			s.Outbound = append(s.Outbound, "tcp "+at.remote.String())
		}
	}
	for _, list := range []*[]string{&s.Listening, &s.Outbound} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return s
}

type procSocket struct {
	local, remote netip.AddrPort
	state         string
}

// procSockets reads those sockets of a table that have one of the inodes.
func procSockets(table string, inodes map[string]bool) ([]procSocket, bool) {
	text, err := fs.ReadFile(os.DirFS("/proc/self/net"), table)
	if err != nil {
		return nil, false
	}
	var found []procSocket
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 10 || !inodes[f[9]] {
			continue
		}
		local, ok := procAddr(f[1])
		remote, ok2 := procAddr(f[2])
		if ok && ok2 {
			found = append(found, procSocket{local, remote, f[3]})
		}
	}
	return found, true
}

// procAddr reads an address as the kernel prints it: 32-bit words in the byte
// order of the machine, which is little-endian wherever this runs.
func procAddr(text string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	number, err2 := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || err2 != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	ip, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(ip.Unmap(), uint16(number)), ok
}
