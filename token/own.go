// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// issuer marks our own tokens. API keys of that name are shadowed by the type
// check, not by this.
const issuer = "videoroom"

// Lifetimes of our own tokens.
const (
	MediaLife       = 10 * time.Minute
	TestLife        = 2 * time.Minute
	HostSessionLife = 10 * time.Minute
	// HostSignInLife bounds what refreshing can add up to.
	HostSignInLife = 12 * time.Hour
)

// Admission is what a media token says of a participant of our own rooms.
type Admission struct {
	// Site and Room name the room; Identity is a pseudonym.
	Site, Room, Identity string
	// Name is what others see.
	Name string
	// Host grants moderation.
	Host bool
	// Key is the public key of the participant's page, which [ValidKey] takes;
	// empty: it has none.
	Key string
	// Test marks a place in a test room: for two, for [TestLife], not renewed.
	Test bool
}

// KindTest is the kind that claims of a test room carry.
const KindTest = "test"

// Media mints a token that lets a participant join, valid for [MediaLife],
// or [TestLife] in a test room. A key that is none returns [ErrBadKey].
func (k *Keys) Media(a Admission, now time.Time) (string, error) {
	if a.Key != "" && !ValidKey(a.Key) {
		return "", fmt.Errorf("minting a media token: %w", ErrBadKey)
	}
	allowed, denied := true, false
	life, kind := MediaLife, ""
	if a.Test {
		life, kind = TestLife, KindTest
	}
	token, err := Sign(k.derive(purposeMedia, a.Site), TypeOwn, Claims{
		Issuer: issuer, Subject: a.Identity, Audience: []string{a.Site}, ID: NewID(),
		NotBefore: now, IssuedAt: now, Expires: now.Add(life), Name: a.Name, Kind: kind, Key: a.Key,
		Video: Video{
			RoomJoin: true, Room: a.Room, RoomAdmin: a.Host,
			CanPublish: &allowed, CanSubscribe: &allowed, CanPublishData: &allowed,
			CanUpdateOwnMetadata: &denied,
		},
	})
	if err != nil {
		return "", fmt.Errorf("minting a media token: %w", err)
	}
	return token, nil
}

// VerifyMedia checks a token of [Keys.Media]. Errors wrap [ErrBadToken].
func (k *Keys) VerifyMedia(site, token string, now time.Time) (Claims, error) {
	c, err := Verify(k.derive(purposeMedia, site), token, RulesOwn(site, now))
	if err != nil {
		return Claims{}, err
	}
	if c.Subject == "" || c.ID == "" || !c.Video.RoomJoin || !ValidID(c.Video.Room) {
		return Claims{}, ErrBadToken
	}
	return c, nil
}

// HostSession is a host's proven sign-in.
type HostSession struct {
	// Host is the host's id.
	Host string
	// Since is when the host signed in; refreshed tokens keep it.
	Since time.Time
	// Generation is that of the private link which signed the host in; 0: the
	// host signed in by other means.
	Generation uint32
}

// HostSession mints the token that a host's dashboard opens its socket with,
// valid for [HostSessionLife], and never longer than [HostSignInLife] after the
// sign-in.
func (k *Keys) HostSession(site string, s HostSession, now time.Time) (string, error) {
	expires := now.Add(HostSessionLife)
	if end := s.Since.Add(HostSignInLife); end.Before(expires) {
		expires = end
	}
	if !now.Before(expires) {
		return "", fmt.Errorf("minting a host session: %w", ErrTokenTime)
	}
	token, err := Sign(k.derive(purposeHostSession, site), TypeOwn, Claims{
		Issuer: issuer, Subject: s.Host, Audience: []string{site}, ID: NewID(),
		NotBefore: now, IssuedAt: s.Since, Expires: expires, Kind: s.kind(),
	})
	if err != nil {
		return "", fmt.Errorf("minting a host session: %w", err)
	}
	return token, nil
}

// VerifyHostSession checks a token of [Keys.HostSession]. Errors wrap
// [ErrBadToken].
func (k *Keys) VerifyHostSession(site, token string, now time.Time) (HostSession, error) {
	c, err := Verify(k.derive(purposeHostSession, site), token, RulesOwn(site, now))
	if err != nil {
		return HostSession{}, err
	}
	if c.Subject == "" || c.ID == "" || c.IssuedAt.IsZero() {
		return HostSession{}, ErrBadToken
	}
	s := HostSession{Host: c.Subject, Since: c.IssuedAt}
	if text, linked := strings.CutPrefix(c.Kind, kindLinked); linked {
		g, err := strconv.ParseUint(text, 10, 32)
		if err != nil || g == 0 {
			return HostSession{}, ErrBadToken
		}
		s.Generation = uint32(g)
	}
	return s, nil
}

// kindLinked begins the kind of sessions that a private link has opened.
const kindLinked = "link-"

func (s HostSession) kind() string {
	if s.Generation == 0 {
		return ""
	}
	return kindLinked + strconv.FormatUint(uint64(s.Generation), 10)
}
