// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

var (
	// ErrAddress says that an address is not one from which calendars are taken.
	ErrAddress = errors.New("feed: not an address for calendars")
	// ErrFetch says that the server did not deliver. Its text names no address.
	ErrFetch = errors.New("feed: not fetched")
)

const (
	maxBytes     = 8 << 20
	maxRedirects = 3
	wholeTime    = 45 * time.Second
	maxTag       = 512
)

// Validators are what a server said about the version it delivered.
type Validators struct{ ETag, LastModified string }

// Fetcher fetches calendars. Its zero value is ready.
type Fetcher struct {
	// Roots verifies servers; nil: the system's roots.
	Roots *x509.CertPool
}

// CheckAddress tells whether calendars may be fetched from an address: https, or
// http from this machine itself. The error is [ErrAddress].
func CheckAddress(address string) error {
	_, err := parse(address)
	return err
}

func parse(address string) (*url.URL, error) {
	// "webcal" is how calendar programs write https.
	if rest, ok := strings.CutPrefix(address, "webcal://"); ok {
		address = "https://" + rest
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, ErrAddress
	case u.Scheme == "https":
		return u, nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	}
	return nil, ErrAddress
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// Fetch gets a calendar unless it is still the version that have describes; then
// changed is false. Errors are [ErrAddress] and [ErrFetch].
func (f Fetcher) Fetch(ctx context.Context, address string, have Validators) (body []byte, now Validators, changed bool, err error) {
	u, err := parse(address)
	if err != nil {
		return nil, have, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, wholeTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, have, false, ErrAddress
	}
	r.Header.Set("Accept", "text/calendar")
	r.Header.Set("User-Agent", "videoroom")
	if have.ETag != "" {
		r.Header.Set("If-None-Match", have.ETag)
	}
	if have.LastModified != "" {
		r.Header.Set("If-Modified-Since", have.LastModified)
	}
	client := f.client(u)
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return nil, have, false, fault(err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotModified:
		return nil, have, false, nil
	default:
		return nil, have, false, fmt.Errorf("%w: status %d", ErrFetch, answer.StatusCode)
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(answer.Body, maxBytes+1))
	switch {
	case err != nil:
		return nil, have, false, fmt.Errorf("%w: the line broke", ErrFetch)
	case n > maxBytes:
		return nil, have, false, fmt.Errorf("%w: too large", ErrFetch)
	}
	now = Validators{tag(answer.Header.Get("ETag")), tag(answer.Header.Get("Last-Modified"))}
	return b.Bytes(), now, true, nil
}

// tag is a validator, unless it is of unreasonable size.
func tag(s string) string {
	if len(s) > maxTag {
		return ""
	}
	return s
}

// fault hides what an error of the network says: addresses.
func fault(err error) error {
	switch {
	case errors.Is(err, ErrAddress):
		return ErrAddress
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: no answer in time", ErrFetch)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("%w: the certificate proves nothing", ErrFetch)
	}
	return fmt.Errorf("%w: not reached", ErrFetch)
}

// client follows redirects with care: they stay encrypted, and lead to public
// addresses alone. The address that the operator wrote may be a private one.
func (f Fetcher) client(first *url.URL) *http.Client {
	trusted := net.JoinHostPort(first.Hostname(), port(first))
	transport := &http.Transport{
		TLSClientConfig:        &tls.Config{RootCAs: f.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    15 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			d := &net.Dialer{Timeout: 15 * time.Second}
			switch {
			case address != trusted:
				d.Control = publicOnly
			case first.Scheme == "http":
				d.Control = loopbackOnly
			}
			return d.DialContext(ctx, network, address)
		},
	}
	return &http.Client{
		Transport: transport,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || r.URL.Scheme != "https" {
				return ErrAddress
			}
			r.Header.Del("Referer") // the address is a secret
			return nil
		},
	}
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// publicOnly refuses connections into private networks. It sees the address that
// the name has been resolved to.
func publicOnly(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !public(a.Addr()) {
		return ErrAddress
	}
	return nil
}

func loopbackOnly(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !a.Addr().Unmap().IsLoopback() {
		return ErrAddress
	}
	return nil
}

// reserved are networks beyond those that netip knows as private.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}
