// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

const secret = "0123456789abcdef0123456789abcdef"

func TestSiteDefaults(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   Site
		host Host
		base string
	}{
		{"nothing said", Site{}, Host{ID: "praxis", Name: "Praxis", LinkGeneration: 1}, "/video"},
		{"english", Site{Language: "en"}, Host{ID: "praxis", Name: "Host", LinkGeneration: 1}, "/video"},
		{"practice names the host", Site{Practice: "Dr. M"}, Host{ID: "praxis", Name: "Dr. M", LinkGeneration: 1}, "/video"},
		{"long practice does not", Site{Practice: strings.Repeat("ä", 65)}, Host{ID: "praxis", Name: "praxis", LinkGeneration: 1}, "/video"},
		{"host without name", Site{Hosts: []Host{{ID: "a"}}}, Host{ID: "a", Name: "a", LinkGeneration: 1}, "/video"},
		{"host keeps its name", Site{Practice: "P", Hosts: []Host{{ID: "a", Name: "A"}}}, Host{ID: "a", Name: "A", LinkGeneration: 1}, "/video"},
		{"root", Site{BasePath: "/"}, Host{ID: "praxis", Name: "Praxis", LinkGeneration: 1}, ""},
		{"slash at the end", Site{BasePath: "/a/b/"}, Host{ID: "praxis", Name: "Praxis", LinkGeneration: 1}, "/a/b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := tc.in
			s.SetDefaults()
			if !reflect.DeepEqual(s.Hosts, []Host{tc.host}) {
				t.Errorf("hosts = %+v, want %+v", s.Hosts, tc.host)
			}
			if s.Base() != tc.base {
				t.Errorf("Base() = %q, want %q", s.Base(), tc.base)
			}
			if !s.WaitingRoomOn() || !s.E2EERequired() || s.MaxParticipants != DefaultMaxParticipants || s.Address != Formal {
				t.Errorf("defaults = %+v", s)
			}
			if err := s.Validate(); err != nil {
				t.Errorf("defaults are refused: %v", err)
			}
			again := s
			again.SetDefaults()
			a, _ := json.Marshal(s)
			b, _ := json.Marshal(again)
			if string(a) != string(b) {
				t.Errorf("SetDefaults is not idempotent: %s then %s", a, b)
			}
		})
	}
}

func TestSiteValidate(t *testing.T) {
	host := func(h Host) Site { return Site{Hosts: []Host{h}} }
	for _, tc := range []struct {
		name string
		in   Site
		want string // substring of the error, empty: accepted
	}{
		{"site id", Site{Name: "praxis-1.example"}, ""},
		{"site id upper case", Site{Name: "Praxis"}, "site: "},
		{"site id climbs", Site{Name: "a..b"}, "site: "},
		{"site id slash", Site{Name: "a/b"}, "site: "},
		{"base without slash", Site{BasePath: "video"}, "base path"},
		{"base double slash", Site{BasePath: "//video"}, "double slashes"},
		{"base climbs", Site{BasePath: "/a/../b"}, "base path"},
		{"base placeholder", Site{BasePath: "/{x}"}, "base path"},
		{"practice control", Site{Practice: "a\x00b"}, "control characters"},
		{"practice bidi", Site{Practice: "a\u202eb"}, "control characters"},
		{"practice placeholder", Site{Practice: "{env.NAME}"}, "{$NAME}"},
		{"practice long", Site{Practice: strings.Repeat("x", 101)}, "at most 100"},
		{"phone words", Site{Phone: "call me"}, "telephone number"},
		{"phone", Site{Phone: "+49 (69) 12-34/56.7"}, ""},
		{"phone punctuation only", Site{Phone: "+-()"}, "telephone number"},
		{"language", Site{Language: "fr"}, "de or en"},
		{"address", Site{Address: "ihr"}, "sie or du"},
		{"du in english", Site{Language: "en", Address: "du"}, "language de"},
		{"e2ee required", Site{E2EE: "required"}, ""},
		{"e2ee required for many", Site{E2EE: "required", MaxParticipants: 50}, ""},
		{"e2ee required for too many", Site{E2EE: "required", MaxParticipants: 51}, "50 or fewer, or e2ee off"},
		{"e2ee off for many", Site{E2EE: "off", MaxParticipants: 51}, ""},
		{"e2ee required for a kind of many", Site{
			E2EE: "required", MaxParticipants: 50, Kinds: []KindSetting{{ID: "gruppe", MaxParticipants: 51}},
		}, "from 2 to 50"},
		{"e2ee required for an association", Site{E2EE: "required", Profile: ProfileAssociation}, ""},
		{"e2ee word", Site{E2EE: "on"}, "required or off"},
		{"waiting room", Site{WaitingRoom: "yes"}, "on or off"},
		{"one participant", Site{MaxParticipants: 1}, "2 to 100"},
		{"too many", Site{MaxParticipants: 101}, "2 to 100"},
		{"host id", host(Host{ID: "Dr Muster"}), "lower-case"},
		{"host id hyphen", host(Host{ID: "-a"}), "lower-case"},
		{"host id long", host(Host{ID: strings.Repeat("a", 33)}), "lower-case"},
		{"host id of a page", host(Host{ID: "privacy"}), "page of videoroom's own"},
		{"host id like a room", host(Host{ID: "r"}), "page of videoroom's own"},
		{"host id near a page", host(Host{ID: "tests"}), ""},
		{"twins", Site{Hosts: []Host{{ID: "a"}, {ID: "a"}}}, "two hosts"},
		{"email with name", host(Host{ID: "a", Email: "A <a@example.de>"}), "host a: email"},
		{"email", host(Host{ID: "a", Email: "a@example.de"}), ""},
		{"identity", host(Host{ID: "a", Identity: "{http.auth.user.id}"}), ""},
		{"identity by proxy header", host(Host{ID: "a", Identity: "{http.request.header.Remote-User}"}), ""},
		{"identity by certificate", host(Host{ID: "a", Identity: "{http.request.tls.client.subject}"}), ""},
		{"identity for everybody", host(Host{ID: "a", Identity: "a"}), "must be a placeholder"},
		{"identity rejected by auth", host(Host{ID: "a", Identity: "{http.auth.candidate.id}"}), "does not prove"},
		{"identity from the query", host(Host{ID: "a", Identity: "{http.request.uri.query.user}"}), "does not prove"},
		{"key", Site{E2EE: "off", APIKeys: []APIKey{{"key", secret}}}, ""},
		{"short secret", Site{APIKeys: []APIKey{{"key", "secret"}}}, "32 to 512"},
		{"placeholder left", Site{APIKeys: []APIKey{{"key", "{env.X}"}}}, "32 to 512"},
		{"key sign", Site{E2EE: "off", APIKeys: []APIKey{{"k:y", secret}}}, "api_key"},
		{"key twice", Site{APIKeys: []APIKey{{"key", secret}, {"key", secret}}}, "twice"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := tc.in
			s.SetDefaults()
			checkError(t, s.Validate(), tc.want)
		})
	}
}

