// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice"
	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling"
	"github.com/caddy-videoroom/videoroom/token"
)

type signalingRooms = signaling.Rooms

// siteTokens verifies the tokens of one site: our own, and those that other
// software signed with one of the site's API keys.
type siteTokens struct {
	keys *token.Keys
	desk *practice.Desk
	site *config.Site
	id   string

	origin    string
	listening *listening // nil where nothing is relayed
}

var _ signaling.Tokens = (*siteTokens)(nil)

// Verify implements signaling.Tokens.
func (t *siteTokens) Verify(raw string) (signaling.Grant, error) {
	typ, issuer, err := token.Peek(raw)
	if err != nil {
		return signaling.Grant{}, fmt.Errorf("%w: %w", signaling.ErrToken, err)
	}
	if typ == token.TypeOwn {
		return t.own(raw)
	}
	return t.foreign(raw, issuer)
}

// testPolicy keeps test rooms from being used as rooms: anybody may have one.
// What is sent there is a test picture and goes to its sender.
var testPolicy = room.Policy{
	MaxParticipants: 2, EmptyGrace: time.Second, ResumeGrace: 5 * time.Second, MaxAge: token.TestLife,
}

// own verifies a token that followed an admission.
func (t *siteTokens) own(raw string) (signaling.Grant, error) {
	c, err := t.keys.VerifyMedia(t.id, raw, time.Now())
	if err != nil {
		return signaling.Grant{}, fmt.Errorf("%w: %w", signaling.ErrToken, err)
	}
	g := t.grant(room.Key{Site: t.id, Name: c.Video.Room}, &c)
	if c.Kind == token.KindTest {
		g.Policy = testPolicy
		return g, nil
	}
	keys, desk, a := t.keys, t.desk, token.Admission{Site: t.id, Room: c.Video.Room, Identity: c.Subject, Key: c.Key}
	g.Refresh = func(p room.ParticipantInfo) (string, error) {
		if err := desk.Admitted(a.Site, a.Room, a.Identity); err != nil {
			return "", err
		}
		next := a
		next.Name, next.Host = p.Name, p.Permission.Admin
		return keys.Media(next, time.Now())
	}
	return g, nil
}

// foreign verifies a token of an API key.
func (t *siteTokens) foreign(raw, issuer string) (signaling.Grant, error) {
	for _, k := range apiKeys(t.site) {
		if k.Key != issuer {
			continue
		}
		c, err := token.Verify([]byte(k.Secret), raw, token.RulesAPI(k.Key, time.Now()))
		switch {
		case err != nil:
			return signaling.Grant{}, fmt.Errorf("%w: %w", signaling.ErrToken, err)
		case !c.Video.RoomJoin:
			return signaling.Grant{}, fmt.Errorf("%w: no roomJoin", signaling.ErrToken)
		case c.Video.Room == "" || c.Identity() == "":
			return signaling.Grant{}, signaling.ErrIncomplete
		}
		g := t.grant(room.Key{Site: t.id, Realm: k.Key, Name: c.Video.Room}, &c)
		g.Refresh = refresher(k, c)
		return g, nil
	}
	return signaling.Grant{}, fmt.Errorf("%w: unknown issuer", signaling.ErrToken)
}

func (t *siteTokens) grant(key room.Key, c *token.Claims) signaling.Grant {
	issued := c.IssuedAt
	if issued.IsZero() {
		issued = c.NotBefore // what most server SDKs set instead
	}
	g := signaling.Grant{
		Key: key, Policy: room.Policy{MaxParticipants: t.site.MaxParticipants, Encrypted: t.site.E2EERequired()},
		Identity: c.Identity(), Name: c.Name, Metadata: c.Metadata, Attributes: c.Attributes,
		Permission: permission(&c.Video), TokenID: c.ID, IssuedAt: issued,
	}
	if t.listening != nil {
		g.Relays = t.listening.relays(t.origin, key.Site, key.Realm+"/"+key.Name, g.Identity)
	}
	return g
}

// refresher mints the next tokens of a participant whom an API key let in,
// with the permissions as they are then.
func refresher(k config.APIKey, c token.Claims) func(room.ParticipantInfo) (string, error) {
	return func(p room.ParticipantInfo) (string, error) {
		now := time.Now()
		next := c
		next.Subject, next.ID = p.Identity, token.NewID()
		next.NotBefore, next.IssuedAt, next.Expires = now, now, now.Add(token.MediaLife)
		if c.Expires.After(next.Expires) {
			next.Expires = c.Expires // never shorter than what the client holds
		}
		next.Name, next.Metadata, next.Attributes = p.Name, p.Metadata, p.Attributes
		next.Video.CanPublish, next.Video.CanSubscribe = &p.Permission.Publish, &p.Permission.Subscribe
		next.Video.CanPublishData, next.Video.CanUpdateOwnMetadata = &p.Permission.PublishData, &p.Permission.UpdateMetadata
		next.Video.CanPublishSources = sourceNames(p.Permission.Sources)
		next.Video.Hidden, next.Video.RoomAdmin = p.Permission.Hidden, p.Permission.Admin
		return token.Sign([]byte(k.Secret), token.TypeJWT, next)
	}
}

