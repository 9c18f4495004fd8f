// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"net"
	"net/url"
	"slices"

	"github.com/caddy-videoroom/videoroom/config"
)

// Place is an address under which a site is reached.
type Place struct {
	Site *config.Site
	// SiteID, Origin and Base are as in a [Call].
	SiteID, Origin, Base string
	// Names are all host names, in lower case, that the site is reached under;
	// nil: it may answer to any.
	Names []string
}

// present returns what links of a site begin with now, where they began with base
// once: base itself as long as its host name may lead to the site, otherwise the
// site's place, and "" where no host name leads to a site of this id. Scheme and
// port stay as browsers saw them, because another program may stand before this
// one, unless the place has those that need no writing.
func (s *Snapshot) present(id, base string) string {
	if !s.leads(id) {
		return ""
	}
	was, err := url.Parse(base)
	if err != nil || was.Host == "" {
		return base
	}
	var places []Place
	for _, at := range s.Places {
		if at.SiteID != id {
			continue
		}
		if at.Names == nil || slices.Contains(at.Names, was.Hostname()) {
			return base
		}
		places = append(places, at)
	}
	if len(places) == 0 {
		return base
	}
	at := places[0]
	now, err := url.Parse(at.Origin)
	if err != nil || now.Scheme == "https" && now.Port() == "" {
		return at.Origin + at.Base
	}
	host := now.Hostname()
	if was.Port() != "" {
		host = net.JoinHostPort(host, was.Port())
	}
	return was.Scheme + "://" + host + at.Base
}

// leads tells whether a request may reach a site of this id.
func (s *Snapshot) leads(id string) bool {
	return slices.ContainsFunc(s.Sites, func(site *config.Site) bool {
		names, known := s.Names[site]
		return site.Name == id || site.Name == "" && (!known || slices.Contains(names, id))
	})
}
