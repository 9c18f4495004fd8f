// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"reflect"
	"testing"
)

// filled is a site in which every setting says something.
func filled(t *testing.T) Site {
	t.Helper()
	s := Site{
		Name: "verband", BasePath: "/video", Practice: "Verband", Phone: "1", Language: German, Address: Informal,
		Hosts: []Host{{ID: "zentrale"}}, E2EE: Off, WaitingRoom: Off, MaxParticipants: 12, MaxRooms: 5, MaxPeople: 60,
		Profile: ProfileAssociation, Timezone: "Europe/Vienna", SMTP: &SMTP{Server: "m:25", From: "a@b.de"},
		Kinds: []KindSetting{{ID: "kurz", MaxParticipants: 2}}, OpensBefore: minutes(1), ClosesAfter: minutes(2), Reminder: ReminderOff,
		Retention: hours(2), Booking: []APIKey{{"book", secret}}, Logo: "/l.svg", Color: "#000000", InPersonURL: "/k",
		Checklist: []string{"x"}, Tenants: []Tenant{{Domain: "a.example"}}, TenantTable: "verband", APIKeys: []APIKey{{"key", secret}},
	}
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Fatalf("%s is new: say here, and in ofItsOwn, whether houses take it over", v.Type().Field(i).Name)
		}
	}
	return s
}

// A house takes over every setting but those that would let one house reach
// into another.
func TestHousesTakeOverSettings(t *testing.T) {
	site := filled(t)
	house := site.For(&Tenant{Domain: "haus.example"})
	got, want := reflect.ValueOf(house), reflect.ValueOf(site)
	for i := range got.NumField() {
		name := got.Type().Field(i).Name
		same := reflect.DeepEqual(got.Field(i).Interface(), want.Field(i).Interface())
		if same == ofItsOwn[name] {
			t.Errorf("%s: taken over is %v", name, same)
		}
	}
	if house.Name != "haus.example" || house.Hosts != nil || house.APIKeys != nil || house.Booking != nil || house.HasTenants() {
		t.Errorf("the house is %+v", house)
	}
	own := filled(t)
	own.Name, own.Tenants, own.TenantTable, own.Practice, own.MaxPeople = "", nil, "", "Haus", 7
	if house := site.For(&Tenant{Domain: "haus.example", Site: own}); house.Practice != "Haus" || house.MaxPeople != 7 || len(house.Hosts) != 1 {
		t.Errorf("what a house says does not hold: %+v", house)
	}
}

func TestTenantValidate(t *testing.T) {
	with := func(tenants ...Tenant) Site { return Site{Name: "verband.example", Tenants: tenants} }
	for _, tc := range []struct {
		name string
		in   Site
		want string
	}{
		{"house", with(Tenant{Domain: "haus.example", Site: Site{Practice: "Haus"}}), ""},
		{"no domain", with(Tenant{}), "host name in lower case"},
		{"upper case", with(Tenant{Domain: "Haus.example"}), "host name in lower case"},
		{"port", with(Tenant{Domain: "haus.example:443"}), "host name in lower case"},
		{"climbs", with(Tenant{Domain: "a..example"}), "host name in lower case"},
		{"no dot", with(Tenant{Domain: "haus"}), "host name in lower case"},
		{"twice", with(Tenant{Domain: "a.example"}, Tenant{Domain: "a.example"}), "stands twice"},
		{"the site's id", with(Tenant{Domain: "verband.example"}), "id of the site itself"},
		{"other id", with(Tenant{Domain: "a.example", Site: Site{Name: "b"}}), "leave site out"},
		{"other path", with(Tenant{Domain: "a.example", Site: Site{BasePath: "/x"}}), "base path"},
		{"houses", with(Tenant{Domain: "a.example", Site: Site{TenantTable: "x"}}), "no houses of its own"},
		{"value", with(Tenant{Domain: "a.example", Site: Site{Phone: "call"}}), "tenant a.example: phone"},
		{"table", Site{TenantTable: "Verband 1"}, "name of the table"},
		{"too many", Site{Tenants: make([]Tenant, maxTenants+1)}, "more than 1000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := tc.in
			s.SetDefaults()
			checkError(t, s.Validate(), tc.want)
		})
	}
}

func TestTenantJSON(t *testing.T) {
	in := Tenant{Domain: "a.example", Site: Site{Practice: "A", Hosts: []Host{{ID: "x"}}}}
	text, err := json.Marshal(in)
	if want := `{"domain":"a.example","practice":"A","hosts":[{"id":"x"}]}`; err != nil || string(text) != want {
		t.Errorf("%s, %v, want %s", text, err, want)
	}
	var out Tenant
	if err := json.Unmarshal(text, &out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%+v, %v", out, err)
	}
}
