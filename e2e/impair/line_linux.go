// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// line joins two devices, one pipe for each direction.
type line struct {
	name string
	ends map[string]*end
}

// end reads packets from one device, has its pipe treat them, and writes them
// to another. Its loop owns it.
type end struct {
	from, to int
	pipe     *pipe
}

// openLine makes a line from "name:netns:device:netns:device".
func openLine(text string, seed uint64) (*line, error) {
	part := strings.Split(text, ":")
	if len(part) != 5 {
		return nil, fmt.Errorf("line %q: want name:netns:device:netns:device", text)
	}
	var fds [2]int
	for i := range fds {
		fd, err := openTUN(part[1+2*i], part[2+2*i])
		if err != nil {
			if i == 1 {
				_ = unix.Close(fds[0])
			}
			return nil, fmt.Errorf("line %s: %w", part[0], err)
		}
		fds[i] = fd
	}
	return &line{name: part[0], ends: map[string]*end{
		"up":   {from: fds[0], to: fds[1], pipe: newPipe(seed)},
		"down": {from: fds[1], to: fds[0], pipe: newPipe(seed + 1)},
	}}, nil
}

// close removes the devices. The loop has ended.
func (l *line) close() {
	for _, e := range l.ends {
		_ = unix.Close(e.from)
	}
}
