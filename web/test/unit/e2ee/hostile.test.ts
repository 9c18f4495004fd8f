// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Whole pages against a server that means ill: whatever it does to what it passes on, either all is as it should be, or the
// codes that people compare differ, or nothing is agreed on. HOSTILE_RUNS sets how often; each run repeats its attack exactly.

import { describe, expect, it } from 'vitest';
import { Agreement } from '../../../src/core/e2ee/agreement';
import { toBase64url } from '../../../src/core/e2ee/base64url';
import type { EncodedFrame } from '../../../src/core/e2ee/frames/format';
import { FrameService, type Order } from '../../../src/core/e2ee/frames/service';
import type { Bytes } from '../../../src/core/e2ee/keys/types';
import { makePageKey, type PageKey } from '../../../src/core/e2ee/pagekey';
import { CircleServer, type Tamper } from './circleserver';
import { frameOf } from './livekit';
import { chance } from './village';

const runs = Number(process.env['HOSTILE_RUNS'] ?? 48);
const atOnce = 12;
/** The agreement's clock runs faster than the test's where something is to run out; an honest server gets all the time it needs. */
const speedOf = (name: string) => (name === 'none' ? 1 : 25);
const patience = (name: string) => (name === 'none' ? 1_000 : 20);
const text = new TextEncoder();

interface Page {
  agreement: Agreement;
  identity: string;
  key: PageKey;
  service: FrameService;
  /** Every secret that its worker was given, in hexadecimal digits. */
  secrets: Set<string>;
  heard: string[];
  ended: boolean;
}

type Frame = Parameters<Tamper>[0];

async function page(
  server: CircleServer,
  identity: string,
  welcome?: (key: string) => boolean,
  known?: PageKey,
  speed = speedOf(''),
  link?: Bytes,
): Promise<Page> {
  const key = known ?? (await makePageKey());
  const service = new FrameService(
    () => {},
    (n) => crypto.getRandomValues(new Uint8Array(n)),
  );
  const dialled = server.dial(identity, welcome !== undefined);
  const one: Page = {
    ...{ identity, key, service, secrets: new Set(), heard: [], ended: false },
    agreement: undefined as never,
  };
  one.agreement = new Agreement({
    ...{ url: '', identity, token: () => '', key, ...(welcome && { welcome }), ...(link && { link }) },
    now: () => performance.now() * speed,
    post: (order: Order) => {
      if (order.do === 'key') one.secrets.add(Buffer.from(order.secret).toString('hex'));
      void service.order(order);
    },
    dial: () => dialled(key.id),
    events: {
      changed: () => {},
      renewed: () => one.agreement.say(text.encode(`secret of ${identity}`)),
      heard: (from, plain) => one.heard.push(`${from} ${new TextDecoder().decode(plain)}`),
      stopped: () => {
        one.ended = true;
      },
      refused: () => {
        one.ended = true;
      },
    },
  });
  return one;
}

/** Attacks on frames that pass, by name. Each gets chance of its own. */
const attacks: Record<string, (rnd: () => number) => Tamper> = {
  none: () => (f) => [f],
  drop: (rnd) => (f) => (f.type === 'message' && rnd() < 0.2 ? [] : [f]),
  'drop everything': () => (f) => (f.type === 'message' ? [] : [f]),
  repeat: (rnd) => (f) => (rnd() < 0.4 ? [f, f] : [f]),
  'old ones again': (rnd) => {
    const old: Frame[] = [];
    return (f) => {
      old.push(f);
      const again = old[Math.floor(rnd() * old.length)] as Frame;
      return rnd() < 0.5 ? [f, again] : [f];
    };
  },
  'other order': (rnd) => {
    const held = new Map<object, Frame>();
    return (f, to) => {
      const before = held.get(to);
      held.delete(to);
      if (!before && rnd() < 0.5) {
        held.set(to, f);
        return [];
      }
      return before ? [f, before] : [f];
    };
  },
  'flipped bits': (rnd) => (f) => {
    if (typeof f['data'] !== 'string' || rnd() > 0.15) return [f];
    const octets = Buffer.from(f['data'], 'base64url');
    const at = Math.floor(rnd() * octets.length);
    octets[at] = (octets[at] ?? 0) ^ (1 << Math.floor(rnd() * 8));
    return [{ ...f, data: toBase64url(octets) }];
  },
  'cut short': (rnd) => (f) => {
    if (typeof f['data'] !== 'string' || rnd() > 0.15) return [f];
    const octets = Buffer.from(f['data'], 'base64url');
    return [{ ...f, data: toBase64url(octets.subarray(0, Math.floor(rnd() * octets.length))) }];
  },
  'identities swapped': () => (f) => {
    const people = f['people'] as { identity: string }[] | undefined;
    if (!people) return [f];
    const last = people.length - 1;
    return [{ ...f, people: people.map((p, i) => ({ ...p, identity: people[last - i]?.identity })) }];
  },
  'everybody a host': () => (f) => {
    const list = (f['list'] ?? f['people']) as object[] | undefined;
    return list ? [{ ...f, [f['list'] ? 'list' : 'people']: list.map((p) => ({ ...p, host: true })) }] : [f];
  },
};

