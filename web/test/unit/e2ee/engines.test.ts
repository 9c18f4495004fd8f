// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { afterEach, describe, expect, it, vi } from 'vitest';
import { canEncrypt } from '../../../src/core/e2ee/able';
import { Guard, guardedConnection, type Workshop } from '../../../src/core/e2ee/frames/guard';
import type { Order, Passage } from '../../../src/core/e2ee/frames/service';
import { transformOf } from '../../../src/core/e2ee/frames/support';
import { type Browser, browserOf, type Encoded, type Engine, engines } from './engines';

afterEach(() => void vi.unstubAllGlobals());

/** Others may use the machine. */
const patience = { timeout: 60_000, interval: 2 };
vi.setConfig({ testTimeout: patience.timeout });

const octets = (text: string) => new TextEncoder().encode(text);
const said = octets('what is said in confidence, in as many octets as a real frame would have');
const join = (...parts: (number[] | Uint8Array)[]) => Uint8Array.from(parts.flatMap((p) => [...p]));
const sps = [0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0x8c, 0x68];
const pps = [0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80];

const sound = (time: number): Encoded => ({
  kind: 'audio',
  data: join([0x78], said),
  ssrc: 0x11111111,
  time,
  mime: 'audio/opus',
});
const vp8 = (time: number, type: 'key' | 'delta', ssrc = 0x22222222): Encoded => ({
  kind: 'video',
  type,
  data: join(type === 'key' ? [0x10, 2, 0, 0x9d, 1, 0x2a, 64, 0, 64, 0] : [0x31, 2, 0], said),
  ssrc,
  time,
  mime: 'video/VP8',
});
/** Zeros that must be escaped once they are encrypted, and those that come by chance. */
const h264 = (time: number, type: 'key' | 'delta', ssrc = 0x33333333): Encoded => ({
  kind: 'video',
  type,
  data: join(
    type === 'key' ? [...sps, ...pps, 0, 0, 0, 1, 0x65, 0x88] : [0, 0, 0, 1, 0x41, 0x9a],
    said,
    [0, 0, 3, 0, 1],
  ),
  ssrc,
  time,
  mime: 'video/H264',
});

/** A page in a browser: a guarded connection, its worker with Anna's keys, and one transceiver of each kind. */
async function pageIn(engine: Engine) {
  const browser = browserOf(engine);
  const { RTCPeerConnection, RTCRtpScriptTransform } = browser.globals;
  const post = (order: Order, transfer: Transferable[] = []) => browser.worker.postMessage(order, transfer);
  const workshop: Workshop = {
    way: transformOf(browser.globals as never) ?? 'streams',
    post,
    transform: (passage: Passage) => new RTCRtpScriptTransform(browser.worker, passage),
  };
  const guard = new Guard(workshop);
  const Guarded = guardedConnection(RTCPeerConnection as never, guard, workshop.way);
  const pc = new Guarded({ iceServers: [] }) as unknown as InstanceType<typeof RTCPeerConnection>;
  const [audio, video] = [pc.addTransceiver('audio'), pc.addTransceiver({ kind: 'video' })];
  await browser.worker.start();
  post({ do: 'key', participant: 'anna', index: 9, secret: new Uint8Array(32).fill(5).buffer });
  post({ do: 'use', participant: 'anna', index: 9 });
  for (const end of [audio.sender, audio.receiver]) guard.assign(end as never, { participant: 'anna', content: 1 });
  for (const end of [video.sender, video.receiver]) guard.assign(end as never, { participant: 'anna', content: 2 });
  // Deriving a key takes some time.
  await vi.waitFor(async () => expect(await audio.sender.pass(sound(1))).toHaveLength(1), patience);
  return { browser, pc, audio, video, guard };
}

const texts = (frames: Encoded[]) => frames.map((f) => Buffer.from(f.data).toString('latin1'));
const secret = Buffer.from(said).toString('latin1');

/** The same frames as the network brings them to a browser of this engine. */
const arriving = (sealed: Encoded[]) => sealed.map((f) => ({ ...f, ssrc: f.ssrc ^ 0xffff, time: f.time + 1000 }));

