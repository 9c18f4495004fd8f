// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// relaySpy is a Relay that keeps what it gets.
type relaySpy struct {
	mu      sync.Mutex
	got     [][]byte
	closed  int
	deliver func(b []byte) bool
	full    bool
	echo    bool
}

func (r *relaySpy) Send(b []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full {
		return false
	}
	r.got = append(r.got, bytes.Clone(b))
	if r.echo {
		r.deliver(b)
	}
	return true
}

func (r *relaySpy) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed++
}

func (r *relaySpy) packets() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

func framed(packets ...[]byte) (stream []byte) {
	for _, p := range packets {
		stream = append(binary.BigEndian.AppendUint16(stream, uint16(len(p))), p...)
	}
	return stream
}

func TestFrameReader(t *testing.T) {
	one, most := []byte("a"), bytes.Repeat([]byte("m"), maxFrame)
	for _, c := range []struct {
		name   string
		stream []byte
		want   [][]byte
		err    error
	}{
		{"nothing", nil, nil, io.EOF},
		{"frames", framed(one, most, one), [][]byte{one, most, one}, io.EOF},
		{"empty frames", framed(nil, one, nil, nil, most), [][]byte{one, most}, io.EOF},
		{"too long", framed(one, append(most, 1)), [][]byte{one}, ErrFrame},
		{"ends in a length", []byte{0}, nil, io.ErrUnexpectedEOF},
		{"ends before a frame", []byte{0, 1}, nil, io.ErrUnexpectedEOF},
		{"ends in a frame", framed(most)[:700], nil, io.ErrUnexpectedEOF},
	} {
		for name, r := range map[string]io.Reader{
			"at once": bytes.NewReader(c.stream), "by octets": iotest.OneByteReader(bytes.NewReader(c.stream)),
		} {
			got, err := readFrames(r)
			if !samePackets(got, c.want) || err != c.err {
				t.Errorf("%s, %s: %d packets, %v; want %d, %v", c.name, name, len(got), err, len(c.want), c.err)
			}
		}
	}
}

func readFrames(r io.Reader) (got [][]byte, err error) {
	f := frameReader{r: bufio.NewReaderSize(r, streamBuffer)}
	for {
		b, err := f.next()
		if err != nil {
			return got, err
		}
		got = append(got, bytes.Clone(b))
	}
}

// However a stream is cut up, the same packets come out, and together they are
// the stream.
func FuzzFraming(f *testing.F) {
	f.Add(framed([]byte("a"), bytes.Repeat([]byte("b"), maxFrame), nil), uint16(3))
	f.Add([]byte{0xff, 0xff, 1}, uint16(1))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16) {
		got, err := readFrames(bytes.NewReader(stream))
		n := int(cut) % (len(stream) + 1)
		again, errAgain := readFrames(io.MultiReader(bytes.NewReader(stream[:n]), iotest.OneByteReader(bytes.NewReader(stream[n:]))))
		if !samePackets(got, again) || err != errAgain {
			t.Errorf("%d packets, %v; cut %d packets, %v", len(got), err, len(again), errAgain)
		}
		var octets int
		for _, p := range got {
			octets += frameHeader + len(p)
			if len(p) == 0 || len(p) > maxFrame {
				t.Errorf("a packet of %d octets", len(p))
			}
		}
		if octets > len(stream) {
			t.Errorf("%d octets in packets, %d in the stream", octets, len(stream))
		}
		if err == nil {
			t.Error("a stream without end")
		}
	})
}

func TestServeFramed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		relay := &relaySpy{}
		done := make(chan error)
		go func() {
			done <- ServeFramed(far, []byte("first"), func(deliver func([]byte) bool) (Relay, error) {
				relay.deliver = deliver
				return relay, nil
			})
		}()
		near.Write(framed([]byte("second"), []byte("third")))
		synctest.Wait()
		if want := [][]byte{[]byte("first"), []byte("second"), []byte("third")}; !samePackets(relay.packets(), want) {
			t.Errorf("got %q", relay.packets())
		}
		long := bytes.Repeat([]byte("l"), maxFrame)
		if !relay.deliver([]byte("answer")) || !relay.deliver(long) || relay.deliver(append(long, 1)) {
			t.Error("deliver takes packets up to MaxDatagram octets")
		}
		got := make([]byte, len(framed([]byte("answer"), long)))
		if _, err := io.ReadFull(near, got); err != nil || !bytes.Equal(got, framed([]byte("answer"), long)) {
			t.Errorf("got %q, %v", got, err)
		}
		near.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if relay.closed != 1 || relay.deliver([]byte("late")) {
			t.Errorf("after the end: closed %d times", relay.closed)
		}
	})
}

