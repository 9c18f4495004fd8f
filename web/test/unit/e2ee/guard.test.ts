// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { Guard, guardedConnection, type Workshop } from '../../../src/core/e2ee/frames/guard';
import type { Order, Passage } from '../../../src/core/e2ee/frames/service';

/** A peer connection that has nothing but its ends. */
class Ends {
  transform: unknown = null;
  streams = 0;
  constructor(readonly track: { kind: string }) {}
  createEncodedStreams() {
    this.streams++;
    return { readable: new ReadableStream(), writable: new WritableStream() };
  }
}

class Connection {
  readonly all: { sender: Ends; receiver: Ends }[] = [];
  readonly told: ((e: unknown) => void)[] = [];
  constructor(public config: Record<string, unknown>) {}
  setConfiguration(config: Record<string, unknown>) {
    this.config = config;
  }
  addEventListener(_: string, fn: (e: unknown) => void) {
    this.told.push(fn);
  }
  make(kind: string) {
    const t = { sender: new Ends({ kind }), receiver: new Ends({ kind }) };
    this.all.push(t);
    return t;
  }
  addTransceiver(of: string | { kind: string }) {
    return this.make(typeof of === 'string' ? of : of.kind);
  }
  addTrack(track: { kind: string }) {
    return this.make(track.kind).sender;
  }
  getTransceivers() {
    return this.all;
  }
  createOffer(o?: unknown) {
    return Promise.resolve({ type: 'offer', sdp: `m=audio 9 X 8\r\n${o}\r\na=rtpmap:8 opus/48000/2\r\n` });
  }
  createAnswer() {
    return Promise.resolve({ type: 'answer', sdp: 'm=audio 9 X 8\r\na=rtpmap:8 opus/48000/2\r\n' });
  }
  remote: unknown;
  setRemoteDescription(remote?: unknown) {
    this.remote = remote;
    this.make('video');
    return Promise.resolve();
  }
}

function set(way: Workshop['way']) {
  const orders: Order[] = [];
  const guard = new Guard({ way, post: (o) => orders.push(o), transform: (p: Passage) => p });
  const Guarded = guardedConnection(Connection as never, guard, way) as unknown as typeof Connection;
  return { orders, guard, pc: new Guarded({ iceServers: [] }) };
}

describe('a guarded connection', () => {
  for (const way of ['script', 'streams'] as const) {
    it(`sends every end through the worker, however it comes to be (${way})`, async () => {
      const { orders, pc } = set(way);
      expect(pc.config).toEqual({ iceServers: [], encodedInsertableStreams: way === 'streams' });
      pc.setConfiguration({ encodedInsertableStreams: way === 'script' });
      expect(pc.config).toEqual({ encodedInsertableStreams: way === 'streams' });
      pc.addTransceiver('audio');
      pc.addTransceiver({ kind: 'video' });
      await pc.setRemoteDescription({
        type: 'answer',
        sdp: 'm=audio 9 X 8\na=rtpmap:8 opus/48000/2\na=fmtp:8 usedtx=1',
      });
      expect(pc.remote).toEqual({
        type: 'answer',
        sdp: 'm=audio 9 X 8\na=rtpmap:8 opus/48000/2\na=fmtp:8 useinbandfec=1;cbr=1',
      });
      const late = pc.make('audio');
      for (const fn of pc.told) fn({ transceiver: late, track: { kind: 'audio' } });
      for (const { sender, receiver } of pc.all) {
        for (const [end, direction] of [
          [sender, 'seal'],
          [receiver, 'open'],
        ] as const) {
          if (way === 'script') expect(end.transform).toMatchObject({ way: direction, kind: end.track.kind });
          else expect(end.streams).toBe(1);
        }
      }
      const ends = pc.all.length * 2;
      expect(orders.filter((o) => o.do === 'attach')).toHaveLength(way === 'streams' ? ends : 0);
      const alone = pc.addTrack({ kind: 'video' });
      expect(way === 'script' ? alone.transform : alone.streams).toBeTruthy();
    });
  }

  it('asks for lost sound again in whatever it describes', async () => {
    const { pc } = set('script');
    expect(await pc.createOffer('told')).toEqual({
      type: 'offer',
      sdp: 'm=audio 9 X 8\r\ntold\r\na=rtpmap:8 opus/48000/2\r\na=rtcp-fb:8 nack\r\n',
    });
    expect(await pc.createAnswer()).toEqual({
      type: 'answer',
      sdp: 'm=audio 9 X 8\r\na=rtpmap:8 opus/48000/2\r\na=rtcp-fb:8 nack\r\n',
    });
  });

  it('names ends to the worker, and knows none that is not guarded', () => {
    const { orders, guard, pc } = set('script');
    const { sender } = pc.addTransceiver('video');
    guard.assign(sender as never, { participant: 'anna', content: 2 });
    const { track } = sender.transform as Passage;
    expect(orders).toEqual([{ do: 'assign', track, assignment: { participant: 'anna', content: 2 } }]);
    guard.assign(sender as never, undefined);
    expect(orders.at(-1)).toEqual({ do: 'assign', track });
    expect(() => guard.assign(new Ends({ kind: 'video' }) as never, undefined)).toThrow();
  });

  it('has no way past a browser that refuses', () => {
    const { guard } = set('script');
    const refusing = Object.defineProperty({}, 'transform', {
      set: () => {
        throw new Error('no');
      },
    });
    expect(() => guard.close(refusing as never, 'seal', 'audio')).toThrow('no');
  });

  it('has no way past an end whose frames cannot be transformed', () => {
    const { guard } = set('script');
    const plain = {};
    expect(() => guard.close(plain as never, 'seal', 'audio')).toThrow();
    expect(plain).toEqual({});
  });
});
