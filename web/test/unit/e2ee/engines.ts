// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Encoded transforms as the engines of browsers have them, with what each of them gives and leaves out: no browser on Apple's
// engine runs here. Where the facts come from:
//
// WebKit (Safari): https://github.com/WebKit/WebKit/tree/main/Source/WebCore/Modules/mediastream
//   RTCEncodedVideoFrame.idl and RTCEncodedAudioFrame.idl as of f933c408 and 3a12f14a: type (pictures alone), timestamp (64 bits,
//     read only), data, getMetadata(), and neither setMetadata() nor a constructor; the fields of the metadata.
//   libwebrtc/LibWebRTCRtpTransformableFrame.cpp: what is in those fields; in newer versions payloadType, sequenceNumber,
//     rtpTimestamp and mimeType too, as in Safari 26: https://github.com/mdn/browser-compat-data/pull/28242
//   RTCEncodedFrame.cpp: data is copied when first asked for, and emptied by a write in newer versions.
//   RTCRtpScriptTransformer.cpp: one frame is read from readable, whatever is no frame is refused by writable, a frame without
//     data goes nowhere; generateKeyFrame and sendKeyFrameRequest. There are no createEncodedStreams.
//   RTCRtpScriptTransform.cpp: options are cloned, and a transform is for one sender or receiver.
//   RTCPeerConnection.js, RTCPeerConnectionInternals.js: one argument at most of createOffer means promises, and it must be a
//     dictionary or nothing.
//   crypto/SubtleCrypto.cpp, crypto/algorithms/CryptoAlgorithmEd25519.cpp: Ed25519, and X25519 under a setting of its own.
// Gecko (Firefox): https://github.com/mozilla-firefox/firefox/tree/main/dom/webidl
//   RTCEncodedVideoFrame.webidl, RTCEncodedAudioFrame.webidl: no mimeType before 145, then constructors and
//     RTCEncodedFrameMetadata; timestamp is a "legacy name of metadata rtpTimestamp".
// The specification: https://w3c.github.io/webrtc-encoded-transform/ has no timestamp any more, only rtpTimestamp:
//   https://github.com/w3c/webrtc-encoded-transform/issues/203

import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import type { Passage } from '../../../src/core/e2ee/frames/service';

/** What a codec hands over, or the network. */
export interface Encoded {
  kind: 'audio' | 'video';
  type?: 'key' | 'delta';
  data: Uint8Array;
  ssrc: number;
  time: number;
  mime: string;
}

type Metadata = Record<string, unknown>;

export interface Engine {
  name: string;
  /** Metadata beside the SSRC; incoming frames may have more. */
  audio(f: Encoded, incoming: boolean): Metadata;
  video(f: Encoded, incoming: boolean): Metadata;
  /** Without: the RTP timestamp stands in the metadata alone. */
  timestamp: boolean;
  /** A frame that was written has no data any more. */
  empties: boolean;
}

const dependencies = { frameId: 7, dependencies: [], width: 640, height: 360, spatialIndex: 0, temporalIndex: 0 };
const named = (f: Encoded) => ({ payloadType: 96, rtpTimestamp: f.time, mimeType: f.mime });
const numbered = (incoming: boolean) => (incoming ? { sequenceNumber: 5 } : {});

export const engines: Engine[] = [
  {
    name: 'Safari 17',
    audio: () => ({ contributingSources: [] }),
    // Senders have no frameId.
    video: (_, incoming) => ({ ...dependencies, ...(!incoming && { frameId: undefined }) }),
    timestamp: true,
    empties: false,
  },
  {
    name: 'Safari 26',
    audio: (f, incoming) => ({ contributingSources: [], ...named(f), ...numbered(incoming) }),
    video: (f) => ({ ...dependencies, contributingSources: [], timestamp: 1, ...named(f) }),
    timestamp: true,
    empties: true,
  },
  {
    name: 'Firefox 130',
    audio: (_, incoming) => ({ payloadType: 109, contributingSources: [], ...numbered(incoming) }),
    video: () => ({ ...dependencies, payloadType: 120, contributingSources: [], timestamp: 1 }),
    timestamp: true,
    empties: true,
  },
  {
    name: 'Firefox 145',
    audio: (f, incoming) => ({ contributingSources: [], ...named(f), ...numbered(incoming) }),
    video: (f) => ({ ...dependencies, contributingSources: [], timestamp: 1, ...named(f) }),
    timestamp: true,
    empties: true,
  },
  {
    name: 'the specification',
    audio: (f, incoming) => ({ contributingSources: [], ...named(f), ...numbered(incoming) }),
    video: (f) => ({ ...dependencies, contributingSources: [], timestamp: 1, ...named(f) }),
    timestamp: false,
    empties: true,
  },
];

