// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import "time"

// words are one language's texts in one form of address. %s stands for what the
// function of the same name in sheet.go puts in. Sentences stay under 15 words.
type words struct {
	hello, regards string
	summary        string
	subject, title map[What]string
	lead           map[What]string
	movedFrom      string // old date and time

	when, who, where, inBrowser string
	localTime, span, date       string

	linkComes, linkHere, linkOnly, linkOpens string
	enter                                    string
	roomButton                               string
	shownAs                                  string

	testHead, testText, testButton string
	prepareHead                    string
	checklist                      []string
	planHead, planText, planNone   string
	cancelText, cancelNone         string
	again                          string
	inPersonText, inPersonButton   string
	calendar                       map[What]string
	noReply                        string

	minutes, minute, hours, hour string
	someHost                     string

	weekdays, months []string
}

// texts returns the words; other languages than German know one form alone.
func texts(language, address string) *words {
	switch {
	case language == English:
		return &english
	case address == Informal:
		return &germanDu
	}
	return &germanSie
}

var (
	germanWeekdays = []string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"}
	germanMonths   = []string{
		"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli",
		"August", "September", "Oktober", "November", "Dezember",
	}
	englishWeekdays = func() (names []string) {
		for d := time.Sunday; d <= time.Saturday; d++ {
			names = append(names, d.String())
		}
		return names
	}()
	englishMonths = func() (names []string) {
		for m := time.January; m <= time.December; m++ {
			names = append(names, m.String())
		}
		return names
	}()
)

// germanCities are zones whose city has another name in German.
var germanCities = map[string]string{
	"Europe/Vienna": "Wien", "Europe/Zurich": "Zürich", "Europe/Luxembourg": "Luxemburg",
	"Europe/Brussels": "Brüssel", "Europe/Prague": "Prag", "Europe/Rome": "Rom", "Europe/Copenhagen": "Kopenhagen",
	"Europe/Warsaw": "Warschau", "Europe/Lisbon": "Lissabon", "Europe/Athens": "Athen", "Europe/Moscow": "Moskau",
	"Europe/Kyiv": "Kiew", "Europe/Bucharest": "Bukarest", "Europe/Belgrade": "Belgrad",
}
