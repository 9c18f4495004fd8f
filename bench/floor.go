// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"

	"github.com/caddy-videoroom/videoroom/port"
)

// What the floor is measured with: the packets of a room of twelve, sent to the
// other eleven.
const (
	floorReceivers = 11
	floorPictures  = 5 // packets of a picture
	floorRounds    = 4000
)

// floorCommand prints what encrypting and sending a packet costs with nothing
// around it.
func floorCommand(args []string) error {
	fs := flag.NewFlagSet("floor", flag.ExitOnError)
	_ = fs.Parse(args)
	cost, err := floor()
	if err != nil {
		return err
	}
	fmt.Printf("%.2f\n", cost)
	return nil
}

// floor is the processor time that one thread needs per million packets to encrypt
// (AES-128-GCM) and to send them in trains (UDP GSO): three pictures of five
// packets of 1100 bytes for each five packets of sound, as cameras and microphones
// send. Receivers are emptied by other threads; what delivering costs within the
// sender's system call on one machine is in it, as it is in a server's.
func floor() (cost float64, err error) {
	sock, err := port.Listen(netip.MustParseAddrPort("127.0.0.1:0"), false)
	if err != nil {
		return 0, fmt.Errorf("opening a socket: %w", err)
	}
	defer func() { _ = sock.Close() }()
	dests := make([]port.Dest, floorReceivers)
	ciphers := make([]*srtp.Context, floorReceivers)
	for i := range dests {
		r, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return 0, fmt.Errorf("opening a socket: %w", err)
		}
		defer func() { _ = r.Close() }()
		go drain(func(b []byte) error { _, err := r.Read(b); return err }) // ends with the socket
		dests[i].Set(r.LocalAddr().(*net.UDPAddr).AddrPort(), netip.Addr{})
		ciphers[i], err = srtp.CreateContext(make([]byte, 16), make([]byte, 12), srtp.ProtectionProfileAeadAes128Gcm)
		if err != nil {
			return 0, fmt.Errorf("making a cipher: %w", err)
		}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	box, seq, packets := port.NewOutbox(floorReceivers*floorPictures), uint16(0), 0
	var hdr rtp.Header
	plain := make([]byte, 12+1100)
	plain[0] = 0x80
	send := func(count, size int) error {
		for range count {
			seq++
			plain[2], plain[3] = byte(seq>>8), byte(seq)
			for i := range dests {
				b := box.Slot()
				b = append(b, plain[:12+size]...)
				out, err := ciphers[i].EncryptRTP(b[:0], b, &hdr)
				if err != nil {
					return fmt.Errorf("encrypting: %w", err)
				}
				box.Commit(&dests[i], len(out))
				packets++
			}
		}
		if _, dropped := sock.Flush(box); dropped > 0 {
			return errors.New("packets could not be sent")
		}
		return nil
	}
	begin := threadTime()
	for range floorRounds {
		for _, burst := range [][2]int{{floorPictures, 1100}, {floorPictures, 1100}, {floorPictures, 1100}, {1, 80}, {1, 80}, {1, 80}, {1, 80}, {1, 80}} {
			if err := send(burst[0], burst[1]); err != nil {
				return 0, err
			}
		}
	}
	return (threadTime() - begin).Seconds() / float64(packets) * 1e6, nil
}

// threadTime is the processor time of the calling thread.
func threadTime() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
