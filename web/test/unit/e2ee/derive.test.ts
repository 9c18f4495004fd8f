// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { createCipheriv, hkdfSync, pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromPassphrase, fromSecret, type KeyBits } from '../../../src/core/e2ee/frames/derive';

const iv = new Uint8Array(12).fill(1);
const plain = Uint8Array.of(1, 2, 3);

/** What a key makes of something is how keys that cannot be read are compared. */
const sealedBy = async (key: CryptoKey) =>
  Buffer.from(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plain)).toString('hex');

function sealedWith(raw: Uint8Array): string {
  const cipher = createCipheriv(raw.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm', raw, iv);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('hex');
}

describe('frame keys', () => {
  for (const bits of [128, 256] as KeyBits[]) {
    it(`are derived from secrets and passphrases, ${bits} bits`, async () => {
      const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
      const hkdf = new Uint8Array(hkdfSync('sha256', secret, 'LKFrameEncryptionKey', new Uint8Array(128), bits / 8));
      expect(await sealedBy(await fromSecret(secret, bits))).toBe(sealedWith(hkdf));
      const pbkdf2 = pbkdf2Sync('ein Satz für alle', 'LKFrameEncryptionKey', 100_000, bits / 8, 'sha256');
      expect(await sealedBy(await fromPassphrase('ein Satz für alle', bits))).toBe(sealedWith(pbkdf2));
    });
  }
});
