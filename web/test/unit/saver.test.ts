// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { most, pauseReason } from '../../src/core/call/paused';
import { megabytes, rate, saverDefault, savers } from '../../src/core/call/saver';
import type { Member } from '../../src/core/call/types';

const people = (running: number, paused: number): Member[] =>
  Array.from({ length: running + paused }, (_, i) => ({ camera: {}, cameraPaused: i >= running }) as Member);

describe('saving data', () => {
  it('begins with one of the rates on offer', () => {
    expect(savers).toContain(saverDefault);
    expect([...savers]).toEqual([...savers].sort((a, b) => b - a));
  });

  it('tells what an hour takes, and no more digits than it knows', () => {
    expect(savers.map(megabytes)).toEqual([450, 230, 110, 45]);
    expect(savers.map(rate)).toEqual(['1 Mbit/s', '500 kbit/s', '250 kbit/s', '100 kbit/s']);
  });
});

describe('a paused picture', () => {
  it('is explained by the line, by saving, or by the number of people', () => {
    expect(pauseReason({ remotes: people(2, 1), saver: 0 })).toBe('line');
    expect(pauseReason({ remotes: people(2, 1), saver: 100 })).toBe('saver');
    expect(pauseReason({ remotes: people(most, 1), saver: 0 })).toBe('many');
    expect(pauseReason({ remotes: people(most - 1, 3), saver: 0 })).toBe('line');
  });
});
