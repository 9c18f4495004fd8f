// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

func hours(n int) caddy.Duration { return caddy.Duration(time.Duration(n) * time.Hour) }

func TestPracticeValidate(t *testing.T) {
	smtp := func(m SMTP) Site { return Site{SMTP: &m} }
	kind := func(k ...KindSetting) Site { return Site{Kinds: k} }
	host := func(h Host) Site { return Site{Hosts: []Host{h}} }
	const from = "Praxis <praxis@example.de>"
	for _, tc := range []struct {
		name string
		in   Site
		want string // substring of the error, empty: accepted
	}{
		{"mail", smtp(SMTP{Server: "mail.example.de:587", From: from, User: "u", Password: "p"}), ""},
		{"mail without port", smtp(SMTP{Server: "mail.example.de", From: "praxis@example.de"}), ""},
		{"mail by address", smtp(SMTP{Server: "[2001:db8::1]:465", From: from}), ""},
		{"mail without sender", smtp(SMTP{Server: "mail.example.de:587"}), "smtp: from"},
		{"mail port", smtp(SMTP{Server: "mail.example.de:0", From: from}), "no mail server"},
		{"mail address as server", smtp(SMTP{Server: "praxis@example.de", From: from}), "no mail server"},
		{"password alone", smtp(SMTP{Server: "m:25", From: from, Password: "p"}), "belong together"},
		{"password of two lines", smtp(SMTP{Server: "m:25", From: from, User: "u", Password: "p\r\nq"}), "one line"},
		{"tls word", smtp(SMTP{Server: "m:25", From: from, TLS: "yes"}), "starttls or tls or off"},
		{"mail in the clear", smtp(SMTP{Server: "mail.example.de:25", From: from, TLS: Off}), "this machine alone"},
		{"mail in the clear to itself", smtp(SMTP{Server: "127.0.0.1:25", From: from, TLS: Off}), ""},
		{"timezone", Site{Timezone: "Europe/Vienna"}, ""},
		{"timezone unknown", Site{Timezone: "Europe/Entenhausen"}, "IANA"},
		{"timezone of the machine", Site{Timezone: "Local"}, "IANA"},
		{"opens before", Site{OpensBefore: hours(25)}, "1m to 24h"},
		{"closes after", Site{ClosesAfter: caddy.Duration(time.Second)}, "1m to 24h"},
		{"reminder", Site{Reminder: hours(24 * 8)}, "1m to 168h"},
		{"reminder off", Site{Reminder: ReminderOff}, ""},
		{"retention", Site{Retention: hours(2160)}, ""},
		{"retention long", Site{Retention: hours(2161)}, "1h to 2160h"},
		{"retention short", Site{Retention: minutes(1)}, "1h to 2160h"},
		{"profile", Site{Profile: "verband"}, ""},
		{"profile unknown", Site{Profile: "klinik"}, "praxis, beratung, mpu, verband, anlage31b"},
		{"logo", Site{Logo: "/bilder/logo.svg"}, ""},
		{"logo elsewhere", Site{Logo: "https://example.org/logo.svg"}, "never loaded"},
		{"logo climbs", Site{Logo: "/../x"}, "path of an image"},
		{"logo by another host", Site{Logo: "//example.org/x"}, "path of an image"},
		{"color", Site{Color: "#1f6f5c"}, ""},
		{"color word", Site{Color: "green"}, "#rrggbb"},
		{"color light", Site{Color: "#ffcc00"}, "contrast of 1.5"},
		{"in person", Site{InPersonURL: "https://example.de/kontakt"}, ""},
		{"in person by path", Site{InPersonURL: "/kontakt"}, ""},
		{"in person script", Site{InPersonURL: "javascript:alert(1)"}, "https address"},
		{"in person in the clear", Site{InPersonURL: "http://example.de/"}, "https address"},
		{"checklist", Site{Checklist: []string{"Türklingel aus"}}, ""},
		{"checklist long", Site{Checklist: make([]string, 13)}, "at most 12"},
		{"checklist line", Site{Checklist: []string{strings.Repeat("x", 121)}}, "at most 120"},
		{"booking key", Site{Booking: []APIKey{{"key", "short"}}}, "booking_key"},
		{"calendar", host(Host{ID: "a", Calendar: "https://cal.example.de/a.ics"}), ""},
		{"calendar in the clear", host(Host{ID: "a", Calendar: "http://cal.example.de/a.ics"}), "host a: calendar"},
		{"calendar with password", host(Host{ID: "a", Calendar: "https://u:p@cal.example.de/a.ics"}), "host a: calendar"},
		{"link generation", host(Host{ID: "a", LinkGeneration: -1}), "link_generation"},
		{"rooms", Site{MaxRooms: 1001}, "1 to 1000"},
		{"people", Site{MaxPeople: 1}, "2 to 10000"},
		{"kind", kind(KindSetting{ID: "therapie", InPerson: Off, MaxParticipants: 3, Duration: hours(1)}), ""},
		{"own kind", kind(KindSetting{ID: "paar", Name: "Paarberatung"}), ""},
		{"own kind without name", kind(KindSetting{ID: "paar"}), "kind paar: name"},
		{"kind id", kind(KindSetting{ID: "Paar Beratung"}), "lower-case"},
		{"kind twice", kind(KindSetting{ID: "kurz"}, KindSetting{ID: "kurz"}), "twice"},
		{"kind word", kind(KindSetting{ID: "kurz", HostFirst: "yes"}), "on or off"},
		{"kind larger than the site", kind(KindSetting{ID: "kurz", MaxParticipants: 11}), "2 to 10"},
		{"kind long", kind(KindSetting{ID: "kurz", Duration: hours(13)}), "5m to 12h"},
		{"recording a short talk", kind(KindSetting{ID: "kurz", Recording: Consent}), "never recorded"},
		{"recording", kind(KindSetting{ID: "beratung", Recording: Consent}), "not available yet"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := tc.in
			s.SetDefaults()
			checkError(t, s.Validate(), tc.want)
		})
	}
}

