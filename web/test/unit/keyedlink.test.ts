// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Links with a secret, at the pages that make and take them, with a server that is honest and with one that is not.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HostRoom } from '../../src/core/api/types';
import type { SecureOptions } from '../../src/core/call/secured';
import { Arrive } from '../../src/core/flow/arrive';
import { Desk } from '../../src/core/flow/desk';
import type { CallModule } from '../../src/core/flow/visit';
import { Visit } from '../../src/core/flow/visit';
import { type Page, readPage } from '../../src/core/page';
import { FakeSocket } from './fake';

vi.mock('../../src/core/e2ee/able', () => ({ canEncrypt: async () => true }));

const id = 'abcdefghijklmnopqrstuvwx27';
const secret = 'QUJDREVGR0hJSktMTU5PUA';
const octets = new TextEncoder().encode('ABCDEFGHIJKLMNOP');
const page = (kind: 'room' | 'host', e2ee = true): Page =>
  readPage({ page: kind, base: '/video', e2ee: e2ee ? 'required' : 'off' }, kind === 'room' ? `/video/r/${id}` : '/');

let sockets: FakeSocket[] = [];
/** Everything that left the page. */
let sent: string[] = [];
let kept: Map<string, string>;
let answer: unknown;

class Dialled extends FakeSocket {
  constructor(url: string) {
    super();
    sent.push(url);
    sockets.push(this);
  }
  override send(data: string): void {
    sent.push(data);
    super.send(data);
  }
}

const last = () => sockets.at(-1) as FakeSocket;
const soon = (look: () => void) => vi.waitFor(look, { timeout: 3_000, interval: 5 });

beforeEach(() => {
  sockets = [];
  sent = [];
  kept = new Map();
  const nav = { onLine: true, userAgent: '', mediaDevices: {} };
  const place = {
    protocol: 'https:',
    host: 'praxis.example',
    origin: 'https://praxis.example',
    hash: '',
    reload: vi.fn(),
  };
  vi.stubGlobal('navigator', nav);
  vi.stubGlobal('location', place);
  vi.stubGlobal('window', {
    ...{ addEventListener: () => {}, RTCPeerConnection: 1, WebSocket: 1 },
    HTMLDialogElement: 1,
    navigator: nav,
  });
  vi.stubGlobal('document', { addEventListener: () => {}, visibilityState: 'visible' });
  vi.stubGlobal('history', { replaceState: vi.fn() });
  vi.stubGlobal('WebSocket', Dialled);
  vi.stubGlobal('localStorage', {
    getItem: (k: string) => kept.get(k) ?? null,
    setItem: (k: string, v: string) => void kept.set(k, v),
    removeItem: (k: string) => void kept.delete(k),
  });
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    sent.push(url, String(init.body ?? ''));
    return { ok: true, status: 200, json: async () => answer };
  });
});
afterEach(() => vi.unstubAllGlobals());

/** Nothing that left the page has the secret in any form. */
function staysHere(text = secret): void {
  const all = sent.join('\n');
  expect(sent.length).toBeGreaterThan(0);
  for (const form of [
    text,
    Buffer.from(text, 'base64url').toString('hex'),
    Buffer.from(text, 'base64url').toString('base64'),
  ])
    expect(all).not.toContain(form);
}

describe('a link on arrival', () => {
  const arrived = async (link: string | null, keyed?: boolean, cap = 'cap', e2ee = true) => {
    answer = { host: { id: 'muster', name: 'Dr. Muster' }, open: true, ...(keyed !== undefined && { keyed }) };
    const arrive = new Arrive({ ...page('room'), e2ee }, cap, link);
    await arrive.start();
    if (sent.length > 0) staysHere();
    const s = arrive.state.value;
    return s.at === 'failed' ? s.code : s.at;
  };

  it('is whole with its secret, and without one where it has none', async () => {
    expect(await arrived(secret, true)).toBe('welcome');
    expect(await arrived(null)).toBe('welcome');
    expect(await arrived(null, false)).toBe('welcome');
  });

  it('is incomplete where the secret is missing, and where it is damaged', async () => {
    expect(await arrived(null, true)).toBe(44);
    for (const link of ['', secret.slice(1), `${secret}A`, 'A'.repeat(22), `${secret.slice(0, -1)}B`]) {
      expect(await arrived(link, true), link).toBe(44);
      expect(await arrived(link), link).toBe(44);
    }
  });

  it('keeps its secret where the server denies that there is one', async () => {
    expect(await arrived(secret, false)).toBe('welcome');
  });

  it('begins no call without encryption where it was agreed on, and asks nobody', async () => {
    expect(await arrived(null, undefined, 'e2ee-cap', false)).toBe(48);
    expect(sent).toEqual([]);
    expect(await arrived(null, undefined, 'e2ee-cap')).toBe('welcome');
    expect(await arrived(null, undefined, 'cap', false)).toBe('welcome');
  });
});

