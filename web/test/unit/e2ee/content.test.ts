// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { fromBase64url, toBase64url } from '../../../src/core/e2ee/base64url';
import { Content, longestContent } from '../../../src/core/e2ee/content';
import type { Bytes, SenderKey } from '../../../src/core/e2ee/keys/types';
import { makePageKey, vouches } from '../../../src/core/e2ee/pagekey';

const anna = 'a'.repeat(32);
const text = (s: string) => new TextEncoder().encode(s);
const keyOf = (generation: number): SenderKey => ({
  ...{ epoch: 1, generation, index: generation % 256 },
  secret: new Uint8Array(32).fill(1),
  content: new Uint8Array(32).fill(generation),
});

function pair() {
  const sent: Bytes[] = [];
  const heard: string[] = [];
  const from = new Content({ send: (octets) => sent.push(octets), heard: () => {} });
  const to = new Content({
    send: () => {},
    heard: (pid, plain) => heard.push(`${pid[0]} ${new TextDecoder().decode(plain)}`),
  });
  return { sent, heard, from, to };
}

describe('what people say', () => {
  it("waits for the own key and for the other's", async () => {
    const { sent, heard, from, to } = pair();
    expect(from.say(text('early'))).toBe(true);
    from.use(anna, keyOf(1));
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    to.hear(sent[0] as Bytes);
    to.install(anna, keyOf(1));
    await vi.waitFor(() => expect(heard).toEqual(['a early']));
  });

  it('is taken once, unchanged, and under the key of its sender', async () => {
    const { sent, heard, from, to } = pair();
    from.use(anna, keyOf(1));
    for (const n of [1, 2]) from.say(text(`line ${n}`));
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    to.install(anna, keyOf(1));
    to.install('b'.repeat(32), keyOf(2));
    const [one, two] = sent as [Bytes, Bytes];
    const changed = (at: number) => two.map((o, i) => (i === at ? o ^ 1 : o)) as Bytes;
    for (let at = 0; at < two.length; at++) to.hear(changed(at));
    const asBert = two.slice();
    asBert.fill(0xbb, 1, 17);
    for (const octets of [one, one, asBert, two, one, new Uint8Array(0), two.slice(0, 41)]) to.hear(octets);
    await vi.waitFor(() => expect(heard).toHaveLength(2));
    expect(heard).toEqual(['a line 1', 'a line 2']);
  });

  it('is bounded, and over when it is closed', async () => {
    const { sent, from } = pair();
    expect(from.say(new Uint8Array(longestContent + 1))).toBe(false);
    let waiting = 0;
    for (let i = 0; i < 200; i++) {
      if (!from.say(text('x'))) break;
      await Promise.resolve().then(() => Promise.resolve());
      waiting++;
    }
    expect(waiting).toBeLessThan(100);
    from.close();
    from.use(anna, keyOf(1));
    expect(from.say(text('late'))).toBe(false);
    await new Promise((r) => setTimeout(r, 20));
    expect(sent).toEqual([]);
  });

  it('does not come under a key that was forgotten', async () => {
    const { sent, heard, from, to } = pair();
    from.use(anna, keyOf(1));
    from.say(text('x'));
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    to.install(anna, keyOf(1));
    to.forget(anna, 1);
    to.hear(sent[0] as Bytes);
    await new Promise((r) => setTimeout(r, 20));
    expect(heard).toEqual([]);
  });
});

describe('base64url', () => {
  it('has one form for all octets', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => {
        const t = toBase64url(octets);
        return (
          /^[\w-]*$/.test(t) &&
          Buffer.from(octets).toString('base64url') === t &&
          fromBase64url(t)?.join() === octets.join()
        );
      }),
    );
    for (const bad of ['=', 'A', 'AB', 'A A', 'AA==', 'A/', null, 3])
      expect(fromBase64url(bad), String(bad)).toBeUndefined();
  });
});

describe("a page's key", () => {
  it('vouches for knocks, and nobody else does', async () => {
    const [key, other] = [await makePageKey(), await makePageKey()];
    expect(key.id).toMatch(/^[\w-]{43}$/);
    const knock = text('knock') as Bytes;
    const proof = await key.vouch(knock);
    const id = fromBase64url(key.id) as Bytes;
    expect(await vouches(id, proof, knock)).toBe(true);
    expect(await vouches(id, proof, text('another') as Bytes)).toBe(false);
    expect(await vouches(fromBase64url(other.id) as Bytes, proof, knock)).toBe(false);
    expect(await vouches(new Uint8Array(3), proof, knock)).toBe(false);
  });
});
