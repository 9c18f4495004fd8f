// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// tlsDialer opens TLS connections to a relay, through an HTTP proxy where there
// is one, as browsers do. Like theirs its handshake carries no ALPN, by which the
// server tells it from the website's.
type tlsDialer struct {
	insecure bool
	proxy    string
	timeout  time.Duration
}

// Dial implements proxy.Dialer.
func (d *tlsDialer) Dial(network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), d.timeout)
	defer cancel()
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("reading the relay's address: %w", err)
	}
	conn, err := d.connect(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	t := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: d.insecure}) //nolint:gosec // asked for by flag
	if err := t.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS with the relay: %w", err)
	}
	return t, nil
}

func (d *tlsDialer) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	var nd net.Dialer
	if d.proxy == "" {
		return nd.DialContext(ctx, network, addr)
	}
	u, err := url.Parse(d.proxy)
	if err != nil {
		return nil, fmt.Errorf("reading the proxy's address: %w", err)
	}
	conn, err := nd.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, fmt.Errorf("reaching the proxy: %w", err)
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{}}
	err = req.Write(conn)
	if err == nil {
		var res *http.Response
		if res, err = http.ReadResponse(bufio.NewReader(conn), req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				err = fmt.Errorf("the proxy answered %s", res.Status)
			}
		}
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("asking the proxy: %w", err)
	}
	return conn, nil
}
