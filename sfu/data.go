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

// channelKinds maps the labels of channels.
var channelKinds = map[string]DataKind{"_reliable": Reliable, "_lossy": Lossy}

// opened are the channels that the server opens where it offers. The client only
// receives on them.
var opened = []datachannel.Config{
	{Label: "_reliable", ChannelType: datachannel.ChannelTypeReliable},
	{Label: "_lossy", ChannelType: datachannel.ChannelTypePartialReliableRexmitUnordered},
}

// channels are a connection's open data channels. Its goroutines end when the DTLS
// connection below is closed.
type channels struct {
	reliable, lossy atomic.Pointer[datachannel.DataChannel]
}

// serve runs data channels until the connection ends: those that the client
// opens, or ours, where there is an id for the first one. On ours nothing is
// expected, so that events hear of nothing.
func (ch *channels) serve(conn net.Conn, events PeerEvents, ours *uint16) error {
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
	defer func() { // the association is closed, which ends the readers
		_ = assoc.Close()
		readers.Wait()
	}()
	if ours != nil {
		events = deaf{events}
		if err := ch.open(assoc, *ours, &readers, events); err != nil {
			return err
		}
	}
	for n := 0; ; n++ {
		dc, err := datachannel.Accept(assoc, &datachannel.Config{LoggerFactory: silence{}})
		if err != nil || n == maxDataChannels {
			return err
		}
		if ours != nil {
			dc.Config.Label = "" // not one of those that we send on
		}
		ch.use(dc, &readers, events)
	}
}

// open opens our channels, the first with the given id. Ids that the DTLS client
// chooses are even (RFC 8832 section 6).
func (ch *channels) open(assoc *sctp.Association, id uint16, readers *sync.WaitGroup, events PeerEvents) error {
	for i := range opened {
		cfg := opened[i]
		cfg.LoggerFactory = silence{}
		dc, err := datachannel.Dial(assoc, id+2*uint16(i), &cfg)
		if err != nil {
			return fmt.Errorf("opening a data channel: %w", err)
		}
		ch.use(dc, readers, events)
	}
	return nil
}

// use begins to send and receive on a channel.
func (ch *channels) use(dc *datachannel.DataChannel, readers *sync.WaitGroup, events PeerEvents) {
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

// deaf hears nothing of data.
type deaf struct{ PeerEvents }

// PeerData implements PeerEvents.
func (deaf) PeerData(DataKind, []byte) bool { return true }

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
