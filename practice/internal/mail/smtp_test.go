// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// office is a mail server with a will of its own: each step of the dialogue may
// be refused, and what it accepted is kept.
type office struct {
	user, password       string
	onMail, onRcpt       error
	onData, onBody       error
	onAuth               error
	plainMechanism       string // default PLAIN
	mu                   sync.Mutex
	accepted             []parcel
	logins, sessions     int
	hello                string
	acceptedOverTLS      bool
	duringBody, afterDot func(net.Conn) // spoil the connection
}

func (o *office) NewSession(c *smtp.Conn) (smtp.Session, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sessions++
	o.hello = c.Hostname()
	return &counter{office: o, conn: c}, nil
}

// counter is one session at the office.
type counter struct {
	*office
	conn     *smtp.Conn
	from, to string
	utf8     bool
	known    bool
}

func (c *counter) AuthMechanisms() []string {
	if c.user == "" {
		return nil
	}
	if c.plainMechanism != "" {
		return []string{c.plainMechanism}
	}
	return []string{sasl.Plain}
}

func (c *counter) Auth(mechanism string) (sasl.Server, error) {
	check := func(user, password string) error {
		if c.onAuth != nil {
			return c.onAuth
		}
		if user != c.user || password != c.password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no"}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.logins++
		c.known = true
		return nil
	}
	if mechanism == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

// loginServer is the old way to sign in.
type loginServer struct {
	check func(user, password string) error
	user  string
	step  int
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.user, string(response))
}

func (c *counter) Mail(from string, o *smtp.MailOptions) error {
	if c.user != "" && !c.known {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "sign in"}
	}
	c.from, c.utf8 = from, o.UTF8
	return c.onMail
}

func (c *counter) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.to = to
	return c.onRcpt
}

func (c *counter) Data(r io.Reader) error {
	if c.duringBody != nil {
		_, _ = io.ReadFull(r, make([]byte, 100))
		c.duringBody(c.conn.Conn())
		return io.ErrUnexpectedEOF
	}
	if c.onData != nil {
		return c.onData
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if c.onBody != nil {
		return c.onBody
	}
	_, secure := c.conn.TLSConnectionState()
	c.mu.Lock()
	c.accepted = append(c.accepted, parcel{from: c.from, to: c.to, utf8: c.utf8, body: body})
	c.acceptedOverTLS = secure
	c.mu.Unlock()
	if c.afterDot != nil {
		c.afterDot(c.conn.Conn())
	}
	return nil
}

func (c *counter) Reset()        {}
func (c *counter) Logout() error { return nil }

// authority is a test's certificate authority with one server certificate.
type authority struct {
	roots *x509.CertPool
	tls   *tls.Config
}

func newAuthority(t testing.TB, names ...string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, n)
		}
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(caDER)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{roots: x509.NewCertPool()}
	a.roots.AddCert(root)
	a.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leafDER}, PrivateKey: key}}}
	return a
}

