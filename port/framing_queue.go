// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"net"
	"sync"
	"time"
)

const (
	// maxQueued is what may wait to be written to one stream, in octets.
	maxQueued = 1 << 20
	// keepQueued is the largest buffer that a quiet stream holds on to.
	keepQueued = 64 << 10
	// writeChunk is what has to be written within writeTimeout: one TLS record.
	writeChunk   = 16 << 10
	writeTimeout = 10 * time.Second
	// closeGrace is how long closing waits for what is queued.
	closeGrace = time.Second
	// maxUnsent is what the kernel may hold beyond the congestion window. More
	// would be delay: packets are better dropped here than late there.
	maxUnsent = 128 << 10
)

// sendQueue writes packets to a stream without making their senders wait:
// above maxQueued they are dropped. A stream on which writeChunk octets take
// longer than writeTimeout is closed.
type sendQueue struct {
	conn net.Conn
	wake chan struct{} // holds a token while there is something to do
	done chan struct{} // closed when the writer has ended

	mu     sync.Mutex
	buf    []byte // waits
	spare  []byte // takes buf's place during a write
	under  int    // octets of the write under way
	closed bool   // takes nothing more
}

func newSendQueue(conn net.Conn) *sendQueue {
	limitUnsent(conn)
	q := &sendQueue{conn: conn, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run() // ends after close, or with the first failed write
	return q
}

// add queues head, body and pad zero octets, all or nothing.
func (q *sendQueue) add(head, body []byte, pad int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.buf)+q.under+len(head)+len(body)+pad > maxQueued {
		return false
	}
	q.buf = append(append(q.buf, head...), body...)
	for range pad {
		q.buf = append(q.buf, 0)
	}
	q.signal()
	return true
}

func (q *sendQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// close lets the writer finish what is queued, for closeGrace at most, and
// closes the connection. It returns when the writer has ended.
func (q *sendQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-q.done:
	case <-grace.C:
	}
	q.conn.Close()
	<-q.done
}

func (q *sendQueue) run() {
	defer close(q.done)
	for range q.wake {
		for {
			b, last := q.take()
			if len(b) == 0 {
				if last {
					return
				}
				break
			}
			if !q.write(b) {
				return
			}
		}
	}
}

// take makes what waits the write under way; last tells that nothing follows.
func (q *sendQueue) take() (b []byte, last bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.buf) == 0 {
		return nil, q.closed
	}
	b, q.buf, q.spare = q.buf, q.spare, nil
	q.under = len(b)
	return b, q.closed
}

func (q *sendQueue) write(b []byte) bool {
	for rest := b; len(rest) > 0; {
		chunk := rest[:min(len(rest), writeChunk)]
		rest = rest[len(chunk):]
		err := q.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err == nil {
			_, err = q.conn.Write(chunk)
		}
		if err != nil {
			q.fail()
			return false
		}
		q.wrote(len(chunk))
	}
	if cap(b) <= keepQueued {
		q.mu.Lock()
		q.spare = b[:0]
		q.mu.Unlock()
	}
	return true
}

func (q *sendQueue) wrote(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.under -= n
}

// fail ends the stream; its reader notices.
func (q *sendQueue) fail() {
	q.mu.Lock()
	q.closed, q.buf, q.spare, q.under = true, nil, nil, 0
	q.mu.Unlock()
	q.conn.Close()
}

// netConner is what the connections of crypto/tls and of this package have.
type netConner interface{ NetConn() net.Conn }

// rawer is what connections of go-proxyproto have.
type rawer interface{ Raw() net.Conn }

// unwrap calls found for conn and all connections below it until found returns
// true.
func unwrap(conn net.Conn, found func(net.Conn) bool) {
	for range 8 {
		if conn == nil || found(conn) {
			return
		}
		switch c := conn.(type) {
		case netConner:
			conn = c.NetConn()
		case rawer:
			conn = c.Raw()
		default:
			return
		}
	}
}

// limitUnsent bounds the kernel's send buffer where the system can.
func limitUnsent(conn net.Conn) {
	unwrap(conn, func(c net.Conn) bool {
		t, ok := c.(*net.TCPConn)
		if ok {
			setUnsent(t, maxUnsent)
		}
		return ok
	})
}
