// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Facts are the settings that the privacy page speaks of, as they are in force. The zero value of each promises
// nothing.
type Facts struct {
	// E2EE: media is encrypted so that the server cannot read it.
	E2EE bool
	// WaitingRoom: nobody enters without admission.
	WaitingRoom bool
	// Unrecorded: no kind of conversation can be recorded.
	Unrecorded bool
	// Mail: this server sends mail. Reminder is how long before an appointment it does so again; 0: never.
	Mail     bool
	Reminder time.Duration
	// Retention is how long after an appointment everything about it is deleted.
	Retention time.Duration
	// Calendars, Booking, OtherSoftware: interfaces that others can use.
	Calendars, Booking, OtherSoftware bool
	// WalkIns: some host takes visitors without a link.
	WalkIns bool
	// AccessLog: the web server keeps one of other pages of the site.
	AccessLog bool
	// RedirectLogged: that log also names links that are opened with http:// in place of https://.
	RedirectLogged bool
	// Version of the software.
	Version string
}

// claim is a sentence of the privacy page. It stands there while its setting says so, and no longer.
type claim struct {
	section string
	when    func(f Facts, p Page) bool
	honest  bool
	// The texts; du is "" where it is the same as de.
	de, du, en string
	// value fills the %s of the texts, if they have one.
	value func(f Facts, p Page) string
}

func always(Facts, Page) bool { return true }

// privacySections are the headings, in order, with their texts.
var privacySections = []struct{ key, de, en string }{
	{"listen", "Wer mithören kann", "Who can listen"},
	{"enter", "Wer hereinkommt", "Who gets in"},
	{"record", "Aufzeichnung", "Recording"},
	{"store", "Was gespeichert wird", "What is stored"},
	{"others", "Andere Beteiligte", "Others involved"},
	{"logs", "Protokolle", "Logs"},
}

func isSecure(_ Facts, p Page) bool { return strings.HasPrefix(p.Origin, "https://") }

