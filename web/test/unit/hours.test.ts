// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import type { Hours } from '../../src/core/api/types';
import { nearness, week } from '../../src/core/flow/hours';

const zone = 'Europe/Berlin';

describe('opening hours', () => {
  it('join days that are alike and in a row', () => {
    const office = [['08:00', '12:00']] as const;
    const all: Hours = {
      open: false,
      timezone: zone,
      week: [office, office, [], office, office, [['10:00', '11:00']], []],
    };
    expect(week(all)).toEqual([
      { first: 0, last: 1, times: office },
      { first: 3, last: 4, times: office },
      { first: 5, last: 5, times: [['10:00', '11:00']] },
    ]);
    expect(week({ open: true, timezone: zone })).toEqual([]);
  });

  it('know today and tomorrow by the clock of the practice', () => {
    const now = Date.parse('2026-11-30T23:30:00Z'); // 1 December there
    expect(nearness('2026-12-01T08:00:00+01:00', zone, now)).toBe('today');
    expect(nearness('2026-12-02T08:00:00+01:00', zone, now)).toBe('tomorrow');
    expect(nearness('2026-12-03T08:00:00+01:00', zone, now)).toBe('later');
    // The night in which clocks go back has 25 hours.
    expect(nearness('2026-10-26T00:30:00+01:00', zone, Date.parse('2026-10-25T00:30:00+02:00'))).toBe('tomorrow');
  });
});
