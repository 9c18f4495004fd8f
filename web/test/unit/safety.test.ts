// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { compareStep, digitGroups, lockState, otherDoors, stillCurrent, unsecured } from '../../src/core/call/safety';
import type { CallSnapshot, Encryption, Member } from '../../src/core/call/types';
import type { SafetyCode } from '../../src/core/e2ee/keys/types';

const digits = '048213957716620984127756310845592017733904126688513902471165';
const code: SafetyCode = { epoch: 2, words: [1, 2, 3, 4], digits };
const other: SafetyCode = { ...code, epoch: 3, digits: [...digits].reverse().join('') };
const on: Encryption = { state: 'on', code, verified: false, fresh: [], unseen: [], doors: 0, asking: [] };

const member = (name: string, securing: boolean) => ({ name, securing }) as Member;
const call = (encryption: Encryption | null, remotes: Member[] = []) =>
  ({ encryption, remotes }) as unknown as CallSnapshot;

describe('the lock', () => {
  it('shows each state of the encryption as one thing', () => {
    const want: [Encryption | null, string][] = [
      [null, 'server'],
      [{ ...on, state: 'waiting', code: null }, 'waiting'],
      [{ ...on, state: 'securing', code: null }, 'securing'],
      [{ ...on, code: null }, 'alone'],
      [on, 'open'],
      [{ ...on, verified: true }, 'verified'],
      [{ ...on, fresh: ['Anna'] }, 'again'],
    ];
    for (const [e, state] of want) expect(lockState(e)).toBe(state);
  });

  it('never shows a check mark while keys are agreed on, or for who has come since', () => {
    expect(lockState({ ...on, state: 'securing', verified: true })).toBe('securing');
    expect(lockState({ ...on, verified: true, fresh: ['Anna'] })).toBe('again');
    expect(lockState({ ...on, verified: true, code: null })).toBe('alone');
  });

  it('names those whom nothing reaches', () => {
    expect(unsecured(call(on, [member('Anna', true), member('Boris', false), member('Chiara', true)]))).toEqual([
      'Anna',
      'Chiara',
    ]);
  });
});

describe('comparing', () => {
  it('waits for words, and keeps to those that were begun with', () => {
    expect(compareStep('', null)).toBe('wait');
    expect(compareStep('', code)).toBe('words');
    expect(compareStep(digits, null)).toBe('wait');
    expect(compareStep(digits, other)).toBe('changed');
  });

  it('goes on when keys are renewed and the words stay', () => {
    expect(compareStep(digits, { ...code, epoch: 9 })).toBe('words');
  });

  it('takes an answer for the words on the screen alone', () => {
    expect(stillCurrent(digits, call(on))).toBe(true);
    expect(stillCurrent(digits, call({ ...on, code: other }))).toBe(false);
    expect(stillCurrent(digits, call({ ...on, code: null }))).toBe(false);
    expect(stillCurrent('', call(on))).toBe(false);
    expect(stillCurrent(digits, call(null))).toBe(false);
  });

  it('shows sixty digits in twelve groups', () => {
    const groups = digitGroups(digits);
    expect(groups).toHaveLength(12);
    expect(groups.every((g) => g.length === 5)).toBe(true);
    expect(groups.join('')).toBe(digits);
  });

  it('counts the pages beside the own one that names were sealed for', () => {
    expect(otherDoors('own', [])).toBe(0);
    expect(otherDoors('own', [['own'], ['own'], []])).toBe(0);
    expect(otherDoors('own', [['own', 'a'], ['a'], ['b']])).toBe(2);
  });
});
