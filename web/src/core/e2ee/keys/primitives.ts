// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The primitives of vr-e2ee-1 and its derivations: SHA-256, HKDF, HMAC, AES-256-GCM and Ed25519 of the browser, and HPKE
// with X-Wing. Nothing here draws randomness by itself.

import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import type { Bytes, SafetyCode } from './types';
import { hex, size } from './wire';

const text = new TextEncoder();
const none = new Uint8Array(0);

/** Octets one after the other; a string stands for its ASCII, a number for 32 bits. */
export function join(...parts: (Uint8Array | string | number)[]): Bytes {
  const all = parts.map((p) => {
    if (typeof p === 'string') return text.encode(p);
    return typeof p === 'number' ? Uint8Array.of(p >>> 24, p >>> 16, p >>> 8, p) : p;
  });
  const out = new Uint8Array(all.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of all) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

export async function sha256(...parts: Parameters<typeof join>): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
}

/** HKDF-SHA-256 without salt. */
export async function hkdf(secret: Bytes, info: Bytes, octets = 32): Promise<Bytes> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt: none, info };
  return new Uint8Array(await crypto.subtle.deriveBits(how, material, octets * 8));
}

const hmacKey = (key: Bytes, usage: KeyUsage): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, [usage]);

export async function mac(key: Bytes, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', await hmacKey(key, 'sign'), message));
}

export async function macHolds(key: Bytes, tag: Bytes, message: Bytes): Promise<boolean> {
  return crypto.subtle.verify('HMAC', await hmacKey(key, 'verify'), tag, message);
}

const nonceOf = (counter: number): Bytes => join(0, 0, counter);

/** AES-256-GCM; the counter is the nonce. */
export async function sealWith(key: Bytes, counter: number, plain: Bytes, additionalData: Bytes): Promise<Bytes> {
  const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
  const how = { name: 'AES-GCM', iv: nonceOf(counter), additionalData };
  return new Uint8Array(await crypto.subtle.encrypt(how, aes, plain));
}

/** Undoes sealWith; undefined where it was made otherwise. */
export async function openWith(key: Bytes, counter: number, sealed: Bytes, additionalData: Bytes) {
  const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  const how = { name: 'AES-GCM', iv: nonceOf(counter), additionalData };
  const plain = await crypto.subtle.decrypt(how, aes, sealed).catch(() => undefined);
  return plain && new Uint8Array(plain);
}

const kem = new XWing();
const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/** A participant's own keys, for one call. */
export interface Identity {
  id: Bytes;
  pid: Bytes;
  kem: Bytes;
  sign(message: Bytes): Promise<Bytes>;
  decapsulate(enc: Bytes, info: Bytes): Promise<Bytes | undefined>;
}

/** What comes before the seed of an Ed25519 key in PKCS #8 (RFC 8410). */
const pkcs8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);

/** The identity of two seeds of 32 octets each. */
export async function identityOf(idSeed: Bytes, kemSeed: Bytes): Promise<Identity> {
  const der = join(pkcs8, idSeed);
  const readable = await crypto.subtle.importKey('pkcs8', der, 'Ed25519', true, ['sign']);
  const key = await crypto.subtle.importKey('pkcs8', der, 'Ed25519', false, ['sign']);
  const { x = '' } = await crypto.subtle.exportKey('jwk', readable);
  der.fill(0);
  const id = Uint8Array.from(atob(x.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  const pair = await kem.generateKeyPairDerand(kemSeed.slice());
  return {
    id,
    pid: await pidOf(id),
    kem: new Uint8Array(await kem.serializePublicKey(pair.publicKey)),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, message)),
    decapsulate: async (enc, info) => {
      try {
        const recipient = await suite.createRecipientContext({ recipientKey: pair.privateKey, enc, info });
        return new Uint8Array(await recipient.export(text.encode('vr1 chan'), 32));
      } catch {
        return undefined;
      }
    },
  };
}

export async function pidOf(id: Bytes): Promise<Bytes> {
  return (await sha256(id)).slice(0, size.pid);
}

