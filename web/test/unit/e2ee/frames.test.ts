// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstSlice, longStartCodes, withEscapes, withoutEscapes } from '../../../src/core/e2ee/frames/annexb';
import { type Drop, open, seal, type Track } from '../../../src/core/e2ee/frames/cipher';
import type { EncodedFrame } from '../../../src/core/e2ee/frames/format';
import { FrameKey, framesPerKey, KeyRing } from '../../../src/core/e2ee/frames/keyring';
import { counterCycle, ReplayWindow, SendCounter, windowFrames } from '../../../src/core/e2ee/frames/replay';
import { FrameService, type Order, type Passage, type Report, serve } from '../../../src/core/e2ee/frames/service';
import { transformOf } from '../../../src/core/e2ee/frames/support';
import { frameOf } from './livekit';

const audio: Track = { kind: 'audio' };
const video: Track = { kind: 'video' };
const zeros = (n: number) => new Uint8Array(n);
const secret = (n: number) => new Uint8Array(32).fill(n);
const plain = Uint8Array.from({ length: 40 }, (_, i) => i + 1);

const sound = (timestamp: number, source: number | undefined = 7, data = plain) =>
  frameOf(data, { source, timestamp, mime: 'audio/opus' });
const picture = (timestamp: number, mime = 'video/VP8', type = 'delta', data = plain) =>
  frameOf(data, { source: 9, timestamp, mime, type });

async function ringOf(...indices: number[]): Promise<KeyRing> {
  const ring = new KeyRing(256, zeros);
  for (const i of indices) expect(await ring.set(i, secret(i + 1))).toBeUndefined();
  const first = indices[0];
  if (first !== undefined) ring.use(first);
  return ring;
}

const copy = (f: EncodedFrame, type?: string): EncodedFrame =>
  frameOf(new Uint8Array(f.data), {
    timestamp: f.timestamp ?? 0,
    mime: f.getMetadata().mimeType,
    type: type ?? f.type,
  });

describe('what cannot be encrypted', () => {
  const cases: [string, () => EncodedFrame, Track, Drop][] = [
    ['an empty frame', () => sound(1, 7, zeros(0)), audio, 'empty'],
    ['AV1', () => picture(1, 'video/AV1'), video, 'codec'],
    ['redundant sound', () => frameOf(plain, { source: 7, timestamp: 1, mime: 'audio/red' }), audio, 'codec'],
    ['sound on a track of pictures', () => sound(1), video, 'codec'],
    ['pictures on a track of sound', () => picture(1), audio, 'codec'],
    ['pictures of an unknown codec', () => frameOf(plain, { source: 9, timestamp: 1, type: 'key' }), video, 'codec'],
    ['a picture of an unknown type', () => picture(1, 'video/VP8', 'empty'), video, 'layout'],
    ['a picture shorter than its header', () => picture(1, 'video/VP8', 'key', plain.slice(0, 9)), video, 'layout'],
    ['H.264 without a slice', () => picture(1, 'video/H264', 'key'), video, 'layout'],
    ['a frame without a source', () => frameOf(plain, { timestamp: 1, mime: 'audio/opus' }), audio, 'source'],
  ];
  for (const [name, frame, track, why] of cases) {
    it(`is not sent: ${name}`, async () => {
      const f = frame();
      expect(await seal(f, track, await ringOf(1))).toBe(why);
      if (why !== 'source') expect(await open(frame(), track, await ringOf(1))).toBe(why);
    });
  }

  it('is not sent without a key, with one forgotten or replaced', async () => {
    const ring = new KeyRing(256, zeros);
    expect(await seal(sound(1), audio, ring)).toBe('no-key');
    await ring.set(1, secret(1));
    expect(await seal(sound(1), audio, ring)).toBe('no-key');
    expect(ring.use(1)).toBe(true);
    expect(await seal(sound(1), audio, ring)).toBeUndefined();
    await ring.set(1, secret(2));
    expect(await seal(sound(2), audio, ring)).toBe('no-key');
    ring.use(1);
    ring.forget(1);
    expect(await seal(sound(3), audio, ring)).toBe('no-key');
    expect(ring.use(1)).toBe(false);
  });
});