func TestServeFramedEnds(t *testing.T) {
	refused := errors.New("refused")
	for _, c := range []struct {
		name  string
		run   func(near net.Conn, relay *relaySpy)
		open  error
		want  error
		after time.Duration
	}{
		{name: "silence", run: func(net.Conn, *relaySpy) {}, want: os.ErrDeadlineExceeded, after: streamIdle},
		{
			name: "silence after packets",
			run: func(near net.Conn, _ *relaySpy) {
				for range 20 {
					time.Sleep(10 * time.Second)
					near.Write(framed([]byte("consent")))
				}
			},
			want: os.ErrDeadlineExceeded, after: 200*time.Second + streamIdle,
		},
		{name: "broken framing", run: func(near net.Conn, _ *relaySpy) { near.Write([]byte{0xff, 0xff}) }, want: ErrFrame},
		{name: "cut off", run: func(near net.Conn, _ *relaySpy) { near.Write([]byte{0, 9, 1}); near.Close() }, want: io.ErrUnexpectedEOF},
		{name: "no relay", run: func(net.Conn, *relaySpy) {}, open: refused, want: refused},
		{
			name:  "nobody reads",
			run:   func(_ net.Conn, relay *relaySpy) { relay.deliver([]byte("lost")) },
			after: writeTimeout,
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			relay := &relaySpy{}
			begin, done := time.Now(), make(chan error)
			go func() {
				done <- ServeFramed(far, nil, func(deliver func([]byte) bool) (Relay, error) {
					relay.deliver = deliver
					return relay, c.open
				})
			}()
			synctest.Wait()
			c.run(near, relay)
			err := <-done
			// Deadlines move in steps, and what is queued has its grace.
			took := time.Since(begin)
			if took > c.after || took < c.after-deadlineStep {
				t.Errorf("%s: after %v, want %v", c.name, took, c.after)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
			if c.open == nil && relay.closed != 1 {
				t.Errorf("%s: closed %d times", c.name, relay.closed)
			}
		})
	}
}

// A stream that is not read takes 1 MiB and drops the rest, without making
// anybody wait; what it took comes in order.
func TestSendQueueBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		q := newSendQueue(far)
		packet := bytes.Repeat([]byte("p"), 1000)
		begin, taken := time.Now(), 0
		for range 2000 {
			if q.frame(packet) {
				taken++
			}
		}
		if time.Since(begin) != 0 {
			t.Error("a sender had to wait")
		}
		if want := maxQueued / (frameHeader + len(packet)); taken != want {
			t.Errorf("took %d packets, want %d", taken, want)
		}
		if !q.add(nil, []byte("s"), 0) {
			t.Error("a small packet still finds room")
		}
		got := make([]byte, taken*(frameHeader+len(packet))+1)
		if _, err := io.ReadFull(near, got); err != nil {
			t.Fatal(err)
		}
		if want := append(bytes.Repeat(framed(packet), taken), 's'); !bytes.Equal(got, want) {
			t.Error("what came is not what was sent")
		}
		synctest.Wait()
		if !q.frame(packet) {
			t.Error("there is room again")
		}
		go io.Copy(io.Discard, near) // ends when far is closed
		q.close()
		if q.frame(packet) {
			t.Error("took a packet after the end")
		}
	})
}

func TestSendQueueGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		q := newSendQueue(far)
		q.frame([]byte("stuck"))
		begin := time.Now()
		q.close()
		if took := time.Since(begin); took != closeGrace {
			t.Errorf("closing took %v", took)
		}
	})
}

// The kernel's buffer is bounded through every layer above the socket.
func TestUnwrap(t *testing.T) {
	ln := tcpListener(t)
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var seen []net.Conn
	room := &waitingRoom{perSource: 1, all: 1}
	top := newStrangerConn(&replayConn{Conn: conn}, room.enter(conn))
	defer top.Close()
	unwrap(top, func(c net.Conn) bool {
		seen = append(seen, c)
		return false
	})
	if len(seen) != 3 || seen[2] != conn {
		t.Errorf("saw %v", seen)
	}
	limitUnsent(top)
}

func samePackets(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }
