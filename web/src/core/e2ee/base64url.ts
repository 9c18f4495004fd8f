// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Octets in JSON: base64url without padding (RFC 4648, section 5).

import type { Bytes } from './keys/types';

export function toBase64url(octets: Uint8Array): string {
  let text = '';
  for (const o of octets) text += String.fromCharCode(o);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Undefined for what is not base64url in its one form. */
export function fromBase64url(text: unknown): Bytes | undefined {
  if (typeof text !== 'string' || !/^[\w-]*$/.test(text)) return undefined;
  try {
    const octets = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    return toBase64url(octets) === text ? octets : undefined;
  } catch {
    return undefined;
  }
}
