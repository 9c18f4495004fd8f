// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { Faces } from '../../src/core/call/faces';
import { most } from '../../src/core/call/paused';

const people = (n: number) => Array.from({ length: n }, (_, i) => `p${i + 1}`);
const all = people(most + 3);

describe('whose cameras are shown', () => {
  it('is everybody where there is room', () => {
    expect([...new Faces().chosen(people(most))]).toEqual(people(most));
    expect(new Faces().chosen([]).size).toBe(0);
  });

  it('is who came first where nobody has spoken', () => {
    expect(new Faces().chosen(all)).toEqual(new Set(people(most)));
  });

  it('takes a speaker in for who has been silent for longest, and keeps the others', () => {
    const f = new Faces();
    f.heard(['p14']);
    expect(f.chosen(all)).toEqual(new Set([...people(most - 1), 'p14']));
    f.heard(['p13']);
    const now = f.chosen(all);
    expect(now).toEqual(new Set([...people(most - 2), 'p13', 'p14']));
    for (const who of ['p1', 'p14', 'p5']) {
      f.heard([who]);
      expect(f.chosen(all)).toEqual(now);
    }
  });

  it('lets who spoke long ago go for who speaks now', () => {
    const f = new Faces();
    for (const who of all) f.heard([who]);
    expect(f.chosen(all)).toEqual(new Set(all.slice(3)));
    f.heard(['p1', 'p2']);
    expect(f.chosen(all)).toEqual(new Set(['p1', 'p2', ...all.slice(5)]));
  });

  it('forgets who has gone, and counts only cameras that are on', () => {
    const f = new Faces();
    f.heard(['p15']);
    f.gone('p15');
    expect(f.chosen(all).has('p15')).toBe(false);
    f.heard(['p15']);
    expect(f.chosen(all.filter((p) => p !== 'p15'))).toEqual(new Set(people(most)));
  });
});
