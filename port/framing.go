// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// ErrFrame tells that a stream's framing is broken: RFC 4571, or the messages
// of TURN over TCP (RFC 8656 section 12.5). There is no way to go on.
var ErrFrame = errors.New("stream out of frame")

const (
	frameHeader = 2           // RFC 4571 section 2
	maxFrame    = MaxDatagram // octets without the header
	// streamIdle ends a stream on which the client sends nothing; consent
	// checks (RFC 7675) come every few seconds.
	streamIdle = time.Minute
	// deadlineStep is how much a read deadline may lag behind, so that it is
	// not moved with every packet.
	deadlineStep = 5 * time.Second
)

// Relay is the media plane's side of a stream that carries its packets one by
// one: ICE-TCP, or an allocation of the TURN server.
type Relay interface {
	// Send takes a packet that came from the client; b is the caller's again
	// on return. It never blocks; false: the packet was dropped.
	Send(b []byte) bool
	// Close tells that nothing more comes and nothing more can be sent.
	Close()
}

// ServeFramed serves an ICE-TCP connection (RFC 6544) whose first frame has
// been read: it calls open with the function that sends a packet to the client,
// and hands the relay that open returns every packet from the client. deliver
// may be called from any goroutine, never blocks, and drops the packet and
// returns false when 1 MiB waits to be sent, the packet is longer than
// MaxDatagram or the stream has ended. ServeFramed returns when the stream has
// ended: closed by either side, silent for a minute, its framing broken
// (ErrFrame), a write stuck for 10 s, or open failed. Then conn and the relay
// are closed. Its error names no address.
func ServeFramed(conn net.Conn, first []byte, open func(deliver func(b []byte) bool) (Relay, error)) error {
	q := newSendQueue(conn)
	defer q.close()
	relay, err := open(q.frame)
	if err != nil {
		return fmt.Errorf("opening a relay for a framed stream: %w", err)
	}
	defer relay.Close()
	relay.Send(first)
	r := frameReader{r: bufio.NewReaderSize(conn, streamBuffer)}
	idle := idleDeadline{conn: conn}
	for {
		if err := idle.extend(time.Now().Add(streamIdle)); err != nil {
			return endOfStream("reading a framed stream", err)
		}
		b, err := r.next()
		if err != nil {
			return endOfStream("reading a framed stream", err)
		}
		relay.Send(b)
	}
}

// endOfStream makes nil of the errors with which a stream ends orderly, and
// takes the addresses out of others.
func endOfStream(doing string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// frame queues one packet in RFC 4571 framing.
func (q *sendQueue) frame(b []byte) bool {
	if len(b) > maxFrame {
		return false
	}
	var head [frameHeader]byte
	binary.BigEndian.PutUint16(head[:], uint16(len(b)))
	return q.add(head[:], b, 0)
}

// streamBuffer is the read buffer of a stream, in octets. It holds the longest
// frame and message.
const streamBuffer = 4096

// frameReader takes the packets out of an RFC 4571 stream.
type frameReader struct {
	r    *bufio.Reader
	last int // octets to discard before the next frame
}

// next returns the next packet; it holds until the next call. Empty frames are
// skipped. Errors are ErrFrame for a frame above maxFrame octets,
// io.ErrUnexpectedEOF for a stream that ends in a frame, io.EOF, or those of
// the reader.
func (f *frameReader) next() ([]byte, error) {
	for {
		// Never fails: exactly this much has been peeked.
		_, _ = f.r.Discard(f.last)
		f.last = 0
		head, err := f.r.Peek(frameHeader)
		if err != nil {
			return nil, shortRead(err, len(head))
		}
		size := int(binary.BigEndian.Uint16(head))
		if size > maxFrame {
			return nil, ErrFrame
		}
		b, err := f.r.Peek(frameHeader + size)
		if err != nil {
			return nil, shortRead(err, len(b))
		}
		f.last = len(b)
		if size > 0 {
			return b[frameHeader:len(b):len(b)], nil
		}
	}
}

// shortRead turns the end of a stream within something into
// io.ErrUnexpectedEOF.
func shortRead(err error, have int) error {
	if errors.Is(err, io.EOF) && have > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// idleDeadline moves a read deadline in steps.
type idleDeadline struct {
	conn net.Conn
	at   time.Time
}

// extend sets the deadline to at, unless it is less than deadlineStep before
// that already.
func (d *idleDeadline) extend(at time.Time) error {
	if late := at.Sub(d.at); late >= 0 && late < deadlineStep {
		return nil
	}
	d.at = at
	return d.conn.SetReadDeadline(at)
}

// replayed returns a reader of b and then of conn.
func replayed(b []byte, conn net.Conn) io.Reader {
	if len(b) == 0 {
		return conn
	}
	return io.MultiReader(bytes.NewReader(b), conn)
}