describe('a visitor with a secret', () => {
  async function knocking(link: string | null, e2ee = true, failure?: { code: number }) {
    const connected: (SecureOptions | undefined)[] = [];
    const module: CallModule = {
      connect: async (o) => {
        connected.push(o.secure);
        if (failure) throw failure;
        return {} as never;
      },
    };
    const visit = new Visit(page('room', e2ee), 'cap', async () => module, link);
    await visit.ask('none');
    visit.join('Anna');
    const began = sockets.length;
    if (link !== '') {
      await soon(() => expect(sockets.length).toBe(began + 1));
      last().open();
    }
    return { visit, connected };
  }
  const admitted = { type: 'admitted', token: 't', url: '/video', identity: 'me' };
  const moved = { room: `z${id.slice(1)}`, cap: 'c', host: { id: 'zweit', name: 'Dr. Zweit' } };
  const waiting = { type: 'waiting', resume: 'r', host_present: true };

  it('brings it to the call, also where the server says that nothing is encrypted', async () => {
    for (const e2ee of [true, false]) {
      const { visit, connected } = await knocking(secret, e2ee);
      expect(last().sent[0]).toMatchObject({ type: 'knock', key: expect.stringMatching(/^[\w-]{43}$/) });
      last().say(admitted);
      await soon(() => expect(visit.state.value.at).toBe('call'));
      expect(connected[0]?.link).toEqual(octets);
      expect(connected[0]?.key.id).toBe(last().sent[0]?.['key']);
      staysHere();
    }
  });

  it('asks for its place at the door where the host put it back before its call had begun', async () => {
    for (const kept of [true, false]) {
      const { visit } = await knocking(secret, true, { code: 50 });
      const key = last().sent[0]?.['key'];
      const began = sockets.length;
      last().say(admitted);
      await soon(() => expect(sockets.length).toBe(began + 1));
      expect(visit.state.value.at).toBe('knocking');
      last().open();
      expect(last().sent[0]).toEqual({ type: 'knock', back: 't', key });
      if (kept) last().say({ ...waiting, back: true });
      else last().say({ type: 'error', code: 'not_allowed' });
      const removed = { at: 'ended', code: 50, seconds: 0, mayReturn: false };
      expect(visit.state.value).toMatchObject(kept ? { at: 'waiting', news: { back: true } } : removed);
    }
  });

  it('has none in a call whose link has none', async () => {
    const { visit, connected } = await knocking(null);
    last().say(admitted);
    await soon(() => expect(visit.state.value.at).toBe('call'));
    expect(connected[0]).not.toHaveProperty('link');
  });

  it('is never led to another room, neither from the door nor on the way in', async () => {
    for (const frame of [
      { ...waiting, moved },
      { ...admitted, moved },
    ]) {
      const { visit, connected } = await knocking(secret);
      last().say(waiting);
      last().say(frame);
      expect(visit.state.value).toEqual({ at: 'fatal', code: 58 });
      expect(connected).toEqual([]);
      expect(history.replaceState).not.toHaveBeenCalled();
      expect(last().closed).toBe(true);
    }
  });

  it('is turned away at the door where the secret is what is missing', async () => {
    const { visit } = await knocking(null);
    last().say(waiting);
    expect(visit.state.value.at).toBe('waiting');
    last().say({ ...waiting, keyed: true });
    expect(visit.state.value).toEqual({ at: 'fatal', code: 44 });
    const damaged = await knocking('');
    await soon(() => expect(damaged.visit.state.value).toEqual({ at: 'fatal', code: 44 }));
  });
});

