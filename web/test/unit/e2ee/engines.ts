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

function worker(): Promise<(scope: Scope) => void> {
  bundled ??= bundle();
  return bundled;
}

/** A browser of one engine with our own worker in it. */
export function browserOf(engine: Engine) {
  const { Frame, RTCEncodedAudioFrame, RTCEncodedVideoFrame } = framesOf(engine);
  const reports: unknown[] = [];

  class Worker {
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
      const scope: Scope = { onmessage: null, onrtctransform: null, postMessage: (report) => reports.push(report) };
      (await worker())(scope);
      this.#scope = scope;
      for (const what of this.#early) what(scope);
    }
  }

  /** What an RTCTransformEvent brings, and the ends of it that are the engine's. */
  class Transformer {
    readonly options: unknown;
    readonly out: Encoded[] = [];
    readonly #queue: unknown[] = [];
    #wanted: (() => void) | undefined;
    #idle: (() => void)[] = [];
    readonly readable = new ReadableStream(
      {
        pull: async (c) => {
          if (this.#queue.length === 0) {
            for (const tell of this.#idle.splice(0)) tell();
            await new Promise<void>((more) => {
              this.#wanted = more;
            });
            this.#wanted = undefined;
          }
          c.enqueue(this.#queue.shift());
        },
      },
      { highWaterMark: 0 },
    );
    readonly writable = new WritableStream({
      write: (frame: unknown) => {
        if (!(frame instanceof Frame)) throw new TypeError('no frame');
        const f = Frame.written(frame);
        if (f.data.length > 0) this.out.push(f);
      },
    });
    constructor(options: unknown) {
      this.options = options;
    }
    generateKeyFrame = () => Promise.resolve();
    sendKeyFrameRequest = () => Promise.resolve();

    put(f: Encoded): void {
      const { way } = this.options as Passage;
      const incoming = way === 'open';
      const frame =
        f.kind === 'audio'
          ? new RTCEncodedAudioFrame(f, engine.audio(f, incoming))
          : new RTCEncodedVideoFrame(f, engine.video(f, incoming));
      this.#queue.push(frame);
      this.#wanted?.();
    }
    /** Settles when all frames have gone through, or nowhere. */
    async done(): Promise<void> {
      await new Promise<void>((tell) => this.#idle.push(tell));
      await new Promise((next) => setImmediate(next));
    }
  }

  class RTCRtpScriptTransform {
    readonly transformer: Transformer;
    attached = false;
    constructor(worker: Worker, options?: unknown) {
      if (!(worker instanceof Worker)) throw new TypeError('no worker');
      this.transformer = new Transformer(structuredClone(options));
      worker.task((scope) => scope.onrtctransform?.({ transformer: this.transformer }));
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
      const done = t.done();
      for (const f of frames) t.put(f);
      await done;
      return t.out.slice(before);
    }
  }
  class RTCRtpSender extends End {}
  class RTCRtpReceiver extends End {}

  class RTCPeerConnection extends EventTarget {
    readonly #all: { sender: RTCRtpSender; receiver: RTCRtpReceiver }[] = [];
    constructor(readonly config: Record<string, unknown> = {}) {
      super();
    }
    #make(kind: string) {
      const t = { sender: new RTCRtpSender({ kind }), receiver: new RTCRtpReceiver({ kind }) };
      this.#all.push(t);
      return t;
    }
    addTransceiver(of: string | { kind: string }, init: unknown = {}) {
      if (typeof init !== 'object') throw new TypeError('no dictionary');
      return this.#make(typeof of === 'string' ? of : of.kind);
    }
    addTrack(track: { kind: string }) {
      return this.#make(track.kind).sender;
    }
    getTransceivers() {
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

  const globals = { Worker, RTCPeerConnection, RTCRtpScriptTransform, RTCRtpSender, RTCRtpReceiver };
  return { engine, worker: new Worker(), reports, globals };
}

export type Browser = ReturnType<typeof browserOf>;
