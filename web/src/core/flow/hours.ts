// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The hours of an open consultation, arranged for the eye.

import type { Hours } from '../api/types';
import { dateIn } from './plan';

export interface DaySpan {
  /** Days of the week, 0 is Monday; both the same for one day. */
  first: number;
  last: number;
  times: readonly (readonly [string, string])[];
}

/** Days in a row with the same times are one line; closed days have none. */
export function week(hours: Hours): readonly DaySpan[] {
  const lines: DaySpan[] = [];
  for (const [day, times] of (hours.week ?? []).entries()) {
    const before = lines.at(-1);
    if (before && before.last === day - 1 && String(before.times) === String(times)) before.last = day;
    else if (times.length) lines.push({ first: day, last: day, times });
  }
  return lines;
}

export type Nearness = 'today' | 'tomorrow' | 'later';

/** How far away the day of a moment is by the clock of a zone. */
export function nearness(at: string, zone: string, now: number): Nearness {
  const day = dateIn(at, zone);
  // Noon, so that no change of clocks makes a day of a different name.
  const noon = Date.parse(`${dateIn(now, zone)}T12:00:00Z`);
  if (day === dateIn(noon, 'UTC')) return 'today';
  return day === dateIn(noon + 86_400_000, 'UTC') ? 'tomorrow' : 'later';
}