// claims are all sentences, in one table because they are to be read as the page that they make. Those that hold always
// follow from how the software is built; tests hold it to that.
var claims = []claim{
	{
		section: "listen", when: func(f Facts, _ Page) bool { return f.E2EE },
		de: "Bild, Ton, geschriebene Nachrichten und der Name, mit dem Sie anklopfen, werden von Browser zu Browser verschlüsselt. Der Server leitet sie weiter und kann sie nicht lesen.",
		du: "Bild, Ton, geschriebene Nachrichten und der Name, mit dem du anklopfst, werden von Browser zu Browser verschlüsselt. Der Server leitet sie weiter und kann sie nicht lesen.",
		en: "Sound, picture, written messages and the name that you knock with are encrypted from browser to browser. The server passes them on and cannot read them.",
	},
	{
		section: "listen", honest: true, when: func(f Facts, _ Page) bool { return f.E2EE },
		de: "Dass jemand da ist, wann und unter welcher Internetadresse, sieht der Server in seinem Arbeitsspeicher, und was die Praxis in einen Termin einträgt. Auch das Programm dieser Seite kommt von ihm: Wer den Server verändert, könnte ein anderes ausliefern. Was er ausliefert, lässt sich mit dem veröffentlichten Programm vergleichen.",
		du: "Dass jemand da ist, wann und unter welcher Internetadresse, sieht der Server in seinem Arbeitsspeicher, und was die Praxis in einen Termin einträgt. Auch das Programm dieser Seite kommt von ihm: Wer den Server verändert, könnte ein anderes ausliefern. Was er ausliefert, lässt sich mit dem veröffentlichten Programm vergleichen.",
		en: "That somebody is there, when and from which address, the server sees in its memory, and what the practice enters into an appointment. The program of this page comes from it as well: whoever changes the server could hand out another one. What it hands out can be compared with the published program.",
	},
	{
		section: "listen", when: always,
		de: "Zwischen Ihrem Browser und diesem Server sind Bild und Ton immer verschlüsselt.",
		du: "Zwischen deinem Browser und diesem Server sind Bild und Ton immer verschlüsselt.",
		en: "Between your browser and this server sound and picture are always encrypted.",
	},
	{
		section: "listen", honest: true, when: func(f Facts, _ Page) bool { return !f.E2EE },
		de: "Eine Ende-zu-Ende-Verschlüsselung ist derzeit nicht eingeschaltet: Auf dem Server liegen Bild und Ton für einen Augenblick lesbar im Arbeitsspeicher. Wer den Server betreibt oder in ihn eindringt, könnte mithören.",
		en: "End-to-end encryption is not switched on at present: on the server sound and picture are readable in memory for a moment. Whoever runs the server, or breaks into it, could listen.",
	},
	{
		section: "listen", honest: true, when: func(f Facts, p Page) bool { return !isSecure(f, p) },
		de: "Diese Seite selbst kam unverschlüsselt (ohne HTTPS). Was Sie eintippen, ist unterwegs lesbar.",
		du: "Diese Seite selbst kam unverschlüsselt (ohne HTTPS). Was du eintippst, ist unterwegs lesbar.",
		en: "This page itself came without encryption (no HTTPS). What you type can be read on its way.",
	},
	{
		section: "enter", when: func(f Facts, _ Page) bool { return f.WaitingRoom },
		de: "Sie warten, bis man Sie hereinlässt. Wer wartet, sieht und hört niemanden und wird von anderen Wartenden nicht gesehen.",
		du: "Du wartest, bis man dich hereinlässt. Wer wartet, sieht und hört niemanden und wird von anderen Wartenden nicht gesehen.",
		en: "You wait until you are let in. Whoever waits sees and hears nobody and is not seen by others who wait.",
	},
	{
		section: "enter", honest: true, when: func(f Facts, _ Page) bool { return !f.WaitingRoom },
		de: "Es gibt kein Wartezimmer: Wer einen gültigen Link hat, kommt hinein, sobald das Gespräch eröffnet ist.",
		en: "There is no waiting room: whoever has a valid link gets in as soon as the conversation is open.",
	},
	{
		section: "enter", when: always,
		de: "Der Link ist der Schlüssel zum Gespräch. Er ist nicht zu erraten. Geben Sie ihn nicht weiter.",
		du: "Der Link ist der Schlüssel zum Gespräch. Er ist nicht zu erraten. Gib ihn nicht weiter.",
		en: "The link is the key to the conversation. It cannot be guessed. Please do not pass it on.",
	},
	{
		section: "enter", when: func(f Facts, _ Page) bool { return f.WalkIns },
		de: "In eine offene Sprechstunde kommen Sie auch ohne Link. Herein kommt nur, wen die Praxis hereinlässt, und jede Person in einen eigenen Raum.",
		du: "In eine offene Sprechstunde kommst du auch ohne Link. Herein kommt nur, wen die Praxis hereinlässt, und jede Person in einen eigenen Raum.",
		en: "To an open consultation you come without a link too. Only those whom the practice lets in get in, each to a room of their own.",
	},
	{
		section: "record", when: func(f Facts, _ Page) bool { return f.Unrecorded },
		de: "Es wird nichts aufgezeichnet. Dieser Server enthält kein Programm, das Gespräche aufzeichnen könnte.",
		en: "Nothing is recorded. This server contains no program that could record conversations.",
	},
	{
		section: "record", honest: true, when: func(f Facts, _ Page) bool { return !f.Unrecorded },
		de: "Ein Gespräch kann aufgezeichnet werden, wenn alle Beteiligten vorher zugestimmt haben.",
		en: "A conversation can be recorded if everybody in it has agreed before.",
	},
	{
		section: "record", when: always,
		de: "Niemand kann technisch verhindern, dass ein Mensch am anderen Ende mit eigenen Mitteln mitschneidet. Bitte tun auch Sie es nicht ohne die Zustimmung der anderen.",
		du: "Niemand kann technisch verhindern, dass ein Mensch am anderen Ende mit eigenen Mitteln mitschneidet. Bitte tu es auch selbst nicht ohne die Zustimmung der anderen.",
		en: "Nobody can technically prevent a person at the other end from recording with means of their own. Please do not do so yourself without the others’ consent.",
	},
	{
		section: "store", when: always,
		de: "Sie brauchen kein Konto. Diese Seiten setzen keine Cookies, und ein Besuch hinterlässt nichts in Ihrem Browser.",
		du: "Du brauchst kein Konto. Diese Seiten setzen keine Cookies, und ein Besuch hinterlässt nichts in deinem Browser.",
		en: "You need no account. These pages set no cookies, and a visit leaves nothing in your browser.",
	},
	{
		section: "store", honest: true, when: func(f Facts, _ Page) bool { return f.E2EE },
		de: "Wer zu einem Gespräch einlädt, kann einen Schlüssel in den Link legen. Dann behält der eigene Browser diesen Schlüssel, bis der Raum geschlossen wird, längstens eineinhalb Tage. Der Server bekommt ihn nicht.",
		en: "Whoever invites to a conversation can put a key into the link. Their own browser then keeps that key until the room is closed, for a day and a half at most. The server does not get it.",
	},
	{
		section: "store", when: always,
		de: "Der Name, den Sie beim Eintreten angeben, und geschriebene Nachrichten bestehen nur im Arbeitsspeicher und sind mit dem Ende des Gesprächs fort.",
		du: "Der Name, den du beim Eintreten angibst, und geschriebene Nachrichten bestehen nur im Arbeitsspeicher und sind mit dem Ende des Gesprächs fort.",
		en: "The name that you enter with and written messages exist in memory only and are gone when the conversation ends.",
	},
	{
		section: "store", when: func(f Facts, _ Page) bool { return f.Retention > 0 },
		de:    "Angaben zu einem vereinbarten Termin werden %s nach seinem Ende gelöscht.",
		en:    "What is stored about an appointment is deleted %s after its end.",
		value: func(f Facts, p Page) string { return spellDuration(f.Retention, p.Language) },
	},
	{
		section: "others", when: func(_ Facts, p Page) bool { return p.Origin != "" },
		de:    "Das Gespräch läuft allein über diesen Server (%s). Die Seiten laden nichts von fremden Servern, es gibt keine Werbung und keine Auswertung.",
		en:    "The conversation runs over this server alone (%s). The pages load nothing from other servers; there is no advertising and no analytics.",
		value: func(_ Facts, p Page) string { _, host, _ := strings.Cut(p.Origin, "://"); return host },
	},
	{
		section: "others", when: func(f Facts, _ Page) bool { return f.Mail },
		de: "Einladungen kommen als E-Mail über einen Mailserver. Sie nennen weder Namen noch Anlass des Gesprächs im Betreff.",
		en: "Invitations come by e-mail through a mail server. Their subject names neither people nor the reason.",
	},
	{
		section: "others", when: func(f Facts, _ Page) bool { return f.Mail && f.Reminder > 0 },
		de:    "%s vor dem Termin kommt der Link noch einmal.",
		en:    "The link comes once more %s before the appointment.",
		value: func(f Facts, p Page) string { return spellDuration(f.Reminder, p.Language) },
	},
	{
		section: "others", when: func(f Facts, _ Page) bool { return !f.Mail },
		de: "Dieser Server verschickt keine E-Mails.",
		en: "This server sends no e-mail.",
	},
	{
		section: "others", when: func(f Facts, _ Page) bool { return f.Calendars },
		de: "Termine werden aus einem Kalender übernommen, der anderswo geführt wird.",
		en: "Appointments are taken over from a calendar that is kept elsewhere.",
	},
	{
		section: "others", when: func(f Facts, _ Page) bool { return f.Booking },
		de: "Ein Buchungssystem kann auf diesem Server Termine anlegen, verschieben und absagen.",
		en: "A booking system can make, move and cancel appointments on this server.",
	},
	{
		section: "others", honest: true, when: func(f Facts, _ Page) bool { return f.OtherSoftware },
		de: "Andere Software mit eigenem Schlüssel kann auf diesem Server eigene Räume öffnen, ohne Wartezimmer. Sie kommt nicht in die Räume dieser Seiten.",
		en: "Other software with a key of its own can open rooms of its own on this server, without a waiting room. It does not get into the rooms of these pages.",
	},
	{
		section: "logs", when: always,
		de: "Namen, Räume, Links und die Internetadressen der Beteiligten stehen in keinem Protokoll von videoroom.",
		en: "Names, rooms, links and the network addresses of those involved stand in no log of videoroom.",
	},
	{
		section: "logs", when: func(f Facts, _ Page) bool { return f.AccessLog },
		de: "Für die übrigen Seiten dieser Website führt der Webserver ein Zugriffsprotokoll; die Seiten des Videogesprächs stehen nicht darin.",
		en: "For the other pages of this website the web server keeps an access log; the pages of the video call are not in it.",
	},
	{
		section: "logs", honest: true, when: func(f Facts, _ Page) bool { return f.RedirectLogged },
		de: "Eine Ausnahme: Wer einen Link von Hand mit http:// statt https:// öffnet, steht mit diesem Aufruf im Zugriffsprotokoll.",
		en: "One exception: whoever opens a link by hand with http:// in place of https:// stands in the access log with that request.",
	},
}

