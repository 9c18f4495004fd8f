// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-videoroom/videoroom/config"
)

const secret = "0123456789abcdef0123456789abcdef"

func TestSite(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     config.Site
	}{
		{"word alone", `videoroom`, config.Site{}},
		{"base path", `videoroom /sprechstunde`, config.Site{BasePath: "/sprechstunde"}},
		{"empty block", "videoroom {\n}", config.Site{}},
		{"practice", `videoroom {
			kind therapie {
				in_person off
				duration  1h
			}
			kind kurz off
			smtp localhost:25 {
				from     praxis@example.de
				user     u
				password {env.P}
				tls      off
			}
			reminder     off
			opens_before 1d
			checklist    a "b c"
			booking_key  cal {env.B}
			host a {
				link_generation 3
			}
		}`, config.Site{
			Kinds:    []config.KindSetting{{ID: "therapie", InPerson: "off", Duration: caddy.Duration(time.Hour)}, {ID: "kurz", Disabled: true}},
			SMTP:     &config.SMTP{Server: "localhost:25", From: "praxis@example.de", User: "u", Password: "{env.P}", TLS: "off"},
			Reminder: config.ReminderOff, OpensBefore: caddy.Duration(24 * time.Hour), Checklist: []string{"a", "b c"},
			Booking: []config.APIKey{{Key: "cal", Secret: "{env.B}"}},
			Hosts:   []config.Host{{ID: "a", LinkGeneration: 3}},
		}},
		{"everything", `videoroom / {
			site             praxis
			practice         "Praxis Dr. Muster"
			phone            "+49 69 123456"
			language         de
			address          du
			host muster {
				name     "Dr. Muster"
				email    praxis@example.de
				identity {http.auth.user.id}
			}
			host empfang
			e2ee             off
			waiting_room     off
			max_participants 4
			api_key          one {env.SECRET}
			api_key          two ` + secret + `
		}`, config.Site{
			Name: "praxis", BasePath: "/", Practice: "Praxis Dr. Muster", Phone: "+49 69 123456",
			Language: "de", Address: "du", E2EE: "off", WaitingRoom: "off", MaxParticipants: 4,
			Hosts: []config.Host{
				{ID: "muster", Name: "Dr. Muster", Email: "praxis@example.de", Identity: "{http.auth.user.id}"},
				{ID: "empfang"},
			},
			APIKeys: []config.APIKey{{Key: "one", Secret: "{env.SECRET}"}, {Key: "two", Secret: secret}},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Site(caddyfile.NewTestDispenser(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestSiteErrorsNameLineAndFix(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"two paths", "videoroom /a /b", `"/b" is one value too many`},
		{"bad path", "videoroom video", "must begin with a slash"},
		{"typo", "videoroom {\n\tphne 1\n}", `unknown word "phne"; did you mean phone?`},
		{"transposed", "videoroom {\n\tlnaguage de\n}", "did you mean language?"},
		{"hyphen", "videoroom {\n\twaiting-room on\n}", "did you mean waiting_room?"},
		{"nothing near", "videoroom {\n\tturn on\n}", "the words of the site's directive: videoroom { … } are: address, api_key"},
		{"global word", "videoroom {\n\tmedia_port 8443\n}", "belong here but into the global options"},
		{"host word", "videoroom {\n\tidentity {http.auth.user.id}\n}", "belong here but into a host"},
		{"site word in host", "videoroom {\n\thost a {\n\t\tphone 1\n\t}\n}", "belong here but into the site's directive"},
		{"later", "videoroom {\n\tengine livekit\n}", "engine: not available yet: media runs"},
		{"sender missing", "videoroom {\n\tsmtp mail.example.de:587\n}", "smtp: from: is missing"},
		{"mail password", "videoroom {\n\tsmtp m:25 {\n\t\tfrom a@b.de\n\t\ttls yes\n\t}\n}", "starttls or tls or off"},
		{"site word in mail", "videoroom {\n\tsmtp m:25 {\n\t\tphone 1\n\t}\n}", "belong here but into the site's directive"},
		{"kind without id", "videoroom {\n\tkind\n}", "kind needs a value"},
		{"kind on", "videoroom {\n\tkind kurz on\n}", "write kind kurz off"},
		{"kind word", "videoroom {\n\tkind kurz {\n\t\tin_persn on\n\t}\n}", "did you mean in_person?"},
		{"no time", "videoroom {\n\topens_before 30\n}", "write for example opens_before 30m"},
		{"reminder", "videoroom {\n\treminder soon\n}", "write for example reminder 30m"},
		{"later value", "videoroom {\n\tkind beratung {\n\t\trecording consent\n\t}\n}", "recording: not available yet"},
		{"too many to encrypt", "videoroom {\n\te2ee required\n\tmax_participants 51\n}", "50 or fewer, or e2ee off"},
		{"unquoted", "videoroom {\n\tpractice Praxis Muster\n}", `put quotes around it: practice "Praxis Muster"`},
		{"missing", "videoroom {\n\tphone\n}", `needs a value; write for example phone "+49`},
		{"empty", "videoroom {\n\tphone \"\"\n}", "empty value"},
		{"host without id", "videoroom {\n\thost {\n\t\tname x\n\t}\n}", "host needs a value"},
		{"host with two ids", "videoroom {\n\thost a b\n}", "too many values"},
		{"host twice", "videoroom {\n\thost a\n\thost a\n}", `two hosts with the id "a"`},
		{"host id", "videoroom {\n\thost Muster\n}", "lower-case letters"},
		{"constant identity", "videoroom {\n\thost a {\n\t\tidentity a\n\t}\n}", "host a: identity: must be a placeholder"},
		{"duplicate", "videoroom {\n\tphone 1\n\tphone 2\n}", "already set on line 2"},
		{"duplicate in host", "videoroom {\n\thost a {\n\t\tname a\n\t\tname b\n\t}\n}", "name is already set on line 3"},
		{"block", "videoroom {\n\tphone 1 {\n\t\tx\n\t}\n}", "phone takes no block"},
		{"combination", "videoroom {\n\taddress du\n\tlanguage en\n}", "write language de"},
		{"zero", "videoroom {\n\tmax_participants 0\n}", "not a number above zero"},
		{"many", "videoroom {\n\tmax_participants many\n}", "not a number above zero"},
		{"out of range", "videoroom {\n\tmax_participants 101\n}", "from 2 to 100"},
		{"secret missing", "videoroom {\n\tapi_key a\n}", "api_key needs a value"},
		{"secret short", "videoroom {\n\tapi_key abc hunter2\n}", "32 to 512 bytes"},
		{"site id", "videoroom {\n\tsite Praxis\n}", "site: must consist of lower-case"},
		{"open end", "videoroom {\n\tphone 1", "unexpected EOF"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Site(caddyfile.NewTestDispenser(tc.in))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "videoroom: ") && tc.name != "open end" {
				t.Fatalf("error = %v, want one with %q", err, tc.want)
			}
			if !strings.Contains(err.Error(), "Testfile:") {
				t.Errorf("error %q names no line", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q holds the secret", err)
			}
		})
	}
}

func TestErrorLineIsTheCause(t *testing.T) {
	_, err := Site(caddyfile.NewTestDispenser("videoroom {\n\tphone 1\n\tengine livekit\n\tlanguage de\n}"))
	if err == nil || !strings.HasSuffix(err.Error(), "at Testfile:3") {
		t.Errorf("error = %v, want line 3", err)
	}
	if !errors.Is(err, config.ErrNotYet) {
		t.Errorf("error %v does not wrap ErrNotYet", err)
	}
}

func TestApp(t *testing.T) {
	got, err := App(caddyfile.NewTestDispenser("videoroom {\n\tmedia_port 3478\n\tpublic_ip 203.0.113.7 2001:db8::7\n}"))
	want := config.App{MediaPort: 3478, PublicIP: []string{"203.0.113.7", "2001:db8::7"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got, err := App(caddyfile.NewTestDispenser("videoroom {\n\tmedia_port 443\n}")); err != nil || got.MediaPort != config.SitePort {
		t.Errorf("media_port 443: %+v, %v", got, err)
	}
	for _, tc := range []struct{ name, in, want string }{
		{"port", "videoroom {\n\tmedia_port x\n}", "not a number above zero"},
		{"ip", "videoroom {\n\tpublic_ip example.de\n}", "not an IP address"},
		{"site word", "videoroom {\n\tpractice x\n}", "belong here but into the site's directive"},
		{"later word", "videoroom {\n\tsmtp x\n}", "belong here but into the site's directive"},
		{"typo", "videoroom {\n\tmediaport 1\n}", "did you mean media_port?"},
		{"argument", "videoroom /video", "takes a block only"},
		{"duplicate", "videoroom {\n\tpublic_ip 203.0.113.7\n\tpublic_ip 203.0.113.8\n}", "already set on line 2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := App(caddyfile.NewTestDispenser(tc.in))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "Testfile:") {
				t.Errorf("error = %v, want one with %q and a line", err, tc.want)
			}
		})
	}
}

// TestEveryWordIsWrittenAsItsUsageSays keeps the examples in messages honest.
func TestEveryWordIsWrittenAsItsUsageSays(t *testing.T) {
	for name, w := range siteWords.words {
		line := strings.NewReplacer("{ … }", "", "<key>", "key").Replace(w.usage)
		if name == "api_key" {
			line += "\n\te2ee off" // in either order
		}
		if name == "smtp" {
			line += "{\n\t\tfrom praxis@example.de\n\t}"
		}
		if !strings.HasPrefix(w.usage, name+" ") {
			t.Errorf("usage of %s is %q", name, w.usage)
		}
		if _, err := Site(caddyfile.NewTestDispenser("videoroom {\n\t" + line + "\n}")); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	for _, w := range hostWords.words {
		if _, err := Site(caddyfile.NewTestDispenser("videoroom {\n\thost a {\n\t\t" + w.usage + "\n\t}\n}")); err != nil {
			t.Errorf("%q: %v", w.usage, err)
		}
	}
	for _, w := range roomWords.words {
		if _, err := Site(caddyfile.NewTestDispenser("videoroom {\n\thost a {\n\t\troom b {\n\t\t\t" + w.usage + "\n\t\t}\n\t}\n}")); err != nil {
			t.Errorf("%q: %v", w.usage, err)
		}
	}
	for _, w := range kindWords.words {
		if _, err := Site(caddyfile.NewTestDispenser("videoroom {\n\tkind beratung {\n\t\t" + w.usage + "\n\t}\n}")); err != nil {
			t.Errorf("%q: %v", w.usage, err)
		}
	}
	const sender = "from praxis@example.de\n\t\tuser praxis\n\t\tpassword {env.X}\n\t\ttls starttls"
	for name, w := range smtpWords.words {
		lines := strings.Split(sender, "\n\t\t")
		for i, line := range lines {
			if strings.HasPrefix(line, name+" ") {
				lines[i] = w.usage
			}
		}
		if _, err := Site(caddyfile.NewTestDispenser("videoroom {\n\tsmtp mail.example.de {\n\t\t" + strings.Join(lines, "\n\t\t") + "\n\t}\n}")); err != nil {
			t.Errorf("%q: %v", w.usage, err)
		}
	}
	for _, w := range appWords.words {
		if _, err := App(caddyfile.NewTestDispenser("videoroom {\n\t" + w.usage + "\n}")); err != nil {
			t.Errorf("%q: %v", w.usage, err)
		}
	}
}

// FuzzCaddyfile: whatever is accepted must be valid after defaults, and
// nothing may panic.
func FuzzCaddyfile(f *testing.F) {
	for _, seed := range []string{
		"videoroom", "videoroom /video {\n}", "videoroom {\n\tphone \"+49 69\"\n\thost a {\n\t\tname b\n\t}\n}",
		"videoroom {\n\tapi_key k {env.S}\n\te2ee off\n}", "videoroom {\n\tmedia_port 1\n\tpublic_ip ::1\n}", "videoroom { a {",
		"videoroom {\n\tphone {\n}}", "videoroom }\n{", "videoroom {\n\tkind a {\n\t\tname b\n\t}\n\tkind kurz off\n\treminder off\n\tsmtp h:1 {\n\t\tfrom a@b\n\t}\n\tcolor \"#000000\"\n}",
		"videoroom {\n\tpractice <<X\n\tabc\n\tX\n}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		// NewTestDispenser ends the process on input that is no Caddyfile.
		if _, err := caddyfile.Tokenize([]byte(in), "Testfile"); err != nil {
			return
		}
		if site, err := Site(caddyfile.NewTestDispenser(in)); err == nil {
			site.SetDefaults()
			if err := site.ValidateUnexpanded(); err != nil {
				t.Errorf("accepted but invalid: %v", err)
			}
		}
		if app, err := App(caddyfile.NewTestDispenser(in)); err == nil {
			app.SetDefaults()
			if err := app.Validate(); err != nil {
				t.Errorf("accepted but invalid: %v", err)
			}
		}
	})
}
