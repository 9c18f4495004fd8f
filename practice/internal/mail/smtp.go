// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// How a connection to the mail server is protected.
const (
	StartTLS = "starttls" // plain greeting, then TLS; refused when the server offers none
	Implicit = "tls"      // TLS from the first byte
	Off      = "off"      // only to a server on the same machine
)

// Limits of one delivery. A server that keeps to them is slow but alive.
const (
	wholeTime = 5 * time.Minute
	stepTime  = 40 * time.Second
	// The answer to the whole message decides whether its fate is known, so it
	// may take longer.
	verdictTime   = 2 * time.Minute
	maxReplyBytes = 256 << 10
)

// Server says where and how mail is handed over.
type Server struct {
	// Address is host:port.
	Address string
	// User and Password sign in; no user: without signing in.
	User, Password string
	// TLS is StartTLS, Implicit or Off. Empty: Implicit on port 465, else StartTLS.
	TLS string
	// Roots verifies the server's certificate; nil: the system's roots.
	Roots *x509.CertPool
	// Dial opens connections; nil: the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Sender delivers messages to one server. It may be used from several
// goroutines; each delivery has a connection of its own.
type Sender struct {
	server Server
	host   string
	tls    *tls.Config
}

// NewSender checks the settings and connects to nothing. Errors are [ErrServer].
func NewSender(s Server) (*Sender, error) {
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("%w: the address must be host:port", ErrServer)
	}
	if s.TLS == "" {
		s.TLS = StartTLS
		if port == "465" {
			s.TLS = Implicit
		}
	}
	switch {
	case !slices.Contains([]string{StartTLS, Implicit, Off}, s.TLS):
		return nil, fmt.Errorf("%w: tls is starttls, tls or off", ErrServer)
	case s.TLS == Off && !loopback(host):
		return nil, fmt.Errorf("%w: without TLS only to a server on this machine", ErrServer)
	case s.User == "" && s.Password != "":
		return nil, fmt.Errorf("%w: a password without user", ErrServer)
	}
	if s.Dial == nil {
		s.Dial = (&net.Dialer{Timeout: stepTime}).DialContext
	}
	return &Sender{server: s, host: host, tls: &tls.Config{
		ServerName: host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12,
	}}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// Send delivers one message and returns when the server has taken it. Every
// error is a [SendError]. It returns within five minutes, sooner when ctx ends.
func (s *Sender) Send(ctx context.Context, m Message) error {
	p, err := m.parcel()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wholeTime)
	defer cancel()
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// A passed context cuts every read and write short, whatever step it is in.
	defer context.AfterFunc(ctx, conn.cut)()
	client, err := smtp.NewClient(conn.outer(), s.host)
	if err != nil {
		return judge(err, ReasonConnect, true)
	}
	d := dialogue{Client: client, conn: conn, server: s.server, host: s.host, tls: s.tls}
	if err := d.open(p); err != nil {
		return err
	}
	return d.deliver(p)
}

// connect dials and, where that is asked for, starts TLS at once.
func (s *Sender) connect(ctx context.Context) (*line, error) {
	dial, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	raw, err := s.server.Dial(dial, "tcp", s.server.Address)
	if err != nil {
		return nil, &SendError{Temporary, ReasonConnect, 0}
	}
	conn := &line{Conn: raw, left: maxReplyBytes}
	if s.server.TLS == Off {
		if a, err := netip.ParseAddrPort(raw.RemoteAddr().String()); err == nil && !a.Addr().Unmap().IsLoopback() {
			raw.Close()
			return nil, &SendError{Temporary, ReasonTLS, 0}
		}
	}
	if s.server.TLS == Implicit {
		secure := tls.Client(conn, s.tls)
		conn.allow(stepTime)
		if err := secure.HandshakeContext(dial); err != nil {
			raw.Close()
			return nil, &SendError{Temporary, ReasonTLS, 0}
		}
		conn.secure = secure
	}
	conn.allow(stepTime)
	return conn, nil
}

// parcel is a message with its envelope.
type parcel struct {
	from, to string // bare addresses
	hello    string
	utf8     bool // an address needs SMTPUTF8
	body     []byte
}

func (m Message) parcel() (parcel, error) {
	broken := &SendError{Permanent, ReasonMessage, 0}
	from, err := parseAddress(m.From)
	if err != nil {
		return parcel{}, &SendError{Permanent, ReasonSender, 0}
	}
	to, err := parseAddress(m.To)
	if err != nil {
		return parcel{}, &SendError{Permanent, ReasonRecipient, 0}
	}
	var body strings.Builder
	if _, err := m.WriteTo(&body); err != nil {
		return parcel{}, broken
	}
	return parcel{
		from: "<" + from.Address + ">", to: "<" + to.Address + ">",
		// The server writes this name into the message; a machine's own name
		// would tell more than the sender's address does.
		hello: domainOf(from), utf8: !ascii(from.Address) || !ascii(to.Address), body: []byte(body.String()),
	}, nil
}

// judge turns an error of the dialogue into a failure. A refusal that concerns
// the server and not this message (early) is temporary whatever its code is:
// the settings may be mended and the message sent then.
func judge(err error, reason Reason, early bool) *SendError {
	reply, ok := errors.AsType[*textproto.Error](err)
	if !ok {
		return &SendError{Temporary, ReasonLost, 0}
	}
	f := &SendError{Permanent, reason, reply.Code}
	switch {
	case reply.Code == 530 || reply.Code == 534 || reply.Code == 535 || reply.Code == 538:
		f.Class, f.Reason = Temporary, ReasonLogin
	case reply.Code == 421:
		f.Class, f.Reason = Temporary, ReasonBusy
	case early || reply.Code < 500 || reply.Code > 599:
		f.Class = Temporary
	}
	return f
}
