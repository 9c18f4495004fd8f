// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"net/http"
	"time"

	"github.com/caddy-videoroom/videoroom/token"
)

// serveTest gives out a test room: two tokens for a room that nobody else can
// enter, that holds two and ends by itself. The equipment page and
// `caddy videoroom check` send media through it to learn what works.
func (d *Desk) serveTest(w http.ResponseWriter, r *http.Request, c Call) {
	now := time.Now()
	from, err := d.request(w, r, c, &struct{}{})
	if err == nil {
		err = d.crowd.test(from, now)
	}
	if err != nil {
		WriteError(w, err)
		return
	}
	id := token.NewID()
	var tokens [2]string
	for i := range tokens {
		tokens[i], err = d.keys.Media(token.Admission{
			Site: c.SiteID, Room: id, Identity: token.NewID(), Name: "test", Test: true,
		}, now)
		if err != nil {
			d.log.Error("minting a test token failed", "error", err)
			WriteError(w, err)
			return
		}
	}
	d.reply(w, struct {
		Tokens    [2]string `json:"tokens"`
		URL       string    `json:"url"`
		ExpiresIn int       `json:"expires_in"`
	}{tokens, c.Base, seconds(token.TestLife)})
}
