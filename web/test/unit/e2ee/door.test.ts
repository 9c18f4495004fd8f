// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { readFile, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromBase64url, toBase64url } from '../../../src/core/e2ee/base64url';
import { cleanName, cleanText } from '../../../src/core/e2ee/cleaned';
import { NameOpener, NameSealer } from '../../../src/core/e2ee/door';
import { identityOf, join, mailboxOf, sealTo, sha256 } from '../../../src/core/e2ee/keys/primitives';
import type { Bytes } from '../../../src/core/e2ee/keys/types';
import { hex, unhex } from '../../../src/core/e2ee/keys/wire';
import { makePageKey, type PageKey } from '../../../src/core/e2ee/pagekey';

const folder = new URL('../../../../internal/e2eetest/testdata/', import.meta.url);
const place = 'abcdefghijklmnopqrstuvwxyz';
const octetsOf = (text: string | undefined): Bytes => fromBase64url(text) ?? new Uint8Array(0);

/** The page key of a seed of one octet, 32 times. */
async function pageOf(octet: number): Promise<PageKey> {
  const me = await identityOf(new Uint8Array(32).fill(octet), new Uint8Array(32));
  return {
    id: toBase64url(me.id),
    sign: (label, octets) => me.sign(join(label, octets)),
    vouch: async (knock) => me.sign(join('vr1 page', await sha256(knock))),
  };
}

async function pair(name = 'Zoë Müller') {
  const [host, visitor] = [await makePageKey(), await makePageKey()];
  const opener = await NameOpener.make(host);
  const sealer = new NameSealer(visitor, name);
  const [sealed] = await sealer.seal(place, [opener.page]);
  return { host, visitor, opener, sealer, sealed };
}

describe('a name at the door', () => {
  it('is read by the page that it is sealed for, and by no other', async () => {
    const { visitor, opener, sealed } = await pair();
    expect(sealed?.for).toBe(opener.page.key);
    expect(await opener.open(place, visitor.id, sealed?.data ?? '')).toBe('Zoë Müller');
    const other = await NameOpener.make(await makePageKey());
    expect(await other.open(place, visitor.id, sealed?.data ?? '')).toBeUndefined();
  });

  it('is bound to the place and to the page that knocks', async () => {
    const { visitor, opener, sealed } = await pair();
    const data = sealed?.data ?? '';
    expect(await opener.open(`${place}x`, visitor.id, data)).toBeUndefined();
    expect(await opener.open(place, (await makePageKey()).id, data)).toBeUndefined();
    expect(await opener.open(place, 'x', data)).toBeUndefined();
  });

  it('does not open once an octet is changed, and never throws', async () => {
    const { visitor, opener, sealed } = await pair();
    const octets = octetsOf(sealed?.data);
    for (const at of [0, 500, 1119, 1120, 1300, 1407, 1423, 1424, 1487]) {
      const changed = octets.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await opener.open(place, visitor.id, toBase64url(changed))).toBeUndefined();
    }
    for (const data of ['', '!', toBase64url(octets.slice(1)), toBase64url(join(octets, Uint8Array.of(0)))]) {
      expect(await opener.open(place, visitor.id, data)).toBeUndefined();
    }
  });

  it('has one size, whatever the name', async () => {
    const names = ['A', 'Zoë', 'a"\\'.repeat(21), '𝔸'.repeat(64), '👩‍👩‍👧'.repeat(12)];
    for (const name of names) {
      const { visitor, opener, sealed } = await pair(name);
      expect(octetsOf(sealed?.data).length).toBe(1488);
      expect(await opener.open(place, visitor.id, sealed?.data ?? '')).toBe(name);
    }
  });

  it('cannot be made by somebody who has only what the server has', async () => {
    const { visitor, opener } = await pair();
    const [me, kem] = [octetsOf(visitor.id), octetsOf(opener.page.kem)];
    const plain = new Uint8Array(288).fill(32);
    plain.set(new TextEncoder().encode('{"name":"Mallory"}'));
    const made = await sealTo(
      kem,
      join('vr1 door', me, kem),
      crypto.getRandomValues(new Uint8Array(64)),
      plain,
      join(place),
      'vr1 door reply',
    );
    if (!made) throw new Error('not sealed');
    const rest = join(made.enc, made.sealed);
    // With every signature that it can make or has seen.
    const mallory = await makePageKey();
    const forged = await mallory.sign('vr1 seal', await sha256(kem, place, rest));
    for (const sig of [forged, new Uint8Array(64)]) {
      expect(await opener.open(place, visitor.id, toBase64url(join(rest, sig)))).toBeUndefined();
    }
    // The page's own signature: it may say so, and it is what the page says.
    const own = await visitor.sign('vr1 seal', await sha256(kem, place, rest));
    expect(await opener.open(place, visitor.id, toBase64url(join(rest, own)))).toBe('Mallory');
  });

  it('is no name where what was sealed is none', async () => {
    for (const name of ['', ' ', '\u202eAnna', 'a\u0000b', 'a'.repeat(65), '...', 'a\u2028b', '\u115f']) {
      const { visitor, opener, sealed } = await pair(name);
      expect(await opener.open(place, visitor.id, sealed?.data ?? '')).toBeUndefined();
    }
  });

  it('is sealed for no page whose key is not vouched for', async () => {
    const sealer = new NameSealer(await makePageKey(), 'Anna');
    const [one, other] = [await NameOpener.make(await makePageKey()), await NameOpener.make(await makePageKey())];
    for (const page of [
      { ...one.page, kem: other.page.kem },
      { ...one.page, key: other.page.key },
      { ...one.page, sig: other.page.sig },
      { ...one.page, sig: '' },
      { ...one.page, kem: one.page.kem.slice(4) },
      { key: '', kem: '', sig: '' },
    ]) {
      expect(await sealer.seal(place, [page])).toEqual([]);
    }
    // A page's word for its calls is no word for its key at the door.
    const key = await makePageKey();
    const { kem } = one.page;
    const page = { key: key.id, kem, sig: toBase64url(await key.vouch(octetsOf(kem))) };
    expect(await sealer.seal(place, [page])).toEqual([]);
  });

  it('is sealed once for each page and place, for eight pages at most', async () => {
    const sealer = new NameSealer(await makePageKey(), 'Anna');
    const pages = [];
    for (let i = 0; i < 9; i++) pages.push((await NameOpener.make(await makePageKey())).page);
    const first = await sealer.seal(place, pages);
    expect(first.map((s) => s.for)).toEqual(pages.slice(0, 8).map((p) => p.key));
    expect(await sealer.seal(place, pages.slice(1, 3))).toEqual(first.slice(1, 3));
    const [elsewhere] = await sealer.seal('another place', pages.slice(0, 1));
    expect(elsewhere?.data).not.toBe(first[0]?.data);
  });
});

