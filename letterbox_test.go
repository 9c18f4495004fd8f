// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// letterbox is a mail server that takes everything, tells who got something and
// keeps it.
type letterbox struct {
	to chan string

	mu      sync.Mutex
	letters []string
}

func (b *letterbox) NewSession(*smtp.Conn) (smtp.Session, error) { return letterSlot{b}, nil }

// all returns the letters in the order in which they came.
func (b *letterbox) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.letters...)
}

type letterSlot struct{ *letterbox }

func (letterSlot) Mail(string, *smtp.MailOptions) error { return nil }
func (s letterSlot) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to <- to
	return nil
}

func (s letterSlot) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = append(s.letters, string(text))
	return err
}
func (letterSlot) Reset()        {}
func (letterSlot) Logout() error { return nil }

func newLetterbox(t *testing.T) (box *letterbox, address string) {
	t.Helper()
	box = &letterbox{to: make(chan string, 100)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(box)
	s.Domain = "localhost"
	done := make(chan struct{})
	go func() { // ends when the server closes
		defer close(done)
		_ = s.Serve(ln)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return box, ln.Addr().String()
}
