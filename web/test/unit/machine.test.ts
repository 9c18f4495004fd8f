// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { type Event, type State, step } from '../../src/core/flow/machine';

const walk = (from: State, ...events: Event[]) => events.reduce(step, from);
const primer: State = { at: 'primer' };

describe('flow', () => {
  it('goes from the primer into the call and out', () => {
    const waiting = walk(
      primer,
      { on: 'ask', want: 'both' },
      { on: 'ready', note: null },
      { on: 'join' },
      { on: 'waiting', hostPresent: false, now: 100 },
      { on: 'waiting', hostPresent: true, now: 900 },
    );
    expect(waiting).toEqual({ at: 'waiting', hostPresent: true, interrupted: false, since: 100 });
    const call = walk(waiting, { on: 'admitted' }, { on: 'connected' });
    expect(call).toEqual({ at: 'call' });
    expect(step(call, { on: 'left', seconds: 65, mayReturn: true })).toEqual({
      at: 'ended',
      code: null,
      seconds: 65,
      mayReturn: true,
    });
  });

  it('offers less when permission is refused', () => {
    const blocked = walk(primer, { on: 'ask', want: 'both' }, { on: 'refused', code: 10 });
    expect(blocked).toEqual({ at: 'blocked', code: 10, want: 'both' });
    expect(walk(blocked, { on: 'ask', want: 'audio' }, { on: 'ready', note: null })).toEqual({
      at: 'check',
      note: null,
    });
  });

  it('keeps the place while the line is cut', () => {
    const s: State = { at: 'waiting', hostPresent: true, interrupted: false, since: 5 };
    expect(step(s, { on: 'interrupted' })).toEqual({ ...s, interrupted: true });
    expect(walk(s, { on: 'interrupted' }, { on: 'waiting', hostPresent: true, now: 99 })).toEqual(s);
  });

  it('goes straight back to the door after a lost connection', () => {
    const lost = step({ at: 'call' }, { on: 'lost', code: 61, seconds: 3 });
    expect(lost).toMatchObject({ at: 'ended', code: 61 });
    expect(step(lost, { on: 'join' })).toEqual({ at: 'knocking', interrupted: false });
    expect(step(lost, { on: 'admitted' })).toEqual({ at: 'connecting' });
  });

  it('goes from the call back to the door when the host asks', () => {
    const knocking = step({ at: 'call' }, { on: 'back' });
    expect(step({ at: 'connecting' }, { on: 'back' })).toEqual(knocking);
    expect(knocking).toEqual({ at: 'knocking', interrupted: false });
    expect(step(knocking, { on: 'lost', code: 50, seconds: 9 })).toMatchObject({ at: 'ended', code: 50 });
    const news = { back: true };
    expect(step(knocking, { on: 'waiting', hostPresent: true, now: 3, news })).toMatchObject({ at: 'waiting', news });
  });

  it('leaves the door again', () => {
    const s: State = { at: 'waiting', hostPresent: true, interrupted: false, since: 5 };
    expect(step(s, { on: 'withdraw' })).toEqual({ at: 'check', note: null });
  });

  it('fails from everywhere', () => {
    for (const s of [primer, { at: 'call' }, { at: 'knocking', interrupted: false }] satisfies State[]) {
      expect(step(s, { on: 'fail', code: 45 })).toEqual({ at: 'fatal', code: 45 });
    }
  });

  it('ignores what does not belong to a state', () => {
    const cases: [State, Event][] = [
      [primer, { on: 'admitted' }],
      [primer, { on: 'join' }],
      [{ at: 'call' }, { on: 'ready', note: null }],
      [{ at: 'check', note: null }, { on: 'connected' }],
      [
        { at: 'ended', code: 50, seconds: 1, mayReturn: false },
        { on: 'waiting', hostPresent: true, now: 1 },
      ],
    ];
    for (const [s, e] of cases) expect(step(s, e)).toBe(s);
  });
});
