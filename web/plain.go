// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// plainCSS is the look of everything that works without JavaScript. Whole pages carry it themselves, so that they need
// no second request, which could fail as well; the pages of the interface load it where scripts are off.
//
//go:embed plain.css
var plainCSS string

const plainAsset = "a/plain.css"

// again asks every five seconds whether the server is there, and loads the page then. Chromium takes a page that
// refreshes itself for a jump to what stands behind the # and loads nothing; and nobody is interrupted in vain.
const again = `{
  const ask = () =>
    fetch(location.href, { method: 'HEAD', cache: 'no-store', redirect: 'manual' })
      .then((answer) => answer.status, () => 503)
      .then((status) => (status < 500 ? location.reload() : wait()));
  const wait = () => setTimeout(ask, 5000);
  wait();
}`

// section is a heading with its sentences.
type section struct {
	Title     string
	Sentences []sentence
}

type sentence struct {
	Text string
	// Honest marks what is not protected.
	Honest bool
}

// plain is a page that needs no scripts.
type plain struct {
	Language, Title, Heading, Lead string
	Practice, Logo                 string
	Sections                       []section
	Call                           string // the way out
	CallHref                       template.URL
	Footer                         string
	Link, LinkHref                 string
	Again                          template.JS // what brings the page that was wanted
	Style                          template.CSS
}

