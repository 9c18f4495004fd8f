// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What of a frame stays readable, and the trailer: clear header | ciphertext and tag | IV | length of the IV | key index.

import { type Bytes, firstSlice } from './annexb';

export const ivLength = 12;
export const tagLength = 16;
export const trailerLength = ivLength + 2;

export type Kind = 'audio' | 'video';
export type Codec = 'opus' | 'vp8' | 'h264';

/** The part of RTCEncodedAudioFrame and RTCEncodedVideoFrame that is used. Browsers give different parts of it. */
export interface EncodedFrame {
  data: ArrayBuffer;
  /** RTP timestamp, by a name that the specification does not have any more. */
  readonly timestamp?: number;
  /** Only pictures have one. */
  readonly type?: string;
  getMetadata(): { synchronizationSource?: number; rtpTimestamp?: number; mimeType?: string };
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

/** The RTP timestamp of a frame; undefined where the browser does not tell. */
export function timeOf(frame: EncodedFrame): number | undefined {
  const time = frame.timestamp ?? frame.getMetadata().rtpTimestamp;
  return time === undefined ? undefined : time >>> 0;
}

/**
 * The codec of a frame: what the browser says about the frame itself, else what its first octets show. Undefined for what
 * cannot be encrypted, and where that is of another kind than the track.
 */
export function codecOf(frame: EncodedFrame, kind: Kind, data: Uint8Array): Codec | undefined {
  const mime = frame.getMetadata().mimeType;
  if (!mime) return kind === 'audio' ? 'opus' : shown(frame.type, data);
  const codec = ofMime[mime.toLowerCase()];
  return (codec === 'opus') === (kind === 'audio') ? codec : undefined;
}

/** Start codes of H.264 (annex B), and the frame tags and start code of VP8 (RFC 6386, 9.1). They stay clear in sealed frames. */
function shown(type: string | undefined, data: Uint8Array): Codec | undefined {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = data;
  if (a === 0 && b === 0 && (c === 1 || (c === 0 && d === 1))) return 'h264';
  if (type === 'key') return a % 2 === 0 && d === 0x9d && e === 0x01 && f === 0x2a ? 'vp8' : undefined;
  return type === 'delta' && a % 2 === 1 ? 'vp8' : undefined;
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
