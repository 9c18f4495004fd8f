// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// ICEListener is a TCP port for ICE-TCP and nothing else.
type ICEListener struct {
	ln   net.Listener
	addr netip.AddrPort
	wg   sync.WaitGroup
}

// ListenICE opens TCP on addr, [::] meaning all addresses of both families, and
// hands ICE-TCP connections to the sink, within the bounds of WrapBeforeTLS.
// Anything else is closed as soon as it shows. The port is not in TCPPorts. The
// error names no address.
func (h *Hub) ListenICE(addr netip.AddrPort) (*ICEListener, error) {
	host := ""
	if !addr.Addr().IsUnspecified() {
		host = addr.Addr().Unmap().String()
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(host, strconv.Itoa(int(addr.Port()))))
	if err != nil {
		return nil, withoutAddress("opening a TCP port", err)
	}
	l := &ICEListener{ln: h.WrapBeforeTLS(ln), addr: addrPortOf(ln.Addr())}
	l.wg.Go(l.run) // ends with Close
	return l, nil
}

// LocalAddr returns the address that the listener is bound to.
func (l *ICEListener) LocalAddr() netip.AddrPort { return l.addr }

// Close closes the port. Connections that have been handed over stay.
func (l *ICEListener) Close() error {
	err := l.ln.Close()
	l.wg.Wait()
	return err
}

// run closes what has turned out not to be ICE-TCP.
func (l *ICEListener) run() {
	const least, most = 5 * time.Millisecond, time.Second
	wait := least
	for {
		c, err := l.ln.Accept()
		switch {
		case err == nil:
			wait = least
			_ = c.Close()
		case errors.Is(err, net.ErrClosed):
			return
		default: // no more file descriptors, for instance
			time.Sleep(wait)
			wait = min(2*wait, most)
		}
	}
}