func TestPracticeDefaults(t *testing.T) {
	s := Site{SMTP: &SMTP{Server: "mail.example.de"}}
	written := s.SMTP
	s.SetDefaults()
	if s.Timezone != "Europe/Berlin" || s.Location().String() != "Europe/Berlin" || s.OpensBefore != minutes(30) ||
		s.ClosesAfter != hours(2) || s.Retention != hours(24) {
		t.Errorf("defaults = %+v", s)
	}
	if before, ok := s.Reminds(); before != 30*time.Minute || !ok {
		t.Errorf("Reminds() = %v, %v", before, ok)
	}
	if s.SMTP.Server != "mail.example.de:587" || s.SMTP.TLS != StartTLS || s.SMTP.Host() != "mail.example.de" || *written != (SMTP{Server: "mail.example.de"}) {
		t.Errorf("SMTP = %+v, written %+v", s.SMTP, written)
	}
	s = Site{Language: English, Reminder: ReminderOff, SMTP: &SMTP{Server: "mail.example.de:465"}}
	s.SetDefaults()
	if _, ok := s.Reminds(); s.Timezone != "UTC" || ok || s.SMTP.TLS != TLS {
		t.Errorf("defaults = %+v %+v", s, s.SMTP)
	}
}

// A reload validates the old and the new settings side by side.
func TestSetDefaultsLeavesWhatIsShared(t *testing.T) {
	written := Site{Hosts: []Host{{ID: "a"}}}
	s := written
	s.SetDefaults()
	if !reflect.DeepEqual(written.Hosts, []Host{{ID: "a"}}) {
		t.Errorf("the original has become %+v", written.Hosts[0])
	}
}

