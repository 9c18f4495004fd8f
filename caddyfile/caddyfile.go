// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package caddyfile turns the tokens of a Caddyfile into the structs of
// package config. The words it knows stand in tables; every error names the
// line and what to write instead. It knows nothing of running calls and
// replaces no placeholder.
package caddyfile

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-videoroom/videoroom/config"
)

// Site reads the site directive:
//
//	videoroom [<base path>] {
//		profile          praxis|beratung|mpu|verband|anlage31b
//		site             <name>
//		practice         <name>
//		phone            <number>
//		language         de|en
//		address          sie|du
//		timezone         <IANA name>
//		logo             <path>
//		color            <"#rrggbb">
//		in_person_url    <https address or path>
//		checklist        <line>...
//		host <id> {
//			name            <name>
//			email           <address>
//			identity        <placeholder>
//			calendar        <https address>
//			link_generation <number>
//			open            <days> <from>-<to>... | always
//			room <id> [<name>] {
//				kind            <kind>
//				link_generation <number>
//			}
//		}
//		kind <id> [off] {
//			name             <name>
//			recording        off
//			in_person        on|off
//			named_list       on|off
//			host_first       on|off
//			max_participants <number>
//			duration         <time>
//		}
//		smtp <host:port> {
//			from     <address>
//			user     <name>
//			password <placeholder>
//			tls      starttls|tls|off
//		}
//		opens_before     <time>
//		closes_after     <time>
//		reminder         <time>|off
//		retention        <time>
//		e2ee             required|off
//		waiting_room     on|off
//		max_participants <number>
//		max_rooms        <number>
//		max_people       <number>
//		tenants          <table>
//		tenant <host name> {
//			(every word above but site and tenants)
//		}
//		api_key          <key> <secret>
//		booking_key      <key> <secret>
//	}
//
// Every line may be missing; host, open, room, kind, tenant, api_key and booking_key may
// be repeated. The result holds only what was written: defaults are filled in when
// the server starts.
func Site(d *caddyfile.Dispenser) (config.Site, error) {
	var site config.Site
	if !d.Next() {
		return site, d.Err("videoroom: the directive is missing")
	}
	args := d.RemainingArgs()
	switch {
	case len(args) > 1:
		return site, d.Errf("videoroom: %q is one value too many; write videoroom [<base path>] and everything else on lines of its own in braces", args[1])
	case len(args) == 1 && args[0] == "":
		return site, d.Err("videoroom: the base path is empty; write a path such as /video or leave it out")
	case len(args) == 1:
		site.BasePath = args[0]
	}
	check := func() error {
		probe := site
		probe.SetDefaults()
		return probe.ValidateUnexpanded()
	}
	if err := checked(d, check); err != nil {
		return site, err
	}
	if err := siteWords.read(d, &site, check); err != nil {
		return site, err
	}
	whole := func() error {
		probe := site
		probe.SetDefaults()
		return probe.Contradiction()
	}
	if err := checked(d, whole); err != nil {
		return site, err
	}
	return site, checked(d, site.Missing)
}

// App reads the global option:
//
//	videoroom {
//		media_port <port>
//		public_ip  <address>...
//	}
//
// The result holds only what was written.
func App(d *caddyfile.Dispenser) (config.App, error) {
	var app config.App
	if !d.Next() {
		return app, d.Err("videoroom: the global option is missing")
	}
	if args := d.RemainingArgs(); len(args) > 0 {
		return app, d.Errf("videoroom: %q is not expected here; the global option takes a block only, the base path belongs to the site's directive", args[0])
	}
	err := appWords.read(d, &app, func() error {
		probe := app
		probe.SetDefaults()
		return probe.Validate()
	})
	return app, err
}