// serve runs the office on loopback and returns its address.
func (o *office) serve(t testing.TB, config *tls.Config, implicit bool) string {
	t.Helper()
	s := smtp.NewServer(o)
	s.Domain, s.TLSConfig, s.AllowInsecureAuth = "mail.test", config, config == nil
	s.ErrorLog = quiet{}
	s.EnableSMTPUTF8 = true
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := ln
	if implicit {
		listener = tls.NewListener(ln, config)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return ln.Addr().String()
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func sender(t testing.TB, s Server) *Sender {
	t.Helper()
	out, err := NewSender(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func failure(t testing.TB, err error) SendError {
	t.Helper()
	if err == nil {
		return SendError{}
	}
	f, ok := errors.AsType[*SendError](err)
	if !ok {
		t.Fatalf("%v is no SendError", err)
	}
	return *f
}

func TestDelivery(t *testing.T) {
	ca := newAuthority(t, "127.0.0.1")
	m := compose(t, letter(t, Invitation, German, Formal))
	for name, c := range map[string]struct {
		mode      string
		config    *tls.Config
		user      string
		mechanism string
	}{
		"starttls":             {StartTLS, ca.tls, "praxis", ""},
		"implicit":             {Implicit, ca.tls, "praxis", ""},
		"starttls, login":      {StartTLS, ca.tls, "praxis", sasl.Login},
		"starttls, no sign-in": {StartTLS, ca.tls, "", ""},
		"off on loopback":      {Off, nil, "praxis", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := &office{user: c.user, plainMechanism: c.mechanism}
			s := Server{TLS: c.mode, Roots: ca.roots, User: c.user}
			if c.user != "" {
				o.password, s.Password = "geheim", "geheim"
			}
			s.Address = o.serve(t, c.config, c.mode == Implicit)
			if err := sender(t, s).Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			if len(o.accepted) != 1 || o.accepted[0].from != "praxis@example.de" || o.accepted[0].to != "gast@example.net" {
				t.Fatalf("accepted %d messages: %+v", len(o.accepted), o.accepted)
			}
			if o.acceptedOverTLS != (c.mode != Off) || o.hello != "example.de" {
				t.Errorf("TLS %v, greeted as %q", o.acceptedOverTLS, o.hello)
			}
			if c.user != "" && o.logins != 1 {
				t.Errorf("%d logins", o.logins)
			}
			if !bytes.Contains(o.accepted[0].body, []byte("Message-ID: <k3v9q1@example.de>")) {
				t.Error("the message lost its id")
			}
		})
	}
}

// Every refusal has its class and its reason; the server's own words, which
// may hold addresses, are not repeated.
func TestRefusals(t *testing.T) {
	reply := func(code int) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: "gast@example.net says no"}
	}
	m := compose(t, letter(t, Reminder, German, Formal))
	for name, c := range map[string]struct {
		office *office
		want   SendError
	}{
		"sender, for now":       {&office{onMail: reply(451)}, SendError{Temporary, ReasonSender, 451}},
		"sender, for ever":      {&office{onMail: reply(550)}, SendError{Permanent, ReasonSender, 550}},
		"recipient, for now":    {&office{onRcpt: reply(450)}, SendError{Temporary, ReasonRecipient, 450}},
		"recipient, for ever":   {&office{onRcpt: reply(550)}, SendError{Permanent, ReasonRecipient, 550}},
		"message, for now":      {&office{onBody: reply(452)}, SendError{Temporary, ReasonContent, 452}},
		"message, for ever":     {&office{onBody: reply(554)}, SendError{Permanent, ReasonContent, 554}},
		"closing":               {&office{onRcpt: reply(421)}, SendError{Temporary, ReasonBusy, 421}},
		"closing after the dot": {&office{onBody: reply(421)}, SendError{Temporary, ReasonBusy, 421}},
		"wrong password":        {&office{user: "praxis", password: "anderes"}, SendError{Temporary, ReasonLogin, 535}},
		"login, for now":        {&office{user: "praxis", onAuth: reply(454)}, SendError{Temporary, ReasonLogin, 454}},
		"unknown way to log in": {&office{user: "praxis", plainMechanism: "XOAUTH2"}, SendError{Temporary, ReasonLogin, 0}},
		"sign in first":         {&office{onMail: reply(530)}, SendError{Temporary, ReasonLogin, 530}},
	} {
		t.Run(name, func(t *testing.T) {
			s := Server{Address: c.office.serve(t, nil, false), TLS: Off}
			if c.office.user != "" {
				s.User, s.Password = "praxis", "geheim"
			}
			err := sender(t, s).Send(t.Context(), m)
			if got := failure(t, err); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if text := err.Error(); bytes.Contains([]byte(text), []byte("@")) {
				t.Errorf("the error repeats an address: %s", text)
			}
			if n := len(c.office.accepted); n != 0 {
				t.Errorf("%d messages were accepted all the same", n)
			}
		})
	}
}

func TestTLSIsVerified(t *testing.T) {
	ca, stranger := newAuthority(t, "127.0.0.1"), newAuthority(t, "127.0.0.1")
	elsewhere := newAuthority(t, "mail.other.example")
	m := compose(t, letter(t, Reminder, English, ""))
	for name, c := range map[string]struct {
		config *tls.Config
		roots  *x509.CertPool
	}{
		"unknown authority": {ca.tls, stranger.roots},
		"system roots":      {ca.tls, nil},
		"other name":        {elsewhere.tls, elsewhere.roots},
		"old version":       {&tls.Config{Certificates: ca.tls.Certificates, MaxVersion: tls.VersionTLS11}, ca.roots},
		"no TLS at all":     {nil, ca.roots},
	} {
		for _, mode := range []string{StartTLS, Implicit} {
			t.Run(name+" "+mode, func(t *testing.T) {
				o := &office{user: "praxis", password: "geheim"}
				address := o.serve(t, c.config, mode == Implicit && c.config != nil)
				s := sender(t, Server{Address: address, TLS: mode, Roots: c.roots, User: "praxis", Password: "geheim"})
				if got, want := failure(t, s.Send(t.Context(), m)), (SendError{Temporary, ReasonTLS, 0}); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				o.mu.Lock()
				defer o.mu.Unlock()
				if o.logins != 0 || len(o.accepted) != 0 {
					t.Error("the password or the message went out")
				}
			})
		}
	}
}

func TestSettings(t *testing.T) {
	for name, c := range map[string]struct {
		s    Server
		want string // mode; empty: refused
	}{
		"465":                   {Server{Address: "mail.example:465"}, Implicit},
		"587":                   {Server{Address: "mail.example:587"}, StartTLS},
		"off elsewhere":         {Server{Address: "mail.example:25", TLS: Off}, ""},
		"off here":              {Server{Address: "localhost:25", TLS: Off}, Off},
		"off here, v6":          {Server{Address: "[::1]:25", TLS: Off}, Off},
		"no port":               {Server{Address: "mail.example"}, ""},
		"unknown mode":          {Server{Address: "mail.example:587", TLS: "ssl"}, ""},
		"password without user": {Server{Address: "mail.example:587", Password: "x"}, ""},
	} {
		s, err := NewSender(c.s)
		switch {
		case c.want == "" && !errors.Is(err, ErrServer):
			t.Errorf("%s: %v, want ErrServer", name, err)
		case c.want != "" && (err != nil || s.server.TLS != c.want):
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

// "localhost" that leads elsewhere gets nothing in the clear.
func TestOffNeverLeavesTheMachine(t *testing.T) {
	s := sender(t, Server{Address: "localhost:25", TLS: Off, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		t.Cleanup(func() { there.Close() })
		return elsewhere{here}, nil
	}})
	m := compose(t, letter(t, Reminder, German, Formal))
	if got, want := failure(t, s.Send(t.Context(), m)), (SendError{Temporary, ReasonTLS, 0}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 25}
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	ln.Close()
	err = sender(t, Server{Address: address, TLS: Off}).Send(t.Context(), compose(t, letter(t, Reminder, German, Formal)))
	if got, want := failure(t, err), (SendError{Temporary, ReasonConnect, 0}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAddressesBeyondASCII(t *testing.T) {
	l := letter(t, Reminder, German, Formal)
	l.To = "gäst@example.net"
	m := compose(t, l)
	o := &office{}
	if err := sender(t, Server{Address: o.serve(t, nil, false), TLS: Off}).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if o.mu.Lock(); !o.accepted[0].utf8 || o.accepted[0].to != l.To {
		t.Errorf("accepted %+v", o.accepted[0])
	}
	o.mu.Unlock()
}

func TestClassOf(t *testing.T) {
	if ClassOf(nil) != "" || ClassOf(errors.New("anything")) != Unclear || ClassOf(&SendError{Class: Permanent}) != Permanent {
		t.Error("ClassOf is wrong")
	}
}
