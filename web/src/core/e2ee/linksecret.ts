// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The secret that a host's page may put into a link's fragment: 16 octets in base64url, without padding and in their one form.

import { secretForm } from '../page';
import { fromBase64url, toBase64url } from './base64url';
import type { Bytes } from './keys/types';

/** Undefined for whatever is not such a secret, and for zeros, which stand for none. */
export function linkSecret(text: string | null): Bytes | undefined {
  return text !== null && secretForm.test(text) ? fromBase64url(text) : undefined;
}

export function makeLinkSecret(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(16)));
}

/** What a server gives as the link of a room that was just opened. */
const plainLink = /^r\/([a-z2-7]{26})#s=([\w-]{1,512})$/;

/**
 * The address of a room's link with a secret in its fragment. Undefined where the server's link is not of that room or has
 * another shape: a secret is never put where its reader would send it to a server.
 */
export function linkWithSecret(site: string, room: string, link: string, secret: string): string | undefined {
  const [, id, cap] = plainLink.exec(link) ?? [];
  return id === room ? `${site}/r/${id}#s=${cap}&e=${secret}` : undefined;
}
