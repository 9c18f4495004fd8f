// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Command impair is a bad line between two network namespaces, for tests. It
// owns a TUN device at each end and carries IP packets between them, losing,
// delaying, reordering, duplicating and throttling them as it is told, for each
// direction by itself and while it runs. It knows nothing of what the packets
// carry, and configures no addresses or routes.
//
//	impair run -control /tmp/ctl host:nsA:vr1:nsS:vrh visitor:nsB:vr1:nsS:vrv
//	impair tell -control /tmp/ctl set host up loss=3 delay=20ms rate=2000
//	impair forward -netns nsB 40001
//
// "up" runs from the first namespace of a line to the second, "down" the other
// way. The control socket takes one command a line and answers each with one
// line, "ok …" or "error …"; see control.go for the commands and shape.go for
// what can be set.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

var commands = map[string]func(ctx context.Context, args []string) error{
	"run":     run,
	"tell":    tell,
	"forward": forward,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "impair: run, tell or forward?")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](ctx, os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "impair:", err)
		os.Exit(1)
	}
}

// run carries the packets of all lines until it is told to end. It prints
// "ready" when all devices exist and the control socket listens.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	socket := flags.String("control", "", "path of the control socket")
	seed := flags.Uint64("seed", 1, "seed of all chance")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *socket == "" || flags.NArg() == 0 {
		return errors.New("run -control socket name:ns:device:ns:device…")
	}
	lines := map[string]*line{}
	for i, text := range flags.Args() {
		l, err := openLine(text, *seed+uint64(2*i))
		if err != nil {
			return err
		}
		defer l.close()
		if lines[l.name] != nil {
			return fmt.Errorf("two lines are called %q", l.name)
		}
		lines[l.name] = l
	}
	loop, err := newLoop(lines)
	if err != nil {
		return err
	}
	go loop.run() // until loop.close
	defer loop.close()
	// A collection would wait for the loop; there is next to nothing to collect.
	debug.SetGCPercent(-1)
	_ = os.Remove(*socket) // left behind by a killed one
	listener, err := net.Listen("unix", *socket)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	defer listener.Close()
	go (&control{lines: lines, loop: loop}).serve(listener) // until listener.Close
	fmt.Println("ready")
	<-ctx.Done()
	return nil
}

// tell sends one command to a running impair and prints the answer.
func tell(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("tell", flag.ContinueOnError)
	socket := flags.String("control", "", "path of the control socket")
	if err := flags.Parse(args); err != nil {
		return err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", *socket)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, strings.Join(flags.Args(), " ")+"\n"); err != nil {
		return fmt.Errorf("sending the command: %w", err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("waiting for the answer: %w", err)
	}
	fmt.Print(answer)
	if !strings.HasPrefix(answer, "ok") {
		return errors.New("refused")
	}
	return nil
}
