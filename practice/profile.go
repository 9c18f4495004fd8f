// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"time"

	"github.com/caddy-videoroom/videoroom/config"
)

// What a host's page needs to know of the site to make appointments.
type (
	officeBody struct {
		Timezone string `json:"timezone"`
		// Mail tells whether the site sends letters.
		Mail  bool       `json:"mail"`
		Kinds []kindBody `json:"kinds"`
	}
	kindBody struct {
		ID              string `json:"id"`
		Name            string `json:"name"`
		InPerson        bool   `json:"in_person"`
		NamedList       bool   `json:"named_list"`
		DurationMinutes int    `json:"duration_minutes"`
		MaxParticipants int    `json:"max_participants"`
	}
)

func (d *Desk) office(c *config.Site) officeBody {
	body := officeBody{Timezone: c.Timezone, Mail: d.mails(c), Kinds: []kindBody{}}
	for _, k := range c.AllKinds() {
		body.Kinds = append(body.Kinds, kindBody{
			k.ID, k.Name, k.InPerson, k.NamedList, int(time.Duration(k.Duration) / time.Minute), k.MaxParticipants,
		})
	}
	return body
}