/** The classes of frames, as platform objects are: what they have stands on their prototypes. */
function framesOf(engine: Engine) {
  class Frame {
    readonly #of: Encoded;
    readonly #metadata: Metadata;
    #data: ArrayBuffer | undefined;

    constructor(of: Encoded, metadata: Metadata) {
      this.#of = of;
      this.#metadata = metadata;
    }
    get data(): ArrayBuffer {
      this.#data ??= Uint8Array.from(this.#of.data).buffer;
      return this.#data;
    }
    set data(data: ArrayBuffer) {
      if (!(data instanceof ArrayBuffer)) throw new TypeError('data is no ArrayBuffer');
      this.#data = data;
    }
    getMetadata(): Metadata {
      return { synchronizationSource: this.#of.ssrc, ...this.#metadata };
    }
    static written(frame: Frame): Encoded {
      const data = new Uint8Array(frame.data).slice();
      if (engine.empties) structuredClone(frame.data, { transfer: [frame.data] });
      return { ...frame.#of, data };
    }
    static of(frame: Frame): Encoded {
      return frame.#of;
    }
  }
  class RTCEncodedAudioFrame extends Frame {}
  class RTCEncodedVideoFrame extends Frame {
    get type() {
      return Frame.of(this).type;
    }
  }
  if (engine.timestamp) Object.defineProperty(Frame.prototype, 'timestamp', { get: timestamp });
  function timestamp(this: Frame): number {
    return Frame.of(this).time;
  }
  return { Frame, RTCEncodedAudioFrame, RTCEncodedVideoFrame };
}

interface Scope {
  onmessage: ((e: { data: unknown }) => void) | null;
  onrtctransform: ((e: unknown) => void) | null;
  postMessage(report: unknown): void;
}

let bundled: Promise<(scope: Scope) => void> | undefined;

/** Our own worker, to be run in a scope that stands for its globalThis. */
async function bundle(): Promise<(scope: Scope) => void> {
  const input = fileURLToPath(new URL('../../../src/core/e2ee/frames/worker.ts', import.meta.url));
  const made = await rolldown({ input });
  const { output } = await made.generate({ format: 'iife' });
  await made.close();
  return new Function('globalThis', output[0].code) as (scope: Scope) => void;
}

/** A worker with our own program in it. */
class FrameWorker {
  readonly reports: unknown[] = [];
  #scope: Scope | undefined;
  #early: ((scope: Scope) => void)[] = [];

  /** Tasks wait until the module has run. */
  task(what: (scope: Scope) => void): void {
    if (this.#scope) what(this.#scope);
    else this.#early.push(what);
  }

  postMessage(order: unknown, transfer: Transferable[] = []): void {
    const data = structuredClone(order, { transfer: transfer as never });
    this.task((scope) => scope.onmessage?.({ data }));
  }

  async start(): Promise<void> {
    const scope: Scope = { onmessage: null, onrtctransform: null, postMessage: (r) => this.reports.push(r) };
    bundled ??= bundle();
    (await bundled)(scope);
    this.#scope = scope;
    for (const what of this.#early) what(scope);
  }
}

/** What an RTCTransformEvent brings, and the ends of it that are the engine's. */
class Transformer {
  readonly out: Encoded[] = [];
  readonly #queue: unknown[] = [];
  #wanted: (() => void) | undefined;
  #idle: (() => void)[] = [];
  readonly readable: ReadableStream;
  readonly writable: WritableStream;

  constructor(
    readonly options: unknown,
    private readonly wrap: (f: Encoded, incoming: boolean) => unknown,
    unwrap: (frame: unknown) => Encoded,
  ) {
    const pull = (c: ReadableStreamDefaultController) => this.#pull(c);
    this.readable = new ReadableStream({ pull }, { highWaterMark: 0 });
    this.writable = new WritableStream({
      write: (frame: unknown) => {
        const f = unwrap(frame);
        if (f.data.length > 0) this.out.push(f);
      },
    });
  }
  generateKeyFrame = () => Promise.resolve();
  sendKeyFrameRequest = () => Promise.resolve();

  async #pull(c: ReadableStreamDefaultController): Promise<void> {
    if (this.#queue.length === 0) {
      for (const tell of this.#idle.splice(0)) tell();
      await new Promise<void>((more) => {
        this.#wanted = more;
      });
      this.#wanted = undefined;
    }
    c.enqueue(this.#queue.shift());
  }

  /** Settles when all frames have gone through, or nowhere: then another one is asked for. */
  async put(frames: Encoded[]): Promise<void> {
    const done = new Promise<void>((tell) => this.#idle.push(tell));
    const incoming = (this.options as Passage).way === 'open';
    for (const f of frames) this.#queue.push(this.wrap(f, incoming));
    this.#wanted?.();
    await done;
    await new Promise((next) => setImmediate(next));
  }
}

/** The classes for transforms, senders and receivers. */
function endsOf(engine: Engine) {
  const { Frame, RTCEncodedAudioFrame, RTCEncodedVideoFrame } = framesOf(engine);
  const wrap = (f: Encoded, incoming: boolean) =>
    f.kind === 'audio'
      ? new RTCEncodedAudioFrame(f, engine.audio(f, incoming))
      : new RTCEncodedVideoFrame(f, engine.video(f, incoming));
  const unwrap = (frame: unknown) => {
    if (!(frame instanceof Frame)) throw new TypeError('no frame');
    return Frame.written(frame);
  };

  class RTCRtpScriptTransform {
    readonly transformer: Transformer;
    attached = false;
    constructor(worker: FrameWorker, options?: unknown) {
      if (!(worker instanceof FrameWorker)) throw new TypeError('no worker');
      const transformer = new Transformer(structuredClone(options), wrap, unwrap);
      this.transformer = transformer;
      worker.task((scope) => scope.onrtctransform?.({ transformer }));
    }
  }
  class End {
    #transform: RTCRtpScriptTransform | null = null;
    constructor(readonly track: { kind: string }) {}
    get transform(): RTCRtpScriptTransform | null {
      return this.#transform;
    }
    set transform(t: RTCRtpScriptTransform | null) {
      if (t !== null && !(t instanceof RTCRtpScriptTransform)) throw new TypeError('no transform');
      if (t?.attached) throw new DOMException('transform is already in use', 'InvalidStateError');
      if (t) t.attached = true;
      this.#transform = t;
    }
    /** What comes out behind the transform; without one frames pass as they are. */
    async pass(...frames: Encoded[]): Promise<Encoded[]> {
      const t = this.#transform?.transformer;
      if (!t) return frames;
      const before = t.out.length;
      await t.put(frames);
      return t.out.slice(before);
    }
  }
  return { RTCRtpScriptTransform, RTCRtpSender: class extends End {}, RTCRtpReceiver: class extends End {} };
}

/** A browser of one engine, with a worker of ours that has not begun. */
export function browserOf(engine: Engine) {
  const ends = endsOf(engine);
  type Transceiver = Record<'sender' | 'receiver', InstanceType<(typeof ends)['RTCRtpSender']>>;

  class RTCPeerConnection extends EventTarget {
    readonly #all: Transceiver[] = [];
    constructor(readonly config: Record<string, unknown> = {}) {
      super();
    }
    #make(kind: string): Transceiver {
      const t = { sender: new ends.RTCRtpSender({ kind }), receiver: new ends.RTCRtpReceiver({ kind }) };
      this.#all.push(t);
      return t;
    }
    addTransceiver(of: string | { kind: string }, init: unknown = {}): Transceiver {
      if (typeof init !== 'object') throw new TypeError('no dictionary');
      return this.#make(typeof of === 'string' ? of : of.kind);
    }
    addTrack(track: { kind: string }) {
      return this.#make(track.kind).sender;
    }
    getTransceivers(): Transceiver[] {
      return [...this.#all];
    }
    createOffer(...args: unknown[]) {
      const [options] = args;
      if (args.length > 1 || (options != null && typeof options !== 'object')) return Promise.reject(new TypeError());
      return Promise.resolve({ type: 'offer', sdp: 'v=0\r\n' });
    }
    setRemoteDescription(...args: unknown[]) {
      const [description] = args;
      if (args.length !== 1 || typeof description !== 'object') return Promise.reject(new TypeError());
      this.#make('video');
      return Promise.resolve();
    }
  }

  const worker = new FrameWorker();
  return { worker, reports: worker.reports, globals: { Worker: FrameWorker, RTCPeerConnection, ...ends } };
}

export type Browser = ReturnType<typeof browserOf>;