export async function signatureHolds(id: Bytes, sig: Bytes, message: Bytes): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('raw', id, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, sig, message);
  } catch {
    return false;
  }
}

/** HPKE's sender for a public key; ekm is 64 octets by chance. Undefined where the key is none. */
export async function encapsulate(
  publicKey: Bytes,
  info: Bytes,
  ekm: Bytes,
): Promise<{ enc: Bytes; secret: Bytes } | undefined> {
  try {
    const recipientPublicKey = await kem.deserializePublicKey(publicKey.slice());
    const sender = await suite.createSenderContext({ recipientPublicKey, info, ekm: ekm.slice().buffer });
    return {
      enc: new Uint8Array(sender.enc),
      secret: new Uint8Array(await sender.export(text.encode('vr1 chan'), 32)),
    };
  } catch {
    return undefined;
  }
}

/** Keys to which messages can be sealed. */
export interface Mailbox {
  kem: Bytes;
  /** Opens one message, and derives a secret that its sender has as well; undefined where it was made otherwise. */
  open(
    enc: Bytes,
    info: Bytes,
    sealed: Bytes,
    aad: Bytes,
    label: string,
  ): Promise<{ plain: Bytes; secret: Bytes } | undefined>;
}

/** The keys of a seed of 32 octets. */
export async function mailboxOf(seed: Bytes): Promise<Mailbox> {
  const pair = await kem.generateKeyPairDerand(seed.slice());
  return {
    kem: new Uint8Array(await kem.serializePublicKey(pair.publicKey)),
    open: async (enc, info, sealed, aad, label) => {
      try {
        const recipient = await suite.createRecipientContext({ recipientKey: pair.privateKey, enc, info });
        const plain = new Uint8Array(await recipient.open(sealed, aad));
        return { plain, secret: new Uint8Array(await recipient.export(text.encode(label), 32)) };
      } catch {
        return undefined;
      }
    },
  };
}

/** Seals one message, and derives a secret that its receiver has as well; ekm is 64 octets by chance. Undefined where the key is none. */
export async function sealTo(
  publicKey: Bytes,
  info: Bytes,
  ekm: Bytes,
  plain: Bytes,
  aad: Bytes,
  label: string,
): Promise<{ enc: Bytes; sealed: Bytes; secret: Bytes } | undefined> {
  try {
    const recipientPublicKey = await kem.deserializePublicKey(publicKey.slice());
    const sender = await suite.createSenderContext({ recipientPublicKey, info, ekm: ekm.slice().buffer });
    const sealed = new Uint8Array(await sender.seal(plain, aad));
    return {
      enc: new Uint8Array(sender.enc),
      sealed,
      secret: new Uint8Array(await sender.export(text.encode(label), 32)),
    };
  } catch {
    return undefined;
  }
}

/** HPKE's info of a pair; the link's secret goes in as its hash. */
export async function pairInfo(call: Bytes, from: Bytes, to: Bytes, link: Bytes): Promise<Bytes> {
  return join('vr1 pair', call, from, to, await sha256('vr1 psk', link));
}

/** What a member's frames are encrypted with, and what its other content is. */
export const mediaSecret = (sender: Bytes, call: Bytes): Promise<Bytes> => hkdf(sender, join('vr1 media', call));
export const contentSecret = (sender: Bytes, call: Bytes): Promise<Bytes> => hkdf(sender, join('vr1 content', call));

/** The safety code of a transcript: four times 11 bits for words, and 12 groups of five digits. */
export async function codeOf(epoch: number, transcript: Bytes, link: Bytes): Promise<SafetyCode> {
  const bits = BigInt(`0x${hex(await hkdf(transcript, join('vr1 sas', link), 6))}`);
  const word = (place: bigint): number => Number((bits >> (4n + 11n * place)) & 2047n);
  const long = hex(await hkdf(transcript, join('vr1 digits', link), 60));
  const groups = (long.match(/.{10}/g) ?? []).map((five) => String(BigInt(`0x${five}`) % 100_000n).padStart(5, '0'));
  return { epoch, words: [word(3n), word(2n), word(1n), word(0n)], digits: groups.join(' ') };
}
