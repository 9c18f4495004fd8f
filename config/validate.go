// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net/mail"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	hostIDPattern   = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$`)
	siteNamePattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$`)
	basePathPattern = regexp.MustCompile(`^/[A-Za-z0-9._~/-]*$`)
	phonePattern    = regexp.MustCompile(`^[0-9+()./ -]*[0-9][0-9+()./ -]*$`)
	apiKeyPattern   = regexp.MustCompile(`^[A-Za-z0-9_-]{3,64}$`)
	hostNamePattern = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)
	placeholder     = regexp.MustCompile(`\{[^{}\s]+\}`)
)

// untrusted are the placeholders that say what a client claims about itself
// or that everybody shares; none of them proves who somebody is.
var untrusted = []string{
	"{http.auth.candidate.", "{http.request.uri", "{http.request.orig_uri", "{http.request.host",
	"{http.request.method", "{http.request.remote", "{http.request.scheme", "{http.request.port",
	"{http.request.body", "{http.request.cookie.", "{http.regexp.", "{http.request.local",
	"{http.request.uuid", "{http.request.proto", "{http.vars.client_ip", "{time.", "{system.",
}

// HasPlaceholder reports whether s holds a placeholder such as {env.NAME}.
func HasPlaceholder(s string) bool { return placeholder.MatchString(s) }

// Validate reports the first setting that cannot be accepted as a
// *FieldError. Call SetDefaults first.
func (a *App) Validate() error {
	if a.MediaPort < 1 || a.MediaPort > 65535 {
		return invalid("media_port", "must be a port number from 1 to 65535, for example 8443; 443 means the port of the site itself")
	}
	seen := make(map[netip.Addr]bool)
	for _, text := range a.PublicIP {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return invalid("public_ip", fmt.Sprintf("%q is not an IP address; write the address alone, without port, mask or host name", text))
		}
		addr = addr.Unmap()
		switch {
		case addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLinkLocalUnicast():
			return invalid("public_ip", fmt.Sprintf("%q cannot be reached by clients; write the address they use for this machine", text))
		case seen[addr]:
			return invalid("public_ip", fmt.Sprintf("%q is written twice", text))
		}
		seen[addr] = true
	}
	return nil
}

// Addrs returns PublicIP in parsed form. Call Validate first; what it would
// refuse is left out.
func (a *App) Addrs() []netip.Addr {
	addrs := make([]netip.Addr, 0, len(a.PublicIP))
	for _, text := range a.PublicIP {
		if addr, err := netip.ParseAddr(text); err == nil {
			addrs = append(addrs, addr.Unmap())
		}
	}
	return addrs
}

// Validate reports the first setting that cannot be accepted as a
// *FieldError. Call it after SetDefaults and after placeholders of API keys
// have been replaced by their values.
func (s *Site) Validate() error {
	if err := s.validate(false); err != nil {
		return err
	}
	if err := s.Contradiction(); err != nil {
		return err
	}
	return s.Missing()
}

// ValidateUnexpanded is Validate for a configuration as it was written, also as
// far as it has been read: values that hold placeholders are believed, and lines
// may be missing.
func (s *Site) ValidateUnexpanded() error { return s.validate(true) }

// Missing reports a line that must be written and is not.
func (s *Site) Missing() error {
	for i := range s.Kinds {
		if err := s.Kinds[i].Missing(); err != nil {
			return err
		}
	}
	if len(s.AllKinds()) == 0 {
		return invalid("kind", "at least one kind of conversation must be left; take one off line out")
	}
	if err := s.missingKinds(); err != nil {
		return err
	}
	return s.SMTP.Missing()
}

// Contradiction reports a line that cannot stand beside another one, in
// whatever order they were written. Call it after SetDefaults.
func (s *Site) Contradiction() error {
	switch {
	case !s.E2EERequired():
		return nil
	case s.MaxParticipants > MaxEncrypted:
		return invalid("max_participants", fmt.Sprintf("at most %d people can hold keys together; write %d or fewer, or e2ee off", MaxEncrypted, MaxEncrypted))
	case len(s.APIKeys) > 0:
		return invalid("api_key", "other software has no keys of rooms that are encrypted from end to end; write e2ee off, or leave the line out")
	}
	return nil
}

func (s *Site) validate(unexpanded bool) error {
	for _, check := range []func() error{
		s.validateName, s.validateBasePath, s.validateTexts, s.validateProfile, s.validateChoices,
		func() error { return s.validateHosts(unexpanded) },
		s.validateTimes, s.validateAppearance, s.validateQuotas, s.validateKinds, s.SMTP.validate,
		func() error { return validateKeys("api_key", s.APIKeys, unexpanded) },
		s.validateTenants,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return validateKeys("booking_key", s.Booking, unexpanded)
}

func (s *Site) validateQuotas() error {
	switch {
	case s.MaxRooms < 0 || s.MaxRooms > maxRooms:
		return invalid("max_rooms", fmt.Sprintf("must be a number from 1 to %d", maxRooms))
	case s.MaxPeople < 0 || s.MaxPeople == 1 || s.MaxPeople > maxPeople:
		return invalid("max_people", fmt.Sprintf("must be a number from %d to %d", MinParticipants, maxPeople))
	}
	return nil
}

func (s *Site) validateName() error {
	if s.Name != "" && (!siteNamePattern.MatchString(s.Name) || strings.Contains(s.Name, "..")) {
		return invalid("site", "must consist of lower-case letters, digits, dots and hyphens, for example praxis-muster")
	}
	return nil
}

func (s *Site) validateBasePath() error {
	p := s.BasePath
	if !basePathPattern.MatchString(p) {
		return invalid("base path", fmt.Sprintf("%q must begin with a slash and consist of letters, digits and . _ ~ - /, for example /video", p))
	}
	if path.Clean(p) != p {
		return invalid("base path", fmt.Sprintf("%q must be written without . and .. and double slashes: %s", p, path.Clean(p)))
	}
	return nil
}

func (s *Site) validateTexts() error {
	if fix := checkText(s.Practice, maxPracticeRune); fix != "" {
		return invalid("practice", fix)
	}
	if s.Phone != "" && (len(s.Phone) > maxPhoneBytes || !phonePattern.MatchString(s.Phone)) {
		return invalid("phone", `must be a telephone number of at most 40 characters, for example "+49 69 123456"`)
	}
	return nil
}

func (s *Site) validateChoices() error {
	for _, c := range []struct {
		field, value string
		words        []string
	}{
		{"language", s.Language, []string{German, English}},
		{"address", s.Address, []string{Formal, Informal}},
		{"e2ee", s.E2EE, []string{Required, Off}},
		{"waiting_room", s.WaitingRoom, []string{On, Off}},
	} {
		if err := choose(c.field, c.value, c.words); err != nil {
			return err
		}
	}
	switch {
	case s.Language == English && s.Address == Informal:
		return invalid("address", "du and sie exist in German only; write language de or leave the line out")
	case s.MaxParticipants < MinParticipants || s.MaxParticipants > MaxParticipants:
		return invalid("max_participants", fmt.Sprintf("must be a number from %d to %d", MinParticipants, MaxParticipants))
	}
	return nil
}

// reservedIDs are the first segments of videoroom's own addresses, now and to
// come: no host may be called so.
var reservedIDs = []string{"api", "assets", "embed", "host", "privacy", "r", "rtc", "test", "twirp", "vr"}

func (s *Site) validateHosts(unexpanded bool) error {
	seen := make(map[string]bool)
	for _, h := range s.Hosts {
		if !hostIDPattern.MatchString(h.ID) {
			return invalid("host", fmt.Sprintf("the id %q must consist of lower-case letters a-z, digits and hyphens, at most 32, for example host muster", h.ID))
		}
		if slices.Contains(reservedIDs, h.ID) {
			return invalid("host", fmt.Sprintf("the id %q names a page of videoroom's own, so that the host could have no address; take another one, for example host muster", h.ID))
		}
		if seen[h.ID] {
			return invalid("host", fmt.Sprintf("there are two hosts with the id %q; give each its own", h.ID))
		}
		seen[h.ID] = true
		if err := h.validate(unexpanded); err != nil {
			return ownedBy(err, "host "+h.ID)
		}
	}
	return nil
}

func (h *Host) validate(unexpanded bool) error {
	if fix := checkText(h.Name, maxNameRunes); fix != "" {
		return invalid("name", fix)
	}
	if h.Email != "" {
		if a, err := mail.ParseAddress(h.Email); err != nil || a.Address != h.Email || strings.ContainsAny(h.Email, "\r\n") {
			return invalid("email", "must be one bare mail address, for example praxis@example.de")
		}
	}
	if h.LinkGeneration < FirstLinkGeneration || h.LinkGeneration > maxLinkGeneration {
		return invalid("link_generation", fmt.Sprintf("must be a number from %d to %d; raise it by one to make the old link invalid", FirstLinkGeneration, maxLinkGeneration))
	}
	if h.Calendar != "" && !(unexpanded && HasPlaceholder(h.Calendar)) && !isSecureURL(h.Calendar) {
		return invalid("calendar", "must be the https address of an iCalendar feed, or a placeholder such as {env.CALENDAR_URL}")
	}
	if _, err := parseHours(h.Open); err != nil {
		return err
	}
	if err := validateRooms(h.Rooms); err != nil {
		return err
	}
	return checkIdentity(h.Identity)
}

// checkIdentity refuses what is the same for everybody or what a visitor can
// choose: either would make every visitor a host.
func checkIdentity(identity string) error {
	if identity == "" {
		return nil
	}
	if !HasPlaceholder(identity) {
		return invalid("identity", "must be a placeholder that names the person behind a request, for example {http.auth.user.id}")
	}
	for _, prefix := range untrusted {
		if strings.Contains(identity, prefix) {
			return invalid("identity", fmt.Sprintf("%s…} does not prove who somebody is; use what authentication has set, for example {http.auth.user.id}", prefix))
		}
	}
	return nil
}

func validateKeys(field string, keys []APIKey, unexpanded bool) error {
	seen := make(map[string]bool)
	for _, k := range keys {
		if !(unexpanded && HasPlaceholder(k.Key)) && !apiKeyPattern.MatchString(k.Key) {
			return invalid(field, "the key must have 3 to 64 letters, digits, _ or -")
		}
		if seen[k.Key] {
			return invalid(field, fmt.Sprintf("the key %q is written twice", k.Key))
		}
		seen[k.Key] = true
		if unexpanded && HasPlaceholder(k.Secret) {
			continue
		}
		if len(k.Secret) < minSecretBytes || len(k.Secret) > maxSecretBytes {
			return invalid(field, fmt.Sprintf("the secret must have %d to %d bytes; a good one comes from: openssl rand -base64 36", minSecretBytes, maxSecretBytes))
		}
	}
	return nil
}

func choose(field, value string, words []string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return invalid(field, fmt.Sprintf("%q is unknown here; write %s", value, strings.Join(words, " or ")))
}

// checkText returns what is wrong with a text that people will read, or "".
func checkText(s string, limit int) string {
	switch {
	case !utf8.ValidString(s):
		return "must be valid UTF-8"
	case utf8.RuneCountInString(s) > limit:
		return fmt.Sprintf("must have at most %d characters", limit)
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return "must not contain control characters"
	case HasPlaceholder(s):
		return "placeholders are not replaced here; in a Caddyfile write {$NAME}, which is replaced by the environment variable NAME when the file is read"
	}
	return ""
}
