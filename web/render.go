// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html"
	"slices"
	"strings"
)

// What stands in index.html for the server to fill. The build keeps these bytes; a test holds both sides together.
const (
	htmlTag     = `<html lang="de">`
	assetMark   = `./a/`
	lateMark    = `<!--late-->`
	scriptMark  = `<!--noscript-->`
	titleMark   = `<title>Videogespräch</title>`
	englishName = `Video consultation`
)

// seldom are the attributes that few pages have.
var seldom = []string{"logo", "color", "host", "checklist", "inperson"}

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
		{"logo", p.Logo},
		{"color", p.Color},
		{"host", p.Host},
		{"checklist", strings.Join(p.Checklist, "\n")}, // no line holds a control character
		{"inperson", p.InPerson},
	} {
		if a.value == "" && slices.Contains(seldom, a.name) {
			continue
		}
		tag.WriteString(" data-" + a.name + `="` + html.EscapeString(a.value) + `"`)
	}
	if p.QuickExit {
		tag.WriteString(` data-exit="quick"`)
	}
	if p.E2EE {
		tag.WriteString(` data-e2ee="required"`)
	}
	tag.WriteString(">")
	title := titleMark
	if language == "en" {
		title = "<title>" + englishName + "</title>"
	}
	assets := html.EscapeString(p.Base) + "/" + assetPrefix + b.hash + "/"
	title += `<noscript><link rel="stylesheet" href="` + assets + plainAsset + `"></noscript>`
	return strings.NewReplacer(
		htmlTag, tag.String(),
		assetMark, assets+"a/",
		lateMark, p.late(),
		scriptMark, p.noScript(),
		titleMark, title,
	).Replace(b.page)
}

// late is shown when scripts take long, which they do for ever in a browser that is too old for them.
func (p Page) late() string {
	language := oneOf(p.Language, "de", "en")
	text := `<div class="boot late" lang="` + language + `"><p>` + html.EscapeString(p.Practice) + `</p><section class="card"><h1>` +
		html.EscapeString(p.say("wait")) + `</h1><p>` + html.EscapeString(p.say("late")) + `</p>`
	if p.Phone != "" {
		text += `<p>` + html.EscapeString(p.say("late.phone")) + ` <strong>` + phoneLink(p.Phone) + `</strong></p>`
	}
	return text + `</section></div>`
}

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
