// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The Annex B byte stream of H.264 (ITU-T H.264, annex B and 7.4.1.1), as far as encrypting a frame needs it.

export type Bytes = Uint8Array<ArrayBuffer>;

const sliceOfPicture = 1;
const sliceOfIDR = 5;
/** Octets of a slice that must be there before a receiver is sure to find it again. */
const leastSlice = 4;

/** The offset of the first slice's NAL unit header in an access unit, or -1. Octets before the first start code are an error. */
export function firstSlice(unit: Uint8Array): number {
  let zeros = 0;
  let begun = false;
  for (let i = 0; i + leastSlice < unit.length; i++) {
    const octet = unit[i] ?? 0;
    if (octet === 0) {
      zeros++;
      continue;
    }
    if (octet === 1 && zeros >= 2) {
      begun = true;
      const type = (unit[i + 1] ?? 0) & 0x1f;
      if (type === sliceOfPicture || type === sliceOfIDR) return i + 1;
    } else if (!begun) return -1;
    zeros = 0;
  }
  return -1;
}

/** The same octets with start codes of four octets, which is what a receiver's depacketizer makes of all of them. */
export function longStartCodes(header: Bytes): Bytes {
  const out: number[] = [];
  let zeros = 0;
  for (const octet of header) {
    if (octet === 1 && zeros === 2) out.push(0);
    zeros = octet === 0 ? zeros + 1 : 0;
    out.push(octet);
  }
  return out.length === header.length ? header : new Uint8Array(out);
}

/** Puts emulation prevention octets in, so that no start code can appear. */
export function withEscapes(payload: Bytes): Bytes {
  const out = new Uint8Array(payload.length + Math.ceil(payload.length / 2));
  let n = 0;
  let zeros = 0;
  for (const octet of payload) {
    if (zeros >= 2 && octet <= 3) {
      out[n++] = 3;
      zeros = 0;
    }
    out[n++] = octet;
    zeros = octet === 0 ? zeros + 1 : 0;
  }
  return out.slice(0, n);
}

/** Takes emulation prevention octets out. */
export function withoutEscapes(payload: Bytes): Bytes {
  const out = new Uint8Array(payload.length);
  let n = 0;
  let zeros = 0;
  for (const octet of payload) {
    if (zeros >= 2 && octet === 3) {
      zeros = 0;
      continue;
    }
    out[n++] = octet;
    zeros = octet === 0 ? zeros + 1 : 0;
  }
  return out.slice(0, n);
}
