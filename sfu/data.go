// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/pion/datachannel"
	"github.com/pion/sctp"
)

const (
	maxDataMessage   = 64 << 10
	maxDataBuffered  = 1 << 20
	maxDataChannels  = 16
	dataReceiveSpace = 1 << 20
)

// channelKinds maps the labels that clients give their channels.
var channelKinds = map[string]DataKind{"_reliable": Reliable, "_lossy": Lossy}

// channels are a peer's open data channels. Its goroutines end when the DTLS
// connection below is closed.
type channels struct {
	reliable, lossy atomic.Pointer[datachannel.DataChannel]
}

// serve accepts data channels until the connection ends.
func (ch *channels) serve(conn net.Conn, events PeerEvents) error {
	assoc, err := sctp.ServerWithOptions(
		sctp.WithNetConn(conn),
		sctp.WithMaxReceiveBufferSize(dataReceiveSpace),
		sctp.WithMaxMessageSize(maxDataMessage),
		sctp.WithMTU(1200),
		sctp.WithLoggerFactory(silence{}),
	)
	if err != nil {
		return fmt.Errorf("SCTP association: %w", err)
	}
	var readers sync.WaitGroup
	for n := 0; ; n++ {
		dc, err := datachannel.Accept(assoc, &datachannel.Config{LoggerFactory: silence{}})
		if err != nil || n == maxDataChannels {
			// Closing the association ends the readers below.
			_ = assoc.Close()
			readers.Wait()
			return err
		}
		kind := channelKinds[dc.Config.Label]
		switch kind {
		case Reliable:
			ch.reliable.Store(dc)
		case Lossy:
			ch.lossy.Store(dc)
		}
		readers.Add(1)
		go func() { // ends when the channel or the association is closed
			defer readers.Done()
			ch.read(dc, kind, events)
		}()
	}
}

// read hands over messages until the channel ends. Messages on channels of
// unknown purpose are read and dropped, so that they cannot fill the buffer.
func (ch *channels) read(dc *datachannel.DataChannel, kind DataKind, events PeerEvents) {
	buf := make([]byte, maxDataMessage)
	for {
		n, _, err := dc.ReadDataChannel(buf)
		switch {
		case errors.Is(err, io.ErrShortBuffer):
			continue
		case err != nil:
			return
		case kind == 0 || n == 0:
			continue
		}
		if !events.PeerData(kind, append([]byte(nil), buf[:n]...)) && kind == Reliable {
			_ = dc.Close()
			return
		}
	}
}

// send writes one message without waiting.
func (ch *channels) send(kind DataKind, payload []byte) error {
	dc := ch.lossy.Load()
	if kind == Reliable {
		dc = ch.reliable.Load()
	}
	if dc == nil {
		return ErrNoChannel
	}
	if dc.BufferedAmount()+uint64(len(payload)) > maxDataBuffered {
		return ErrBufferFull
	}
	if _, err := dc.WriteDataChannel(payload, false); err != nil {
		return fmt.Errorf("writing to a data channel: %w", err)
	}
	return nil
}
