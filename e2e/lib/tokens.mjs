// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Media tokens that must not be accepted.

import { createHmac, randomBytes } from 'node:crypto';

const b64 = (v) => Buffer.from(typeof v === 'string' ? v : JSON.stringify(v)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

/** Signs as anybody can who does not have the key. */
export function sign(claims, { alg = 'HS256', key = 'not the key of this server at all', header = {} } = {}) {
  const body = `${b64({ alg, typ: 'JWT', ...header })}.${b64(claims)}`;
  const hash = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }[alg];
  return `${body}.${hash ? createHmac(hash, key).update(body).digest('base64url') : ''}`;
}

/**
 * At least sixty tokens derived from a good one, each wrong in one way.
 * @param {string} good
 * @returns {[string, string][]} name and token
 */
export function badTokens(good) {
  const [head, body, mac] = good.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  const header = JSON.parse(Buffer.from(head, 'base64url').toString());
  /** @type {[string, string][]} */
  const bad = [
    ['empty', ''],
    ['one part', head],
    ['two parts', `${head}.${body}`],
    ['no signature', `${head}.${body}.`],
    ['no body', `${head}..${mac}`],
    ['no header', `.${body}.${mac}`],
    ['four parts', `${good}.${mac}`],
    ['dots', '..'],
    ['many dots', '.'.repeat(5000)],
    ['garbage', randomBytes(200).toString('base64url')],
    ['huge', `${head}.${'A'.repeat(12_000)}.${mac}`],
    ['parts swapped', `${body}.${head}.${mac}`],
    ['signature cut', good.slice(0, -4)],
    ['signature longer', `${good}AAAA`],
    ['signature of zeros', `${head}.${body}.${Buffer.alloc(32).toString('base64url')}`],
    ['standard base64', `${head}.${body}.${Buffer.from(mac, 'base64url').toString('base64')}=`],
    ['bearer twice', `Bearer ${good}`],
    ['alg none', sign(claims, { alg: 'none' })],
    ['alg None', sign(claims, { alg: 'None' })],
    ['alg NONE', sign(claims, { alg: 'NONE' })],
    ['alg none with signature', `${b64({ ...header, alg: 'none' })}.${body}.${mac}`],
    ['alg missing', `${b64({ typ: 'JWT' })}.${body}.${mac}`],
    ['alg RS256', sign(claims, { alg: 'RS256' })],
    ['alg ES256', sign(claims, { alg: 'ES256' })],
    ['alg EdDSA', sign(claims, { alg: 'EdDSA' })],
    ['alg HS384', sign(claims, { alg: 'HS384' })],
    ['alg HS512', sign(claims, { alg: 'HS512' })],
    ['alg a number', `${b64({ alg: 256 })}.${body}.${mac}`],
    ['kid', sign(claims, { header: { kid: '../../etc/passwd' } })],
    ['jku', sign(claims, { header: { jku: 'https://example.com/keys' } })],
    ['jwk', sign(claims, { header: { jwk: { kty: 'oct', k: b64('x') } } })],
    ['crit', sign(claims, { header: { crit: ['exp'] } })],
    ['wrong key', sign(claims)],
    ['empty key', sign(claims, { key: '\0' })],
    ['key is the issuer', sign(claims, { key: String(claims.iss) })],
    ['key is the room', sign(claims, { key: String(claims.video?.room) })],
    ['body is no JSON', `${head}.${b64('{')}.${mac}`],
    ['body is a list', `${head}.${b64([])}.${mac}`],
    ['body is null', `${head}.${b64('null')}.${mac}`],
    ['header is no JSON', `${b64('{')}.${body}.${mac}`],
    ['header is a list', `${b64([])}.${body}.${mac}`],
  ];
  /** @type {[string, object][]} claims changed below the old signature, and below a foreign one */
  const changes = [
    ['other room', { video: { ...claims.video, room: 'a'.repeat(26) } }],
    ['room missing', { video: { ...claims.video, room: undefined } }],
    ['admin', { video: { ...claims.video, roomAdmin: true } }],
    ['no join', { video: { ...claims.video, roomJoin: false } }],
    ['no grant', { video: undefined }],
    ['later', { exp: now() + 86_400 }],
    ['expired', { exp: now() - 3600 }],
    ['no expiry', { exp: undefined }],
    ['expiry a text', { exp: 'never' }],
    ['expiry negative', { exp: -1 }],
    ['expiry huge', { exp: 1e300 }],
    ['not yet', { nbf: now() + 3600 }],
    ['other identity', { sub: 'somebody-else' }],
    ['no identity', { sub: undefined }],
    ['empty identity', { sub: '' }],
    ['other issuer', { iss: 'devkey' }],
    ['no issuer', { iss: undefined }],
    ['long name', { name: 'n'.repeat(3000) }],
  ];
  for (const [name, change] of changes) {
    const changed = { ...claims, ...change };
    bad.push([`${name}, old signature`, `${head}.${b64(changed)}.${mac}`]);
    bad.push([`${name}, foreign signature`, sign(changed)]);
  }
  for (let i = 0; i < 8; i++) {
    const raw = Buffer.from(mac, 'base64url');
    raw[i * 4] ^= 1 << i;
    bad.push([`bit ${i * 33} of the signature`, `${head}.${body}.${raw.toString('base64url')}`]);
  }
  return bad;
}