describe('browsers of every engine', () => {
  for (const engine of engines) {
    it(`are taken: ${engine.name}`, async () => {
      const { globals } = browserOf(engine);
      expect(transformOf(globals as never)).toBe('script');
      for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
      expect(await canEncrypt()).toBe(true);
      for (const missing of ['Worker', 'RTCRtpScriptTransform', 'RTCRtpSender', 'RTCRtpReceiver'] as const) {
        vi.stubGlobal(missing, undefined);
        expect(await canEncrypt(), `without ${missing}`).toBe(false);
        vi.stubGlobal(missing, globals[missing]);
      }
      expect(await canEncrypt()).toBe(true);
      const generateKey = () => Promise.reject(new DOMException('', 'NotSupportedError'));
      vi.stubGlobal('crypto', { subtle: { generateKey } });
      expect(await canEncrypt(), 'without Ed25519').toBe(false);
    });

    it(`let nothing out but sealed: ${engine.name}`, async () => {
      const { audio, video, pc, guard } = await pageIn(engine);
      const sent = [
        ...(await audio.sender.pass(sound(960), sound(1920))),
        ...(await video.sender.pass(vp8(3000, 'key'), vp8(3000, 'key', 0x22222223), vp8(6000, 'delta'))),
        ...(await video.sender.pass(h264(9000, 'key'), h264(12_000, 'delta'))),
      ];
      expect(sent).toHaveLength(7);
      for (const text of texts(sent)) expect(text).not.toContain(secret.slice(8, 24));
      // Times and streams stand in the IVs: those of layers of one time differ.
      const ivs = sent.map((f) => Buffer.from(f.data.slice(-14, -2)).toString('hex'));
      expect(ivs.slice(0, 5).map((iv) => iv.slice(8, 16))).toEqual(
        [960, 1920, 3000, 3000, 6000].map((t) => t.toString(16).padStart(8, '0')),
      );
      expect(new Set(ivs).size).toBe(7);
      // What is assigned to nobody goes nowhere, also through ends that an answer makes.
      await pc.setRemoteDescription({ type: 'answer', sdp: 'v=0\r\n' });
      const late = pc.getTransceivers().at(-1);
      expect(await late?.sender.pass(vp8(15_000, 'key'))).toEqual([]);
      expect(await late?.receiver.pass(vp8(15_000, 'key'))).toEqual([]);
      guard.assign(audio.sender as never, undefined);
      await new Promise((next) => setImmediate(next));
      expect(await audio.sender.pass(sound(2880))).toEqual([]);
      expect(await pc.createOffer()).toMatchObject({ type: 'offer' });
    });
  }
});

describe('frames between browsers of any two engines', () => {
  for (const from of engines) {
    it(`are the same at the other end: from ${from.name}`, async () => {
      const anna = await pageIn(from);
      for (const [i, to] of engines.entries()) {
        const ben = await pageIn(to);
        const t = 100_000 * (i + 1);
        const sounds = [sound(t), sound(t + 960)];
        const layers = [vp8(t, 'key'), vp8(t, 'key', 0x22222223), vp8(t + 3000, 'delta')];
        const units = [h264(t + 6000, 'key'), h264(t + 9000, 'delta')];
        const [heard, seen] = [
          await anna.audio.sender.pass(...sounds),
          await anna.video.sender.pass(...layers, ...units),
        ];
        expect(texts(await ben.audio.receiver.pass(...arriving(heard))), to.name).toEqual(texts(sounds));
        expect(texts(await ben.video.receiver.pass(...arriving(seen))), to.name).toEqual(texts([...layers, ...units]));
        // Neither twice, nor plain, nor as something else.
        expect(await ben.video.receiver.pass(...arriving(seen), ...layers, ...units)).toEqual([]);
        expect(await ben.audio.receiver.pass(...arriving(heard), ...sounds)).toEqual([]);
      }
    });
  }
});

describe('frames of which too little is known', () => {
  const reasons = ({ reports }: Browser) =>
    reports.flatMap((r) => ((r as { tell: string }).tell === 'dropped' ? [(r as { why: string }).why] : []));

  it('are dropped where no time is told', async () => {
    const silent: Engine = { name: 'none', audio: () => ({}), video: () => ({}), timestamp: false, empties: true };
    const browser = browserOf(silent);
    const { RTCRtpScriptTransform, RTCRtpSender } = browser.globals;
    const sender = new RTCRtpSender({ kind: 'audio' });
    sender.transform = new RTCRtpScriptTransform(browser.worker, {
      way: 'seal',
      kind: 'audio',
      track: 't',
      participant: 'anna',
    });
    await browser.worker.start();
    expect(await sender.pass(sound(1), sound(2))).toEqual([]);
    expect(reasons(browser)).toEqual(['time', 'time']);
  });

  it('are dropped where neither the browser nor their first octets tell the codec', async () => {
    const [safari] = engines;
    if (!safari) throw new Error('no engine');
    const { video, browser } = await pageIn(safari);
    const like = (type: 'key' | 'delta', ...data: number[]): Encoded => ({
      ...vp8(1, type),
      data: join(data, said),
    });
    const vp9 = like('key', 0x82, 0x49, 0x83, 0x42, 0, 0);
    const av1 = like('key', 0x12, 0, 0x0a, 0x0a, 0, 0);
    expect(
      await video.sender.pass(vp9, av1, like('delta', 0x86, 0, 0), like('key', 0x31, 2, 0, 0x9d, 1, 0x2a)),
    ).toEqual([]);
    // The first, the second and the fourth are told.
    expect(reasons(browser).filter((why) => why !== 'no-key')).toEqual(['codec', 'codec', 'codec']);
  });
});
