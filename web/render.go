// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html"
	"strings"
)

// What stands in index.html for the server to fill. The build keeps these bytes; a test holds both sides together.
const (
	htmlTag     = `<html lang="de">`
	assetMark   = `./a/`
	phoneMark   = `<!--phone-->`
	titleMark   = `<title>Videogespräch</title>`
	englishName = `Video consultation`
)

// render puts a site's settings into the page as data attributes and text, escaped, never as script.
func (b *bundle) render(kind string, p Page) string {
	language := oneOf(p.Language, "de", "en")
	var tag strings.Builder
	tag.WriteString(`<html lang="` + language + `"`)
	for _, a := range [...]struct{ name, value string }{
		{"page", kind},
		{"base", p.Base},
		{"language", language},
		{"address", oneOf(p.Address, "sie", "du")},
		{"practice", p.Practice},
		{"phone", p.Phone},
	} {
		tag.WriteString(" data-" + a.name + `="` + html.EscapeString(a.value) + `"`)
	}
	if p.QuickExit {
		tag.WriteString(` data-exit="quick"`)
	}
	tag.WriteString(">")
	title := titleMark
	if language == "en" {
		title = "<title>" + englishName + "</title>"
	}
	return strings.NewReplacer(
		htmlTag, tag.String(),
		assetMark, html.EscapeString(p.Base)+"/"+assetPrefix+b.hash+"/a/",
		phoneMark, phoneLink(p.Phone),
		titleMark, title,
	).Replace(b.page)
}

// phoneLink is shown while scripts load, and instead of them where they cannot run.
func phoneLink(phone string) string {
	if phone == "" {
		return ""
	}
	return `<a href="tel:` + digits(phone) + `">` + html.EscapeString(phone) + `</a>`
}

// digits keeps what a tel: address may hold: digits and one leading plus.
func digits(phone string) string {
	var b strings.Builder
	for _, c := range phone {
		if c >= '0' && c <= '9' || c == '+' && b.Len() == 0 {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// oneOf returns value when it is the alternative, else the default.
func oneOf(value, def, alternative string) string {
	if value == alternative {
		return alternative
	}
	return def
}