describe('what cannot be decrypted', () => {
  it('is dropped: plain frames, short ones, changed ones, those of unknown keys', async () => {
    const ring = await ringOf(5);
    const sealed = sound(1);
    expect(await seal(sealed, audio, ring)).toBeUndefined();
    const octets = new Uint8Array(sealed.data);
    expect(await open(sound(1), audio, ring)).toBe('trailer');
    expect(await open(sound(1, 7, octets.slice(-30)), audio, ring)).toBe('trailer');
    expect(await open(copy(sealed), audio, await ringOf(6))).toBe('no-key');
    for (let i = 0; i < octets.length; i++) {
      const changed = octets.slice();
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(await open(sound(1, 7, changed), audio, ring), `octet ${i}`).toMatch(/^(decrypt|no-key|trailer)$/);
    }
    expect(await open(copy(sealed), audio, ring)).toBeUndefined();
  });

  it('is dropped when it comes again, also on another track of the same person', async () => {
    const ring = await ringOf(5);
    const sealed = sound(1);
    await seal(sealed, audio, ring);
    expect(await open(copy(sealed), audio, ring)).toBeUndefined();
    expect(await open(copy(sealed), audio, ring)).toBe('replay');
  });

  it('is dropped where sound comes as a picture of the same source', async () => {
    const ring = await ringOf(5);
    const first = picture(1);
    await seal(first, video, ring);
    expect(await open(copy(first), video, ring)).toBeUndefined();
    const key = ring.get(5);
    expect(key?.take('audio', 9, 2, 1)).toBe(false);
    expect(key?.take('video', 9, 2, 1)).toBe(true);
  });
});

describe('keys', () => {
  it('are taken once each, at indices of one octet, of 256 bits', async () => {
    const ring = await ringOf(0, 255);
    expect(await ring.set(3, secret(1))).toBe('reused');
    expect(await ring.set(-1, secret(9))).toBe('index');
    expect(await ring.set(256, secret(9))).toBe('index');
    expect(await ring.set(1.5, secret(9))).toBe('index');
    expect(await ring.set(2, new Uint8Array(16))).toBe('length');
    ring.forget(255);
    expect(await ring.set(255, secret(256))).toBe('reused');
    ring.clear();
    expect(await ring.set(0, secret(1))).toBe('reused');
  });

  it('are used up after as many frames as they may encrypt, and have at most 64 sources', async () => {
    expect(framesPerKey).toBe(16_777_216);
    const aes = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
    const key = new FrameKey(aes, 0, zeros, 100);
    for (let s = 0; s < 64; s++) expect(key.counter(s, 1)).toBe(0);
    expect(key.counter(64, 1)).toBeUndefined();
    for (let s = 0; s < 64; s++) expect(key.take('video', s, 1, 1)).toBe(true);
    expect(key.take('video', 64, 1, 1)).toBe(false);
    for (let i = 64; i < 100; i++) expect(key.counter(1, i)).not.toBeUndefined();
    expect(key.counter(1, 100)).toBeUndefined();
  });
});

describe('IVs', () => {
  it('never repeat, whatever the times are', () => {
    const times = fc.array(
      fc.oneof(fc.constant(0), fc.integer({ min: -2, max: 2 }), fc.integer({ min: -90_000, max: 2 ** 30 })),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), times, (start, steps) => {
        const counter = new SendCounter(65_530);
        const seen = new Set<string>();
        let t = start;
        // Each step is held for a third of a cycle, so that counters come again.
        for (let i = 0; i < steps.length * 20_000; i += 1) {
          if (i % 20_000 === 0) t = (t + (steps[i / 20_000] ?? 0)) >>> 0;
          const c = counter.next(t);
          if (c === undefined) break;
          const iv = `${t} ${c}`;
          if (seen.has(iv)) return false;
          seen.add(iv);
        }
        return true;
      }),
      { numRuns: 10, seed: 1 },
    );
  });

  it('run out instead when times stand still or wrap', () => {
    const still = new SendCounter(5);
    let given = 0;
    while (given < counterCycle && still.next(1) !== undefined) given++;
    expect(given).toBe(counterCycle);
    expect(still.next(1)).toBeUndefined();
    expect(still.next(2)).toBe(5);
    const wrapping = new SendCounter(0);
    expect([0, 2 ** 30, 2 ** 31 - 1].map((t) => wrapping.next(t))).toEqual([0, 1, 2]);
    expect(wrapping.next(2 ** 31)).toBeUndefined();
  });
});

