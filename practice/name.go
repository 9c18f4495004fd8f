// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const maxNameRunes = 64

// CleanName brings a name that somebody gave into the one form others may see:
// NFC, single spaces, at most 64 runes. It refuses names that could deceive or
// break a display: controls, directional overrides and other invisible
// characters, and names without any visible one.
func CleanName(name string) (string, error) {
	// Normalizing can only shrink a text of sane size; refuse others unread.
	if len(name) > 16*maxNameRunes || !utf8.ValidString(name) {
		return "", fail(CodeBadRequest)
	}
	name = strings.Join(strings.FieldsFunc(norm.NFC.String(name), blank), " ")
	visible := false
	for _, r := range name {
		if refused(r) {
			return "", fail(CodeBadRequest)
		}
		visible = visible || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r)
	}
	if !visible || utf8.RuneCountInString(name) > maxNameRunes {
		return "", fail(CodeBadRequest)
	}
	return name, nil
}

// blank tells the spaces that people type. Line breaks and tabs are controls
// and refused, not trimmed.
func blank(r rune) bool { return unicode.Is(unicode.Zs, r) }

func refused(r rune) bool {
	switch r {
	case '\u200c', '\u200d': // joiners: needed by Persian, Indic scripts and emoji
		return false
	case utf8.RuneError, '\u115f', '\u1160', '\u3164', '\uffa0': // damage and blank letters
		return true
	}
	// Cc, Cf (bidi controls, zero-width, tags), Co, Cs; line and paragraph separators.
	return unicode.Is(unicode.C, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}
