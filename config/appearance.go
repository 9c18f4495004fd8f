// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// minContrast is what WCAG demands of text of ordinary size.
const minContrast = 4.5

func (s *Site) validateAppearance() error {
	if s.Logo != "" && !isOwnPath(s.Logo) {
		return invalid("logo", "must be the path of an image on this site, for example /logo.svg; images of other sites are never loaded")
	}
	if err := checkColor(s.Color); err != nil {
		return err
	}
	if s.InPersonURL != "" && !isOwnPath(s.InPersonURL) && !isSecureURL(s.InPersonURL) {
		return invalid("in_person_url", "must be an https address or a path on this site, for example /kontakt")
	}
	if len(s.Checklist) > maxChecklist {
		return invalid("checklist", fmt.Sprintf("must have at most %d lines", maxChecklist))
	}
	for _, line := range s.Checklist {
		if fix := checkText(line, maxChecklistRunes); fix != "" {
			return invalid("checklist", fix)
		}
	}
	return nil
}

func isOwnPath(p string) bool {
	return len(p) <= maxURLBytes && basePathPattern.MatchString(p) && path.Clean(p) == p && p != "/"
}

// isSecureURL reports whether a text is an https address without a name and
// password in it, or an http address on this machine.
func isSecureURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURLBytes || u.Host == "" || u.User != nil || strings.ContainsFunc(text, isSpaceOrControl) {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

func isSpaceOrControl(r rune) bool { return r <= ' ' || r == 0x7f }

func checkColor(color string) error {
	if color == "" {
		return nil
	}
	rgb, err := strconv.ParseUint(strings.TrimPrefix(color, "#"), 16, 32)
	if err != nil || len(color) != len("#rrggbb") || color[0] != '#' {
		return invalid("color", `must be written as "#rrggbb" (with quotes), for example "#1f6f5c"`)
	}
	if c := contrastToWhite(uint32(rgb)); c < minContrast {
		return invalid("color", fmt.Sprintf("white text on %s has a contrast of %.1f, which is hard to read; it takes %.1f, so choose a darker colour", color, math.Floor(c*10)/10, minContrast))
	}
	return nil
}

// contrastToWhite is the contrast ratio of WCAG between a colour and white, from
// 1 to 21.
func contrastToWhite(rgb uint32) float64 {
	channel := func(shift uint) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	luminance := 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
	return 1.05 / (luminance + 0.05)
}
