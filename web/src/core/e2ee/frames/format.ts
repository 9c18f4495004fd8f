// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What of a frame stays readable, and the trailer: clear header | ciphertext and tag | IV | length of the IV | key index.

import { type Bytes, firstSlice } from './annexb';

export const ivLength = 12;
export const tagLength = 16;
export const trailerLength = ivLength + 2;

export type Kind = 'audio' | 'video';
export type Codec = 'opus' | 'vp8' | 'h264';

/** The part of RTCEncodedAudioFrame and RTCEncodedVideoFrame that is used. */
export interface EncodedFrame {
  data: ArrayBuffer;
  /** RTP timestamp. */
  readonly timestamp: number;
  /** Only pictures have one. */
  readonly type?: string;
  getMetadata(): { synchronizationSource?: number; payloadType?: number; mimeType?: string };
}

/** Where a frame's secret part begins, and whether it is escaped as H.264 demands it. */
export interface Layout {
  clear: number;
  escaped: boolean;
}

const opusTOC = 1;
const vp8Clear: Record<string, number> = { key: 10, delta: 3 };
/** A NAL unit header and the first octet of the slice header. */
const sliceClear = 2;

const ofMime: Record<string, Codec> = { 'audio/opus': 'opus', 'video/vp8': 'vp8', 'video/h264': 'h264' };

/**
 * The codec of a frame: what the browser says about the frame itself outranks what was told about the track. Undefined for
 * what cannot be encrypted, and where both name a kind that the track is not of.
 */
export function codecOf(frame: EncodedFrame, kind: Kind, told: Codec | undefined): Codec | undefined {
  const mime = frame.getMetadata().mimeType;
  const codec = mime === undefined ? (kind === 'audio' ? 'opus' : told) : ofMime[mime.toLowerCase()];
  return (codec === 'opus') === (kind === 'audio') ? codec : undefined;
}

/** The layout of a frame, or undefined where there is no way to encrypt or decrypt it. */
export function layoutOf(codec: Codec, type: string | undefined, data: Uint8Array): Layout | undefined {
  const clear = clearOctets(codec, type, data);
  return clear === undefined || data.length < clear ? undefined : { clear, escaped: codec === 'h264' };
}

function clearOctets(codec: Codec, type: string | undefined, data: Uint8Array): number | undefined {
  if (codec === 'opus') return opusTOC;
  if (codec === 'vp8') return vp8Clear[type ?? ''];
  const slice = firstSlice(data);
  return slice < 0 ? undefined : slice + sliceClear;
}

/** The IV of a frame: its source, its time, and its time less a counter of the source's frames, 32 bits each. */
export function makeIV(source: number, timestamp: number, counter: number): Bytes {
  const iv = new Uint8Array(ivLength);
  const view = new DataView(iv.buffer);
  view.setUint32(0, source);
  view.setUint32(4, timestamp);
  view.setUint32(8, timestamp - counter);
  return iv;
}

/** What makeIV was given. */
export function readIV(iv: Uint8Array): { source: number; timestamp: number; counter: number } {
  const view = new DataView(iv.buffer, iv.byteOffset, ivLength);
  const timestamp = view.getUint32(4);
  return { source: view.getUint32(0), timestamp, counter: (timestamp - view.getUint32(8)) >>> 0 };
}

export function concat(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}
