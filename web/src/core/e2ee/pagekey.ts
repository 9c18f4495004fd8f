// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The key that stands for this page from its knock to its end. It cannot leave the browser. Media tokens are bound to it, and
// whoever was let in by it brings the keys of a call along with its word.

import { toBase64url } from './base64url';
import type { Bytes } from './keys/types';

/** What a page signs: a knock of a call identity, its key for names, a sealed name. */
export type Label = 'vr1 page' | 'vr1 door' | 'vr1 seal';

export interface PageKey {
  /** The public key, 43 characters of base64url. */
  readonly id: string;
  /** Signs octets that mean what the label says. */
  sign(label: Label, octets: Bytes): Promise<Bytes>;
  /** The page's word that this knock is its own. */
  vouch(knock: Bytes): Promise<Bytes>;
}

function labelled(label: Label, octets: Bytes): Bytes {
  const text = new TextEncoder().encode(label);
  const all = new Uint8Array(text.length + octets.length);
  all.set(text);
  all.set(octets, text.length);
  return all;
}

const hash = async (octets: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest('SHA-256', octets));

/** Rejects in browsers without Ed25519. */
export async function makePageKey(): Promise<PageKey> {
  const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
  const sign = async (label: Label, octets: Bytes) =>
    new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, labelled(label, octets)));
  return {
    id: toBase64url(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))),
    sign,
    vouch: async (knock) => sign('vr1 page', await hash(knock)),
  };
}

/** Whether the page of this public key signed octets under a label. */
export async function signedBy(id: Bytes, sig: Bytes, label: Label, octets: Bytes): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('raw', id, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, sig, labelled(label, octets));
  } catch {
    return false;
  }
}

/** Whether the page of this public key vouched for a knock. */
export async function vouches(id: Bytes, proof: Bytes, knock: Bytes): Promise<boolean> {
  return signedBy(id, proof, 'vr1 page', await hash(knock));
}