var privacyLead = words{
	"de": "Diese Auskunft entsteht aus den Einstellungen, mit denen dieser Server gerade läuft. Sie ist kein Zertifikat.",
	"en": "This page is made from the settings that this server runs with right now. It is not a certificate.",
}

var privacyFooter = words{
	"de": "Die Software ist quelloffen: Jeder darf nachlesen, wie sie arbeitet. videoroom %s,",
	"en": "The software is open source: anybody may read how it works. videoroom %s,",
}

const sourceURL = "https://github.com/caddy-videoroom/videoroom"

// Privacy answers a request for the page that says how conversations are protected. It works without JavaScript.
func Privacy(w http.ResponseWriter, r *http.Request, p Page, f Facts) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	language := oneOf(p.Language, "de", "en")
	page := p.frame("privacy")
	page.Lead = privacyLead[language]
	for _, s := range privacySections {
		title := s.de
		if language == "en" {
			title = s.en
		}
		if found := sentences(s.key, p, f); len(found) > 0 {
			page.Sections = append(page.Sections, section{Title: title, Sentences: found})
		}
	}
	page.Footer = fmt.Sprintf(privacyFooter[language], f.Version)
	page.Link, page.LinkHref = strings.TrimPrefix(sourceURL, "https://"), sourceURL
	servePlain(w, r, p, page, http.StatusOK)
}

