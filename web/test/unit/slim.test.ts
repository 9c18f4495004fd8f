// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { type Look, Slim, type SlimPort, SlimWatch, slim, usual } from '../../src/core/call/slim';

const calm: Look = { halted: false, down: undefined, saver: 0 };
const looks = (s: Slim, n: number, look: Partial<Look>) => {
  for (let i = 0; i < n; i++) s.look({ ...calm, ...look });
};

describe('slim sound', () => {
  it('is asked for where pictures are paused or data is saved, until the server says that the way is wide', () => {
    for (const [narrow, is] of [
      [{ halted: true }, true],
      [{ saver: 100 }, true],
      [{ saver: 500 }, false],
      [{}, false],
    ] as const) {
      const s = new Slim();
      looks(s, 2, narrow);
      expect(s.asks, JSON.stringify(narrow)).toBe(is);
    }
    const s = new Slim();
    looks(s, 2, { halted: true });
    looks(s, 100, {});
    looks(s, 100, { down: 200_000 });
    looks(s, 2, { down: 900_000 });
    expect(s.asks).toBe(true);
    looks(s, 1, { down: 900_000 });
    expect(s.asks).toBe(false);
  });

  it('is for those who ask and are there, among few', () => {
    const s = new Slim();
    s.hear('a', true);
    expect(s.sound([])).toBe(usual);
    expect(s.sound(['a', 'b', 'c'])).toBe(slim);
    expect(s.sound(['a', 'b', 'c', 'd'])).toBe(usual);
    s.hear('a', false);
    expect(s.sound(['a'])).toBe(usual);
  });
});

describe('watching the lines', () => {
  const names = new Map([
    [usual, 'usual'],
    [slim, 'slim'],
  ]);
  const settle = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };

  it('tells and changes once, tries again what failed, and asks the server only while it matters', async () => {
    const log: string[] = [];
    let seen = { paused: false, saver: 0, here: ['a'] as readonly string[] };
    let halts = true;
    let broken = true;
    const port: SlimPort = {
      seen: () => seen,
      ask: async () => {
        log.push('ask');
        return { carries: 900_000, halts: halts && seen.paused };
      },
      tell: (narrow) => log.push(`tell ${narrow}`),
      apply: async (sound) => {
        if (broken) throw new Error('no sound is sent');
        log.push(names.get(sound) ?? 'unknown');
      },
    };
    const w = new SlimWatch(port);
    let now = 0;
    const pass = async (n: number) => {
      for (let i = 0; i < n; i++) {
        w.look(now);
        now += 2_000;
        await settle();
      }
    };
    await pass(10);
    w.arrive();
    expect(log).toEqual([]);

    // The other one's line does not carry the picture: one's own is not narrow for that.
    halts = false;
    seen = { ...seen, paused: true };
    await pass(8);
    expect(log).toEqual(['ask', 'ask', 'ask', 'ask']);
    seen = { ...seen, paused: false };
    await pass(2);
    log.length = 0;

    halts = true;
    seen = { ...seen, paused: true };
    await pass(2);
    expect(log).toEqual(['ask', 'ask', 'tell true']);
    log.length = 0;
    await pass(6);
    w.arrive();
    expect(log).toEqual(['ask', 'ask', 'tell true']);
    log.length = 0;
    seen = { ...seen, paused: false };
    await pass(12);
    expect(log).toEqual(['ask', 'ask', 'ask', 'tell false']);
    log.length = 0;

    w.hear('a', true);
    await pass(4);
    broken = false;
    await pass(4);
    w.hear('a', false);
    await pass(1);
    expect(log).toEqual(['slim', 'usual']);
    log.length = 0;

    // A connection that was made anew is told again.
    w.hear('a', true);
    await pass(2);
    w.renew();
    await pass(2);
    expect(log).toEqual(['slim', 'slim']);
  });
});
