// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import "sync"

// census counts the people of each site, so that a bound on them holds whichever
// rooms they come into at the same moment. Its mutex is a leaf.
type census struct {
	mu    sync.Mutex
	sites map[string]map[*Room]int
}

// enter counts one more person in a room, unless its site has most already; 0: no
// bound.
func (c *census) enter(r *Room, most int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if most > 0 && c.countLocked(r.key.Site) >= most {
		return false
	}
	if c.sites == nil {
		c.sites = make(map[string]map[*Room]int)
	}
	if c.sites[r.key.Site] == nil {
		c.sites[r.key.Site] = make(map[*Room]int)
	}
	c.sites[r.key.Site][r]++
	return true
}

// leave counts one person less in a room.
func (c *census) leave(r *Room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rooms := c.sites[r.key.Site]
	if rooms[r]--; rooms[r] <= 0 {
		c.forgetLocked(r)
	}
}

// forget takes a room that has ended out, with whoever is left in it.
func (c *census) forget(r *Room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetLocked(r)
}

func (c *census) forgetLocked(r *Room) {
	rooms := c.sites[r.key.Site]
	delete(rooms, r)
	if len(rooms) == 0 {
		delete(c.sites, r.key.Site)
	}
}

func (c *census) count(site string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.countLocked(site)
}

func (c *census) countLocked(site string) (n int) {
	for _, people := range c.sites[site] {
		n += people
	}
	return n
}
