// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/port"
	"github.com/caddy-videoroom/videoroom/practice"
	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/sfu"
	"github.com/caddy-videoroom/videoroom/signaling"
	"github.com/caddy-videoroom/videoroom/token"
)

// closeTime bounds how long Close waits for clients that were not drained.
const closeTime = 5 * time.Second

// Media is the media plane as the engine uses it.
type Media interface {
	room.Media
	// Stats counts what it carries.
	Stats() sfu.Stats
	// Close ends it.
	Close() error
}

// Options is what an engine is made of.
type Options struct {
	// MediaPort is the port of the media plane itself, in UDP and, where there
	// is a Hub, in TCP; 0 lets the system choose, config.SitePort opens none.
	MediaPort int
	// Hub is where media comes in on the sites' own ports, and in TCP; nil: it
	// does not.
	Hub *port.Hub
	// PublicIPs are announced to clients beside the machine's own addresses.
	PublicIPs []netip.Addr
	// Store keeps the master key. Required.
	Store Store
	// Log belongs to the first configuration; Install replaces it. nil: none.
	Log *slog.Logger
	// Media replaces the media plane, for tests; the engine closes it. nil:
	// the plane of package sfu on MediaPort.
	Media Media
}

// Snapshot is the settings of one configuration. It is not changed afterwards.
type Snapshot struct {
	App   config.App
	Sites []*config.Site
	// Names are the host names, in lower case, of sites without a name of their
	// own that nothing but these leads to. A site that is not in it may answer
	// to any.
	Names map[*config.Site][]string
	// Places are where sites are reached, one for each; those that are not in it
	// have no calendar followed.
	Places []Place
	Log    *slog.Logger
}

// Engine serves all sites of a process. Its methods are safe for concurrent
// use.
type Engine struct {
	keys      *token.Keys
	log       *currentLog
	media     Media
	rooms     *room.Directory
	signaling *signaling.Server
	desk      *practice.Desk
	refusals  *refusals
	listening *listening // nil without a hub
	snapshot  atomic.Pointer[Snapshot]

	closeOnce sync.Once
	closeErr  error
}

// New loads or creates the master key, opens the media sockets and starts
// working. Errors about the key wrap [ErrKey]. ctx bounds the start alone.
func New(ctx context.Context, o Options) (*Engine, error) {
	keys, err := loadKeys(ctx, o.Store)
	if err != nil {
		return nil, err
	}
	e := &Engine{keys: keys, log: newCurrentLog(o.Log), media: o.Media}
	e.snapshot.Store(&Snapshot{})
	log := slog.New(e.log)
	if e.media == nil {
		if e.media, err = openPlane(o, log); err != nil {
			return nil, err
		}
	}
	if e.refusals, err = openRefusals(ctx, o.Store, e.log); err != nil {
		_ = e.media.Close()
		return nil, err
	}
	if p, ok := e.media.(plane); ok && o.Hub != nil {
		e.listening = listen(o.Hub, p.Plane, keys, e.refusals)
	}
	watch := new(roomWatch)
	e.rooms = room.NewDirectory(room.Options{
		Media: e.media, Codec: signaling.DataCodec{}, Log: log, Watch: watch.tell,
	})
	e.desk = practice.New(practice.Options{
		Keys: keys, Rooms: &moderator{e.rooms, watch, e.refusals, e.listening}, Version: Version(), Log: log,
		Storage: o.Store,
	})
	e.signaling = signaling.New(signaling.Options{Rooms: &entrance{e.rooms, e.desk, e.maxPeople, e.roomMost}, Log: log})
	return e, nil
}