func TestKinds(t *testing.T) {
	ids := func(s Site) string {
		s.SetDefaults()
		var all []string
		for _, k := range s.AllKinds() {
			all = append(all, k.ID)
		}
		return strings.Join(all, " ")
	}
	for _, tc := range []struct {
		in   Site
		want string
	}{
		{Site{}, "kurz beratung therapie supervision gruppe sitzung"},
		{Site{Profile: ProfileMPU}, "kurz beratung gruppe"},
		{Site{Profile: ProfileMPU, Kinds: []KindSetting{{ID: "sitzung"}, {ID: "kurz", Disabled: true}, {ID: "paar", Name: "Paar"}}}, "beratung gruppe sitzung paar"},
	} {
		if got := ids(tc.in); got != tc.want {
			t.Errorf("kinds = %s, want %s", got, tc.want)
		}
	}
	s := Site{MaxParticipants: 5, Kinds: []KindSetting{{ID: "therapie", Name: "Psychotherapie"}, {ID: "gruppe", HostFirst: Off}}}
	s.SetDefaults()
	for id, want := range map[string]Kind{
		"kurz":     {ID: "kurz", Name: "Kurzes Gespräch", Recording: Off, MaxParticipants: 4, Duration: minutes(20)},
		"therapie": {ID: "therapie", Name: "Psychotherapie", Recording: Off, InPerson: true, MaxParticipants: 4, Duration: minutes(50)},
		"gruppe":   {ID: "gruppe", Name: "Gruppe", Recording: Off, MaxParticipants: 5, Duration: minutes(100)},
		"sitzung":  {ID: "sitzung", Name: "Sitzung", Recording: Off, NamedList: true, HostFirst: true, MaxParticipants: 5, Duration: minutes(90)},
	} {
		if got, ok := s.Kind(id); !ok || got != want {
			t.Errorf("Kind(%s) = %+v, %v, want %+v", id, got, ok, want)
		}
	}
	if k, ok := s.Kind("nichts"); ok {
		t.Errorf("an unknown kind is %+v", k)
	}
	s = Site{Kinds: []KindSetting{{ID: "kurz", Disabled: true}}, Profile: ProfileMPU}
	s.Kinds = append(s.Kinds, KindSetting{ID: "beratung", Disabled: true}, KindSetting{ID: "gruppe", Disabled: true})
	s.SetDefaults()
	checkError(t, s.Validate(), "at least one kind")
}

// Every profile is valid as it stands, in both languages, and its lines can be
// replaced one by one.
func TestProfiles(t *testing.T) {
	for name := range profiles {
		for _, language := range []string{German, English} {
			s := Site{Profile: name, Language: language}
			s.SetDefaults()
			checkError(t, s.Validate(), "")
			for _, k := range s.AllKinds() {
				if k.Name == "" || k.MaxParticipants < MinParticipants || k.Duration == 0 || k.Recording != Off {
					t.Errorf("%s, %s: %+v", name, language, k)
				}
			}
		}
		s := Site{Profile: name, MaxParticipants: 7, OpensBefore: hours(1), Retention: hours(2), Reminder: ReminderOff}
		s.SetDefaults()
		if s.MaxParticipants != 7 || s.OpensBefore != hours(1) || s.Retention != hours(2) || s.Reminder != ReminderOff {
			t.Errorf("%s: a written line does not win: %+v", name, s)
		}
	}
	s := Site{Profile: ProfileMPU, Kinds: []KindSetting{{ID: "beratung", Duration: hours(2)}}}
	s.SetDefaults()
	if k, _ := s.Kind("beratung"); k.Name != "MPU-Vorbereitung" || k.Duration != hours(2) {
		t.Errorf("beratung = %+v", k)
	}
}

func TestContrast(t *testing.T) {
	for rgb, want := range map[uint32]float64{0x000000: 21, 0xffffff: 1, 0x767676: 4.54} {
		if got := contrastToWhite(rgb); got < want-0.01 || got > want+0.01 {
			t.Errorf("contrast of %06x = %.3f, want %.2f", rgb, got, want)
		}
	}
}