describe('a letter to somebody who waits', () => {
  it('is read by that page alone, in the order it stands in, each once', async () => {
    const { visitor, opener, sealer, sealed } = await pair();
    expect(await opener.write(place, 'zu früh')).toBeUndefined();
    await opener.open(place, visitor.id, sealed?.data ?? '');
    const one = await opener.write(place, ' Noch fünf Minuten.\r\nBitte warten. ');
    const two = await opener.write(place, 'Gleich.');
    if (!one || !two) throw new Error('not written');
    expect([one.n, two.n]).toEqual([0, 1]);
    expect(octetsOf(one.data).length).toBe(272);
    expect(await sealer.read(place, [one])).toEqual(['Noch fünf Minuten.\nBitte warten.']);
    expect(await sealer.read(place, [one, two, one])).toEqual(['Noch fünf Minuten.\nBitte warten.', 'Gleich.']);
    const stranger = new NameSealer(await makePageKey(), 'Bob');
    await stranger.seal(place, [opener.page]);
    expect(await stranger.read(place, [one, two])).toEqual([]);
  });

  it('does not open changed, renumbered or elsewhere', async () => {
    const { visitor, opener, sealer, sealed } = await pair();
    await opener.open(place, visitor.id, sealed?.data ?? '');
    const letter = await opener.write(place, 'Hallo');
    if (!letter) throw new Error('not written');
    const octets = octetsOf(letter.data);
    octets[3] = (octets[3] ?? 0) ^ 1;
    for (const bad of [
      { ...letter, data: toBase64url(octets) },
      { ...letter, n: 1 },
      { ...letter, n: -1 },
      { ...letter, n: 2 ** 32 },
      { ...letter, n: Number.NaN },
      { ...letter, key: visitor.id },
      { ...letter, data: '' },
      { ...letter, data: 'x!' },
    ]) {
      expect(await sealer.read(place, [bad])).toEqual([]);
    }
    expect(await sealer.read('elsewhere', [letter])).toEqual([]);
    expect(await sealer.read(place, [letter])).toEqual(['Hallo']);
  });

  it('takes no count twice, also where a seal is shown again', async () => {
    const { visitor, opener, sealed } = await pair();
    const counts = [];
    for (let i = 0; i < 3; i++) {
      await opener.open(place, visitor.id, sealed?.data ?? '');
      counts.push((await opener.write(place, `Zeile ${i}`))?.n);
    }
    expect(counts).toEqual([0, 1, 2]);
  });

  it('has the size of its step, up to the longest text', async () => {
    const { visitor, opener, sealer, sealed } = await pair();
    await opener.open(place, visitor.id, sealed?.data ?? '');
    for (const text of ['x', '𝔸'.repeat(500), `${'"'.repeat(499)}x`]) {
      const letter = await opener.write(place, text);
      const size = octetsOf(letter?.data).length - 16;
      expect(size % 256).toBe(0);
      expect(size).toBeLessThanOrEqual(2048);
      expect((await sealer.read(place, letter ? [letter] : [])).at(-1)).toBe(text);
    }
    expect(await opener.write(place, 'x'.repeat(501))).toBeUndefined();
    expect(await opener.write(place, 'a\u202eb')).toBeUndefined();
  });
});