/** Attacks with a page of the server's own, which joins as somebody. */
const ghosts: Record<string, (server: CircleServer, anna: Page, rnd: () => number) => Promise<Page[]>> = {
  'one more, uninvited': async (server) => [await page(server, 'ghost')],
  'one more, by the name of one who was invited': async (server, anna) => {
    const ghost = await page(server, 'ghost');
    server.tamper = (f) => {
      const list = f['list'] as Record<string, unknown>[] | undefined;
      return [list ? { ...f, list: list.map((c) => (c['identity'] === 'ghost' ? { ...c, key: anna.key.id } : c)) } : f];
    };
    return [ghost];
  },
  'one more, with the knock of one who was invited': async (server) => {
    const ghost = await page(server, 'ghost');
    server.tamper = (f) => {
      const list = f['list'] as Record<string, unknown>[] | undefined;
      const invited = list?.find((c) => c['identity'] === 'anna');
      return [list && invited ? { ...f, list: list.map((c) => ({ ...c, knock: invited['knock'] })) } : f];
    };
    return [ghost];
  },
  'one more host, who lets itself in': async (server) => {
    const ghost = await page(server, 'ghost', () => true);
    return [ghost];
  },
  'another key than the one who knocked': async (server) => {
    const ghost = await page(server, 'ghost');
    server.tamper = (f) => {
      const octets = f['data'];
      const mine = server.places.find((p) => p.identity === 'ghost');
      const theirs = server.places.find((p) => p.identity === 'anna');
      if (f.type !== 'roster' || typeof octets !== 'string' || !mine || !theirs) return [f];
      const data = Buffer.from(octets, 'base64url');
      const at = data.indexOf(Buffer.from(theirs.knock));
      if (at >= 0) data.set(mine.knock, at);
      return [{ ...f, data: toBase64url(data) }];
    };
    return [ghost];
  },
};

const sound = (n: number) => frameOf(text.encode(`plain sound ${n}`), { source: 7, timestamp: n, mime: 'audio/opus' });

const passage = (way: 'seal' | 'open') => ({ way, kind: 'audio' as const, track: way });

/** Whether a frame of one reaches another; the frame under way must not be readable. */
async function reaches(from: Page, to: Page, n: number): Promise<boolean> {
  const own = from.agreement.pid;
  await from.service.order({ do: 'assign', track: 'seal', assignment: { participant: own, content: 1 } });
  const pid = to.agreement.pidOf(from.identity);
  await to.service.order({
    ...{ do: 'assign', track: 'open' },
    ...(pid && { assignment: { participant: pid, content: 1 } }),
  } as Order);
  const frame: EncodedFrame = sound(n);
  if ((await from.service.frame(frame, passage('seal'))) !== undefined) return false;
  expect(Buffer.from(frame.data).toString('latin1')).not.toContain('sound');
  const copy = frameOf(new Uint8Array(frame.data), { timestamp: n, mime: 'audio/opus' });
  return (await to.service.frame(copy, passage('open'))) === undefined;
}

/** What must hold besides where host and guest have the secret of the link, and the server has not: it is nobody's partner. */
function judgeLinked(host: Page, anna: Page, strangers: Page[], name: string): void {
  for (const s of strangers) {
    for (const one of [host, anna]) {
      expect(
        [...s.secrets].filter((x) => one.secrets.has(x)),
        name,
      ).toEqual([]);
    }
    expect(s.heard, name).toEqual([]);
  }
}

