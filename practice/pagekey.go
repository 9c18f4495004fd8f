// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"cmp"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// checkKey checks the public key that a page brings. A site with encryption from
// end to end takes nobody without one.
func checkKey(site *config.Site, key string) error {
	switch {
	case key != "" && !token.ValidKey(key):
		return fail(CodeBadRequest)
	case key == "" && site.E2EERequired():
		return fail(CodeNoEncryption)
	}
	return nil
}

// rekeyLocked takes the key of a page that continues a knock, as long as the host
// has not answered it: what hosts click on is the key that they were shown.
func (d *Desk) rekeyLocked(k *knock, key string) {
	if key == "" || key == k.key || k.state != waiting {
		return
	}
	k.key, k.seals = key, nil // what is sealed is sealed under the key
	d.wakeHostLocked(hostKey{k.record.key.site, k.record.host})
}

// pageKeyLocked is the key of the page of somebody in a room: as its circle has it,
// else of those who were let in.
func (d *Desk) pageKeyLocked(room roomKey, identity string) string {
	key := d.hall.pageKey(room, identity)
	if r := d.records[room]; key == "" && r != nil {
		key = r.keys[identity]
	}
	return key
}

// showKeys fills in the keys of people in a room. Names that are sealed are told as
// the page of h can open them, and those on the list of guests as they are.
func (d *Desk) showKeys(room roomKey, people []Participant, h *hostSession) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.records[room]
	for i := range people {
		people[i].Key = d.pageKeyLocked(room, people[i].Identity)
		if r != nil {
			people[i].Name = cmp.Or(people[i].Name, r.listed[people[i].Identity])
			people[i].Sealed = sealFor(r.seals[people[i].Identity], h.door)
		}
	}
}
