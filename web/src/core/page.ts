// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What the server said about this page (data attributes of <html>) and what the link carries in its fragment.
// A fragment never reaches a server; nothing of it is stored anywhere but in this object.

export type Kind = 'landing' | 'room' | 'host' | 'test' | 'open';
export type Language = 'de' | 'en';
export type Address = 'sie' | 'du';

export interface Page {
  kind: Kind;
  /** Base path of the site without trailing slash; empty at the root. */
  base: string;
  language: Language;
  address: Address;
  practice: string;
  phone: string;
  /** Path of the practice's mark on this site, and its colour as #rrggbb; empty: none. */
  logo: string;
  color: string;
  /** Offers a way out that leaves nothing on the screen. */
  exit: boolean;
  /** Nothing may leave this page unless it is encrypted for the others in the room alone. */
  e2ee: boolean;
  /** Room id of a visitor page, else empty. */
  room: string;
  /** Id of the host whom one visits here without a link, else empty. */
  host: string;
}

export interface Fragment {
  /** Visitor capability (`s`), host key (`k`), language chosen by the person (`l`). */
  cap: string;
  key: string;
  language: Language | '';
  /** The link's own secret (`e`), whatever it looks like; null where the link has none. */
  link: string | null;
}

/** 16 octets in base64url that are not all zero. */
export const secretForm = /^(?!A{22})[\w-]{21}[AQgw]$/;

/** Begins the secret of a link to a call that was agreed on as encrypted from end to end; the server has signed it along. */
const confidential = 'e2ee-';

/** Whether the call that a link leads to has to be encrypted, whatever the page says. */
export const mustEncrypt = (cap: string): boolean => cap.startsWith(confidential);

const roomId = /^[a-z2-7]{26}$/;

export function readPage(data: Record<string, string | undefined>, pathname: string): Page {
  const base = data['base'] ?? '';
  const kind = (['room', 'host', 'test', 'open'] as const).find((k) => k === data['page']) ?? 'landing';
  const rest = pathname.startsWith(`${base}/r/`) ? pathname.slice(base.length + 3) : '';
  return {
    kind,
    base,
    language: data['language'] === 'en' ? 'en' : 'de',
    address: data['address'] === 'du' ? 'du' : 'sie',
    practice: data['practice'] ?? '',
    logo: data['logo'] ?? '',
    color: data['color'] ?? '',
    exit: data['exit'] === 'quick',
    e2ee: data['e2ee'] === 'required',
    // A number is never broken across lines.
    phone: (data['phone'] ?? '').replaceAll(' ', '\u00a0'),
    room: roomId.test(rest) ? rest : '',
    host: data['host'] ?? '',
  };
}

export function readFragment(hash: string): Fragment {
  const q = new URLSearchParams(hash.replace(/^#/, ''));
  const l = q.get('l');
  const language = l === 'de' || l === 'en' ? l : '';
  return { cap: q.get('s') ?? '', key: q.get('k') ?? '', language, link: q.get('e') };
}

/** The fragment with another language, everything else kept in place. */
export function withLanguage(hash: string, language: Language): string {
  const q = new URLSearchParams(hash.replace(/^#/, ''));
  q.set('l', language);
  return `#${q}`;
}

/** The address for `tel:`: digits and one leading plus. */
export function telHref(phone: string): string {
  const digits = phone.replace(/[^\d+]/g, '').replace(/(?!^)\+/g, '');
  return `tel:${digits}`;
}

/** WebSocket address of a path on the page's own host. */
export function socketURL(path: string, at: { protocol: string; host: string }): string {
  return `${at.protocol === 'http:' ? 'ws' : 'wss'}://${at.host}${path}`;
}