describe("a host's page", () => {
  const host = { id: 'muster', name: 'Dr. Muster' };
  const room = (more: Partial<HostRoom> = {}): HostRoom => ({
    ...{ id, grant: 'g', link: `r/${id}#s=cap`, opened_at: '2026-11-21T10:00:00Z', participants: [], waiting: [] },
    ...more,
  });
  const state = (...rooms: HostRoom[]) =>
    last().say({ type: 'state', host, rooms, colleagues: [{ id: 'zweit', name: 'Dr. Zweit', present: true }] });

  async function desk(e2ee = true) {
    answer = { token: 't', expires_in: 600, host };
    const connected: (SecureOptions | undefined)[] = [];
    const module: CallModule = {
      connect: async (o) => {
        connected.push(o.secure);
        return {} as never;
      },
    };
    const began = sockets.length;
    const d = new Desk(page('host', e2ee), 'k', async () => module);
    await soon(() => expect(sockets.length).toBe(began + 1));
    last().open();
    return { desk: d, connected };
  }
  const newest = (what: string) => last().sent.findLast((f) => f.type === 'cmd' && f['do'] === what);
  const answered = new Set<unknown>();
  /** Answers the newest command of a kind. */
  const result = async (what: string, r: object = { ok: true }) => {
    await soon(() => expect(newest(what) && !answered.has(newest(what))).toBe(true));
    answered.add(newest(what));
    last().say({ type: 'result', id: newest(what)?.['id'], ...r });
  };
  async function keyed(d: Desk): Promise<string> {
    state(room({ keyable: true }));
    const put = d.keyLink(id);
    await result('key_link');
    await put;
    state(room({ keyed: true }));
    await soon(() => expect(d.roomLink(room())).toContain('&e='));
    return /&e=([\w-]{22})$/.exec(d.roomLink(room()) ?? '')?.[1] ?? '';
  }
  async function call(d: Desk) {
    await d.enter(id);
    expect(d.mode.value).toMatchObject({ at: 'check' });
    const started = d.start();
    await result('enter', { ok: true, token: 't', url: '/video', identity: 'h' });
    await started;
  }

  it('gives out a plain link by itself, and keeps nothing', async () => {
    const { desk: d, connected } = await desk();
    state(room({ keyable: true }));
    expect(d.roomLink(room())).toBe(`https://praxis.example/video/r/${id}#s=cap`);
    await call(d);
    expect(connected[0]).not.toHaveProperty('link');
    expect(kept.size).toBe(0);
  });

  it('makes a secret, adds it behind the #, keeps it over a reload, and brings it to the call', async () => {
    const first = await desk();
    const own = await keyed(first.desk);
    expect(own).toMatch(/^[\w-]{22}$/);
    expect(first.desk.roomLink(room())).toBe(`https://praxis.example/video/r/${id}#s=cap&e=${own}`);
    const again = await desk();
    state(room({ keyed: true }));
    await soon(() => expect(again.desk.roomLink(room())).toContain(`&e=${own}`));
    await call(again.desk);
    expect(Buffer.from(again.connected[0]?.link ?? []).toString('base64url')).toBe(own);
    staysHere(own);
  });

  it('uses what it has, whatever the server says of the link and of the encryption', async () => {
    const own = await keyed((await desk()).desk);
    const { desk: d, connected } = await desk(false);
    state(room());
    await result('key_link', { ok: false, error: { code: 'conflict' } });
    expect(d.roomLink(room())).toContain(`&e=${own}`);
    await call(d);
    expect(Buffer.from(connected[0]?.link ?? []).toString('base64url')).toBe(own);
  });

  it('does not hand the secret to a link of another shape', async () => {
    const { desk: d } = await desk();
    await keyed(d);
    for (const link of [`r/${id}?s=cap`, `https://evil.example/r/${id}#s=cap`, `r/z${id.slice(1)}#s=cap`])
      expect(d.roomLink(room({ link })), link).toBeUndefined();
  });

  it('begins no call that needs a secret which another device has', async () => {
    const { desk: d } = await desk();
    state(room({ keyed: true }));
    expect(d.secret(id)).toBeNull();
    await d.enter(id);
    expect(d.mode.value).toEqual({ at: 'lost', room: id, code: 47 });
  });

  it('hands nobody over who came by such a link', async () => {
    const { desk: d } = await desk();
    state(room());
    expect(d.door(id).colleagues).toHaveLength(1);
    state(room({ keyed: true }));
    expect(d.door(id).colleagues).toEqual([]);
  });

  it('forgets it with the room', async () => {
    const { desk: d } = await desk();
    await keyed(d);
    expect(kept.size).toBe(1);
    state();
    await soon(() => expect(kept.size).toBe(0));
  });

  it('keeps no secret that the room cannot have, and one of which the answer was lost', async () => {
    const { desk: d } = await desk();
    state(room({ keyable: true }));
    const refused = d.keyLink(id);
    await result('key_link', { ok: false, error: { code: 'conflict' } });
    await expect(refused).rejects.toThrow('conflict');
    expect(kept.size).toBe(0);
    expect(d.roomLink(room())).not.toContain('&e=');
    const lost = d.keyLink(id);
    await soon(() => expect(newest('key_link')?.['id']).toBe(2));
    last().drop();
    await expect(lost).rejects.toThrow('network');
    await soon(() => expect(d.roomLink(room())).toContain('&e='));
    expect(kept.size).toBe(1);
    // The server is told again as soon as it is there.
    const before = sockets.length;
    d.channel.hurry();
    await soon(() => expect(sockets.length).toBe(before + 1));
    last().open();
    state(room({ keyable: true }));
    await result('key_link');
    state(room({ keyable: true }));
    await new Promise((r) => setTimeout(r, 20));
    expect(last().sent.filter((f) => f['do'] === 'key_link')).toHaveLength(1);
  });
});
