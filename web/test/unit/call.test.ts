// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { append, longest, outgoing } from '../../src/core/call/chat';
import { arrangement, clock, columns, shownAspect } from '../../src/core/call/layout';

describe('layout', () => {
  it('gives tiles the most room', () => {
    expect(columns(1, 1000, 600)).toBe(1);
    expect(columns(2, 390, 700)).toBe(1);
    expect(columns(2, 1200, 600)).toBe(2);
    expect(columns(4, 1200, 700)).toBe(2);
    expect(columns(12, 1200, 700)).toBe(4);
    expect(columns(12, 390, 700)).toBe(2);
    expect(columns(5, 0, 0)).toBe(1);
  });

  it('never makes tiles overflow the box', () => {
    for (let n = 1; n <= 12; n++) {
      for (const [w, h] of [
        [320, 480],
        [390, 700],
        [1280, 640],
        [2560, 1300],
      ] as const) {
        const cols = columns(n, w, h);
        expect(cols * Math.ceil(n / cols)).toBeGreaterThanOrEqual(n);
        expect(cols).toBeLessThanOrEqual(n);
      }
    }
  });

  it('chooses one arrangement', () => {
    expect(arrangement(0, 0)).toBe('alone');
    expect(arrangement(1, 0)).toBe('pair');
    expect(arrangement(5, 0)).toBe('grid');
    expect(arrangement(1, 1)).toBe('screen');
  });

  it('fills the space but never cuts a face away', () => {
    const wide = { width: 1280, height: 720 };
    expect(shownAspect(wide, { width: 1200, height: 700 }, 0.42)).toBeCloseTo(12 / 7);
    expect(shownAspect(wide, { width: 374, height: 750 }, 0.42)).toBeCloseTo((16 / 9) * 0.42);
    expect(shownAspect({ width: 720, height: 1280 }, { width: 1600, height: 700 }, 0.5)).toBeCloseTo(1.125);
    expect(shownAspect(wide, { width: 374, height: 750 }, 1)).toBeCloseTo(16 / 9);
    expect(shownAspect({ width: 0, height: 0 }, { width: 400, height: 200 }, 1)).toBe(2);
  });

  it('reads the clock', () => {
    expect([0, 61, 3600, 3725.9, -5].map(clock)).toEqual(['00:00', '01:01', '1:00:00', '1:02:05', '00:00']);
  });
});

describe('chat', () => {
  it('sends no emptiness and nothing endless', () => {
    expect(outgoing('  \n ')).toBeNull();
    expect(outgoing(' Guten Tag ')).toBe('Guten Tag');
    expect([...(outgoing('😀'.repeat(longest + 9)) ?? '')]).toHaveLength(longest);
  });

  it('keeps a bounded list without doubles', () => {
    const line = (id: string) => ({ id, from: 'A', text: 'x', at: 0 });
    const one = append([], line('a'));
    expect(append(one, line('a'))).toBe(one);
    let many = one;
    for (let i = 0; i < 700; i++) many = append(many, line(`n${i}`));
    expect(many).toHaveLength(500);
    expect(many.at(-1)?.id).toBe('n699');
  });
});
