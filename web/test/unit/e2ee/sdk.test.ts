// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Frames of LiveKit's Go SDK, and ours for it: e2e/golang-sdk/frames_test.go has the other side.

import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { open, seal } from '../../../src/core/e2ee/frames/cipher';
import { fromPassphrase, type KeyBits } from '../../../src/core/e2ee/frames/derive';
import { codecOf, type EncodedFrame, layoutOf, readIV } from '../../../src/core/e2ee/frames/format';
import { FrameKey, KeyRing } from '../../../src/core/e2ee/frames/keyring';
import { counterCycle } from '../../../src/core/e2ee/frames/replay';
import { frameOf } from './livekit';

interface Vector {
  name: string;
  codec: 'opus' | 'h264';
  type?: string;
  bits: KeyBits;
  secret?: string;
  phrase?: string;
  index: number;
  plain: string;
  sealed: string;
}

const folder = new URL('../../../../e2e/golang-sdk/testdata/', import.meta.url);
const unhex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const hex = (data: ArrayBuffer | Uint8Array) => Buffer.from(data as Uint8Array).toString('hex');
const kindOf = (v: Vector) => (v.codec === 'opus' ? 'audio' : 'video');
const frame = (v: Vector, data: string, meta: { source?: number; timestamp: number }, mime: boolean): EncodedFrame =>
  frameOf(unhex(data), { ...meta, type: v.type, mime: mime ? `${kindOf(v)}/${v.codec}` : undefined });
const zeros = (n: number) => new Uint8Array(n);

/** A ring with the vector's key; a passphrase's key is put in by hand, for nobody sets one here. */
async function ringOf(v: Vector): Promise<KeyRing> {
  const ring = new KeyRing(v.bits, zeros);
  if (v.phrase === undefined) {
    expect(await ring.set(v.index, unhex(v.secret ?? ''))).toBeUndefined();
    ring.use(v.index);
    return ring;
  }
  const key = new FrameKey(await fromPassphrase(v.phrase, v.bits), v.index, zeros);
  return { get: (i: number) => (i === v.index ? key : undefined) } as KeyRing;
}

describe("frames of LiveKit's Go SDK", async () => {
  const vectors = JSON.parse(await readFile(new URL('sdk.json', folder), 'utf8')) as Vector[];

  for (const v of vectors.filter((v) => !v.name.includes('any time'))) {
    it(`are opened: ${v.name}`, async () => {
      for (const mime of [true, false]) {
        const sealed = frame(v, v.sealed, { timestamp: 0 }, mime);
        const ring = await ringOf(v);
        expect(await open(sealed, { kind: kindOf(v) }, ring)).toBeUndefined();
        expect(hex(sealed.data)).toBe(v.plain);
        expect(await open(frame(v, v.sealed, { timestamp: 0 }, mime), { kind: kindOf(v) }, ring)).toBe('replay');
      }
    });
  }

  it('are decrypted and still not taken where their random IV is none that a sender counts', async () => {
    const random = vectors.filter((v) => v.name.includes('any time'));
    expect(random.map((v) => v.codec)).toEqual(['opus', 'h264']);
    for (const v of random) {
      const data = unhex(v.sealed);
      const iv = data.slice(-14, -2);
      expect(readIV(iv).counter).toBeGreaterThanOrEqual(counterCycle);
      // The ring takes the tag for good before it looks at the counter.
      expect(await open(frame(v, v.sealed, { timestamp: 0 }, true), { kind: kindOf(v) }, await ringOf(v))).toBe(
        'replay',
      );
      const other = { ...v, secret: 'ff'.repeat(32) };
      expect(await open(frame(v, v.sealed, { timestamp: 0 }, true), { kind: kindOf(v) }, await ringOf(other))).toBe(
        'decrypt',
      );
    }
  });

  it('leave as much clear as ours', async () => {
    for (const v of vectors) {
      const plain = unhex(v.plain);
      const f = frame(v, v.plain, { timestamp: 0 }, false);
      const codec = codecOf(f, kindOf(v), plain);
      expect(codec).toBe(v.codec);
      const { clear = 0 } = layoutOf(v.codec, v.type, plain) ?? {};
      expect(v.sealed.slice(0, 2 * clear)).toBe(v.plain.slice(0, 2 * clear));
      expect(v.sealed.slice(2 * clear, 2 * clear + 8)).not.toBe(v.plain.slice(2 * clear, 2 * clear + 8));
    }
  });
});

/** Octets that must be escaped, and zeros before the trailer. */
const rest = [...Array.from({ length: 60 }, (_, i) => (i * 37) & 0xff), 0, 0, 0, 0, 0, 1, 0, 0, 3];
const samples: Pick<Vector, 'name' | 'codec' | 'type' | 'plain'>[] = [
  { name: 'opus', codec: 'opus', plain: hex(Uint8Array.from([0x78, ...rest])) },
  {
    name: 'h264 key',
    codec: 'h264',
    type: 'key',
    plain: hex(
      Uint8Array.from([0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0, 0, 0, 1, 0x65, 0x88, ...rest]),
    ),
  },
  { name: 'h264 delta', codec: 'h264', type: 'delta', plain: hex(Uint8Array.from([0, 0, 0, 1, 0x41, 0x9a, ...rest])) },
];

describe("frames for LiveKit's Go SDK", () => {
  it('are what they were', async () => {
    const made: Vector[] = [];
    for (const bits of [128, 256] as const) {
      for (const [i, sample] of samples.entries()) {
        const v: Vector = {
          ...sample,
          name: `${sample.name} ${bits}`,
          bits,
          secret: hex(Uint8Array.from({ length: 32 }, (_, n) => n * 5 + bits)),
          index: 40 + i,
          sealed: '',
        };
        const f = frame(v, v.plain, { source: 0xcafe0000 + i, timestamp: 960 * i }, true);
        expect(await seal(f, { kind: kindOf(v) }, await ringOf(v))).toBeUndefined();
        made.push({ ...v, sealed: hex(f.data) });
      }
    }
    const file = new URL('pages.json', folder);
    // VECTORS=write makes the file anew.
    if (process.env['VECTORS'] === 'write') await writeFile(file, `${JSON.stringify(made, null, 2)}\n`);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(made);
  });
});
