// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// control answers commands:
//
//	set    LINE up|down|both WORD=VALUE…   changes the named settings
//	reset  LINE up|down|both               takes all settings away
//	cut    LINE up|down|both               drops everything
//	mend   LINE up|down|both               ends a cut; other settings stay
//	seed   LINE up|down|both NUMBER        starts chance anew
//	show   LINE                            settings as JSON
//	counts LINE                            counters as JSON
//
// LINE may be "all".
type control struct {
	lines map[string]*line
	loop  *loop
}

var errCommand = errors.New("bad command")

// serve answers all connections until the listener is closed.
func (c *control) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go c.talk(conn) // until the peer hangs up, or the process ends
	}
}

func (c *control) talk(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		answer := "ok"
		text, err := c.do(strings.Fields(lines.Text()))
		switch {
		case err != nil:
			answer = "error " + err.Error()
		case text != "":
			answer += " " + text
		}
		if _, err := fmt.Fprintln(conn, answer); err != nil {
			return
		}
	}
}

// verbs do something to one direction.
var verbs = map[string]func(p *pipe, now time.Duration, args []string) error{
	"set": func(p *pipe, now time.Duration, args []string) error {
		s, err := p.shape.With(args)
		if err == nil {
			p.set(now, s)
		}
		return err
	},
	"reset": func(p *pipe, now time.Duration, _ []string) error { p.set(now, Shape{}); return nil },
	"cut":   func(p *pipe, now time.Duration, _ []string) error { return cut(p, now, true) },
	"mend":  func(p *pipe, now time.Duration, _ []string) error { return cut(p, now, false) },
	"seed": func(p *pipe, _ time.Duration, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%w: seed wants a number", errCommand)
		}
		n, err := strconv.ParseUint(args[0], 10, 64)
		if err != nil {
			return fmt.Errorf("%w: seed wants a number", errCommand)
		}
		p.reseed(n)
		return nil
	},
}

func cut(p *pipe, now time.Duration, on bool) error {
	s := p.shape
	s.Cut = on
	p.set(now, s)
	return nil
}

func (c *control) do(words []string) (string, error) {
	if len(words) < 2 {
		return "", fmt.Errorf("%w: want a verb and a line", errCommand)
	}
	lines, err := c.named(words[1])
	if err != nil {
		return "", err
	}
	switch words[0] {
	case "show":
		return c.report(lines, func(p *pipe) any { return p.shape })
	case "counts":
		return c.report(lines, func(p *pipe) any {
			p.counts.Waiting, p.counts.Bad = len(p.queue), p.bad
			return p.counts
		})
	}
	verb := verbs[words[0]]
	if verb == nil || len(words) < 3 {
		return "", fmt.Errorf("%w: %q", errCommand, strings.Join(words, " "))
	}
	for _, l := range lines {
		for dir, e := range l.ends {
			if words[2] != dir && words[2] != "both" {
				continue
			}
			c.loop.tell(func(now time.Duration) { err = verb(e.pipe, now, words[3:]) })
			if err != nil {
				return "", err
			}
		}
	}
	if words[2] != "up" && words[2] != "down" && words[2] != "both" {
		return "", fmt.Errorf("%w: no direction is called %q", errCommand, words[2])
	}
	return "", nil
}

func (c *control) named(name string) ([]*line, error) {
	if l := c.lines[name]; l != nil {
		return []*line{l}, nil
	}
	if name != "all" {
		return nil, fmt.Errorf("%w: no line is called %q", errCommand, name)
	}
	var all []*line
	for _, l := range c.lines {
		all = append(all, l)
	}
	return all, nil
}

func (c *control) report(lines []*line, of func(*pipe) any) (string, error) {
	all := map[string]map[string]json.RawMessage{}
	for _, l := range lines {
		all[l.name] = map[string]json.RawMessage{}
		for dir, e := range l.ends {
			var text []byte
			var err error
			c.loop.tell(func(time.Duration) { text, err = json.Marshal(of(e.pipe)) })
			if err != nil {
				return "", fmt.Errorf("report: %w", err)
			}
			all[l.name][dir] = text
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return string(text), nil
}
