// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"context"
	"path"
	"strings"
	"time"
)

// unfinishedTime is how long a write may be under way before what it has left
// counts as abandoned.
const unfinishedTime = 5 * time.Minute

// Sweep deletes what processes that died while they wrote have left in the folders
// of a site: whole records, with everything that they say of people, under names
// that nobody would ever look for. It deletes what an earlier call has seen at
// least five minutes before.
func (r *Records) Sweep(ctx context.Context, site string) error {
	now, seen := r.now(), make(map[string]time.Time)
	for _, kind := range []Kind{Appointment, Mail, Call, quarantine} {
		keys, err := r.list(ctx, folder(site, kind))
		if err != nil {
			return err
		}
		for _, k := range keys {
			if !unfinished(k) {
				continue
			}
			first, known := r.seenBefore(site, k)
			switch {
			case !known || first.After(now):
				seen[k] = now
			case now.Sub(first) < unfinishedTime:
				seen[k] = first
			default:
				if err := r.remove(ctx, k); err != nil {
					return err
				}
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.litter[site] = seen
	return nil
}

func (r *Records) seenBefore(site, k string) (first time.Time, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first, known = r.litter[site][k]
	return first, known
}

// unfinished tells the temporary files of certmagic's file storage: they stand
// beside the record and are named with digits alone.
func unfinished(k string) bool {
	name := path.Base(k)
	return name != "" && strings.Trim(name, "0123456789") == ""
}
