// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed letter.html
var letterHTML string

// page is the one layout of all letters: a single column that reads from top to
// bottom, no picture, nothing loaded from anywhere.
var page = template.Must(template.New("letter").Funcs(template.FuncMap{
	// Colours have been checked letter by letter, numbers hold digits alone.
	"color": func(s string) template.CSS { return template.CSS(s) }, //nolint:gosec // see above
	"mark":  func(text string, p *phone) template.HTML { return mark(text, p) },
}).Parse(strings.ReplaceAll(letterHTML, "\r", "")))

// mark makes the telephone number in a sentence one that a tap dials.
func mark(text string, p *phone) template.HTML {
	if p == nil || p.Dialled == "" {
		return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // escaped
	}
	before, after, ok := strings.Cut(text, p.Shown)
	if !ok {
		return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // escaped
	}
	link := fmt.Sprintf(`<a class="tel" href="tel:%s" style="color:inherit;font-weight:600;white-space:nowrap">%s</a>`,
		p.Dialled, template.HTMLEscapeString(p.Shown))
	return template.HTML(template.HTMLEscapeString(before) + link + template.HTMLEscapeString(after)) //nolint:gosec // escaped
}

func (s sheet) html() (string, error) {
	var b strings.Builder
	if err := page.Execute(&b, s); err != nil {
		return "", fmt.Errorf("%w: layout: %w", ErrLetter, err)
	}
	return strings.ReplaceAll(b.String(), "\n", "\r\n"), nil
}
