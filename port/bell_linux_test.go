// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && !portable

package port

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// TestSilence: a silent socket wakes nobody and loses nothing; when it may ring
// again it does so for what came meanwhile.
func TestSilence(t *testing.T) {
	a, b := open(t, v4), open(t, v4)
	if err := a.Silence(true); err != nil {
		t.Fatal(err)
	}
	batch := NewBatch(8)
	if err := a.ReadNow(batch); err != nil || batch.Len() != 0 {
		t.Fatalf("%d datagrams, %v out of an empty socket", batch.Len(), err)
	}
	for _, text := range []string{"one", "two"} {
		if err := b.WriteTo([]byte(text), a.LocalAddr(), v4); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Read(batch); err != nil || batch.Len() != 2 { // Read looks before it waits
		t.Fatalf("%d datagrams, %v", batch.Len(), err)
	}
	// One that comes while Read waits wakes it no more. On a busy machine Read may
	// not wait yet when it comes: then it is found by looking, and comes again.
	for try := 1; ; try++ {
		_ = a.SetReadDeadline(time.Now().Add(400 * time.Millisecond))
		woken := make(chan error, 1)
		go func() { woken <- a.Read(batch) }() // ends at the deadline
		time.Sleep(100 * time.Millisecond)
		_ = b.WriteTo([]byte("three"), a.LocalAddr(), v4)
		err := <-woken
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil || try == 5 {
			t.Fatalf("woken by a silent socket, %v", err)
		}
	}
	if err := a.ReadNow(batch); err != nil || batch.Len() != 1 {
		t.Fatalf("%d datagrams, %v", batch.Len(), err)
	}
	_ = b.WriteTo([]byte("four"), a.LocalAddr(), v4)
	_ = a.SetReadDeadline(time.Now().Add(10 * time.Second))
	if err := a.Silence(false); err != nil {
		t.Fatal(err)
	}
	if err := a.Read(batch); err != nil || string(batch.At(0).Data) != "four" {
		t.Fatal(err)
	}
}

// TestReadEndsWithSocket also for one that waits for its bell.
func TestReadEndsWithSocket(t *testing.T) {
	s := open(t, v4)
	ended := make(chan error, 1)
	go func() { ended <- s.Read(NewBatch(1)) }() // ends with the socket
	time.Sleep(20 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read: %v", err)
	}
	if err := s.ReadNow(NewBatch(1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("ReadNow: %v", err)
	}
	if err := s.WriteTo([]byte{1}, s.LocalAddr(), v4); !errors.Is(err, net.ErrClosed) {
		t.Errorf("WriteTo: %v", err)
	}
}

// TestNothingSharesABell: only sockets that Listen opened have one.
func TestNothingSharesABell(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: v4.AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s, err := NewSharedSocket(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Silence(true); !errors.Is(err, ErrShared) {
		t.Error(err)
	}
	if err := s.ReadNow(NewBatch(1)); !errors.Is(err, ErrShared) {
		t.Error(err)
	}
}
