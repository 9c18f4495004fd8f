// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"strconv"
	"strings"
)

// Ports of mail servers.
const (
	submissionPort  = "587"
	submissionsPort = "465"
)

// SMTP is the mail server that invitations and reminders leave by.
type SMTP struct {
	// Server is host and port. Without a port: 587. Required.
	Server string `json:"server"`

	// From is the sender, such as `Praxis Muster <praxis@example.de>`. Required.
	From string `json:"from"`

	// User is the name to sign in with. Default: none, and then nobody signs in.
	User string `json:"user,omitempty"`

	// Password goes with User. Use a placeholder such as `{env.SMTP_PASSWORD}`
	// or `{file./run/secret}`, so that it does not stand in the configuration.
	Password string `json:"password,omitempty"`

	// TLS is `starttls` (required, never skipped), `tls` (from the first byte)
	// or `off`, which is accepted for a server on this machine alone. Default:
	// `tls` on port 465, otherwise `starttls`.
	TLS string `json:"tls,omitempty"`
}

// Host returns the host of Server without its port.
func (m *SMTP) Host() string {
	host, _, err := net.SplitHostPort(m.Server)
	if err != nil {
		return m.Server
	}
	return host
}

// withDefaults returns a copy of m in which nothing is absent that has a
// default; nil for nil.
func (m *SMTP) withDefaults() *SMTP {
	if m == nil {
		return nil
	}
	full := *m
	if _, _, err := net.SplitHostPort(full.Server); err != nil && full.Server != "" {
		full.Server = net.JoinHostPort(strings.Trim(full.Server, "[]"), submissionPort)
	}
	if _, port, _ := net.SplitHostPort(full.Server); port == submissionsPort {
		setDefault(&full.TLS, TLS)
	}
	setDefault(&full.TLS, StartTLS)
	return &full
}

// Missing reports a line that must be written and is not.
func (m *SMTP) Missing() error {
	switch {
	case m == nil:
		return nil
	case m.From == "":
		return invalid("smtp: from", `is missing; write the sender, for example from "Praxis Muster <praxis@example.de>"`)
	case (m.User == "") != (m.Password == ""):
		return invalid("smtp: password", "user and password belong together; write both or none")
	}
	return nil
}

// validate checks what is written.
func (m *SMTP) validate() error {
	if m == nil {
		return nil
	}
	host, port, err := net.SplitHostPort(m.Server)
	number, numberErr := strconv.Atoi(port)
	if err != nil || numberErr != nil || number < 1 || number > 65535 || !isMailHost(host) {
		return invalid("smtp", fmt.Sprintf("%q is no mail server; write host and port, for example smtp mail.example.de:587", m.Server))
	}
	if m.From != "" {
		if a, err := mail.ParseAddress(m.From); err != nil || checkText(a.Name, maxPracticeRune) != "" {
			return invalid("smtp: from", `must be the sender's mail address, for example from "Praxis Muster <praxis@example.de>"`)
		}
	}
	for _, f := range []struct{ field, value string }{{"smtp: user", m.User}, {"smtp: password", m.Password}} {
		if len(f.value) > maxSecretBytes || strings.ContainsAny(f.value, "\r\n\x00") {
			return invalid(f.field, "must be one line of at most 512 bytes")
		}
	}
	if err := choose("smtp: tls", m.TLS, []string{StartTLS, TLS, Off}); err != nil {
		return err
	}
	if m.TLS == Off && !isLoopback(host) {
		return invalid("smtp: tls", "off is accepted for a mail server on this machine alone (localhost, 127.0.0.1, ::1); write starttls or tls")
	}
	return nil
}

func isMailHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return hostNamePattern.MatchString(host)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
