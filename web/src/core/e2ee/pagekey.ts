// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The key that stands for this page from its knock to its end. It cannot leave the browser. Media tokens are bound to it, and
// whoever was let in by it brings the keys of a call along with its word.

import { toBase64url } from './base64url';
import type { Bytes } from './keys/types';

const label = new TextEncoder().encode('vr1 page');

export interface PageKey {
  /** The public key, 43 characters of base64url. */
  readonly id: string;
  /** The page's word that this knock is its own. */
  vouch(knock: Bytes): Promise<Bytes>;
}

async function vouched(knock: Bytes): Promise<Bytes> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', knock));
  const all = new Uint8Array(label.length + hash.length);
  all.set(label);
  all.set(hash, label.length);
  return all;
}

/** Rejects in browsers without Ed25519. */
export async function makePageKey(): Promise<PageKey> {
  const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
  const id = toBase64url(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)));
  return {
    id,
    vouch: async (knock) => new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, await vouched(knock))),
  };
}

/** Whether the page of this public key vouched for a knock. */
export async function vouches(id: Bytes, proof: Bytes, knock: Bytes): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('raw', id, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, proof, await vouched(knock));
  } catch {
    return false;
  }
}