describe('what may be shown', () => {
  it('is what the server lets pass elsewhere', () => {
    expect(cleanName('  Anna\u00a0\u2003 Maria ')).toBe('Anna Maria');
    expect(cleanName('e\u0301')).toBe('é');
    expect(cleanName('👩\u200d⚕️')).toBe('👩\u200d⚕️');
    expect(cleanName('می\u200cخواهم')).toBe('می\u200cخواهم');
    for (const bad of [
      undefined,
      1,
      {},
      '',
      '\u200d',
      '!?',
      'a\tb',
      'a\nb',
      'a\u200eb',
      'a\ufeffb',
      'a\ud800b',
      '\ue000a',
    ]) {
      expect(cleanName(bad)).toBeUndefined();
    }
    expect(cleanName('a'.repeat(64))).toBe('a'.repeat(64));
    expect(cleanText('a\nb')).toBe('a\nb');
    for (const bad of [undefined, '', ' \n ', 'a\u0000', 'a\rb', 'a\u202e']) expect(cleanText(bad)).toBeUndefined();
  });

  it('has nothing invisible in it and stays what it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 70 }), (text) => {
        const name = cleanName(text);
        if (name === undefined) return;
        expect(cleanName(name)).toBe(name);
        expect([...name].length).toBeLessThanOrEqual(64);
        expect(name).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});

interface Vector {
  kem_seed: string;
  kem: string;
  sig: string;
  place: string;
  name: string;
  sealed: string;
  reply: string;
  text: string;
  n: number;
  letter: string;
}

describe('names of both implementations', () => {
  const host = pageOf(1);
  const visitor = pageOf(2);
  const file = new URL('door-web.json', folder);

  // VECTORS=write makes the file anew, which Go's side reads.
  beforeAll(async () => {
    if (process.env['VECTORS'] !== 'write') return;
    const seed = new Uint8Array(32).fill(4);
    const opener = await NameOpener.make(await host, seed);
    const name = 'Änne ‘Ä’ Œuvre';
    const [sealed] = await new NameSealer(await visitor, name).seal(place, [opener.page]);
    const octets = octetsOf(sealed?.data);
    await opener.open(place, (await visitor).id, sealed?.data ?? '');
    const text = 'Bitte rufen Sie uns an.';
    const letter = await opener.write(place, text);
    const me = octetsOf((await visitor).id);
    const kem = octetsOf(opener.page.kem);
    const opened = await (await mailboxOf(seed)).open(
      octets.slice(0, 1120),
      join('vr1 door', me, kem),
      octets.slice(1120, -64),
      join(place),
      'vr1 door reply',
    );
    const vector: Vector = {
      kem_seed: hex(seed),
      kem: hex(kem),
      sig: hex(octetsOf(opener.page.sig)),
      place,
      name,
      sealed: hex(octets),
      reply: hex(opened?.secret ?? new Uint8Array(0)),
      text,
      n: letter?.n ?? -1,
      letter: hex(octetsOf(letter?.data)),
    };
    await writeFile(file, `${JSON.stringify(vector, null, 2)}\n`);
  });

  it.each(['door-web.json', 'door-go.json'])('open: %s', async (which) => {
    const v = JSON.parse(await readFile(new URL(which, folder), 'utf8')) as Vector;
    const opener = await NameOpener.make(await host, unhex(v.kem_seed));
    expect(hex(octetsOf(opener.page.kem))).toBe(v.kem);
    expect(hex(octetsOf(opener.page.sig))).toBe(v.sig);
    expect(await opener.open(v.place, (await visitor).id, toBase64url(unhex(v.sealed)))).toBe(v.name);
    const opened = await (await mailboxOf(unhex(v.kem_seed))).open(
      unhex(v.sealed).slice(0, 1120),
      join('vr1 door', octetsOf((await visitor).id), unhex(v.kem)),
      unhex(v.sealed).slice(1120, -64),
      join(v.place),
      'vr1 door reply',
    );
    expect(opened && hex(opened.secret)).toBe(v.reply);
  });
});