var plainPage = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Language}}">
<head>
<meta charset="utf-8">
<title>{{.Title}}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<meta name="format-detection" content="telephone=no">
{{with .Again}}<script>{{.}}</script>
<noscript><meta http-equiv="refresh" content="5"></noscript>
{{end}}<style>{{.Style}}</style>
</head>
<body class="bare">
{{template "body" .}}</body>
</html>
`))

var plainBody = template.Must(plainPage.New("body").Parse(`<div class="plain{{if not .Sections}} short{{end}}">
<header>{{if .Logo}}<img src="{{.Logo}}" alt="{{.Practice}}">{{else}}{{.Practice}}{{end}}</header>
<main>
<h1>{{.Heading}}</h1>
{{with .Lead}}<p class="lead">{{.}}</p>
{{end}}{{range .Sections}}<section>
<h2>{{.Title}}</h2>
<div>
{{range .Sentences}}<p{{if .Honest}} class="honest"{{end}}>{{.Text}}</p>
{{end}}</div>
</section>
{{end}}{{with .Call}}<p><a class="dial" href="{{$.CallHref}}">{{.}}</a></p>
{{end}}</main>
{{if or .Footer .Link}}<footer>{{.Footer}}{{if .Link}} <a href="{{.LinkHref}}">{{.Link}}</a>{{end}}</footer>
{{end}}</div>
`))

// words holds the texts of one language and address.
type words map[string]string

// plainWords are the texts of pages without scripts; "du" replaces those of "de" where it has them.
var plainWords = map[string]words{
	"de": {
		"practice":     "Videogespräch",
		"call":         "Anrufen: %s",
		"nojs":         "Bitte schalten Sie JavaScript ein",
		"nojs.lead":    "Ein Videogespräch läuft im Browser, und dafür braucht diese Seite JavaScript. Schalten Sie es für diese Adresse ein und laden Sie die Seite neu – oder rufen Sie uns an.",
		"nojs.nophone": "Ein Videogespräch läuft im Browser, und dafür braucht diese Seite JavaScript. Schalten Sie es für diese Adresse ein und laden Sie die Seite neu.",
		"late":         "Geht es hier nicht weiter, ist dieser Browser zu alt, oder etwas hält das Programm auf. Öffnen Sie den Link dann in Safari, Chrome, Edge oder Firefox.",
		"late.phone":   "Oder rufen Sie an:",
		"privacy":      "So schützen wir Ihr Gespräch",
		"fail":         "Das hat nicht geklappt",
		"fail.lead":    "Auf diesem Server ist etwas schiefgegangen. Ihr Gerät ist in Ordnung. Bitte laden Sie die Seite in einer Minute noch einmal.",
		"wait":         "Einen Moment bitte",
		"wait.lead":    "Der Server startet gerade neu. Diese Seite versucht es von selbst noch einmal; Sie müssen nichts tun.",
		"missing":      "Diese Seite gibt es nicht",
		"missing.lead": "Wahrscheinlich ist der Link unterwegs verändert worden. Öffnen Sie ihn noch einmal aus der Nachricht, in der er steht.",
		"refused":      "Hier kommen Sie nicht weiter",
		"refused.lead": "Der Server hat diese Anfrage abgelehnt. Öffnen Sie den Link noch einmal aus der Nachricht, in der er steht.",
		"code":         "Fehler %d",
	},
	"du": {
		"nojs":         "Bitte schalte JavaScript ein",
		"nojs.lead":    "Ein Videogespräch läuft im Browser, und dafür braucht diese Seite JavaScript. Schalte es für diese Adresse ein und lade die Seite neu – oder ruf uns an.",
		"nojs.nophone": "Ein Videogespräch läuft im Browser, und dafür braucht diese Seite JavaScript. Schalte es für diese Adresse ein und lade die Seite neu.",
		"late":         "Geht es hier nicht weiter, ist dieser Browser zu alt, oder etwas hält das Programm auf. Öffne den Link dann in Safari, Chrome, Edge oder Firefox.",
		"late.phone":   "Oder ruf an:",
		"privacy":      "So schützen wir dein Gespräch",
		"fail.lead":    "Auf diesem Server ist etwas schiefgegangen. Dein Gerät ist in Ordnung. Bitte lade die Seite in einer Minute noch einmal.",
		"wait.lead":    "Der Server startet gerade neu. Diese Seite versucht es von selbst noch einmal; du musst nichts tun.",
		"missing.lead": "Wahrscheinlich ist der Link unterwegs verändert worden. Öffne ihn noch einmal aus der Nachricht, in der er steht.",
		"refused":      "Hier kommst du nicht weiter",
		"refused.lead": "Der Server hat diese Anfrage abgelehnt. Öffne den Link noch einmal aus der Nachricht, in der er steht.",
	},
	"en": {
		"practice":     "Video consultation",
		"call":         "Call us: %s",
		"nojs":         "Please turn on JavaScript",
		"nojs.lead":    "A video call runs in the browser, and this page needs JavaScript for it. Turn it on for this address and reload the page – or give us a call.",
		"nojs.nophone": "A video call runs in the browser, and this page needs JavaScript for it. Turn it on for this address and reload the page.",
		"late":         "If nothing more happens here, this browser is too old, or something keeps the program from running. Open the link in Safari, Chrome, Edge or Firefox then.",
		"late.phone":   "Or give us a call:",
		"privacy":      "How we protect your conversation",
		"fail":         "That did not work",
		"fail.lead":    "Something went wrong on this server. Your device is fine. Please reload the page in a minute.",
		"wait":         "One moment please",
		"wait.lead":    "The server is starting again. This page tries once more by itself; there is nothing you have to do.",
		"missing":      "There is no such page",
		"missing.lead": "The link was probably changed on its way. Open it once more from the message it came in.",
		"refused":      "You cannot go on here",
		"refused.lead": "The server has refused this request. Open the link once more from the message it came in.",
		"code":         "Error %d",
	},
}

// tongue is the key of the texts for a page: de, du or en.
func (p Page) tongue() string {
	switch {
	case p.Language == "en":
		return "en"
	case p.Address == "du":
		return "du"
	}
	return "de"
}

// say returns a text in the page's language.
func (p Page) say(key string) string {
	tongue := p.tongue()
	if text, ok := plainWords[tongue][key]; ok {
		return text
	}
	return plainWords["de"][key]
}

// frame returns a page with its heading, the practice, and the telephone as the way out.
func (p Page) frame(key string) plain {
	page := plain{
		Language: oneOf(p.Language, "de", "en"), Heading: p.say(key), Practice: p.Practice, Logo: p.Logo,
	}
	if page.Practice == "" {
		page.Practice = p.say("practice")
	}
	page.Title = page.Heading + " – " + page.Practice
	if p.Phone != "" {
		page.Call = fmt.Sprintf(p.say("call"), p.Phone)
		page.CallHref = template.URL("tel:" + digits(p.Phone)) //nolint:gosec // digits and a plus
	}
	return page
}

// Failure answers a browser's navigation with a page that says in plain words what happened and names the telephone.
// It needs no script, no style sheet and no other request. The status is an HTTP status from 400 on.
func Failure(w http.ResponseWriter, r *http.Request, p Page, status int) {
	key := "fail"
	switch {
	case status == http.StatusServiceUnavailable:
		key = "wait"
	case status == http.StatusNotFound || status == http.StatusGone:
		key = "missing"
	case status < http.StatusInternalServerError:
		key = "refused"
	}
	page := p.frame(key)
	page.Lead = p.say(key + ".lead")
	page.Footer = fmt.Sprintf(p.say("code"), status)
	if key == "wait" {
		page.Again = again
	}
	servePlain(w, r, p, page, status)
}

// Navigates reports whether a browser asks for a page to show, as opposed to a script that asks for data.
func Navigates(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

func servePlain(w http.ResponseWriter, r *http.Request, p Page, page plain, status int) {
	style := plainCSS
	if p.Color != "" && isColor(p.Color) {
		style += "\n.plain .dial { background: " + p.Color + "; color: #ffffff; }\n"
	}
	page.Style = template.CSS(style) //nolint:gosec // our own style sheet and a colour of six hexadecimal digits
	var body bytes.Buffer
	if err := plainPage.Execute(&body, page); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	assetHeaders(h, p.Origin)
	scripts := ""
	if page.Again != "" {
		scripts = "connect-src 'self'; script-src " + inline([]byte(page.Again)) + "; "
	}
	h.Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; "+scripts+"style-src "+inline([]byte(style))+
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Permissions-Policy", permissionsOff)
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body.Bytes()) // a client that went away needs no answer
}

// permissionsOff switches every device off: a page that only says something needs none.
const permissionsOff = "camera=(), microphone=(), display-capture=(), geolocation=()"

func isColor(s string) bool {
	if len(s) != len("#rrggbb") || s[0] != '#' {
		return false
	}
	_, err := strconv.ParseUint(s[1:], 16, 32)
	return err == nil
}

// noScript is what stands in a page of the interface where scripts are off.
func (p Page) noScript() string {
	page := p.frame("nojs")
	page.Lead = p.say("nojs.lead")
	if p.Phone == "" {
		page.Lead = p.say("nojs.nophone")
	}
	page.Link, page.LinkHref = p.say("privacy"), p.Base+"/privacy"
	var body strings.Builder
	if err := plainBody.Execute(&body, page); err != nil {
		return ""
	}
	return body.String()
}
