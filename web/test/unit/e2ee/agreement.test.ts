// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { afterEach, describe, expect, it, vi } from 'vitest';
import { Agreement } from '../../../src/core/e2ee/agreement';
import type { Order } from '../../../src/core/e2ee/frames/service';
import { makePageKey, type PageKey } from '../../../src/core/e2ee/pagekey';
import { CircleServer } from './circleserver';

interface Page {
  agreement: Agreement;
  identity: string;
  heard: string[];
  orders: Order[];
  stopped: string[];
  refused: string[];
  met: number;
  key: PageKey;
}

const text = new TextEncoder();
let pages: Page[] = [];

async function page(server: CircleServer, identity: string, welcome?: (key: string) => boolean): Promise<Page> {
  const key = await makePageKey();
  const one: Page = {
    identity,
    heard: [],
    orders: [],
    stopped: [],
    refused: [],
    met: 0,
    key,
    agreement: undefined as never,
  };
  const dialled = server.dial(identity, welcome !== undefined);
  one.agreement = new Agreement({
    url: 'wss://practice.example/video',
    identity,
    token: () => 'token',
    key,
    ...(welcome && { welcome }),
    post: (order) => one.orders.push(order),
    dial: () => dialled(key.id),
    events: {
      changed: () => {},
      met: () => one.met++,
      renewed: () => one.agreement.say(text.encode(`I am ${identity}`)),
      heard: (from, plain) => one.heard.push(`${from}: ${new TextDecoder().decode(plain)}`),
      stopped: (reason) => one.stopped.push(reason),
      refused: (code) => one.refused.push(code),
    },
  });
  pages.push(one);
  return one;
}

const agreed = (...all: Page[]) =>
  vi.waitFor(
    () => {
      for (const p of all) {
        const others = all.filter((o) => o !== p).map((o) => o.agreement.pid);
        expect(p.agreement.others.map((o) => o.pid).sort()).toEqual(others.sort());
        expect([...p.agreement.agreed].sort()).toEqual(others.sort());
        expect(p.agreement.code?.digits).toBe(all[0]?.agreement.code?.digits);
        expect(p.orders.findLast((o) => o.do === 'use' || o.do === 'halt')).toMatchObject({
          do: 'use',
          participant: p.agreement.pid,
        });
      }
    },
    { timeout: 20_000, interval: 20 },
  );

afterEach(() => {
  for (const p of pages) p.agreement.close();
  pages = [];
});