// Install makes a configuration the one in force. Running calls go on: a room
// merely takes over its site's new size. Where no site serves a site id any
// more, or none has a room's API key, the rooms end with notice; see serving
// for what that means.
func (e *Engine) Install(s Snapshot) {
	before := e.snapshot.Swap(&s)
	e.log.use(s.Log)
	find := func(id string) []*config.Site { return s.succeeding(before, id) }
	e.desk.Locate(s.present)
	e.desk.Install(find)
	e.desk.Follow(s.calendars())
	for _, r := range e.rooms.Rooms() {
		key := r.Key()
		sites := realmSites(find(key.Site), key.Realm)
		if len(sites) == 0 {
			r.End(room.ReasonRoomClosed)
		} else if size, agreed := commonSize(sites); agreed {
			if err := r.SetMaxParticipants(size); err != nil {
				e.log.logger().Warn("a room keeps its old size", "error", err)
			}
		}
	}
}

// calendars returns the hosts' calendars that are to be followed.
func (s *Snapshot) calendars() []practice.Calendar {
	var all []practice.Calendar
	for _, at := range s.Places {
		for _, h := range at.Site.Hosts {
			if h.Calendar != "" {
				all = append(all, practice.Calendar{Site: at.Site, SiteID: at.SiteID, Host: h.ID, Origin: at.Origin, Base: at.Base})
			}
		}
	}
	return all
}

// commonSize returns the size of rooms that all sites agree on.
func commonSize(sites []*config.Site) (size int, agreed bool) {
	for _, s := range sites {
		if s.MaxParticipants != sites[0].MaxParticipants {
			return 0, false
		}
	}
	return sites[0].MaxParticipants, true
}

// succeeding returns the sites that serve a site id in the place of those of the
// snapshot before. As serving does, it rather keeps an id than ends its rooms:
// only where a host name led to a site before, and now leads to none, does it
// leave out those without a name that answer to other host names.
func (s *Snapshot) succeeding(before *Snapshot, id string) []*config.Site {
	sites := s.serving(id)
	led := func(names []string) bool { return slices.Contains(names, id) }
	if !slices.ContainsFunc(slices.Collect(maps.Values(before.Names)), led) {
		return sites
	}
	return slices.DeleteFunc(slices.Clone(sites), func(site *config.Site) bool {
		names, known := s.Names[site]
		return site.Name == "" && known && !led(names)
	})
}

// serving returns the sites that may serve a site id: those of that name; where
// there are none, those without a name to which that host name leads; and where
// there are none either, all without a name. The latter serve whatever host
// names lead to them; an id counts as served while any such site exists, and
// rooms are rather kept than ended.
func (s *Snapshot) serving(id string) []*config.Site {
	var named, led, unnamed []*config.Site
	for _, site := range s.Sites {
		switch {
		case site.Name == id:
			named = append(named, site)
		case site.Name != "":
		case slices.Contains(s.Names[site], id):
			led = append(led, site)
			fallthrough
		default:
			unnamed = append(unnamed, site)
		}
	}
	for _, sites := range [][]*config.Site{named, led} {
		if len(sites) > 0 {
			return sites
		}
	}
	return unnamed
}

// Stats counts what there is, without names.
type Stats struct {
	// Rooms, Participants and Tracks are in the media rooms now.
	Rooms, Participants, Tracks int
	// Open are the rooms that hosts have opened, Waiting the visitors waiting,
	// Hosts the dashboards connected, Sessions the signaling connections.
	Open, Waiting, Hosts, Sessions int
	// PacketsIn, PacketsOut and Dropped count media packets since start.
	PacketsIn, PacketsOut, Dropped uint64
}

// Stats returns the present counts.
func (e *Engine) Stats() Stats {
	rooms, desk, media := e.rooms.Stats(), e.desk.Stats(), e.media.Stats()
	return Stats{
		Rooms: rooms.Rooms, Participants: rooms.Participants, Tracks: rooms.Tracks,
		Open: desk.OpenRooms, Waiting: desk.Waiting, Hosts: desk.Hosts, Sessions: e.signaling.Stats().Sessions,
		PacketsIn: media.PacketsIn, PacketsOut: media.PacketsOut, Dropped: media.Dropped,
	}
}

