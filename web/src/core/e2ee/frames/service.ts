// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What the page and the worker say to each other, and the worker's side of it. Frames come by RTCRtpScriptTransform
// (an "rtctransform" event) or by the streams of createEncodedStreams (an "attach" order with both streams transferred).

import type { Bytes } from './annexb';
import { type Drop, open, seal, type Track } from './cipher';
import type { EncodedFrame } from './format';
import { KeyRing } from './keyring';

/** Which track passes, and which way. Also the options of an RTCRtpScriptTransform. */
export interface Passage extends Track {
  way: 'seal' | 'open';
  participant: string;
  track: string;
}

export type Order =
  | { do: 'key'; participant: string; index: number; secret: ArrayBuffer }
  | { do: 'use'; participant: string; index: number }
  | { do: 'forget'; participant: string; index: number }
  | { do: 'remove'; participant: string }
  | { do: 'attach'; passage: Passage; readable: ReadableStream<EncodedFrame>; writable: WritableStream<EncodedFrame> };

export type Refusal = 'order' | 'index' | 'length' | 'reused' | 'full' | 'no-key';

/**
 * A drop is told the 1st, 2nd, 4th, 8th… time for one track and reason. A passage that ended passes nothing any more; the
 * page must stop the track.
 */
export type Report =
  | { tell: 'dropped'; participant: string; track: string; why: Drop; count: number }
  | { tell: 'ended'; participant: string; track: string; failed: boolean }
  | { tell: 'refused'; why: Refusal };

/** The part of RTCTransformEvent that is used. */
export interface TransformEvent {
  transformer: {
    options: unknown;
    readable: ReadableStream<EncodedFrame>;
    writable: WritableStream<EncodedFrame>;
  };
}

/** The part of DedicatedWorkerGlobalScope that is used. */
export interface Scope {
  onmessage: ((event: { data: unknown }) => void) | null;
  onrtctransform?: ((event: TransformEvent) => void) | null;
  postMessage(report: Report): void;
}

const kinds = new Set(['audio', 'video']);
const ways = new Set(['seal', 'open']);
const codecs = new Set([undefined, 'opus', 'vp8', 'h264']);

function isPassage(p: unknown): p is Passage {
  if (typeof p !== 'object' || p === null) return false;
  const { way, participant, track, kind, codec } = p as Record<string, unknown>;
  return (
    ways.has(way as string) &&
    kinds.has(kind as string) &&
    codecs.has(codec as string | undefined) &&
    typeof participant === 'string' &&
    typeof track === 'string'
  );
}

export class FrameService {
  readonly #rings = new Map<string, KeyRing>();
  readonly #drops = new Map<string, number>();
  /** Orders take their turns: a key that is used must have been derived. */
  #turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly post: (report: Report) => void,
    private readonly random: (octets: number) => Bytes,
  ) {}

  /** Carries an order out; settles when all orders so far are done. */
  order(order: unknown): Promise<void> {
    this.#turn = this.#turn.then(() => this.#carryOut(order)).catch(() => this.#refuse('order'));
    return this.#turn;
  }

  /** Lets a track's frames through, encrypted or decrypted; settles when the streams end. */
  async pass(passage: unknown, readable: ReadableStream<EncodedFrame>, writable: WritableStream<EncodedFrame>) {
    if (!isPassage(passage)) {
      this.#refuse('order');
      // Streams that nobody reads keep frames back, which is what is wanted; abort tells the sender.
      await Promise.allSettled([readable.cancel(), writable.abort()]);
      return;
    }
    const { participant, track } = passage;
    const transform = new TransformStream<EncodedFrame, EncodedFrame>({
      transform: async (frame, controller) => {
        const why = await this.frame(frame, passage);
        if (why === undefined) controller.enqueue(frame);
      },
    });
    let failed = false;
    try {
      await readable.pipeThrough(transform).pipeTo(writable);
    } catch {
      failed = true;
    }
    this.post({ tell: 'ended', participant, track, failed });
  }

  /** Seals or opens one frame; what it returns is why the frame goes nowhere. */
  async frame(frame: EncodedFrame, passage: Passage): Promise<Drop | undefined> {
    let why: Drop | undefined;
    try {
      const work = passage.way === 'seal' ? seal : open;
      why = await work(frame, passage, this.#ring(passage.participant));
    } catch {
      why = 'internal';
    }
    if (why !== undefined) this.#dropped(passage, why);
    return why;
  }

  async #carryOut(order: unknown): Promise<void> {
    const o = order as Partial<Record<string, unknown>> | null;
    if (typeof o !== 'object' || o === null) return this.#refuse('order');
    if (o['do'] === 'attach') {
      // Not awaited: it lasts as long as the track.
      void this.pass(o['passage'], o['readable'] as ReadableStream, o['writable'] as WritableStream).catch(() =>
        this.#refuse('order'),
      );
      return;
    }
    const { participant, index, secret } = o;
    if (typeof participant !== 'string') return this.#refuse('order');
    if (o['do'] === 'remove') {
      this.#rings.get(participant)?.clear();
      return;
    }
    if (typeof index !== 'number') return this.#refuse('order');
    const ring = this.#ring(participant);
    if (o['do'] === 'forget') return ring.forget(index);
    if (o['do'] === 'use') {
      if (!ring.use(index)) this.#refuse('no-key');
      return;
    }
    if (o['do'] !== 'key' || !(secret instanceof ArrayBuffer)) return this.#refuse('order');
    const raw = new Uint8Array(secret);
    const why = await ring.set(index, raw);
    raw.fill(0);
    if (why) this.#refuse(why);
  }

  #ring(participant: string): KeyRing {
    let ring = this.#rings.get(participant);
    if (!ring) {
      ring = new KeyRing(256, this.random);
      this.#rings.set(participant, ring);
    }
    return ring;
  }

  #dropped({ participant, track }: Passage, why: Drop): void {
    const id = `${participant} ${track} ${why}`;
    const count = (this.#drops.get(id) ?? 0) + 1;
    this.#drops.set(id, count);
    if ((count & (count - 1)) === 0) this.post({ tell: 'dropped', participant, track, why, count });
  }

  #refuse(why: Refusal): void {
    this.post({ tell: 'refused', why });
  }
}

/** Makes a worker's scope serve. */
export function serve(scope: Scope, random: (octets: number) => Bytes): FrameService {
  const service = new FrameService((report) => scope.postMessage(report), random);
  scope.onmessage = (event) => void service.order(event.data);
  scope.onrtctransform = ({ transformer }) =>
    void service.pass(transformer.options, transformer.readable, transformer.writable);
  return service;
}
