// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// endsWithUs has a child end when this program is killed: a server that outlives
// its run would disturb the next.
func endsWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// ticksPerSecond is the unit of /proc/PID/stat on Linux (USER_HZ).
const ticksPerSecond = 100

// cpuSeconds is the processor time a process has used, user and system.
func cpuSeconds(pid int) float64 {
	// The scheduler counts nanoseconds, for each living thread; Go ends none of
	// those that it has.
	var sum float64
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, t := range tasks {
		raw, _ := os.ReadFile(t)
		if f := strings.Fields(string(raw)); len(f) > 0 {
			ns, _ := strconv.ParseFloat(f[0], 64)
			sum += ns / 1e9
		}
	}
	if sum > 0 {
		return sum
	}
	return tickedSeconds(pid)
}

// tickedSeconds is the same as all kernels count it.
func tickedSeconds(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The command name may hold spaces; fields count from behind its bracket.
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / ticksPerSecond
}

// rss and peakRSS are a process's resident memory in bytes.
func rss(pid int) int64     { return status(pid, "VmRSS:") }
func peakRSS(pid int) int64 { return status(pid, "VmHWM:") }

func status(pid int, key string) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if v, ok := strings.CutPrefix(line, key); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// socketDrops is how many datagrams found no room in the buffers of their sockets,
// on the whole machine (in this network namespace).
func socketDrops() int {
	raw, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		return 0
	}
	var names []string
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || f[0] != "Udp:":
		case names == nil:
			names = f
		default:
			for i, n := range names {
				if n == "RcvbufErrors" && i < len(f) {
					v, _ := strconv.Atoi(f[i])
					return v
				}
			}
		}
	}
	return 0
}
