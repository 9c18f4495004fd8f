// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"fmt"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-videoroom/videoroom/config"
)

func readHost(d *caddyfile.Dispenser, s *config.Site, args []string, check func() error) error {
	s.Hosts = append(s.Hosts, config.Host{ID: args[0]})
	if err := checked(d, check); err != nil {
		return err
	}
	return hostWords.read(d, &s.Hosts[len(s.Hosts)-1], check)
}

func readRoom(d *caddyfile.Dispenser, h *config.Host, args []string, check func() error) error {
	room := config.StandingRoom{ID: args[0]}
	if len(args) == 2 {
		room.Name = args[1]
	}
	h.Rooms = append(h.Rooms, room)
	if err := checked(d, check); err != nil {
		return err
	}
	return roomWords.read(d, &h.Rooms[len(h.Rooms)-1], check)
}

// readKind reads a kind of conversation; "off" in place of a block takes it out.
func readKind(d *caddyfile.Dispenser, s *config.Site, args []string, check func() error) error {
	k := config.KindSetting{ID: args[0]}
	if len(args) == 2 {
		if args[1] != config.Off {
			return d.Errf("videoroom: kind: %q is not expected here; write kind %s off, or the lines of the kind in braces", args[1], args[0])
		}
		k.Disabled = true
	}
	s.Kinds = append(s.Kinds, k)
	if err := checked(d, check); err != nil {
		return err
	}
	into := &s.Kinds[len(s.Kinds)-1]
	if k.Disabled {
		if d.NextBlock(d.Nesting()) {
			return d.Errf("videoroom: kind: %s is off and takes no block; keep one of the two", k.ID)
		}
		return nil
	}
	if err := kindWords.read(d, into, check); err != nil {
		return err
	}
	return checked(d, into.Missing)
}

func readTenant(d *caddyfile.Dispenser, s *config.Site, args []string, check func() error) error {
	s.Tenants = append(s.Tenants, config.Tenant{Domain: args[0]})
	if err := checked(d, check); err != nil {
		return err
	}
	into := &s.Tenants[len(s.Tenants)-1].Site
	if err := tenantWords.read(d, into, check); err != nil {
		return err
	}
	return checked(d, into.SMTP.Missing)
}

func readSMTP(d *caddyfile.Dispenser, s *config.Site, args []string, check func() error) error {
	s.SMTP = &config.SMTP{Server: args[0]}
	if err := checked(d, check); err != nil {
		return err
	}
	if err := smtpWords.read(d, s.SMTP, check); err != nil {
		return err
	}
	return checked(d, s.SMTP.Missing)
}

func text[T any](usage string, field func(*T) *string) word[T] {
	return word[T]{usage: usage, min: 1, max: 1, set: func(_ *caddyfile.Dispenser, into *T, args []string, _ func() error) error {
		*field(into) = args[0]
		return nil
	}}
}

func number[T any](usage string, field func(*T) *int) word[T] {
	return word[T]{usage: usage, min: 1, max: 1, set: func(_ *caddyfile.Dispenser, into *T, args []string, _ func() error) error {
		n, err := strconv.Atoi(args[0])
		if err != nil || n <= 0 {
			return fmt.Errorf("%q is not a number above zero; write for example %s", args[0], usage)
		}
		*field(into) = n
		return nil
	}}
}

func duration[T any](usage string, field func(*T) *caddy.Duration) word[T] {
	return word[T]{usage: usage, min: 1, max: 1, set: func(_ *caddyfile.Dispenser, into *T, args []string, _ func() error) error {
		d, err := caddy.ParseDuration(args[0])
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is not a time above zero; write for example %s", args[0], usage)
		}
		*field(into) = caddy.Duration(d)
		return nil
	}}
}

// orOff lets "off" stand for never, which is a negative duration.
func orOff(w word[config.Site]) word[config.Site] {
	read := w.set
	w.set = func(d *caddyfile.Dispenser, s *config.Site, args []string, check func() error) error {
		if args[0] == config.Off {
			s.Reminder = config.ReminderOff
			return nil
		}
		return read(d, s, args, check)
	}
	return w
}

// pair is a key with its secret; it may be repeated.
func pair(usage string, field func(*config.Site) *[]config.APIKey) word[config.Site] {
	return word[config.Site]{usage: usage, min: 2, max: 2, repeat: true,
		set: func(_ *caddyfile.Dispenser, s *config.Site, args []string, _ func() error) error {
			*field(s) = append(*field(s), config.APIKey{Key: args[0], Secret: args[1]})
			return nil
		}}
}
