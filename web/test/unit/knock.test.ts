// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Knock } from '../../src/core/api/knock';
import { fakeDial } from './fake';

function setup(probe: () => Promise<unknown> = async () => ({}), back?: string, host?: string, name = 'Anna') {
  const wire = fakeDial();
  const seen: unknown[] = [];
  const knock = new Knock({
    url: 'wss://x/api/v1/knock',
    room: 'room',
    cap: 'cap',
    name,
    probe,
    ...(back && { back }),
    ...(host && { host }),
    dial: wire.dial,
    random: () => 1,
    events: {
      waiting: (present) => seen.push(['waiting', present]),
      doors: (knock, pages) => seen.push(['doors', knock, pages]),
      interrupted: () => seen.push('interrupted'),
      admitted: (a, moved) => seen.push(['admitted', a, ...(moved ? [moved] : [])]),
      declined: () => seen.push('declined'),
      closed: (reason) => seen.push(['closed', reason]),
      refused: (code) => seen.push(['refused', code]),
    },
  });
  return { ...wire, seen, knock };
}

describe('Knock', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('knocks first, then reports the wait', () => {
    const { last, seen } = setup();
    last().open();
    expect(last().sent).toEqual([{ type: 'knock', room: 'room', cap: 'cap', name: 'Anna' }]);
    last().say({ type: 'waiting', resume: 'r1', host_present: false });
    last().say({ type: 'waiting', resume: 'r1', host_present: true });
    expect(seen).toEqual([
      ['waiting', false],
      ['waiting', true],
    ]);
  });

  it('tells no name where that travels sealed, and for which pages it is to be', () => {
    const { last, seen, knock } = setup(undefined, undefined, undefined, '');
    last().open();
    expect(last().sent).toEqual([{ type: 'knock', room: 'room', cap: 'cap' }]);
    const page = { key: 'k', kem: 'm', sig: 's' };
    last().say({ type: 'doors', knock: 'id', pages: [page] });
    last().say({ type: 'doors', knock: 'id', pages: null });
    expect(seen).toEqual([
      ['doors', 'id', [page]],
      ['doors', 'id', []],
    ]);
    knock.seal({ for: 'k', data: 'x' });
    expect(last().sent.at(-1)).toEqual({ type: 'sealed', for: 'k', data: 'x' });
  });

  it('visits a host without a link, and is told of the room that is opened', () => {
    const { last, seen } = setup(undefined, undefined, 'muster');
    last().open();
    expect(last().sent).toEqual([{ type: 'knock', host: 'muster', name: 'Anna' }]);
    const moved = { room: 'r', cap: 'c', host: { id: 'muster', name: 'Dr. Muster' } };
    last().say({ type: 'admitted', token: 't', url: '/video', identity: 'i', moved });
    expect(seen).toEqual([['admitted', { token: 't', url: '/video', identity: 'i' }, moved]]);
  });

  it('asks for the place of somebody who was put back, and keeps it after a cut', async () => {
    const { last } = setup(async () => ({}), 'media');
    last().open();
    expect(last().sent).toEqual([{ type: 'knock', back: 'media' }]);
    last().drop();
    await vi.advanceTimersByTimeAsync(1000);
    last().open();
    expect(last().sent).toEqual([{ type: 'knock', back: 'media' }]);
    last().say({ type: 'waiting', resume: 'r1', host_present: true, back: true });
    last().drop();
    await vi.advanceTimersByTimeAsync(1000);
    last().open();
    expect(last().sent).toEqual([{ type: 'knock', room: 'room', cap: 'cap', name: 'Anna', resume: 'r1' }]);
  });

  it('answers an offer, and waits at the other room from then on', async () => {
    const { last, knock } = setup();
    last().open();
    last().say({ type: 'waiting', resume: 'r1', host_present: true, offer: { id: 'zweit', name: 'Dr. Zweit' } });
    knock.answer('zweit', true);
    expect(last().sent.at(-1)).toEqual({ type: 'answer', host: 'zweit', accept: true });
    const moved = { room: 'other', cap: 'cap2', host: { id: 'zweit', name: 'Dr. Zweit' } };
    last().say({ type: 'waiting', resume: 'r1', host_present: true, moved });
    last().drop();
    await vi.advanceTimersByTimeAsync(1000);
    last().open();
    expect(last().sent[0]).toEqual({ type: 'knock', room: 'other', cap: 'cap2', name: 'Anna', resume: 'r1' });
  });

  it('continues the same knock after a cut', async () => {
    const { last, sockets, seen } = setup();
    last().open();
    last().say({ type: 'waiting', resume: 'r1', host_present: true });
    last().drop();
    expect(seen.at(-1)).toBe('interrupted');
    await vi.advanceTimersByTimeAsync(999);
    expect(sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sockets).toHaveLength(2);
    last().open();
    expect(last().sent[0]).toMatchObject({ type: 'knock', resume: 'r1' });
  });

  it('backs off to 30 seconds and hurries on request', async () => {
    const { last, sockets, knock } = setup(() => Promise.reject(new Error('offline')));
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      const before = sockets.length;
      last().drop();
      await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
      expect(sockets).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(sockets).toHaveLength(before + 1);
    }
    last().drop();
    const before = sockets.length;
    knock.hurry();
    expect(sockets).toHaveLength(before + 1);
    knock.hurry();
    expect(sockets).toHaveLength(before + 1);
  });

  it('ends with the admission and closes the socket', () => {
    const { last, seen, sockets } = setup();
    last().open();
    last().say({ type: 'admitted', token: 't', url: '/video', identity: 'i' });
    last().drop();
    expect(seen).toEqual([['admitted', { token: 't', url: '/video', identity: 'i' }]]);
    expect(sockets[0]?.closed).toBe(true);
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });

  it.each([
    [{ type: 'declined' }, 'declined'],
    [{ type: 'closed', reason: 'ended' }, ['closed', 'ended']],
    [{ type: 'error', code: 'link_expired' }, ['refused', 'link_expired']],
    [{ type: 'error', code: 'room_full' }, ['refused', 'room_full']],
    [{ type: 'error', code: 'something new' }, 'interrupted'],
  ])('understands %j', (frame, want) => {
    const { last, seen } = setup();
    last().open();
    last().say(frame);
    expect(seen).toEqual([want]);
  });

  it('waits as long as the server asks', async () => {
    const { last, sockets } = setup();
    last().open();
    last().say({ type: 'error', code: 'too_many', retry_after: 12 });
    await vi.advanceTimersByTimeAsync(11_999);
    expect(sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sockets).toHaveLength(2);
  });

  it('finds out that only sockets are blocked', async () => {
    const { last, seen } = setup();
    for (const ms of [1000, 2000, 0]) {
      last().drop();
      await vi.advanceTimersByTimeAsync(ms);
    }
    expect(seen.at(-1)).toEqual(['refused', 'websocket']);
  });

  it('keeps trying when nothing works at all', async () => {
    const { last, seen, sockets } = setup(() => Promise.reject(new Error('offline')));
    for (const ms of [1000, 2000, 4000]) {
      last().drop();
      await vi.advanceTimersByTimeAsync(ms);
    }
    expect(seen).toEqual(['interrupted', 'interrupted', 'interrupted']);
    expect(sockets).toHaveLength(4);
  });

  it('notices a dead line by its silence', async () => {
    const { last, seen } = setup();
    last().open();
    last().say({ type: 'waiting', resume: 'r', host_present: true });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(last().sent.at(-1)).toEqual({ type: 'ping' });
    last().say({ type: 'pong' });
    await vi.advanceTimersByTimeAsync(20_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen.at(-1)).toBe('interrupted');
  });

  it('withdraws', () => {
    const { last, knock } = setup();
    last().open();
    knock.leave();
    expect(last().sent.at(-1)).toEqual({ type: 'leave' });
    expect(last().closed).toBe(true);
  });

  it('survives nonsense', () => {
    const { last, seen } = setup();
    last().open();
    for (const bad of ['', 'null', '[]', '{"x":1}', '"waiting"', '{']) last().say(bad);
    expect(seen).toEqual([]);
  });
});
