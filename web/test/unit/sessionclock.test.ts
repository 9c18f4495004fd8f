// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { sessionTime } from '../../src/core/call/sessionclock';

const minute = 60_000;

describe('the session clock', () => {
  it('counts up with an open end', () => {
    expect(sessionTime(0, null, 65_400)).toEqual({ elapsed: 65, left: null, state: 'open' });
    expect(sessionTime(1000, null, 0).elapsed).toBe(0);
  });

  it('hints in the last five minutes, and says when time is over', () => {
    const at = (now: number) => sessionTime(0, 50 * minute, now);
    expect(at(45 * minute - 1000)).toMatchObject({ left: 301, state: 'running' });
    expect(at(45 * minute)).toMatchObject({ left: 300, state: 'ending' });
    expect(at(50 * minute - 1)).toMatchObject({ left: 1, state: 'ending' });
    expect(at(50 * minute)).toMatchObject({ left: 0, state: 'over' });
    expect(at(53 * minute)).toMatchObject({ left: -180, state: 'over' });
  });
});