// sentences returns what is true of a section.
func sentences(key string, p Page, f Facts) []sentence {
	var found []sentence
	for _, c := range claims {
		if c.section != key || !c.when(f, p) {
			continue
		}
		text := c.de
		switch p.tongue() {
		case "en":
			text = c.en
		case "du":
			if c.du != "" {
				text = c.du
			}
		}
		if c.value != nil {
			text = fmt.Sprintf(text, c.value(f, p))
		}
		found = append(found, sentence{text, c.honest})
	}
	return found
}

// spellDuration writes a time in words: "24 Stunden", "30 minutes".
func spellDuration(d time.Duration, language string) string {
	units := []struct {
		unit                   time.Duration
		one, many, oneE, manyE string
	}{
		{24 * time.Hour, "1 Tag", "Tage", "1 day", "days"},
		{time.Hour, "1 Stunde", "Stunden", "1 hour", "hours"},
		{time.Minute, "1 Minute", "Minuten", "1 minute", "minutes"},
	}
	for i, u := range units {
		// Whole days only from two days on: "24 hours" is how people say it.
		if d%u.unit != 0 && i < len(units)-1 || u.unit == 24*time.Hour && d < 48*time.Hour {
			continue
		}
		n := int64(d / u.unit)
		one, many := u.one, u.many
		if language == "en" {
			one, many = u.oneE, u.manyE
		}
		if n == 1 {
			return one
		}
		return fmt.Sprintf("%d %s", n, many)
	}
	return d.String()
}
