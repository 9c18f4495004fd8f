// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

// A host's page may put a key into the link of a room, which never comes here
// (PROTOCOL-E2EE.md). That there is one is noted, so that pages can tell people at
// once what would fail later: whoever lacks the key gets no call, whatever is noted.

// keyable tells that the link may get a key: no letter has one without it, and
// nobody has come by one.
func (r *record) keyable() bool {
	untouched := !r.kept && !r.keyed && !r.visited && len(r.knocks) == 0
	return r.open() && r.grant != "" && untouched && r.site.E2EERequired()
}

// keyLink notes that a room's link has a key now. It cannot be taken out again:
// whoever has the link would be left with one that opens nothing.
func (h *hostSession) keyLink(f hostFrame) (result, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	r, err := h.ownedLocked(f.Room)
	switch {
	case err != nil:
		return result{}, err
	case r.keyed:
		return result{}, nil
	case !r.keyable():
		return result{}, fail(CodeConflict)
	}
	grant, err := h.d.keys.Grant(h.key.site, r.granted(r.locked, true))
	if err != nil {
		return result{}, err
	}
	r.grant, r.keyed = grant, true
	h.d.wakeHostLocked(h.key)
	return result{}, nil
}
