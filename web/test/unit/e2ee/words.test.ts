// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { codeWords, wordList } from '../../../src/core/e2ee/keys/words';

/** How many letters must change to make one of the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

describe('safety words', () => {
  for (const language of ['de', 'en'] as const) {
    it(`are 2048 that differ (${language})`, () => {
      const list = wordList(language);
      expect(list).toHaveLength(2048);
      expect(new Set(list.map((w) => w.toLowerCase().replace(' ', ''))).size).toBe(2048);
      for (const w of list) expect(w).toMatch(/^[A-Za-zÄÖÜäöüß]+( [a-z]+)?$/);
      const firsts = Array.from({ length: 64 }, (_, i) => list[i * 32] ?? '');
      const near = [...firsts.entries()].flatMap(([i, a]) => firsts.slice(i + 1).filter((b) => distance(a, b) < 2));
      expect(near).toEqual([]);
      const seconds = list.slice(0, 32);
      expect(seconds.flatMap((a, i) => seconds.slice(i + 1).filter((b) => distance(a, b) < 2))).toEqual([]);
    });
  }

  it('stand for their numbers', () => {
    expect(codeWords([0, 1, 32, 2047], 'de')).toEqual(['Ahornallee', 'Ahornbach', 'Apfelallee', 'Zimtzimmer']);
    expect(codeWords([0, 2047], 'en')).toEqual(['acorn avenue', 'zebra window']);
    expect(() => codeWords([2048], 'de')).toThrow(RangeError);
  });
});
