// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it, vi } from 'vitest';
import { escapeTwice, onExit, quickExit } from '../../src/core/flow/exit';

const press = (key: string, timeStamp: number, repeat = false) => ({ key, timeStamp, repeat });

describe('the quick exit', () => {
  it('stops everything, hides the page, and replaces it', () => {
    const done: string[] = [];
    const page = { documentElement: { hidden: false } as HTMLElement };
    const replace = vi.fn((url: string) => done.push(url));
    const undo = onExit(() => done.push('camera'));
    const broken = onExit(() => {
      throw new Error('broken');
    });
    onExit(() => done.push('room'));
    quickExit({ replace }, page);
    expect(done).toEqual(['camera', 'room', 'about:blank']);
    expect(page.documentElement.hidden).toBe(true);
    undo();
    broken();
    done.length = 0;
    quickExit({ replace }, page);
    expect(done).toEqual(['room', 'about:blank']);
  });

  it('takes two presses of Escape, one soon after the other', () => {
    const twice = escapeTwice();
    expect(twice(press('Escape', 0))).toBe(false);
    expect(twice(press('Escape', 500))).toBe(true);
    const slow = escapeTwice();
    expect(slow(press('Escape', 0))).toBe(false);
    expect(slow(press('Escape', 800))).toBe(false);
    expect(slow(press('Escape', 1000))).toBe(true);
  });

  it('is no held key, and nothing between', () => {
    const twice = escapeTwice();
    expect(
      [press('Escape', 0), press('Escape', 30, true), press('a', 60), press('Escape', 90)].map(twice),
    ).not.toContain(true);
  });
});