func TestErrorsHideSecrets(t *testing.T) {
	s := Site{APIKeys: []APIKey{{"key", "hunter2"}}}
	s.SetDefaults()
	err := s.Validate()
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error = %v, want one without the secret", err)
	}
}

func TestUnexpandedPlaceholdersAreBelieved(t *testing.T) {
	s := Site{E2EE: "off", APIKeys: []APIKey{{"{env.K}", "{env.S}"}}}
	s.SetDefaults()
	if err := s.ValidateUnexpanded(); err != nil {
		t.Errorf("ValidateUnexpanded: %v", err)
	}
	s.APIKeys[0].Secret = "short"
	checkError(t, s.ValidateUnexpanded(), "32 to 512")
}

func TestAppValidate(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   App
		want string
	}{
		{"nothing said", App{}, ""},
		{"port", App{MediaPort: 3478}, ""},
		{"shared port", App{MediaPort: 443}, ""},
		{"negative", App{MediaPort: -1}, "1 to 65535"},
		{"large", App{MediaPort: 65536}, "1 to 65535"},
		{"both families", App{PublicIP: []string{"203.0.113.7", "2001:db8::7"}}, ""},
		{"host name", App{PublicIP: []string{"example.de"}}, "not an IP address"},
		{"with port", App{PublicIP: []string{"203.0.113.7:443"}}, "without port"},
		{"any", App{PublicIP: []string{"0.0.0.0"}}, "cannot be reached"},
		{"zone", App{PublicIP: []string{"fe80::1%eth0"}}, "cannot be reached"},
		{"twice", App{PublicIP: []string{"203.0.113.7", "::ffff:203.0.113.7"}}, "twice"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := tc.in
			a.SetDefaults()
			checkError(t, a.Validate(), tc.want)
			if tc.want == "" && len(a.Addrs()) != len(a.PublicIP) {
				t.Errorf("Addrs() = %v, want %v", a.Addrs(), a.PublicIP)
			}
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error = %v, want one with %q", err, want)
	}
	if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrNotYet) {
		t.Errorf("error %v wraps neither ErrInvalid nor ErrNotYet", err)
	}
}

func TestOwnPort(t *testing.T) {
	for port, want := range map[int]int{0: 0, 8443: 8443, 3478: 3478, 443: 0} {
		app := App{MediaPort: port}
		app.SetDefaults()
		if got, ok := app.OwnPort(); got != want || ok != (want != 0) {
			t.Errorf("media_port %d opens %d, %v", port, got, ok)
		}
	}
}
