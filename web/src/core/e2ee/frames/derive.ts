// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Frame keys from secrets, as livekit-client's key providers derive them.

import type { Bytes } from './annexb';

const salt = new TextEncoder().encode('LKFrameEncryptionKey');
const info = new Uint8Array(128);
const iterations = 100_000;

export type KeyBits = 128 | 256;

const usages: KeyUsage[] = ['encrypt', 'decrypt'];

/**
 * The AES-GCM key of a participant's raw secret (HKDF-SHA-256). Both sides must agree on the size: livekit-client's own
 * default is 128 bits, videoroom uses 256 (`keySize: 256`).
 */
export async function fromSecret(secret: Bytes, bits: KeyBits): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt, info };
  return crypto.subtle.deriveKey(how, material, { name: 'AES-GCM', length: bits }, false, usages);
}

/** The AES-GCM key of a passphrase (PBKDF2-SHA-256, 100,000 rounds), for rooms with one key for everybody. */
export async function fromPassphrase(phrase: string, bits: KeyBits): Promise<CryptoKey> {
  const raw = new TextEncoder().encode(phrase);
  const material = await crypto.subtle.importKey('raw', raw, 'PBKDF2', false, ['deriveKey']);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations };
  return crypto.subtle.deriveKey(how, material, { name: 'AES-GCM', length: bits }, false, usages);
}
