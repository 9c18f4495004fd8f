// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What somebody who was removed can do with a recording of everything that is sent afterwards, and with every key they ever had.

import { describe, expect, it } from 'vitest';
import { open, seal, type Track } from '../../../src/core/e2ee/frames/cipher';
import type { EncodedFrame } from '../../../src/core/e2ee/frames/format';
import { KeyRing } from '../../../src/core/e2ee/frames/keyring';
import type { SenderKey } from '../../../src/core/e2ee/keys/types';
import { frameOf } from './livekit';
import { Village, type Villager } from './village';

const audio: Track = { kind: 'audio' };
const plain = Uint8Array.from({ length: 60 }, (_, i) => i);
const none = (n: number) => new Uint8Array(n);

const copy = (f: EncodedFrame) =>
  frameOf(new Uint8Array(f.data), { source: 7, timestamp: f.timestamp ?? 0, mime: 'audio/opus' });

/** Where a villager's frames are sealed: with the key that its session uses now, or not at all. */
async function sealed(v: Villager, timestamp: number): Promise<EncodedFrame | undefined> {
  const key = v.used.at(-1);
  if (!key) return undefined;
  const ring = new KeyRing(256, none);
  await ring.set(key.index, key.secret.slice());
  ring.use(key.index);
  const frame = frameOf(plain.slice(), { source: 7, timestamp, mime: 'audio/opus' });
  expect(await seal(frame, audio, ring)).toBeUndefined();
  return frame;
}

/** Whether one of these secrets opens a frame, under whichever index the frame names. */
async function opens(frame: EncodedFrame, secrets: readonly Uint8Array<ArrayBuffer>[]): Promise<boolean> {
  const index = new Uint8Array(frame.data).at(-1) ?? 0;
  for (const secret of secrets) {
    const ring = new KeyRing(256, none);
    await ring.set(index, secret.slice());
    if ((await open(copy(frame), audio, ring)) === undefined) return true;
  }
  return false;
}

const keysOf = (v: Villager) => [...v.installed.values()].map((h) => Uint8Array.from(Buffer.from(h, 'hex')));

async function villageOf(seed: number, count: number): Promise<Village> {
  const village = new Village(seed);
  for (let i = 0; i < count; i++) await village.join();
  // They come one after the other, so that the one who is removed has keys of several generations.
  for (let i = 1; i <= count; i++) {
    await village.gather(village.all.slice(0, i));
    await village.settle();
    await village.pass(1_000);
  }
  return village;
}

describe('who was removed', { timeout: 60_000 }, () => {
  for (const count of [3, 8]) {
    it(`opens nothing that is sent later, of ${count - 1} who go on`, async () => {
      const village = await villageOf(40 + count, count);
      const gone = village.all[1] as Villager;
      const before = await sealed(village.all[0] as Villager, 1);
      expect(before && (await opens(before, keysOf(gone)))).toBe(true);
      await village.gather(village.all.filter((v) => v !== gone));
      await village.settle();
      await village.pass(100);
      const had = keysOf(gone);
      expect(had.length).toBeGreaterThan(count);
      for (const v of village.present) {
        const frame = await sealed(v, 1_000);
        expect(frame && (await opens(frame, had))).toBe(false);
        for (const w of village.present) {
          const theirs = w.installed.get(`${v.pid} ${v.used.at(-1)?.generation}`);
          expect(frame && theirs && (await opens(frame, [Uint8Array.from(Buffer.from(theirs, 'hex'))]))).toBe(true);
        }
      }
    });
  }

  it('hears nobody three seconds later, even where the server keeps all messages back', async () => {
    const village = await villageOf(50, 3);
    const gone = village.all[1] as Villager;
    await village.gather(village.all.filter((v) => v !== gone));
    await village.pass(2_900);
    const used = (): (SenderKey | undefined)[] => village.present.map((v) => v.used.at(-1));
    expect(used().every((k) => k !== undefined)).toBe(true);
    await village.pass(100);
    expect(used()).toEqual(village.present.map(() => undefined));
    for (const v of village.present) expect(await sealed(v, 2_000)).toBeUndefined();
    await village.settle();
    for (const v of village.present) {
      const frame = await sealed(v, 3_000);
      expect(frame && (await opens(frame, keysOf(gone)))).toBe(false);
    }
  });
});