// apiKeys returns the API keys that let somebody in here. With a waiting room
// nobody gets past it, whatever they hold.
func apiKeys(s *config.Site) []config.APIKey {
	if s.WaitingRoomOn() || s.E2EERequired() {
		return nil
	}
	return s.APIKeys
}

// realmSites keeps the sites that have a realm: all have our own, "".
func realmSites(sites []*config.Site, realm string) []*config.Site {
	if realm == "" {
		return sites
	}
	var out []*config.Site
	for _, s := range sites {
		for _, k := range apiKeys(s) {
			if k.Key == realm {
				out = append(out, s)
			}
		}
	}
	return out
}

// admit refuses, before the upgrade, whom the desk knows to be unwelcome and
// for whom there is no place. Who joins at the same moment is not counted here:
// the room decides. Rooms themselves come into being by joining.
func (e *Engine) admit(g signaling.Grant) error {
	if g.Key.Realm == "" {
		switch err := e.desk.Admitted(g.Key.Site, g.Key.Name, g.Identity); {
		case errors.Is(err, practice.ErrEnded):
			return fmt.Errorf("%w: %w", signaling.ErrNoRoom, err)
		case err != nil:
			return fmt.Errorf("%w: %w", room.ErrRevoked, err)
		case e.refusals.has(g.Key.Site, g.Key.Name, "") && !e.desk.Reopened(g.Key.Site, g.Key.Name): // before a restart
			return signaling.ErrNoRoom
		case e.refusals.has(g.Key.Site, g.Key.Name, g.Identity):
			return room.ErrRevoked
		}
	}
	if r := e.rooms.Find(g.Key); r != nil {
		people := r.Participants()
		for i := range people {
			if people[i].Identity == g.Identity {
				return nil // takes over the own place
			}
		}
		if len(people) >= g.Policy.MaxParticipants {
			return room.ErrFull
		}
		if most := e.roomMost(g.Key); most > 0 && len(people) >= most {
			return room.ErrFull
		}
	}
	if most := e.maxPeople(g.Key.Site); most > 0 && e.rooms.People(g.Key.Site) >= most {
		return room.ErrFull
	}
	return nil
}

// maxPeople returns how many people a site may have in all its rooms; 0: no
// bound. Of several sites that share an id the narrowest bound holds.
func (e *Engine) maxPeople(siteID string) int {
	most := 0
	for _, s := range e.snapshot.Load().serving(siteID) {
		if s.MaxPeople > 0 && (most == 0 || s.MaxPeople < most) {
			most = s.MaxPeople
		}
	}
	return most
}

// roomMost returns how many people a room of our own admission takes where its
// appointment says so; 0: as many as its site says.
func (e *Engine) roomMost(k room.Key) int {
	if k.Realm != "" {
		return 0
	}
	return e.desk.Size(k.Site, k.Name)
}

// sources names the sources of tracks as tokens spell them.
var sources = []struct {
	name   string
	source room.Source
}{
	{"camera", room.SourceCamera},
	{"microphone", room.SourceMicrophone},
	{"screen_share", room.SourceScreen},
	{"screen_share_audio", room.SourceScreenAudio},
}

// permission translates a grant. Sources nobody knows allow nothing, which is
// why a list of them alone forbids publishing.
func permission(v *token.Video) room.Permission {
	p := room.Permission{
		Subscribe: v.MaySubscribe(), Publish: v.MayPublish(), PublishData: v.MayPublishData(),
		UpdateMetadata: v.MayUpdateMetadata(), Hidden: v.Hidden, Admin: v.RoomAdmin,
	}
	for _, s := range sources {
		for _, name := range v.CanPublishSources {
			if name == s.name {
				p.Sources = append(p.Sources, s.source)
			}
		}
	}
	if len(v.CanPublishSources) > 0 && len(p.Sources) == 0 {
		p.Publish = false
	}
	return p
}

func sourceNames(of []room.Source) (names []string) {
	for _, s := range sources {
		for _, o := range of {
			if o == s.source {
				names = append(names, s.name)
			}
		}
	}
	return names
}
