// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"sync"
)

// forward hands connections to a loopback port on to the same port of another
// namespace's loopback: a program can then drive a browser that lives there.
// It prints "ready" once it listens, and runs until its context ends.
func forward(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("forward", flag.ContinueOnError)
	netns := flags.String("netns", "", "where the connections go")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *netns == "" || flags.NArg() != 1 {
		return errors.New("forward -netns name port")
	}
	at := net.JoinHostPort("127.0.0.1", flags.Arg(0))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", at)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	fmt.Println("ready")
	for {
		conn, err := listener.Accept()
		if err != nil {
			return nil // the context has ended
		}
		go pass(conn, *netns, at) // until either side hangs up
	}
}

func pass(near net.Conn, netns, at string) {
	defer near.Close()
	var far net.Conn
	err := inNetns(netns, func() (err error) {
		far, err = net.Dial("tcp4", at) // one literal address: on this very thread
		return err
	})
	if err != nil {
		return // the caller sees a closed connection
	}
	defer far.Close()
	var both sync.WaitGroup
	for _, c := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() { // until its source ends; then the other is ended
			_, _ = io.Copy(c[0], c[1])
			_ = near.Close()
			_ = far.Close()
		})
	}
	both.Wait()
}
