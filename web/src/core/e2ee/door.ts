// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Names at the door, which the server must not read: a visitor's page seals its name for each page of the host, and what a
// host's page writes to somebody who waits is encrypted with a key that comes out of the same seal.
//
// Seal: enc 1120 | AES-256-GCM 288 + 16 | signature 64, by the visitor's page key over H(kem | place | enc | ciphertext).
// Place: the id of the knock at the door, or the identity in the room.

import type { DoorPage, Letter } from '../api/types';
import { fromBase64url, toBase64url } from './base64url';
import { cleanName, cleanText } from './cleaned';
import { join, type Mailbox, mailboxOf, openWith, sealTo, sealWith, sha256 } from './keys/primitives';
import type { Bytes } from './keys/types';
import { type PageKey, signedBy } from './pagekey';

const encSize = 1120;
const kemSize = 1216;
const sigSize = 64;
const tagSize = 16;
/** A name's JSON is filled up to this, so that its length does not show. */
const nameSize = 288;
/** A letter's JSON is filled up to a multiple of this. */
const step = 256;
const replyLabel = 'vr1 door reply';
/** Pages of a host for which a name is sealed. */
const maxDoors = 8;

const random = (octets: number): Bytes => crypto.getRandomValues(new Uint8Array(octets));

/** JSON with spaces behind it; undefined where it is longer than the room for it. */
function filled(value: unknown, size?: number): Bytes | undefined {
  const json = new TextEncoder().encode(JSON.stringify(value));
  const octets = new Uint8Array(size ?? Math.ceil(json.length / step) * step).fill(32);
  if (json.length > octets.length) return undefined;
  octets.set(json);
  return octets;
}

function parsed(octets: Bytes): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const infoOf = (visitor: Bytes, kem: Bytes): Bytes => join('vr1 door', visitor, kem);
const signedPart = (kem: Bytes, place: string, rest: Bytes): Promise<Bytes> => sha256(kem, place, rest);
const letterData = (place: string): Bytes => join(replyLabel, place);

/** A visitor's side. The calls of one sealer must not overlap. */
export class NameSealer {
  readonly #key: PageKey;
  readonly #name: string;
  #place = '';
  /** What was sealed at this place, by page and its KEM key. */
  readonly #sealed = new Map<string, { for: string; data: string }>();
  /** What letters from a page may be encrypted with. */
  readonly #replies = new Map<string, Bytes[]>();
  readonly #read = new Map<string, string>();

  constructor(key: PageKey, name: string) {
    this.#key = key;
    this.#name = cleanName(name) ?? name;
  }

  /** The name for each page that vouches for its key; for the same place and page always the same octets. */
  async seal(place: string, pages: readonly DoorPage[]): Promise<{ for: string; data: string }[]> {
    if (place !== this.#place) {
      this.#place = place;
      this.#sealed.clear();
    }
    const all = [];
    for (const page of pages.slice(0, maxDoors)) {
      const at = `${page.key} ${page.kem}`;
      const sealed = this.#sealed.get(at) ?? (await this.#seal(place, page));
      if (!sealed) continue;
      this.#sealed.set(at, sealed);
      all.push(sealed);
    }
    return all;
  }

  async #seal(place: string, page: DoorPage): Promise<{ for: string; data: string } | undefined> {
    const [id, kem, sig] = [page.key, page.kem, page.sig].map(fromBase64url);
    const me = fromBase64url(this.#key.id);
    const plain = filled({ name: this.#name }, nameSize);
    if (!me || !plain || !id || kem?.length !== kemSize || !sig || !(await signedBy(id, sig, 'vr1 door', kem))) {
      return undefined;
    }
    const made = await sealTo(kem, infoOf(me, kem), random(64), plain, join(place), replyLabel);
    if (!made) return undefined;
    const rest = join(made.enc, made.sealed);
    const signature = await this.#key.sign('vr1 seal', await signedPart(kem, place, rest));
    this.#replies.set(page.key, [...(this.#replies.get(page.key) ?? []), made.secret]);
    return { for: page.key, data: toBase64url(join(rest, signature)) };
  }

  /** What the letters say, in their order, each once; what does not open is left out. */
  async read(place: string, letters: readonly Letter[]): Promise<string[]> {
    const seen = new Set<string>();
    for (const letter of letters) {
      const at = `${letter.key} ${letter.n}`;
      const text = this.#read.get(at) ?? (await this.#open(place, letter));
      if (text === undefined) continue;
      this.#read.set(at, text);
      seen.add(at);
    }
    return [...seen].map((at) => this.#read.get(at) ?? '');
  }

  async #open(place: string, { key, n, data }: Letter): Promise<string | undefined> {
    const octets = fromBase64url(data);
    if (!octets || !counts(n)) return undefined;
    for (const secret of this.#replies.get(key) ?? []) {
      const plain = await openWith(secret, n, octets, letterData(place));
      if (plain) return cleanText(parsed(plain)['text']);
    }
    return undefined;
  }
}

/** The counter has 32 bits. */
const counts = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 0 && (n as number) < 2 ** 32;

/** A host's side: what is sealed for this page. */
export class NameOpener {
  readonly page: DoorPage;
  readonly #mailbox: Mailbox;
  /** What letters to a place are encrypted with. */
  readonly #replies = new Map<string, Bytes>();
  /** One for all: no key meets the same count twice, whatever the server repeats. */
  #count = 0;

  private constructor(page: DoorPage, mailbox: Mailbox) {
    this.page = page;
    this.#mailbox = mailbox;
  }

  /** `seed`: 32 octets by chance. */
  static async make(key: PageKey, seed: Bytes = random(32)): Promise<NameOpener> {
    const mailbox = await mailboxOf(seed);
    const sig = await key.sign('vr1 door', mailbox.kem);
    return new NameOpener({ key: key.id, kem: toBase64url(mailbox.kem), sig: toBase64url(sig) }, mailbox);
  }

  /** The name that the page of this key sealed for a place; undefined where it did not, or where it is no name. */
  async open(place: string, visitor: string, data: string): Promise<string | undefined> {
    this.#replies.delete(place);
    const me = fromBase64url(visitor);
    const octets = fromBase64url(data);
    if (!me || octets?.length !== encSize + nameSize + tagSize + sigSize) return undefined;
    const { kem } = this.#mailbox;
    const rest = octets.slice(0, -sigSize);
    const signed = await signedPart(kem, place, rest);
    if (!(await signedBy(me, octets.slice(-sigSize), 'vr1 seal', signed))) return undefined;
    const enc = rest.slice(0, encSize);
    const opened = await this.#mailbox.open(enc, infoOf(me, kem), rest.slice(encSize), join(place), replyLabel);
    if (!opened) return undefined;
    this.#replies.set(place, opened.secret);
    return cleanName(parsed(opened.plain)['name']);
  }

  /** Whether there is somebody at this place who could read a letter. */
  reaches(place: string): boolean {
    return this.#replies.has(place);
  }

  /** A letter to somebody whose seal has been opened. */
  async write(place: string, text: string): Promise<Letter | undefined> {
    const secret = this.#replies.get(place);
    const clean = cleanText(text);
    const plain = clean && filled({ text: clean });
    if (!secret || !plain) return undefined;
    const n = this.#count++;
    const data = toBase64url(await sealWith(secret, n, plain, letterData(place)));
    return { key: this.page.key, n, data };
  }
}
