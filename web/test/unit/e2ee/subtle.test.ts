// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Everything that calls ask of WebCrypto, held against what Safari 17 has of it. Where that stands:
//   https://github.com/WebKit/WebKit/tree/main/Source/WebCore/crypto, SubtleCrypto.cpp: Ed25519 (setting WebCryptoSafeCurves, on
//   since 17.0); X25519 has a setting of its own (WebCryptoX25519) and is not counted on. cocoa/CryptoKeyOKPCocoa.cpp: PKCS #8
//   without a public key is read, and jwk has x for private keys too. algorithms/CryptoAlgorithmHMAC.cpp: no empty keys.
//   LayoutTests/imported/w3c/web-platform-tests/WebCryptoAPI/derive_bits_keys/hkdf.https.any_1-1000-expected.txt: HKDF takes empty
//   infos, but gives no empty results.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const native = crypto;
const calls = new Set<string>();

const nameOf = (algorithm: AlgorithmIdentifier) => (typeof algorithm === 'string' ? algorithm : algorithm.name);

/** What of Safari 17 is used, and nothing else. */
const safari = new Set([
  'digest SHA-256',
  'generateKey Ed25519 sign,verify',
  'exportKey raw Ed25519 public',
  'exportKey jwk Ed25519 private',
  'importKey raw Ed25519 verify',
  'importKey pkcs8 Ed25519 sign',
  'sign Ed25519',
  'verify Ed25519',
  'importKey raw HKDF deriveBits',
  'importKey raw HKDF deriveKey',
  'deriveBits HKDF',
  'deriveKey HKDF AES-GCM',
  'importKey raw HMAC sign',
  'importKey raw HMAC verify',
  'sign HMAC',
  'verify HMAC',
  'importKey raw AES-GCM encrypt',
  'importKey raw AES-GCM decrypt',
  'importKey raw AES-GCM encrypt,decrypt',
  'encrypt AES-GCM',
  'decrypt AES-GCM',
]);

const lengthOf = (b: BufferSource) => b.byteLength;

function called(what: string): void {
  calls.add(what);
  if (!safari.has(what)) throw new DOMException(what, 'NotSupportedError');
}

function needs(holds: boolean, what: string): void {
  if (!holds) throw new DOMException(what, 'DataError');
}

/** The part of SubtleCrypto that calls may use; what else they use is an error. */
const subtle = {
  async digest(a: AlgorithmIdentifier, data: BufferSource) {
    called(`digest ${nameOf(a)}`);
    return native.subtle.digest(a, data);
  },
  async generateKey(a: AlgorithmIdentifier, extractable: boolean, usages: KeyUsage[]) {
    called(`generateKey ${nameOf(a)} ${usages}`);
    return native.subtle.generateKey(a, extractable, usages);
  },
  async importKey(format: 'raw', data: BufferSource, a: AlgorithmIdentifier, extractable: boolean, usages: KeyUsage[]) {
    called(`importKey ${format} ${nameOf(a)} ${usages}`);
    if (nameOf(a) === 'HMAC') needs(lengthOf(data) > 0, 'an empty HMAC key');
    if (nameOf(a) === 'HKDF') needs(!extractable, 'an extractable HKDF key');
    return native.subtle.importKey(format, data, a, extractable, usages);
  },
  async exportKey(format: 'raw', key: CryptoKey) {
    called(`exportKey ${format} ${key.algorithm.name} ${key.type}`);
    return native.subtle.exportKey(format, key);
  },
  async sign(a: AlgorithmIdentifier, key: CryptoKey, data: BufferSource) {
    called(`sign ${nameOf(a)}`);
    return native.subtle.sign(a, key, data);
  },
  async verify(a: AlgorithmIdentifier, key: CryptoKey, sig: BufferSource, data: BufferSource) {
    called(`verify ${nameOf(a)}`);
    return native.subtle.verify(a, key, sig, data);
  },
  async deriveBits(a: HkdfParams, key: CryptoKey, length: number) {
    called(`deriveBits ${nameOf(a)}`);
    needs(length > 0 && length % 8 === 0, `${length} bits`);
    return native.subtle.deriveBits(a, key, length);
  },
  async deriveKey(a: HkdfParams, key: CryptoKey, of: AesKeyGenParams, extractable: boolean, usages: KeyUsage[]) {
    called(`deriveKey ${nameOf(a)} ${nameOf(of)}`);
    return native.subtle.deriveKey(a, key, of, extractable, usages);
  },
  async encrypt(a: AesGcmParams, key: CryptoKey, data: BufferSource) {
    called(`encrypt ${nameOf(a)}`);
    return native.subtle.encrypt(a, key, data);
  },
  async decrypt(a: AesGcmParams, key: CryptoKey, data: BufferSource) {
    called(`decrypt ${nameOf(a)}`);
    return native.subtle.decrypt(a, key, data);
  },
};

