// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { calendar, left, otherClock } from '../../src/core/flow/appointment';

const minute = 60_000;

describe('an appointment', () => {
  it('counts down in whole minutes, and is there at its time', () => {
    expect(left(0, 0)).toBeNull();
    expect(left(1, 0)).toEqual({ days: 0, hours: 0, minutes: 1 });
    expect(left(61 * minute, 0)).toEqual({ days: 0, hours: 1, minutes: 1 });
    expect(left(60 * minute - 1, 0)).toEqual({ days: 0, hours: 1, minutes: 0 });
    expect(left(2 * 1440 * minute + 5 * minute, 0)).toEqual({ days: 2, hours: 0, minutes: 5 });
  });

  it('is shown by a second clock where that differs, summer and winter', () => {
    const at = '2026-11-24T14:30:00+01:00';
    expect(otherClock(at, 'Europe/Berlin', 'Europe/Vienna')).toBe(false);
    expect(otherClock(at, 'Europe/Berlin', 'Europe/London')).toBe(true);
    // Three weeks in spring in which New York is an hour nearer: still another clock.
    expect(otherClock('2026-03-20T14:30:00+01:00', 'Europe/Berlin', 'America/New_York')).toBe(true);
    expect(otherClock(at, 'Nowhere/Else', 'Europe/Berlin')).toBe(false);
  });

  it('goes into a calendar without a word about what it is', () => {
    const text = calendar({ start: '2026-11-24T14:30:00+01:00', duration_minutes: 50 }, 'Termin; Video, a', 'u1', 0);
    expect(text).toContain('\r\nDTSTART:20261124T133000Z\r\nDTEND:20261124T142000Z\r\n');
    expect(text).toContain('\r\nSUMMARY:Termin\\; Video\\, a\r\n');
    expect(text).toContain('DTSTAMP:19700101T000000Z');
    expect(text.split('\r\n').every((l) => l.length <= 75)).toBe(true);
  });
});
