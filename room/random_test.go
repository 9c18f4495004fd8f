// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// world drives a room with random actions and knows what must hold.
type world struct {
	*testing.T
	h       *host
	rnd     *rand.Rand
	live    map[string]*client // connected, by identity
	cut     map[string]*client // without connection, within the grace
	retired []*client          // must never be told anything any more
	logs    map[*client]int
	cids    int
}

const worldPlaces = 6

func (w *world) pick(m map[string]*client) *client {
	var ids []string
	for _, id := range worldNames {
		if m[id] != nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return m[ids[w.rnd.IntN(len(ids))]]
}

var worldNames = []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}

func (w *world) retire(c *client) {
	w.retired = append(w.retired, c)
	settle()
	w.logs[c] = len(c.types())
}

// actions are what may happen; each leaves the world's books right.
var actions = []func(*world){
	(*world).join, (*world).join, (*world).join,
	(*world).publish, (*world).publish, (*world).unpublish,
	(*world).mute, (*world).update, (*world).subscribe, (*world).rights,
	(*world).cutOff, (*world).resume, (*world).resume, (*world).say,
	(*world).bye, (*world).remove, (*world).permit, (*world).server, (*world).wait,
}

func (w *world) join() {
	id := worldNames[w.rnd.IntN(len(worldNames))]
	old := w.live[id]
	if old == nil {
		old = w.cut[id]
	}
	c := newClient(w.h, id)
	c.audios, c.videos = w.rnd.IntN(4), w.rnd.IntN(4)
	err := w.h.tryJoin(c, func(j *Join) {
		j.Policy.MaxParticipants = worldPlaces
		j.Permission.Hidden = w.rnd.IntN(6) == 0
		j.AdaptiveStream = w.rnd.IntN(2) == 0
		j.IssuedAt = time.Now().Add(time.Hour)
		if j.Dual = w.rnd.IntN(3) == 0; j.Dual || w.rnd.IntN(3) == 0 {
			j.Offer, j.OfferID = "", 0
		}
	})
	full := len(w.live)+len(w.cut) >= worldPlaces
	if old == nil && full {
		if !errors.Is(err, ErrFull) {
			w.Fatalf("joining a full room: %v", err)
		}
		return
	}
	if err != nil {
		w.Fatalf("joining: %v", err)
	}
	delete(w.cut, id)
	w.live[id] = c
	if old != nil {
		w.retire(old)
	}
	if c.offerID == 0 {
		c.offer()
	}
	c.connect()
}

func (w *world) publish() {
	c := w.pick(w.live)
	if c == nil || c.me().Permission.Hidden || !c.me().Permission.Publish || len(c.cids) >= maxPublished {
		return
	}
	w.cids++
	c.publish(fmt.Sprintf("cid%d", w.cids), Source(1+w.rnd.IntN(4)), func(q *AddTrack) {
		if q.Kind == sfu.Video {
			q.Layers = threeLayers
		}
	})
}

func (w *world) unpublish() {
	if c := w.pick(w.live); c != nil && len(c.cids) > 0 {
		c.unpublish(c.cids[w.rnd.IntN(len(c.cids))])
	}
}

// anyTrack picks a track that the room has now.
func (w *world) anyTrack() (owner ParticipantInfo, sid string) {
	r := w.h.dir.Find(testKey)
	if r == nil {
		return owner, "TR_none"
	}
	var sids []string
	var owners []ParticipantInfo
	for _, p := range r.Participants() {
		for _, t := range p.Tracks {
			sids, owners = append(sids, t.SID), append(owners, p)
		}
	}
	if len(sids) == 0 {
		return owner, "TR_none"
	}
	i := w.rnd.IntN(len(sids))
	return owners[i], sids[i]
}

func (w *world) mute() {
	owner, sid := w.anyTrack()
	if c := w.live[owner.Identity]; c != nil {
		c.do(Mute{SID: sid, Muted: w.rnd.IntN(2) == 0})
	}
}

func (w *world) update() {
	if c := w.pick(w.live); c != nil {
		c.do(UpdateSelf{Metadata: fmt.Sprint(w.rnd.IntN(1000))})
	}
}

func (w *world) subscribe() {
	_, sid := w.anyTrack()
	if c := w.pick(w.live); c != nil {
		c.do(Subscription{TrackSIDs: []string{sid}, Subscribe: w.rnd.IntN(2) == 0})
		c.do(TrackSettings{TrackSIDs: []string{sid}, Settings: sfu.Settings{Quality: w.rnd.IntN(3), Disabled: w.rnd.IntN(4) == 0}})
	}
}

func (w *world) rights() {
	_, sid := w.anyTrack()
	if c := w.pick(w.live); c != nil {
		c.do(SubscriptionRights{All: w.rnd.IntN(2) == 0, Allowed: map[string][]string{"a": nil, "b": {sid}}})
	}
}

func (w *world) cutOff() {
	if c := w.pick(w.live); c != nil {
		c.cut()
		delete(w.live, c.identity)
		w.cut[c.identity] = c
	}
}