beforeEach(() => {
  calls.clear();
  vi.stubGlobal('crypto', { subtle, getRandomValues: native.getRandomValues.bind(native) });
  vi.resetModules();
});
afterEach(() => void vi.unstubAllGlobals());

it('is all there in Safari 17: page keys, the agreement of three, content, and frames', {
  timeout: 60_000,
}, async () => {
  const { makePageKey, vouches } = await import('../../../src/core/e2ee/pagekey');
  const { fromBase64url } = await import('../../../src/core/e2ee/base64url');
  const { Village } = await import('./village');
  const { Content } = await import('../../../src/core/e2ee/content');
  const { KeyRing } = await import('../../../src/core/e2ee/frames/keyring');
  const { open, seal } = await import('../../../src/core/e2ee/frames/cipher');
  const { frameOf } = await import('./livekit');

  const page = await makePageKey();
  const knock = new Uint8Array(40).fill(1);
  const proof = await page.vouch(knock);
  expect(await vouches(fromBase64url(page.id) ?? new Uint8Array(0), proof, knock)).toBe(true);
  expect(await vouches(fromBase64url(page.id) ?? new Uint8Array(0), proof, knock.slice(1))).toBe(false);

  const village = new Village(7);
  for (let i = 0; i < 3; i++) await village.join();
  village.present = village.all;
  const roster = village.roster(village.all);
  for (const v of village.all) await v.session.onRoster(roster);
  await village.settle();
  expect(village.agree()).toBe(true);
  const [anna, ben] = village.all;
  const key = anna?.session.senderKey(1, anna.pid);
  if (!anna || !ben || !key) throw new Error('no keys');

  const heard: string[] = [];
  const inbox = new Content({ send: () => {}, heard: (_, plain) => heard.push(new TextDecoder().decode(plain)) });
  const outbox = new Content({ send: (octets) => inbox.hear(octets), heard: () => {} });
  inbox.install(anna.pid, key);
  outbox.use(anna.pid, key);
  outbox.say(new TextEncoder().encode('hello'));
  await vi.waitFor(() => expect(heard).toEqual(['hello']), { timeout: 60_000 });

  const ring = new KeyRing(256, (n) => crypto.getRandomValues(new Uint8Array(n)));
  expect(await ring.set(key.index, key.secret.slice())).toBeUndefined();
  ring.use(key.index);
  const frame = frameOf(Uint8Array.of(0x78, 1, 2, 3), { source: 1, timestamp: 960 });
  expect(await seal(frame, { kind: 'audio' }, ring)).toBeUndefined();
  expect(await open(frame, { kind: 'audio' }, ring)).toBeUndefined();
  expect([...new Uint8Array(frame.data)]).toEqual([0x78, 1, 2, 3]);

  expect([...calls].filter((c) => !safari.has(c))).toEqual([]);
  expect(
    [...safari].filter((c) => !calls.has(c)),
    'nothing stands here that nobody uses',
  ).toEqual([]);
});
