// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What the page and the worker say to each other, and the worker's side of it. Frames come by RTCRtpScriptTransform
// (an "rtctransform" event) or by the streams of createEncodedStreams (an "attach" order with both streams transferred).

import type { Bytes } from './annexb';
import { type Drop, open, seal } from './cipher';
import type { EncodedFrame, Kind } from './format';
import { KeyRing } from './keyring';

/**
 * Which track passes, and which way. Also the options of an RTCRtpScriptTransform. A passage without a participant lets
 * nothing through until it is assigned to one.
 */
export interface Passage {
  way: 'seal' | 'open';
  kind: Kind;
  participant?: string;
  /** Its name in this worker. */
  track: string;
}

/** Whose frames pass there from now on, and what they show. Content 0: that is not told by them. */
export interface Assignment {
  participant: string;
  content: number;
}

export type Order =
  | { do: 'key'; participant: string; index: number; secret: ArrayBuffer }
  | { do: 'use'; participant: string; index: number }
  | { do: 'forget'; participant: string; index: number }
  /** Its frames are not sent any more until a key is chosen. */
  | { do: 'halt'; participant: string }
  | { do: 'remove'; participant: string }
  | { do: 'assign'; track: string; assignment?: Assignment }
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

function isPassage(p: unknown): p is Passage {
  if (typeof p !== 'object' || p === null) return false;
  const { way, participant, track, kind } = p as Record<string, unknown>;
  return (
    ways.has(way as string) &&
    kinds.has(kind as string) &&
    (participant === undefined || typeof participant === 'string') &&
    typeof track === 'string'
  );
}

function isAssignment(a: unknown): a is Assignment {
  if (typeof a !== 'object' || a === null) return false;
  const { participant, content } = a as Record<string, unknown>;
  return typeof participant === 'string' && Number.isInteger(content) && 0 <= Number(content) && Number(content) < 256;
}

/** Streams that a page may send in its life. */
const maxStreams = 2 ** 24;

export class FrameService {
  readonly #rings = new Map<string, KeyRing>();
  readonly #assigned = new Map<string, Assignment>();
  /** The numbers of our own streams by track and SSRC. */
  readonly #streams = new Map<string, number>();
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
    const { track } = passage;
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
    this.post({ tell: 'ended', participant: this.#owner(passage), track, failed });
  }

  /** Seals or opens one frame; what it returns is why the frame goes nowhere. */
  async frame(frame: EncodedFrame, passage: Passage): Promise<Drop | undefined> {
    let why: Drop | undefined;
    try {
      why = await this.#work(frame, passage);
    } catch {
      why = 'internal';
    }
    if (why !== undefined) this.#dropped(passage, why);
    return why;
  }

  async #work(frame: EncodedFrame, passage: Passage): Promise<Drop | undefined> {
    const owner = this.#owner(passage);
    if (!owner) return 'no-key';
    const { kind, track, way } = passage;
    const content = this.#assigned.get(track)?.content || undefined;
    const known = { kind, ...(content && { content }) };
    if (way === 'open') return open(frame, known, this.#ring(owner));
    return seal(frame, { ...known, stream: (source) => this.#stream(track, source) }, this.#ring(owner));
  }

  /** Empty where a passage belongs to nobody. */
  #owner({ track, participant }: Passage): string {
    return this.#assigned.get(track)?.participant ?? participant ?? '';
  }

  #stream(track: string, source: number): number | undefined {
    const id = `${track} ${source}`;
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      if (this.#streams.size >= maxStreams) return undefined;
      stream = this.#streams.size;
      this.#streams.set(id, stream);
    }
    return stream;
  }

  #assign(track: unknown, assignment: unknown): void {
    if (typeof track !== 'string') return this.#refuse('order');
    if (assignment === undefined) this.#assigned.delete(track);
    else if (isAssignment(assignment)) this.#assigned.set(track, { ...assignment });
    else this.#refuse('order');
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
    if (o['do'] === 'assign') return this.#assign(o['track'], o['assignment']);
    const { participant, index, secret } = o;
    if (typeof participant !== 'string') return this.#refuse('order');
    if (o['do'] === 'remove') return this.#rings.get(participant)?.clear();
    if (o['do'] === 'halt') return this.#rings.get(participant)?.halt();
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

  #dropped(passage: Passage, why: Drop): void {
    const { track } = passage;
    const participant = this.#owner(passage);
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
