// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { open, seal, type Track } from '../../../src/core/e2ee/frames/cipher';
import type { EncodedFrame } from '../../../src/core/e2ee/frames/format';
import { KeyRing } from '../../../src/core/e2ee/frames/keyring';
import { frameOf, LiveKitWorker } from './livekit';

const secret = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 1);
const source = 0xdeadbeef;
const file = new URL('testdata/frames.json', import.meta.url);

interface Sample {
  name: string;
  track: Track;
  mime: string;
  type?: string;
  plain: Uint8Array;
}

/** Octets that need escaping in H.264, and many others. */
const payload = Uint8Array.from([0, 0, 1, 0, 0, 0, 0, 3, ...Array.from({ length: 90 }, (_, i) => (i * 31) & 0xff)]);
const of = (...octets: number[]) => Uint8Array.from([...octets, ...payload]);
const sps = [0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0x8c];
const pps = [0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80];

const opus: Track = { kind: 'audio' };
const video: Track = { kind: 'video' };
const samples: Sample[] = [
  { name: 'opus', track: opus, mime: 'audio/opus', plain: of(0xfc) },
  { name: 'opus of one octet', track: opus, mime: 'audio/opus', plain: Uint8Array.of(0xf8) },
  { name: 'vp8 key', track: video, mime: 'video/VP8', type: 'key', plain: of(0x10, 2, 0, 0x9d, 1, 0x2a, 64, 0, 64, 0) },
  { name: 'vp8 delta', track: video, mime: 'video/VP8', type: 'delta', plain: of(0x31, 2, 0) },
  {
    name: 'h264 key',
    track: video,
    mime: 'video/H264',
    type: 'key',
    plain: of(...sps, ...pps, 0, 0, 0, 1, 0x65, 0x88),
  },
  { name: 'h264 delta', track: video, mime: 'video/H264', type: 'delta', plain: of(0, 0, 0, 1, 0x41, 0x9a) },
  {
    name: 'h264 short start codes',
    track: video,
    mime: 'video/H264',
    type: 'key',
    plain: of(0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x65, 0xb8),
  },
];

const frame = (s: Sample, timestamp: number, data = s.plain): EncodedFrame =>
  frameOf(data, { source, timestamp, mime: s.mime, type: s.type });

/** What a receiver gets for the sample: the header's start codes have four octets then. */
const received = (s: Sample): Uint8Array =>
  s.name.includes('short') ? of(0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x65, 0xb8) : s.plain;

const ring = async (index: number): Promise<KeyRing> => {
  const r = new KeyRing(256, (n) => new Uint8Array(n).fill(3));
  expect(await r.set(index, secret)).toBeUndefined();
  expect(r.use(index)).toBe(true);
  return r;
};

const hex = (b: ArrayBuffer | Uint8Array) => Buffer.from(b as Uint8Array).toString('hex');

interface Vector {
  name: string;
  kind: 'audio' | 'video';
  mime: string;
  type?: string;
  secret: string;
  index: number;
  source: number;
  timestamp: number;
  plain: string;
  sealed: string;
}

describe('frames of livekit-client 2.23.0', () => {
  let livekit: LiveKitWorker;

  beforeAll(async () => {
    livekit = await LiveKitWorker.start();
    await livekit.key('anna', 200, secret);
  });

  const vectors: Vector[] = [];

  // VECTORS=write makes the file anew, with livekit-client's code.
  afterAll(async () => {
    if (process.env['VECTORS'] === 'write') await writeFile(file, `${JSON.stringify(vectors, null, 2)}\n`);
  });

  for (const [i, s] of samples.entries()) {
    it(`are opened here: ${s.name}`, async () => {
      const timestamp = 4_294_900_000 + i;
      const [sealed] = await livekit.put('encode', 'anna', s.name, [frame(s, timestamp)]);
      if (!sealed) throw new Error('livekit-client sealed nothing');
      const { name, mime, type, track } = s;
      const texts = { secret: hex(secret), plain: hex(received(s)), sealed: hex(sealed.data) };
      vectors.push({ name, kind: track.kind, mime, type, index: 200, source, timestamp, ...texts });
      expect(hex(sealed.data)).not.toContain(hex(payload));
      expect(await open(sealed, s.track, await ring(200))).toBeUndefined();
      expect(hex(sealed.data)).toBe(hex(received(s)));
    });

    it(`are made here: ${s.name}`, async () => {
      const sent = frame(s, 180_000 + i);
      expect(await seal(sent, s.track, await ring(200))).toBeUndefined();
      const [opened] = await livekit.put('decode', 'anna', s.name, [sent]);
      expect(opened && hex(opened.data)).toBe(hex(received(s)));
    });
  }
});

describe('frozen frames', () => {
  it('are opened', async () => {
    const vectors = JSON.parse(await readFile(file, 'utf8')) as Vector[];
    expect(vectors.map((v) => v.name)).toEqual(samples.map((s) => s.name));
    for (const v of vectors) {
      const keys = new KeyRing(256, (n) => new Uint8Array(n));
      expect(await keys.set(v.index, Uint8Array.from(Buffer.from(v.secret, 'hex')))).toBeUndefined();
      const sealed = frameOf(Buffer.from(v.sealed, 'hex'), { timestamp: v.timestamp, mime: v.mime, type: v.type });
      expect(await open(sealed, { kind: v.kind }, keys), v.name).toBeUndefined();
      expect(hex(sealed.data), v.name).toBe(v.plain);
    }
  });
});
