// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"errors"
	"reflect"
	"strings"
	"testing"

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
		{"later", "videoroom {\n\tsmtp mail.example.de:587\n}", "smtp: not available yet: mail comes"},
		{"later value", "videoroom {\n\te2ee required\n}", "e2ee: not available yet"},
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
	_, err := Site(caddyfile.NewTestDispenser("videoroom {\n\tphone 1\n\te2ee required\n\tlanguage de\n}"))
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
		"videoroom {\n\tphone {\n}}", "videoroom }\n{", "videoroom {\n\tpractice <<X\n\tabc\n\tX\n}",
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