// HostKey returns what stands behind #k= in the private link of a host. It
// returns [ErrUnknownHost] where no site of that id has the host.
func (e *Engine) HostKey(siteID, hostID string) (string, error) {
	for _, s := range e.snapshot.Load().serving(siteID) {
		if h, ok := s.Host(hostID); ok {
			return e.keys.HostKey(siteID, token.HostKey{Host: hostID, Generation: uint32(h.LinkGeneration)})
		}
	}
	return "", fmt.Errorf("making a host link: %w", ErrUnknownHost)
}

// Drain takes nobody in any more and asks everybody to come back to the next
// process. It returns when all have gone or ctx ends. Close must follow.
func (e *Engine) Drain(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { e.desk.Close(ctx) }) // ends with ctx at the latest
	e.rooms.Drain(ctx)
	if err := e.signaling.Close(ctx); err != nil {
		e.log.logger().Warn("some clients were cut off", "error", err)
	}
	wg.Wait()
}

// Close ends everything. Calling it again returns the first outcome.
func (e *Engine) Close() error {
	e.closeOnce.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		e.Drain(ctx)
		e.rooms.Close()
		if e.listening != nil {
			e.listening.close()
		}
		e.closeErr = e.media.Close()
		e.refusals.close()
	})
	return e.closeErr
}

// Call is one HTTP request beneath a site's base path.
type Call struct {
	// Site is the configuration's settings of this site, validated and with
	// defaults.
	Site *config.Site
	// SiteID is the configured site name, else the request's host name (lower
	// case, no port).
	SiteID string
	// Path is below the base path without leading slash: "api/v1/site".
	Path string
	// Base is the base path as the browser sees it, where another directive has
	// stripped the beginning of the path; "": Site.Base().
	Base string
	// Origin is "https://host[:port]" of this site as the browser sees it.
	Origin string
	// Client counts against limits and is neither logged nor stored.
	Client netip.Addr
	// Reached is the server address the connection came in on; it becomes a
	// media candidate.
	Reached netip.Addr
	// Identity is what a host's identity placeholder says for this request;
	// false where it says nothing.
	Identity func(h config.Host) (string, bool)
}

// Serve answers a request beneath api/ or rtc, and writes all its errors
// itself. It returns false, having written nothing, for every other path.
// Sockets outlive it and hold nothing of the request.
func (e *Engine) Serve(w http.ResponseWriter, r *http.Request, c Call) bool {
	if c.Base == "" {
		c.Base = c.Site.Base()
	}
	top, _, _ := strings.Cut(c.Path, "/")
	serve, ok := routes[top]
	return ok && serve(e, w, r, &c)
}

// routes maps the first segment of a path to who serves it.
var routes = map[string]func(*Engine, http.ResponseWriter, *http.Request, *Call) bool{
	"":    (*Engine).serveProbe,
	"api": (*Engine).serveDesk,
	"rtc": (*Engine).serveSignaling,
}

func (e *Engine) serveDesk(w http.ResponseWriter, r *http.Request, c *Call) bool {
	if c.Path == "api" {
		return false
	}
	e.desk.Serve(w, r, practice.Call{
		Site: c.Site, SiteID: c.SiteID, Path: c.Path, Base: c.Base, Origin: c.Origin, Client: c.Client, Identity: c.Identity,
	})
	return true
}

// serveProbe answers SDKs that ask with HEAD whether the server is there; only
// sites for other software have any.
func (e *Engine) serveProbe(w http.ResponseWriter, r *http.Request, c *Call) bool {
	return c.Path == "" && len(apiKeys(c.Site)) > 0 && e.serveSignaling(w, r, c)
}

func (e *Engine) serveSignaling(w http.ResponseWriter, r *http.Request, c *Call) bool {
	return e.signaling.Serve(w, r, signaling.Call{
		Path: c.Path, Origin: c.Origin, Reached: c.Reached, Client: c.Client,
		Tokens: &siteTokens{keys: e.keys, desk: e.desk, site: c.Site, id: c.SiteID, origin: c.Origin, listening: e.listening},
		Admit:  e.admit,
	})
}

// Version is this module's version in the running binary.
func Version() string {
	const path = "github.com/caddy-videoroom/videoroom"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == path && m.Version != "" {
			return m.Version
		}
	}
	return "(devel)"
}