/** What must hold whatever has been done. */
async function judge(host: Page, anna: Page, strangers: Page[], name: string): Promise<boolean> {
  const [a, b] = [host.agreement.code?.digits, anna.agreement.code?.digits];
  const same = a !== undefined && a === b;
  const known = new Set([...strangers.flatMap((s) => [...s.secrets])]);
  for (const one of [host, anna]) {
    // Frames that were never sealed are never opened.
    const plain = sound(1_000_000);
    expect(await one.service.frame(plain, passage('open')), name).not.toBeUndefined();
    if (one.ended) expect(await one.service.frame(sound(2_000_000), passage('seal')), name).toBe('no-key');
  }
  if (!same || host.ended || anna.ended) return false;
  const pids = [host.agreement.pid, anna.agreement.pid].sort();
  for (const one of [host, anna]) {
    const all = [...one.agreement.others.map((o) => o.pid), one.agreement.pid].sort();
    expect(all, name).toEqual(pids);
  }
  // The keys that both use are nobody else's, and so is what they say.
  const shared = [...host.secrets].filter((s) => anna.secrets.has(s));
  for (const s of shared) expect(known.has(s), name).toBe(false);
  for (const s of strangers)
    expect(
      s.heard.filter((l) => /host|anna/.test(l)),
      name,
    ).toEqual([]);
  return (await reaches(host, anna, 5)) && (await reaches(anna, host, 6));
}

const settled = (ms: number) => new Promise((r) => setTimeout(r, ms));

async function run(n: number): Promise<{ name: string; good: boolean }> {
  const rnd = chance(n + 1);
  const names = [...Object.keys(attacks), ...Object.keys(ghosts), 'in the middle'];
  const name = names[n % names.length] ?? '';
  // Every other round host and guest have the secret of the link; zeros would be none.
  const link = Math.floor(n / names.length) % 2 === 1 ? new Uint8Array(16).fill(1 + (n % 255)) : undefined;
  const server = new CircleServer();
  const strangers: Page[] = [];
  const key = await makePageKey();
  let host: Page;
  let anna: Page;
  if (name === 'in the middle') {
    // Two circles, and in each of them somebody who pretends to be the other. The host let in a key that is not Anna's.
    const second = new CircleServer();
    const pretender = await makePageKey();
    host = await page(server, 'host', (k) => k === pretender.id, undefined, undefined, link);
    strangers.push(await page(server, 'anna', undefined, pretender), await page(second, 'host', () => true));
    anna = await page(second, 'anna', undefined, key, undefined, link);
  } else {
    server.tamper = attacks[name]?.(rnd) ?? ((f) => [f]);
    host = await page(server, 'host', (k) => k === key.id, undefined, speedOf(name), link);
    anna = await page(server, 'anna', undefined, key, speedOf(name), link);
    const ghost = ghosts[name];
    if (ghost) {
      // Before or after the others have begun.
      await settled(rnd() * 150);
      strangers.push(...(await ghost(server, anna, rnd)));
    }
  }
  let good = false;
  for (let i = 0; i < patience(name) && !good; i++) {
    await settled(60);
    good = await judge(host, anna, strangers, `${name}, run ${n}`);
    if (good && i < 4) good = false;
  }
  good = await judge(host, anna, strangers, `${name}, run ${n}`);
  if (link) judgeLinked(host, anna, strangers, `${name} of a link's secret, run ${n}`);
  for (const p of [host, anna, ...strangers]) p.agreement.close();
  return { name, good };
}

describe('a hostile server', () => {
  it(`gains nothing in ${runs} runs`, { timeout: 30_000 + runs * 2_500 }, async () => {
    const good = new Map<string, number>();
    for (let from = 0; from < runs; from += atOnce) {
      const batch = Array.from({ length: Math.min(atOnce, runs - from) }, (_, i) => run(from + i));
      for (const r of await Promise.all(batch)) good.set(r.name, (good.get(r.name) ?? 0) + Number(r.good));
    }
    console.info(Object.fromEntries(good));
    // Where the server does nothing, or nothing that hinders, all is well: the test sees what it looks at.
    expect(good.get('none')).toBe(Math.ceil(runs / (Object.keys(attacks).length + Object.keys(ghosts).length + 1)));
    expect(good.get('in the middle')).toBe(0);
  });
});
