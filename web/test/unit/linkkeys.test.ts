// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { linkSecret, linkWithSecret, makeLinkSecret } from '../../src/core/e2ee/linksecret';
import { keptFor, LinkKeys, mostKept, NotKept } from '../../src/core/flow/linkkeys';
import { secretForm } from '../../src/core/page';

const room = 'abcdefghijklmnopqrstuvwx27';
const other = 'zbcdefghijklmnopqrstuvwx27';

describe("a link's secret", () => {
  it('is 16 octets by chance, in their one form', () => {
    const all = Array.from({ length: 200 }, makeLinkSecret);
    expect(new Set(all).size).toBe(200);
    for (const text of all) {
      expect(linkSecret(text)).toHaveLength(16);
      expect(text).toMatch(secretForm);
    }
  });

  it('is nothing else', () => {
    const good = 'AAAAAAAAAAAAAAAAAAAAAQ';
    expect(linkSecret(good)).toEqual(Uint8Array.from([...Array(15).fill(0), 1]));
    const bad = [null, '', 'A'.repeat(22), good.slice(1), `${good}A`, `${good}==`, ` ${good}`, `${good}\n`];
    bad.push('AAAAAAAAAAAAAAAAAAAAAR', 'AAAAAAAAAAAAAAAAAAAA+Q', 'AAAAAAAAAAAAAAAAAAAA/Q', 'ÄAAAAAAAAAAAAAAAAAAAAQ');
    for (const text of bad) expect(linkSecret(text), String(text)).toBeUndefined();
  });

  it('reads back what was written, and only that', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 40 }), (octets) => {
        const text = Buffer.from(octets).toString('base64url');
        const right = octets.length === 16 && octets.some((o) => o !== 0);
        expect(linkSecret(text)).toEqual(right ? Uint8Array.from(octets) : undefined);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const got = linkSecret(text);
        if (got) expect(Buffer.from(got).toString('base64url')).toBe(text);
      }),
    );
  });

  it('stands behind the # of the link of its own room, wherever a server would have it', () => {
    const site = 'https://praxis.example/video';
    expect(linkWithSecret(site, room, `r/${room}#s=C-a_p`, 'S')).toBe(`${site}/r/${room}#s=C-a_p&e=S`);
    const wrong = [
      `r/${room}`,
      `r/${room}?s=cap`,
      `r/${other}#s=cap`,
      `r/${room}#s=`,
      `r/${room}#s=cap&x=y`,
      `r/${room}#s=cap\n`,
      `https://evil.example/r/${room}#s=cap`,
      `//evil.example/r/${room}#s=cap`,
      `r/${room}?#s=cap`,
      '',
    ];
    for (const link of wrong) expect(linkWithSecret(site, room, link, 'S'), link).toBeUndefined();
  });
});

describe('secrets that a browser keeps', () => {
  let kept: Map<string, string>;
  let clock = 1_000;
  const storage = {
    getItem: (k: string) => kept.get(k) ?? null,
    setItem: (k: string, v: string) => void kept.set(k, v),
    removeItem: (k: string) => void kept.delete(k),
  };
  const keys = () =>
    new LinkKeys(
      () => storage,
      () => clock,
    );
  beforeEach(() => {
    kept = new Map();
    clock = 1_000;
  });

  it('are found by the room, again after a reload, and by no other room', async () => {
    const secret = await keys().make(room);
    expect(await keys().find(room)).toBe(secret);
    expect(await keys().make(room)).toBe(secret);
    expect(await keys().find(other)).toBeUndefined();
    expect(await keys().make(other)).not.toBe(secret);
  });

  it('are all that is kept: neither the room nor its link can be read', async () => {
    const secret = await keys().make(room);
    expect([...kept.keys()]).toEqual(['videoroom.links']);
    const [entry, ...more] = JSON.parse(kept.get('videoroom.links') ?? '') as unknown[][];
    expect(more).toEqual([]);
    expect(entry).toEqual([expect.stringMatching(/^[\w-]{43}$/), secret, 1_000 + keptFor]);
    expect([...kept.values()].join()).not.toContain(room);
  });

  it('go with the room, and then nothing is left', async () => {
    await keys().make(room);
    await keys().make(other);
    await keys().forget(room);
    expect(await keys().find(room)).toBeUndefined();
    expect(keys().empty).toBe(false);
    await keys().forget(other);
    await keys().forget(other);
    expect(keys().empty).toBe(true);
    expect(kept.size).toBe(0);
  });

  it('go with time, and are of few rooms', async () => {
    await keys().make(room);
    clock += keptFor - 1;
    expect(await keys().find(room)).toBeDefined();
    clock += 1;
    expect(await keys().find(room)).toBeUndefined();
    for (let i = 0; i < mostKept + 3; i++) await keys().make(`room ${i}`);
    expect(await keys().find('room 2')).toBeUndefined();
    expect(await keys().find('room 3')).toBeDefined();
    expect(await keys().find(`room ${mostKept + 2}`)).toBeDefined();
  });

  it('are none where what is kept is something else', async () => {
    for (const text of ['', '{', '{}', '[1]', '[["x"]]', '[["x","AAAA",9e15]]', `[["x","${'A'.repeat(22)}",9e15]]`]) {
      kept.set('videoroom.links', text);
      expect(keys().empty, text).toBe(true);
      expect(await keys().find(room)).toBeUndefined();
    }
    await keys().make(room);
    expect(await keys().find(room)).toBeDefined();
  });

  it('are not made where the browser keeps nothing', async () => {
    const refusing = new LinkKeys(() => {
      throw new DOMException('', 'SecurityError');
    });
    expect(refusing.empty).toBe(true);
    await expect(refusing.make(room)).rejects.toBeInstanceOf(NotKept);
    const full = new LinkKeys(() => ({
      ...storage,
      setItem: () => {
        throw new DOMException('', 'QuotaExceededError');
      },
    }));
    await expect(full.make(room)).rejects.toBeInstanceOf(NotKept);
    const forgetful = new LinkKeys(() => ({ ...storage, setItem: () => {} }));
    await expect(forgetful.make(room)).rejects.toBeInstanceOf(NotKept);
  });
});
