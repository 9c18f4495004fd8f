// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { readFile } from 'node:fs/promises';
import { runInNewContext } from 'node:vm';
import type { EncodedFrame } from '../../../src/core/e2ee/frames/format';

/** An encoded frame as browsers hand it out. Only pictures have a property "type". */
export function frameOf(
  data: Uint8Array,
  meta: { source?: number; timestamp: number; mime?: string; type?: string },
): EncodedFrame {
  const frame = {
    data: Uint8Array.from(data).buffer,
    timestamp: meta.timestamp,
    getMetadata: () => ({ synchronizationSource: meta.source, mimeType: meta.mime }),
  };
  return meta.type === undefined ? frame : { ...frame, type: meta.type };
}

/** livekit-client's own E2EE worker, run in a context of its own. */
export class LiveKitWorker {
  readonly #scope: Record<string, unknown> & {
    onmessage?: (e: unknown) => void;
    onrtctransform?: (e: unknown) => void;
  };
  readonly #acks: string[] = [];

  private constructor(code: string) {
    const scope: Record<string, unknown> = {
      crypto,
      TextEncoder,
      TextDecoder,
      TransformStream,
      setTimeout,
      clearTimeout,
      ArrayBuffer,
      Uint8Array,
      DataView,
      TypeError,
      Error,
      console: { ...console, debug() {}, info() {}, log() {}, warn() {}, error() {} },
      RTCTransformEvent: class {},
      RTCEncodedAudioFrame: class {},
      postMessage: (m: { kind: string }) => this.#acks.push(m.kind),
    };
    scope['self'] = scope;
    scope['globalThis'] = scope;
    this.#scope = scope;
    runInNewContext(code, scope);
  }

  static async start(): Promise<LiveKitWorker> {
    const file = new URL('../../../node_modules/livekit-client/dist/livekit-client.e2ee.worker.js', import.meta.url);
    const worker = new LiveKitWorker(await readFile(file, 'utf8'));
    const keyProviderOptions = {
      sharedKey: false,
      ratchetSalt: 'LKFrameEncryptionKey',
      ratchetWindowSize: 0,
      failureTolerance: -1,
      keyringSize: 256,
      keySize: 256,
    };
    await worker.#say('init', { keyProviderOptions, loglevel: 5 }, 'initAck');
    return worker;
  }

  async #say(kind: string, data: unknown, ack: string): Promise<void> {
    const before = this.#acks.length;
    this.#scope.onmessage?.({ data: { kind, data } });
    while (!this.#acks.slice(before).includes(ack)) await new Promise((done) => setTimeout(done, 1));
  }

  async key(participant: string, index: number, raw: Uint8Array<ArrayBuffer>): Promise<void> {
    const key = await crypto.subtle.importKey('raw', raw, 'HKDF', false, ['deriveBits', 'deriveKey']);
    const data = { key, participantIdentity: participant, keyIndex: index, updateCurrentKeyIndex: true };
    this.#scope.onmessage?.({ data: { kind: 'setKey', data } });
    await this.#say('enable', { enabled: true, participantIdentity: participant }, 'enable');
  }

  /** Puts frames through the worker; what comes out, in order. */
  async put(
    kind: 'encode' | 'decode',
    participant: string,
    track: string,
    frames: EncodedFrame[],
  ): Promise<EncodedFrame[]> {
    const out: EncodedFrame[] = [];
    const readable = new ReadableStream<EncodedFrame>({
      start(c) {
        for (const f of frames) c.enqueue(f);
        c.close();
      },
    });
    const closed = new Promise<void>((done) => {
      const writable = new WritableStream<EncodedFrame>({
        write: (f) => void out.push(f),
        close: done,
        abort: () => done(),
      });
      const options = { kind, participantIdentity: participant, trackId: track, hasPacketTrailer: false };
      this.#scope.onrtctransform?.({ transformer: { options, readable, writable } });
    });
    await closed;
    return out;
  }
}
