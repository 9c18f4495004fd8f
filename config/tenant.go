// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Tenant is a house that a site serves under a host name of its own: own name,
// looks, hosts, mail sender and quotas. What it leaves out is that of the site,
// except for hosts and keys, which no two houses share. Rooms, links and keys of
// one house are never valid in another.
type Tenant struct {
	// Domain is the host name under which the house is reached: lower case,
	// without port. It also identifies the house in links and stored keys.
	// Required.
	Domain string `json:"domain"`

	Site
}

const maxTenants = 1000

// ofItsOwn are the settings that a house does not take over from its site.
var ofItsOwn = map[string]bool{
	"Name": true, "Hosts": true, "APIKeys": true, "Booking": true, "Tenants": true, "TenantTable": true,
}

// For returns the settings of a house: its own, and where it says nothing those
// of s. Both are taken as written, without defaults.
func (s *Site) For(t *Tenant) Site {
	house := t.Site
	own, site := reflect.ValueOf(&house).Elem(), reflect.ValueOf(s).Elem()
	for i := range own.NumField() {
		if name := own.Type().Field(i).Name; own.Field(i).IsZero() && !ofItsOwn[name] {
			own.Field(i).Set(site.Field(i))
		}
	}
	house.Name = t.Domain
	return house
}

// ValidateTenant reports the first setting of a house that cannot be accepted as
// a *FieldError. Both s and t are as written; placeholders are believed.
func (s *Site) ValidateTenant(t *Tenant) error {
	if err := s.checkTenant(t); err != nil {
		return err
	}
	house := s.For(t)
	house.SetDefaults()
	if err := house.validate(true); err != nil {
		return ownedBy(err, "tenant "+t.Domain)
	}
	return nil
}

func (s *Site) checkTenant(t *Tenant) error {
	switch {
	case !siteNamePattern.MatchString(t.Domain) || strings.Contains(t.Domain, "..") || !strings.Contains(t.Domain, "."):
		return invalid("tenant", fmt.Sprintf("%q must be a host name in lower case without port, for example tenant haus1.verband.example", t.Domain))
	case t.Domain == s.Name:
		return invalid("tenant", fmt.Sprintf("%q is the id of the site itself; give the site another one", t.Domain))
	case t.Name != "" && t.Name != t.Domain:
		return invalid("tenant", "the domain is the id of the house; leave site out")
	case t.BasePath != "" && t.BasePath != s.BasePath:
		return invalid("tenant", "the base path is that of the site; leave it out")
	case len(t.Tenants) > 0 || t.TenantTable != "":
		return invalid("tenant", "a house has no houses of its own")
	}
	return nil
}

func (s *Site) validateTenants() error {
	if s.TenantTable != "" && !hostIDPattern.MatchString(s.TenantTable) {
		return invalid("tenants", "the name of the table must consist of lower-case letters a-z, digits and hyphens, at most 32, for example tenants verband")
	}
	if len(s.Tenants) > maxTenants {
		return invalid("tenant", fmt.Sprintf("there are more than %d; spread them over several sites", maxTenants))
	}
	seen := make(map[string]bool)
	for i := range s.Tenants {
		t := &s.Tenants[i]
		if seen[t.Domain] {
			return invalid("tenant", fmt.Sprintf("%q stands twice; keep one of the two", t.Domain))
		}
		seen[t.Domain] = true
		if err := s.ValidateTenant(t); err != nil {
			return err
		}
	}
	return nil
}

// HasTenants reports whether the site serves houses by host name.
func (s *Site) HasTenants() bool { return len(s.Tenants) > 0 || s.TenantTable != "" }