describe('ReplayWindow', () => {
  it('takes each frame once, in any order within the window, over the wrap of counter and time', () => {
    const order = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(order, (order) => {
        const window = new ReplayWindow();
        const taken = new Set<number>();
        let newest = -1;
        for (const n of order) {
          const fresh = !taken.has(n) && (n > newest || newest - n < windowFrames);
          if (window.take((0xffffff00 + n * 3000) >>> 0, (65_400 + n) % counterCycle) !== fresh) return false;
          if (fresh) taken.add(n);
          newest = Math.max(newest, fresh ? n : newest);
        }
        return true;
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  it('takes frames after a long silence and none of before it', () => {
    const window = new ReplayWindow();
    expect(window.take(1_000, 10)).toBe(true);
    expect(window.take(1_000 + 3_000 * counterCycle, 10)).toBe(true);
    expect(window.take(1_000, 10)).toBe(false);
    expect(window.take(4_000, 11)).toBe(false);
    expect(window.take(5_000 + 3_000 * counterCycle, counterCycle)).toBe(false);
  });

  it('tells layers of one time apart', () => {
    const window = new ReplayWindow();
    expect([1, 2, 3, 2].map((c) => window.take(90, c))).toEqual([true, true, true, false]);
  });
});

describe('H.264', () => {
  it('finds slices as receivers do', () => {
    const cases: [number[], number][] = [
      [[0, 0, 0, 1, 0x65, 1, 2, 3], 4],
      [[0, 0, 1, 0x41, 1, 2, 3], 3],
      [[0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x65, 1, 2, 3], 9],
      [[0, 0, 0, 1, 0x65, 1, 2], -1],
      [[9, 0, 0, 1, 0x65, 1, 2, 3], -1],
      [[1, 0, 0, 1, 0x65, 1, 2, 3], -1],
      [[0, 0, 1, 0x67, 1, 2, 3, 4], -1],
      [[], -1],
    ];
    for (const [octets, at] of cases) expect(firstSlice(Uint8Array.from(octets)), `${octets}`).toBe(at);
  });

  it('escapes what it takes back, without start codes', () => {
    const octets = fc.array(
      fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 255 })),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(octets, (octets) => {
        const escaped = withEscapes(Uint8Array.from(octets));
        expect([...withoutEscapes(escaped)]).toEqual(octets);
        expect(escaped.join()).not.toMatch(/(^|,)0,0,[012](,|$)/);
      }),
      { numRuns: 500, seed: 3 },
    );
    expect([...longStartCodes(Uint8Array.of(0, 0, 1, 9, 0, 0, 0, 1, 5))]).toEqual([0, 0, 0, 1, 9, 0, 0, 0, 1, 5]);
  });
});

/** A service, what it reports, and how to put frames through it as a browser does. */
function fixture() {
  const reports: Report[] = [];
  const service = new FrameService((r) => reports.push(r), zeros);
  const put = async (passage: unknown, frames: EncodedFrame[], via: 'script' | 'streams' = 'script') => {
    const out: EncodedFrame[] = [];
    const readable = new ReadableStream<EncodedFrame>({
      start(c) {
        for (const f of frames) c.enqueue(f);
        c.close();
      },
    });
    const writable = new WritableStream<EncodedFrame>({ write: (f) => void out.push(f) });
    if (via === 'script') await service.pass(passage, readable, writable);
    else {
      const before = reports.length;
      await service.order({ do: 'attach', passage: passage as Passage, readable, writable } satisfies Order);
      while (!reports.slice(before).some((r) => r.tell === 'ended')) await new Promise((done) => setTimeout(done, 1));
    }
    return out;
  };
  return { reports, service, put };
}

const key = (participant: string, index: number, n: number): Order => ({
  do: 'key',
  participant,
  index,
  secret: secret(n).buffer,
});
const passage = (way: 'seal' | 'open', participant = 'anna'): Passage => ({
  way,
  participant,
  track: 't',
  kind: 'audio',
});

describe('FrameService', () => {
  for (const via of ['script', 'streams'] as const) {
    it(`carries frames from one side to the other (${via})`, async () => {
      const anna = fixture();
      const bert = fixture();
      for (const side of [anna, bert]) await side.service.order(key('anna', 4, 1));
      await anna.service.order({ do: 'use', participant: 'anna', index: 4 });
      const sealed = await anna.put(passage('seal'), [sound(1), sound(2, 7, zeros(0)), sound(961)], via);
      expect(sealed.map((f) => f.data.byteLength)).toEqual([70, 70]);
      const opened = await bert.put(passage('open'), [...sealed.map((f) => copy(f)), sound(9)], via);
      expect(opened.map((f) => [...new Uint8Array(f.data)])).toEqual([[...plain], [...plain]]);
      expect(anna.reports).toContainEqual({ tell: 'dropped', participant: 'anna', track: 't', why: 'empty', count: 1 });
      expect(bert.reports).toContainEqual({
        tell: 'dropped',
        participant: 'anna',
        track: 't',
        why: 'trailer',
        count: 1,
      });
    });
  }

  it('lets nothing through without keys, and goes on when they come', async () => {
    const { service, put, reports } = fixture();
    expect(await put(passage('seal'), [sound(1), sound(2), sound(3), sound(4)])).toEqual([]);
    const counts = reports.flatMap((r) => (r.tell === 'dropped' ? [r.count] : []));
    expect(counts).toEqual([1, 2, 4]);
    await service.order(key('anna', 1, 1));
    await service.order({ do: 'use', participant: 'anna', index: 1 });
    expect(await put(passage('seal'), [sound(5)])).toHaveLength(1);
    await service.order({ do: 'remove', participant: 'anna' });
    expect(await put(passage('seal'), [sound(6)])).toEqual([]);
  });

  it('drops what a broken frame throws at it', async () => {
    const { service, put } = fixture();
    await service.order(key('anna', 1, 1));
    await service.order({ do: 'use', participant: 'anna', index: 1 });
    const broken = {
      ...sound(1),
      getMetadata: () => {
        throw new Error('gone');
      },
    };
    expect(await put(passage('seal'), [broken, sound(2)])).toHaveLength(1);
  });

  it('lets nothing through where a passage belongs to nobody, or shows something else', async () => {
    const [anna, bert] = [fixture(), fixture()];
    for (const one of [anna, bert]) await one.service.order(key('anna', 4, 9));
    await anna.service.order({ do: 'use', participant: 'anna', index: 4 });
    const nobody = (way: 'seal' | 'open'): Passage => ({ way, kind: 'audio', track: 't' });
    const assign = (one: typeof anna, content?: number) =>
      one.service.order({ do: 'assign', track: 't', ...(content && { assignment: { participant: 'anna', content } }) });
    expect(await anna.put(nobody('seal'), [sound(1)])).toEqual([]);
    await assign(anna, 1);
    const sealed = await anna.put(nobody('seal'), [sound(2), sound(3, 8)]);
    expect(sealed).toHaveLength(2);
    expect(await bert.put(nobody('open'), [...sealed.map((f) => copy(f))])).toEqual([]);
    await assign(bert, 4);
    expect(await bert.put(nobody('open'), [...sealed.map((f) => copy(f))])).toEqual([]);
    expect(bert.reports).toContainEqual(expect.objectContaining({ tell: 'dropped', why: 'source', count: 2 }));
    await assign(bert, 1);
    expect(await bert.put(nobody('open'), [...sealed.map((f) => copy(f))])).toHaveLength(2);
    await assign(bert);
    expect(await bert.put(nobody('open'), [sound(9)])).toEqual([]);
    await anna.service.order({ do: 'halt', participant: 'anna' });
    expect(await anna.put(nobody('seal'), [sound(4)])).toEqual([]);
    for (const bad of [{ participant: 'anna' }, { participant: 'anna', content: 256 }, 7]) {
      await bert.service.order({ do: 'assign', track: 't', assignment: bad });
      expect(bert.reports.at(-1)).toEqual({ tell: 'refused', why: 'order' });
    }
  });

  it('refuses orders and passages that it does not know, and passes nothing then', async () => {
    const { service, put, reports } = fixture();
    const wrong: unknown[] = [
      null,
      1,
      {},
      { do: 'key' },
      { do: 'key', participant: 'a', index: 1 },
      { do: 'plain', participant: 'a', index: 1 },
    ];
    for (const order of wrong) await service.order(order);
    await service.order({ do: 'use', participant: 'a', index: 1 });
    await service.order(key('a', 300, 1));
    const refused = reports.map((r) => (r.tell === 'refused' ? r.why : r.tell));
    expect(refused).toEqual([...wrong.map(() => 'order'), 'no-key', 'index']);
    for (const p of [undefined, {}, { ...passage('seal'), way: 'pass' }, { ...passage('seal'), kind: 'text' }]) {
      expect(await put(p, [sound(1)])).toEqual([]);
    }
  });

  it('wipes secrets that it was given, and hears its scope', async () => {
    const told: Report[] = [];
    const scope: Parameters<typeof serve>[0] = { onmessage: null, postMessage: (r) => told.push(r) };
    const service = serve(scope, zeros);
    const order = key('anna', 1, 1);
    scope.onmessage?.({ data: order });
    await service.order({ do: 'use', participant: 'anna', index: 1 });
    expect(told).toEqual([]);
    expect(order.do === 'key' && [...new Uint8Array(order.secret)].every((b) => b === 0)).toBe(true);
    const out: EncodedFrame[] = [];
    const readable = new ReadableStream<EncodedFrame>({
      start(c) {
        c.enqueue(sound(1));
        c.close();
      },
    });
    const ended = new Promise<void>((close) => {
      const writable = new WritableStream<EncodedFrame>({ write: (f) => void out.push(f), close });
      scope.onrtctransform?.({ transformer: { options: passage('seal'), readable, writable } });
    });
    await ended;
    expect(out).toHaveLength(1);
  });
});

describe('transformOf', () => {
  const ends = (...names: string[]) => {
    const prototype = Object.fromEntries(names.map((n) => [n, null]));
    return { RTCRtpSender: { prototype }, RTCRtpReceiver: { prototype } };
  };
  const RTCRtpScriptTransform = class {};

  it('prefers the standard', () => {
    expect(transformOf({ RTCRtpScriptTransform, ...ends('transform', 'createEncodedStreams') })).toBe('script');
    expect(transformOf(ends('createEncodedStreams'))).toBe('streams');
    expect(transformOf(ends())).toBeUndefined();
    expect(transformOf({})).toBeUndefined();
  });

  it('takes half of it for nothing: frames would pass unchanged', () => {
    expect(transformOf({ RTCRtpScriptTransform })).toBeUndefined();
    expect(transformOf({ RTCRtpScriptTransform, ...ends() })).toBeUndefined();
    expect(transformOf({ RTCRtpScriptTransform, ...ends('createEncodedStreams') })).toBe('streams');
    const { RTCRtpReceiver } = ends();
    expect(transformOf({ RTCRtpScriptTransform, ...ends('transform'), RTCRtpReceiver })).toBeUndefined();
    expect(transformOf(ends('transform'))).toBeUndefined();
  });
});
