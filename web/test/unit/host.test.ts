// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/core/api/client';
import { HostChannel, type HostOptions } from '../../src/core/api/host';
import type { HostRoom, HostSession } from '../../src/core/api/types';
import { fakeDial } from './fake';

const host = { id: 'muster', name: 'Dr. Muster' };
const room: HostRoom = {
  id: 'r1',
  grant: 'g1',
  link: 'r/r1#s=c',
  opened_at: '2026-11-21T10:00:00Z',
  participants: [],
  waiting: [],
};

function setup(session?: () => Promise<HostSession>, more: Partial<HostOptions> = {}) {
  const wire = fakeDial();
  let n = 0;
  const login = vi.fn(session ?? (async () => ({ token: `t${++n}`, expires_in: 600, host })));
  const channel = new HostChannel({ url: 'wss://x', session: login, dial: wire.dial, random: () => 1, ...more });
  return { ...wire, channel, login };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('HostChannel', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('signs in, says hello, shows the state', async () => {
    const { channel, last } = setup();
    await settle();
    last().open();
    expect(last().sent).toEqual([{ type: 'hello', token: 't1', rooms: [] }]);
    expect(channel.state.value).toMatchObject({ link: 'connecting', host });
    last().say({ type: 'state', host, rooms: [room] });
    expect(channel.state.value).toEqual({
      link: 'up',
      host,
      rooms: [room],
      colleagues: [],
      appointments: [],
      mailTrouble: 0,
      calendarTrouble: '',
      office: null,
      walkIn: null,
    });
  });

  it('announces its key on each connection, and shows what it found out itself', async () => {
    const page = { key: 'k', kem: 'm', sig: 's' };
    let name = '';
    const waiting = [{ id: 'w', name: '', since: '' }];
    const { channel, last } = setup(undefined, {
      door: async () => page,
      dress: (rooms) => rooms.map((r) => ({ ...r, waiting: r.waiting.map((w) => ({ ...w, name })) })),
    });
    await settle();
    last().open();
    await settle();
    expect(last().sent).toEqual([
      { type: 'hello', token: 't1', rooms: [] },
      { type: 'door', ...page },
    ]);
    last().say({ type: 'state', host, rooms: [{ ...room, waiting }] });
    expect(channel.state.value.rooms[0]?.waiting[0]?.name).toBe('');
    name = 'Anna';
    channel.dress();
    expect(channel.state.value.rooms[0]?.waiting[0]?.name).toBe('Anna');
    last().drop();
    await vi.advanceTimersByTimeAsync(60_000);
    last().open();
    await settle();
    expect(last().sent.at(-1)).toEqual({ type: 'door', ...page });
  });

  it('matches results to commands', async () => {
    const { channel, last } = setup();
    await settle();
    last().open();
    const one = channel.do({ do: 'open_room' });
    const two = channel.do({ do: 'admit', room: 'r1', knock: 'k' });
    expect(last().sent.slice(1)).toEqual([
      { type: 'cmd', id: 1, do: 'open_room' },
      { type: 'cmd', id: 2, do: 'admit', room: 'r1', knock: 'k' },
    ]);
    last().say({ type: 'result', id: 2, ok: false, error: { code: 'not_found' } });
    last().say({ type: 'result', id: 1, ok: true, room: 'r9' });
    last().say({ type: 'result', id: 77, ok: true });
    await expect(one).resolves.toMatchObject({ room: 'r9' });
    await expect(two).rejects.toMatchObject({ code: 'not_found' });
  });

  it('hands the grants back after a cut, with the refreshed token', async () => {
    const { channel, last, login } = setup();
    await settle();
    last().open();
    last().say({ type: 'state', host, rooms: [room] });
    last().say({ type: 'session', token: 'fresh', expires_in: 600 });
    const pending = channel.do({ do: 'open_room' });
    last().drop();
    await expect(pending).rejects.toMatchObject({ code: 'network' });
    expect(channel.state.value).toMatchObject({ link: 'down', rooms: [room] });
    await vi.advanceTimersByTimeAsync(1000);
    last().open();
    expect(last().sent).toEqual([{ type: 'hello', token: 'fresh', rooms: ['g1'] }]);
    expect(login).toHaveBeenCalledTimes(1);
  });

  it('asks for a new session when the old one ran out', async () => {
    const { last, login } = setup();
    await settle();
    last().open();
    last().say({ type: 'error', code: 'not_host' });
    await vi.advanceTimersByTimeAsync(1000);
    last().open();
    expect(login).toHaveBeenCalledTimes(2);
    expect(last().sent[0]).toMatchObject({ token: 't2' });
  });

  it('stops for good when this is no host', async () => {
    const { channel, sockets } = setup(() => Promise.reject(new ApiError('not_host')));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(channel.state.value.link).toBe('refused');
    expect(sockets).toHaveLength(0);
  });

  it('keeps trying when the server is away', async () => {
    let up = false;
    const { channel, sockets, login } = setup(async () => {
      if (!up) throw new ApiError('network');
      return { token: 't', expires_in: 600, host };
    });
    await vi.advanceTimersByTimeAsync(6999);
    expect(login).toHaveBeenCalledTimes(3);
    expect(channel.state.value.link).toBe('down');
    up = true;
    channel.hurry();
    await settle();
    expect(sockets).toHaveLength(1);
  });

  it('refuses commands without a line, and gives up on silent ones', async () => {
    const { channel, last } = setup();
    await expect(channel.do({ do: 'open_room' })).rejects.toMatchObject({ code: 'network' });
    await settle();
    last().open();
    const silent = expect(channel.do({ do: 'open_room' })).rejects.toMatchObject({ code: 'network' });
    await vi.advanceTimersByTimeAsync(15_000);
    await silent;
  });

  it('closes', async () => {
    const { channel, last, sockets } = setup();
    await settle();
    last().open();
    channel.close();
    expect(last().closed).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(1);
  });
});
