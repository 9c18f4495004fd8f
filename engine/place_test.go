// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"github.com/caddy-videoroom/videoroom/config"
)

// Links follow a site to another name, and to nothing else.
func TestPresent(t *testing.T) {
	const id, base = "praxis", "https://old.example/video"
	moved := Place{SiteID: id, Origin: "https://new.example", Base: "/video", Names: []string{"new.example", "www.new.example"}}
	for name, tc := range map[string]struct {
		places []Place
		base   string
		want   string
	}{
		"moved":                    {[]Place{moved}, base, "https://new.example/video"},
		"moved back":               {[]Place{moved}, "https://new.example/video", "https://new.example/video"},
		"another of its names":     {[]Place{moved}, "https://www.new.example/video", "https://www.new.example/video"},
		"another base path":        {[]Place{{SiteID: id, Origin: "https://new.example", Names: []string{"new.example"}}}, base, "https://new.example"},
		"from a port of its own":   {[]Place{moved}, "https://old.example:8443/video", "https://new.example/video"},
		"on a port of its own":     {[]Place{{SiteID: id, Origin: "https://new.example:8443", Base: "/v", Names: []string{"new.example"}}}, "https://old.example:8443/video", "https://new.example:8443/v"},
		"a port that is mapped":    {[]Place{{SiteID: id, Origin: "https://new.example:8443", Base: "/video", Names: []string{"new.example"}}}, base, "https://new.example/video"},
		"behind another program":   {[]Place{{SiteID: id, Origin: "http://new.example:8080", Base: "/video", Names: []string{"new.example"}}}, base, "https://new.example/video"},
		"at both for a while":      {[]Place{moved, {SiteID: id, Origin: "https://old.example", Base: "/video", Names: []string{"old.example"}}}, base, base},
		"answers to every name":    {[]Place{moved, {SiteID: id, Origin: "https://localhost", Base: "/video"}}, base, base},
		"another site":             {[]Place{{SiteID: "other", Origin: "https://new.example", Base: "/video", Names: []string{"new.example"}}}, base, base},
		"nowhere":                  {nil, base, base},
		"what cannot be an origin": {[]Place{moved}, "/video", "/video"},
	} {
		s := &Snapshot{Places: tc.places, Sites: []*config.Site{{Name: id}}}
		if got := s.present(id, tc.base); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

// Nothing leads to the id of a site whose host name it was, when it has another.
func TestPresentNowhere(t *testing.T) {
	const base = "https://old.example/video"
	site, other := &config.Site{}, &config.Site{Name: "other"}
	for name, tc := range map[string]struct {
		s    Snapshot
		want string
	}{
		"its own name":       {Snapshot{Sites: []*config.Site{site}, Names: map[*config.Site][]string{site: {"old.example"}}}, base},
		"every name":         {Snapshot{Sites: []*config.Site{site}}, base},
		"another name":       {Snapshot{Sites: []*config.Site{site, other}, Names: map[*config.Site][]string{site: {"new.example"}}}, ""},
		"no site at all":     {Snapshot{}, ""},
		"a name of its own":  {Snapshot{Sites: []*config.Site{{Name: "old.example"}}}, base},
		"another one's name": {Snapshot{Sites: []*config.Site{other}}, ""},
	} {
		if got := tc.s.present("old.example", base); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
