// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// step is a moment of a conversation with the mail server.
type step string

const (
	stepConnect step = "connected, not greeted"
	stepTLS     step = "asked for TLS"
	stepHello   step = "greeted inside TLS"
	stepMail    step = "named the sender"
	stepRcpt    step = "named the recipient"
	stepData    step = "may send the letter"
	stepBody    step = "is sending the letter"
	stepDropped step = "has sent the letter, which the server drops"
	stepDot     step = "has sent the letter, which the server has taken"
	stepTaken   step = "has heard that the letter is taken"
)

// postOffice is a mail server that demands TLS and keeps a journal of what it has
// taken: a letter's line is on the disk before the server answers.
type postOffice struct {
	t       *testing.T
	address string
	tls     *tls.Config
	// trust is what lets a process trust the server's certificate.
	trust []string
	file  *os.File

	mu      sync.Mutex
	journal []delivery
	// at is asked at every step; what it returns for stepDropped decides.
	at func(step) bool
	// refuses tells for whom a letter is not taken now.
	refuses func(to string) bool
}

// delivery is a letter that the server has taken.
type delivery struct{ id, to, text string }

// newPostOffice opens a mail server.
func newPostOffice(t *testing.T) *postOffice {
	t.Helper()
	dir := t.TempDir()
	p := &postOffice{t: t, trust: []string{"SSL_CERT_FILE=" + filepath.Join(dir, "roots.pem")}}
	p.tls = mailCertificate(t, filepath.Join(dir, "roots.pem"))
	var err error
	if p.file, err = os.Create(filepath.Join(dir, "journal")); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = ln.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() { // ends when the listener closes
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(conn) }) // ends with the connection, whose time is limited
		}
	})
	t.Cleanup(func() {
		ln.Close()
		serving.Wait()
		p.file.Close()
	})
	return p
}

// mailCertificate makes a certificate and writes it to a file.
func mailCertificate(t *testing.T, file string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func (p *postOffice) reach(s step) bool {
	p.mu.Lock()
	at := p.at
	p.mu.Unlock()
	return at != nil && at(s)
}

// watch has at asked at every step; nil: nobody.
func (p *postOffice) watch(at func(step) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = at
}

// deliveries returns the journal as it is on the disk.
func (p *postOffice) deliveries() []delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]delivery(nil), p.journal...)
}

func (p *postOffice) take(d delivery) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := fmt.Fprintln(p.file, d.id, d.to); err != nil {
		p.t.Errorf("writing the journal: %v", err)
	}
	if err := p.file.Sync(); err != nil {
		p.t.Errorf("writing the journal: %v", err)
	}
	p.journal = append(p.journal, d)
}

// serve holds one conversation.
func (p *postOffice) serve(raw net.Conn) {
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(time.Minute))
	p.reach(stepConnect)
	c := &conversation{p: p, conn: raw, in: bufio.NewReader(raw)}
	c.say("220 mail ready")
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		answer, ok := verbs[strings.ToUpper(verb)]
		if !ok {
			c.say("502 unknown")
			continue
		}
		if !answer(c, rest) {
			return
		}
	}
}

// conversation is one connection.
type conversation struct {
	p      *postOffice
	conn   net.Conn
	in     *bufio.Reader
	secure bool
	to     string
}

// say answers; that nobody hears it shows at the next line.
func (c *conversation) say(line string) { _, _ = fmt.Fprintf(c.conn, "%s\r\n", line) }

// verbs answer a line; false ends the conversation.
var verbs = map[string]func(c *conversation, rest string) bool{
	"EHLO": func(c *conversation, _ string) bool {
		if !c.secure {
			c.say("250-mail\r\n250 STARTTLS")
			return true
		}
		c.p.reach(stepHello)
		c.say("250-mail\r\n250 8BITMIME")
		return true
	},
	"STARTTLS": func(c *conversation, _ string) bool {
		c.p.reach(stepTLS)
		c.say("220 go on")
		secure := tls.Server(c.conn, c.p.tls)
		if err := secure.Handshake(); err != nil {
			return false
		}
		c.conn, c.in, c.secure = secure, bufio.NewReader(secure), true
		return true
	},
	"MAIL": func(c *conversation, _ string) bool {
		if !c.secure {
			c.say("530 TLS first")
			return true
		}
		c.p.reach(stepMail)
		c.say("250 fine")
		return true
	},
	"RCPT": func(c *conversation, rest string) bool {
		_, to, _ := strings.Cut(rest, "<")
		c.to, _, _ = strings.Cut(to, ">")
		c.p.reach(stepRcpt)
		c.p.mu.Lock()
		refuses := c.p.refuses
		c.p.mu.Unlock()
		if refuses != nil && refuses(c.to) {
			c.say("451 later")
			return true
		}
		c.say("250 fine")
		return true
	},
	"DATA": (*conversation).data,
	"RSET": func(c *conversation, _ string) bool { c.say("250 fine"); return true },
	"NOOP": func(c *conversation, _ string) bool { c.say("250 fine"); return true },
	"QUIT": func(c *conversation, _ string) bool { c.say("221 bye"); return false },
}

func (c *conversation) data(string) bool {
	c.p.reach(stepData)
	c.say("354 go on")
	var text strings.Builder
	for n := 0; ; n++ {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return false // an unfinished letter is none
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(line)
		if n == 5 {
			c.p.reach(stepBody)
		}
	}
	if c.p.reach(stepDropped) {
		return false
	}
	head, err := textproto.NewReader(bufio.NewReader(strings.NewReader(text.String()))).ReadMIMEHeader()
	if err != nil {
		c.p.t.Errorf("a letter's head: %v", err)
	}
	id, _, _ := strings.Cut(strings.Trim(head.Get("Message-ID"), "<>"), "@")
	c.p.take(delivery{id, c.to, text.String()})
	c.p.reach(stepDot)
	c.say("250 taken")
	c.p.reach(stepTaken)
	return true
}