describe('an agreement', () => {
  it('is reached by a host and those whom the host let in, and carries what they say', async () => {
    const server = new CircleServer();
    const anna = await page(server, 'anna');
    const host = await page(server, 'host', (k) => k === anna.key.id);
    expect(anna.agreement.waiting).toBe(true);
    await agreed(host, anna);
    await vi.waitFor(() => {
      expect(host.heard).toContain('anna: I am anna');
      expect(anna.heard).toContain('host: I am host');
    });
    expect(anna.agreement.say(text.encode('only for you'), 'host')).toBe(true);
    await vi.waitFor(() => expect(host.heard).toContain('anna: only for you'));
    expect(anna.agreement.say(text.encode('?'), 'nobody')).toBe(false);
    expect(host.orders.some((o) => o.do === 'key' && o.participant === anna.agreement.pid)).toBe(true);
  });

  it('begins with nobody whom the host did not let in, until the host does', async () => {
    const server = new CircleServer();
    const host = await page(server, 'host', () => false);
    const anna = await page(server, 'anna');
    await vi.waitFor(() => expect(host.agreement.asking.map((c) => c.identity)).toEqual(['anna']));
    expect(host.agreement.others).toEqual([]);
    // Only whoever asks says who they are.
    expect(host.met).toBe(0);
    await vi.waitFor(() => expect(anna.met).toBeGreaterThan(0));
    host.agreement.letIn(host.agreement.asking[0]?.pid ?? '');
    await agreed(host, anna);
    expect(host.agreement.asking).toEqual([]);
  });

  it('makes another host by the word of the person alone, and asks nobody who is no host', async () => {
    const server = new CircleServer();
    const host = await page(server, 'host', () => true);
    const anna = await page(server, 'anna');
    await agreed(host, anna);
    server.tamper = (f) =>
      f.type === 'asking' ? [{ ...f, list: (f['list'] as object[]).map((c) => ({ ...c, host: true })) }] : [f];
    const bert = await page(server, 'bert');
    await vi.waitFor(() => expect(host.agreement.asking).toMatchObject([{ identity: 'bert', host: true }]));
    const list = [{ ...host.agreement.asking[0], knock: 'AA', proof: 'AA' }];
    for (const place of server.places) if (place.identity === 'anna') server.give(place, { type: 'asking', list });
    await new Promise((r) => setTimeout(r, 100));
    expect(anna.agreement.asking).toEqual([]);
    expect(bert.agreement.waiting).toBe(true);
    host.agreement.letIn(host.agreement.asking[0]?.pid ?? '');
    await agreed(host, anna, bert);
  });

  it("does not take another page's word for a knock", async () => {
    const server = new CircleServer();
    const anna = await makePageKey();
    const host = await page(server, 'host', () => true);
    server.tamper = (f) =>
      f.type === 'asking' ? [{ ...f, list: (f['list'] as object[]).map((c) => ({ ...c, key: anna.id })) }] : [f];
    const ghost = await page(server, 'ghost');
    await vi.waitFor(() => expect(host.agreement.asking).toHaveLength(1));
    host.agreement.letIn(host.agreement.asking[0]?.pid ?? '');
    await new Promise((r) => setTimeout(r, 50));
    expect(host.agreement.others).toEqual([]);
    expect(ghost.agreement.waiting).toBe(true);
  });

  it('loses nothing when a line is cut', async () => {
    const server = new CircleServer();
    const host = await page(server, 'host', () => true);
    const anna = await page(server, 'anna');
    await agreed(host, anna);
    server.cut('anna');
    for (let i = 0; i < 3; i++) host.agreement.say(text.encode(`line ${i}`));
    anna.agreement.say(text.encode('said while cut'));
    await vi.waitFor(() => expect(host.heard).toContain('anna: said while cut'), { timeout: 5_000 });
    await vi.waitFor(() => {
      const lines = anna.heard.filter((l) => l.startsWith('host: line'));
      expect(lines).toEqual(['host: line 0', 'host: line 1', 'host: line 2']);
    });
    expect([anna.stopped, host.stopped]).toEqual([[], []]);
  });

  it('goes on without somebody who leaves, and is silent towards who was removed', async () => {
    const server = new CircleServer();
    const host = await page(server, 'host', () => true);
    const anna = await page(server, 'anna');
    const bert = await page(server, 'bert');
    await agreed(host, anna, bert);
    const before = host.agreement.code?.digits;
    const used = () => (host.orders.findLast((o) => o.do === 'use') as { index: number }).index;
    const old = used();
    server.remove('bert');
    await vi.waitFor(() => expect(bert.refused).toEqual(['not_allowed']));
    await agreed(host, anna);
    expect(host.agreement.code?.digits).not.toBe(before);
    // The new key is used when Anna has confirmed it, which may be after both agree.
    await vi.waitFor(() => expect(used()).not.toBe(old), { timeout: 4_000 });
    const index = used();
    expect(bert.orders.some((o) => o.do === 'key' && o.participant === host.agreement.pid && o.index === index)).toBe(
      false,
    );
  });

  it('takes in a tenth, and a twentieth', { timeout: 120_000 }, async () => {
    const server = new CircleServer();
    const all = [await page(server, 'host', () => true)];
    for (let i = 1; i < 20; i++) {
      const began = performance.now();
      all.push(await page(server, `guest ${i}`));
      await agreed(...all);
      // One processor does here what is each page's own work elsewhere.
      if (i === 9 || i === 19)
        console.info(`member ${i + 1}: ${Math.round(performance.now() - began)} ms, all pages on one thread`);
    }
  });

  it('begins anew with a host who comes back, and says whom nobody has compared with', async () => {
    const server = new CircleServer();
    let host = await page(server, 'host', () => true);
    const anna = await page(server, 'anna');
    await agreed(host, anna);
    anna.agreement.confirm(anna.agreement.code as never);
    expect(anna.agreement.fresh).toEqual({ everCompared: true, people: [] });
    host.agreement.close();
    await vi.waitFor(() => expect(anna.agreement.others).toEqual([]));
    const first = anna.agreement.pid;
    host = await page(server, 'host', () => true);
    await agreed(host, anna);
    expect(anna.agreement.pid).not.toBe(first);
    expect(anna.agreement.fresh.people.map((p) => p.identity)).toEqual(['host']);
    expect(anna.stopped).toEqual([]);
  });

  it('stops where the server shows a roster that is not what hosts said', async () => {
    const server = new CircleServer();
    const host = await page(server, 'host', () => true);
    const anna = await page(server, 'anna');
    await agreed(host, anna);
    server.tamper = (f) => (f.type === 'roster' ? [{ ...f, people: [] }] : [f]);
    await page(server, 'bert');
    await vi.waitFor(() => expect([host.stopped, anna.stopped]).toEqual([['roster'], ['roster']]), { timeout: 5_000 });
    expect(host.orders.at(-1)?.do).toMatch(/forget|remove|halt/);
  });
});