func (w *world) resume() {
	c := w.pick(w.cut)
	if c == nil {
		return
	}
	settle()
	n, err := w.h.resume(c)
	if err != nil {
		w.Fatalf("resuming: %v", err)
	}
	delete(w.cut, c.identity)
	w.live[c.identity] = n
	n.offer()
}

func (w *world) say() {
	if c := w.pick(w.live); c != nil {
		c.sendData(sfu.Reliable, `{"d":"x"}`)
	}
}

func (w *world) bye() {
	if c := w.pick(w.live); c != nil {
		c.do(Bye{})
		delete(w.live, c.identity)
		w.retire(c)
	}
}

func (w *world) remove() {
	c := w.pick(w.live)
	if c == nil || w.rnd.IntN(2) == 0 {
		return
	}
	if err := w.h.dir.Find(testKey).Remove(c.identity); err != nil {
		w.Fatalf("removing: %v", err)
	}
	delete(w.live, c.identity)
	w.retire(c)
	if l := c.leave(); l == nil || l.Reason != ReasonRemoved {
		w.Fatalf("the removed was told %+v", l)
	}
}

func (w *world) permit() {
	c := w.pick(w.live)
	if c == nil {
		return
	}
	p := Permission{
		Subscribe: w.rnd.IntN(4) > 0, Publish: w.rnd.IntN(4) > 0, PublishData: true,
		UpdateMetadata: true, Hidden: w.rnd.IntN(6) == 0,
	}
	if err := w.h.dir.Find(testKey).SetPermission(c.identity, p); err != nil {
		w.Fatalf("permitting: %v", err)
	}
	settle()
}

func (w *world) server() {
	owner, sid := w.anyTrack()
	if r := w.h.dir.Find(testKey); r != nil && owner.Identity != "" {
		_ = r.MuteTrack(owner.Identity, sid)
	}
}

func (w *world) wait() { time.Sleep(time.Duration(w.rnd.IntN(2000)) * time.Millisecond) }

// check is what must hold whenever nothing is under way.
func (w *world) check() {
	settle()
	time.Sleep(3 * time.Second) // whoever waits to be asked for an offer
	settle()
	if len(w.live)+len(w.cut) == 0 {
		return
	}
	r := w.h.dir.Find(testKey)
	all := r.Participants()
	if len(all) != len(w.live)+len(w.cut) || len(all) > worldPlaces {
		w.Errorf("%d participants, %d live, %d cut", len(all), len(w.live), len(w.cut))
	}
	for _, c := range w.live {
		w.h.agree(c)
		if l := c.leave(); l != nil {
			w.Errorf("%s was told %+v", c.identity, l)
		}
		w.checkMedia(c, all)
	}
	for _, c := range w.retired {
		if len(c.types()) != w.logs[c] || !c.hasEnded() || !c.peer().isClosed() {
			w.Errorf("%s, who has left, was told %v", c.identity, c.types()[w.logs[c]:])
		}
	}
}

// checkMedia compares what c's peer forwards with what the client knows of it.
func (w *world) checkMedia(c *client, all []ParticipantInfo) {
	exists := make(map[string]bool)
	for _, p := range all {
		for _, t := range p.Tracks {
			exists[t.SID] = true
		}
	}
	p := c.peer()
	p.mu.Lock()
	defer p.mu.Unlock()
	for sid := range p.subs {
		if !exists[sid] || !c.me().Permission.Subscribe {
			w.Errorf("%s receives %s", c.identity, sid)
		}
	}
	if audios, videos, offer := p.needLocked(); offer {
		w.Errorf("%s was not asked for %d, %d sections", c.identity, audios, videos)
	}
	if len(c.sections()) != len(p.subs) {
		w.Errorf("%s knows of %v, but receives %v", c.identity, c.sections(), p.subs)
	}
}

func TestRandomActions(t *testing.T) {
	runs := 150
	if testing.Short() {
		runs = 15
	}
	for seed := range runs {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, h *host) {
				w := &world{
					T: t, h: h, rnd: rand.New(rand.NewPCG(uint64(seed), 1)),
					live: make(map[string]*client), cut: make(map[string]*client), logs: make(map[*client]int),
				}
				w.join()
				for range 12 {
					for range 1 + w.rnd.IntN(8) {
						synctest.Wait()
						actions[w.rnd.IntN(len(actions))](w)
					}
					w.check()
					w.expire()
					if t.Failed() {
						return
					}
				}
			})
		})
	}
}

// expire keeps the books of those whose grace may have ended: it brings them
// back before that.
func (w *world) expire() {
	for _, id := range worldNames {
		if w.cut[id] != nil {
			c := w.cut[id]
			n, err := w.h.resume(c)
			if err != nil {
				w.Fatalf("resuming: %v", err)
			}
			delete(w.cut, id)
			w.live[id] = n
			n.offer()
		}
	}
}
