// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// dialogue is one conversation with a mail server.
type dialogue struct {
	*smtp.Client
	conn   *line
	server Server
	host   string
	tls    *tls.Config
}

// open greets, protects and signs in.
func (d *dialogue) open(p parcel) error {
	d.conn.allow(stepTime)
	if err := d.Hello(p.hello); err != nil {
		return judge(err, ReasonConnect, true)
	}
	if d.server.TLS == StartTLS {
		if err := d.protect(); err != nil {
			return err
		}
	}
	if d.server.User == "" {
		return nil
	}
	auth := d.auth()
	if auth == nil {
		return &SendError{Temporary, ReasonLogin, 0}
	}
	d.conn.allow(stepTime)
	if err := d.Auth(auth); err != nil {
		return judge(err, ReasonLogin, true)
	}
	return nil
}

func (d *dialogue) protect() error {
	if ok, _ := d.Extension("STARTTLS"); !ok {
		return &SendError{Temporary, ReasonTLS, 0}
	}
	d.conn.allow(stepTime)
	if err := d.StartTLS(d.tls); err != nil {
		f := judge(err, ReasonTLS, true)
		f.Reason = ReasonTLS
		return f
	}
	return nil
}

// auth picks the first way of signing in that the server offers; nil: none.
func (d *dialogue) auth() smtp.Auth {
	s := d.server
	_, offer := d.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(offer))
	// Beside TLS there is only the connection to the same machine.
	plain := s.TLS == Off
	ways := []struct {
		name string
		auth func() smtp.Auth
	}{
		{"PLAIN", func() smtp.Auth { return smtp.PlainAuth("", s.User, s.Password, d.host, plain) }},
		{"LOGIN", func() smtp.Auth { return smtp.LoginAuth(s.User, s.Password, d.host, plain) }},
		{"SCRAM-SHA-256", func() smtp.Auth { return smtp.ScramSHA256Auth(s.User, s.Password) }},
		{"SCRAM-SHA-1", func() smtp.Auth { return smtp.ScramSHA1Auth(s.User, s.Password) }},
	}
	for _, w := range ways {
		if slices.Contains(offered, w.name) {
			return w.auth()
		}
	}
	return nil
}

// deliver hands the message over.
func (d *dialogue) deliver(p parcel) error {
	if ok, _ := d.Extension("SMTPUTF8"); p.utf8 && !ok {
		return &SendError{Permanent, ReasonRecipient, 0}
	}
	d.SkipSMTPUTF8(!p.utf8)
	d.conn.allow(stepTime)
	if err := d.Mail(p.from); err != nil {
		return judge(err, ReasonSender, false)
	}
	d.conn.allow(stepTime)
	if err := d.Rcpt(p.to); err != nil {
		return judge(err, ReasonRecipient, false)
	}
	d.conn.allow(stepTime)
	data, err := d.Data()
	if err != nil {
		return judge(err, ReasonContent, false)
	}
	d.conn.allow(stepTime)
	_, err = data.Write(p.body)
	if err == nil {
		err = d.Text.W.Flush() // so that nothing but the final dot is left to send
	}
	if err != nil {
		// Without the final dot the server drops what it has got so far.
		return &SendError{Temporary, ReasonLost, 0}
	}
	d.conn.allow(verdictTime)
	err = data.Close()
	if err == nil {
		d.conn.allow(stepTime / 10)
		_ = d.Quit() // the message is delivered, whatever becomes of the goodbye
		return nil
	}
	return verdict(err)
}

// verdict judges what came after the final dot.
func verdict(err error) error {
	reply, ok := errors.AsType[*textproto.Error](err)
	switch {
	case !ok || reply.Code < 200 || reply.Code >= 300 && reply.Code < 400 || reply.Code > 599:
		return &SendError{Unclear, ReasonLost, 0}
	case reply.Code < 300:
		return nil // taken, in unusual words
	}
	return judge(err, ReasonContent, false)
}

// line is the connection below the dialogue: it bounds what a server may say
// and how long it may take, and ends at once when the delivery is called off.
type line struct {
	net.Conn
	secure *tls.Conn // from the first byte; nil otherwise
	left   int       // bytes that may still be read

	mu      sync.Mutex
	stopped bool
}

var errTalkative = errors.New("mail: the server says too much")

// outer is what the dialogue speaks through.
func (l *line) outer() net.Conn {
	if l.secure != nil {
		return l.secure
	}
	return l
}

// Read reads at most what is left of the server's allowance.
func (l *line) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTalkative
	}
	n, err := l.Conn.Read(b[:min(len(b), l.left)])
	l.left -= n
	return n, err
}

// allow gives the next step its time.
func (l *line) allow(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped {
		_ = l.SetDeadline(time.Now().Add(d)) // a dead connection fails at the next step
	}
}

// cut ends every step, the running one and those to come.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	_ = l.SetDeadline(time.Unix(1, 0)) // as above
}

var _ interface {
	Send(context.Context, Message) error
} = (*Sender)(nil)
