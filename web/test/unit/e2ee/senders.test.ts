// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { keptFor, SenderKeys } from '../../../src/core/e2ee/keys/senders';
import type { SenderKey } from '../../../src/core/e2ee/keys/types';

const keyOf = (generation: number): SenderKey => ({
  epoch: 1,
  generation,
  index: generation % 256,
  secret: new Uint8Array(32).fill(1),
  content: new Uint8Array(32).fill(2),
});

describe('SenderKeys', () => {
  it('wipes old keys after their time, but not the one that is used', () => {
    const forgotten: number[] = [];
    const keys = new SenderKeys({ install: () => {}, forget: (_, index) => forgotten.push(index) });
    const [first, second, third] = [keyOf(1), keyOf(2), keyOf(3)];
    for (const key of [first, second, third]) keys.install('a', key, 0);
    keys.expire(keptFor - 1, undefined);
    expect(forgotten).toEqual([]);
    keys.expire(keptFor, first);
    expect(forgotten).toEqual([2]);
    expect(first.secret[0]).toBe(1);
    expect([...second.secret, ...second.content].every((b) => b === 0)).toBe(true);
    keys.expire(keptFor, third);
    expect(forgotten).toEqual([2, 1]);
    expect(keys.newest('a')).toBe(third);
    keys.remove('a');
    expect(forgotten).toEqual([2, 1, 3]);
    expect(third.secret[0]).toBe(0);
  });

  it('keep an index that is given anew', () => {
    const forgotten: number[] = [];
    const keys = new SenderKeys({ install: () => {}, forget: (_, index) => forgotten.push(index) });
    for (const key of [keyOf(1), keyOf(2), keyOf(257)]) keys.install('a', key, 0);
    keys.expire(keptFor, undefined);
    expect(forgotten).toEqual([2]);
  });
});
