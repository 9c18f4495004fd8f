// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import (
	"bytes"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// Limits of what a message may hold; far above what letters need.
const (
	maxAddressBytes = 254
	maxSubjectBytes = 200
	maxPartBytes    = 256 << 10
)

// Message is a letter ready to be sent. It holds plain values alone, so that a
// queue can keep it as JSON; [Message.WriteTo] gives its wire form.
type Message struct {
	// From may carry a display name; To is one bare or named address.
	From    string `json:"from"`
	To      string `json:"to"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
	// ICS is a calendar object; empty: none is attached. Method is its METHOD.
	ICS    []byte `json:"ics,omitempty"`
	Method string `json:"method,omitempty"`
	// MessageID without angle brackets stays the same at every attempt, so that
	// mail servers and readers recognise a message that comes twice.
	MessageID string    `json:"message_id"`
	Date      time.Time `json:"date"`
	Language  string    `json:"language"`
}

// WriteTo writes the message as RFC 5322 wants it, with CRLF line ends.
func (m Message) WriteTo(w io.Writer) (int64, error) {
	msg, err := m.build()
	if err != nil {
		return 0, err
	}
	return msg.WriteTo(w)
}

// build gives the message its form: alternatives of text, HTML and calendar,
// and the calendar once more as a file for programs that want one.
func (m Message) build() (*gomail.Msg, error) {
	from, err := parseAddress(m.From)
	if err != nil {
		return nil, fmt.Errorf("%w: from", err)
	}
	to, err := parseAddress(m.To)
	if err != nil {
		return nil, fmt.Errorf("%w: to", err)
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.ToMailAddress(to)
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.Date.UTC())
	msg.SetMessageIDWithValue(m.MessageID)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Content-Language", m.Language)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	if len(m.ICS) > 0 {
		msg.AddAlternativeString(gomail.ContentType("text/calendar; method="+m.Method), string(m.ICS),
			gomail.WithPartEncoding(gomail.EncodingB64))
		err := msg.AttachReader(fileNames[m.Language], bytes.NewReader(m.ICS), gomail.WithFileContentType("application/ics"))
		if err != nil {
			return nil, fmt.Errorf("%w: calendar", ErrLetter)
		}
	}
	return msg, nil
}

var (
	fileNames = map[string]string{German: "termin.ics", English: "appointment.ics"}
	methods   = map[string]bool{"REQUEST": true, "CANCEL": true}
)

func (m Message) check() error {
	switch {
	case m.MessageID == "" || strings.ContainsAny(m.MessageID, "<> \t\r\n") || !strings.Contains(m.MessageID, "@"):
		return fmt.Errorf("%w: message id", ErrLetter)
	case m.Date.IsZero():
		return fmt.Errorf("%w: date", ErrLetter)
	case fileNames[m.Language] == "":
		return fmt.Errorf("%w: language", ErrLetter)
	case m.Subject == "" || len(m.Subject) > maxSubjectBytes || strings.ContainsAny(m.Subject, "\r\n\x00"):
		return fmt.Errorf("%w: subject", ErrLetter)
	case m.Text == "" || m.HTML == "" || max(len(m.Text), len(m.HTML), len(m.ICS)) > maxPartBytes:
		return fmt.Errorf("%w: body", ErrLetter)
	case len(m.ICS) > 0 && !methods[m.Method]:
		return fmt.Errorf("%w: method", ErrLetter)
	}
	return nil
}

// CheckAddress tells whether mail can be sent to s: one address, bare or with a
// display name. The error is [ErrLetter].
func CheckAddress(s string) error {
	_, err := parseAddress(s)
	return err
}

// parseAddress reads one address; its domain comes back in the form that every
// mail server understands.
func parseAddress(s string) (*mail.Address, error) {
	bad := fmt.Errorf("%w: address", ErrLetter)
	if strings.ContainsAny(s, "\r\n\x00") || len(s) > 2*maxAddressBytes {
		return nil, bad
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		return nil, bad // the cause repeats the address
	}
	at := strings.LastIndexByte(a.Address, '@')
	domain, err := idna.Lookup.ToASCII(a.Address[at+1:])
	if err != nil || domain == "" || strings.HasPrefix(domain, "[") {
		return nil, bad
	}
	a.Address = a.Address[:at+1] + domain
	if len(a.Address) > maxAddressBytes || strings.ContainsAny(a.Address, "<>\" \t") {
		return nil, bad
	}
	return a, nil
}

func domainOf(a *mail.Address) string {
	return a.Address[strings.LastIndexByte(a.Address, '@')+1:]
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7e || r < 0x21 }) < 0
}
