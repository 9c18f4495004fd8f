// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Encrypts and decrypts frames in place. There is no way through for anything else: a frame is sealed, opened or dropped.

import { longStartCodes, withEscapes, withoutEscapes } from './annexb';
import {
  codecOf,
  concat,
  type EncodedFrame,
  ivLength,
  type Kind,
  layoutOf,
  makeIV,
  readIV,
  tagLength,
  timeOf,
  trailerLength,
} from './format';
import type { KeyRing } from './keyring';

/** Why a frame was dropped. */
export type Drop =
  | 'empty'
  | 'codec'
  | 'layout'
  | 'source'
  | 'time'
  | 'no-key'
  | 'key-used-up'
  | 'trailer'
  | 'decrypt'
  | 'replay'
  | 'internal';

/** What is known of a track. */
export interface Track {
  kind: Kind;
  /**
   * What the track shows, a number from 1 to 255 that frames carry sealed: a frame of a camera is never opened as one of a
   * screen. Without it frames name their SSRC, as those of other programs do.
   */
  content?: number;
  /** The number of the stream that a SSRC of this track is, below 2^24; no two of a participant have the same. */
  stream?(source: number): number | undefined;
}

/** What stands for a frame's source in its IV. */
function sourceOf(track: Track, ssrc: number): number | undefined {
  if (track.content === undefined) return ssrc >>> 0;
  const stream = track.stream?.(ssrc);
  return stream === undefined ? undefined : ((track.content << 24) | stream) >>> 0;
}

/** Encrypts a frame with the ring's sending key; undefined when done, else the frame must not be sent. */
export async function seal(frame: EncodedFrame, track: Track, ring: KeyRing): Promise<Drop | undefined> {
  const data = new Uint8Array(frame.data);
  if (data.length === 0) return 'empty';
  const codec = codecOf(frame, track.kind, data);
  if (!codec) return 'codec';
  const layout = layoutOf(codec, frame.type, data);
  if (!layout) return 'layout';
  const ssrc = frame.getMetadata().synchronizationSource;
  const source = ssrc === undefined ? undefined : sourceOf(track, ssrc);
  if (source === undefined) return 'source';
  const time = timeOf(frame);
  if (time === undefined) return 'time';
  const key = ring.sending;
  if (!key) return 'no-key';
  const counter = key.counter(source, time);
  if (counter === undefined) return 'key-used-up';
  const iv = makeIV(source, time, counter);
  const header = layout.escaped ? longStartCodes(data.slice(0, layout.clear)) : data.slice(0, layout.clear);
  const how = { name: 'AES-GCM', iv, additionalData: header };
  const secret = new Uint8Array(await crypto.subtle.encrypt(how, key.key, data.subarray(layout.clear)));
  const rest = concat(secret, iv, Uint8Array.of(ivLength, key.index));
  frame.data = concat(header, layout.escaped ? withEscapes(rest) : rest).buffer;
  return undefined;
}

/** Decrypts a frame with the key that it names; undefined when done, else the frame must not be rendered. */
export async function open(frame: EncodedFrame, track: Track, ring: KeyRing): Promise<Drop | undefined> {
  const data = new Uint8Array(frame.data);
  if (data.length === 0) return 'empty';
  const codec = codecOf(frame, track.kind, data);
  if (!codec) return 'codec';
  const layout = layoutOf(codec, frame.type, data);
  if (!layout) return 'layout';
  const header = data.slice(0, layout.clear);
  const rest = layout.escaped ? withoutEscapes(data.slice(layout.clear)) : data.slice(layout.clear);
  const trailer = rest.length - trailerLength;
  if (trailer < tagLength || rest[rest.length - 2] !== ivLength) return 'trailer';
  const key = ring.get(rest[rest.length - 1] ?? 0);
  if (!key) return 'no-key';
  const iv = rest.slice(trailer, trailer + ivLength);
  const plain = await decrypt(key.key, iv, header, rest.subarray(0, trailer));
  if (!plain) return 'decrypt';
  const { source, timestamp, counter } = readIV(iv);
  if (track.content !== undefined && source >>> 24 !== track.content) return 'source';
  if (!key.take(track.kind, source, timestamp, counter)) return 'replay';
  frame.data = concat(header, plain).buffer;
  return undefined;
}

async function decrypt(
  key: CryptoKey,
  iv: BufferSource,
  additionalData: BufferSource,
  secret: BufferSource,
): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, key, secret));
  } catch {
    return undefined;
  }
}
