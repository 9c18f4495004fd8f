// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What can go wrong with media, as catalogue entries. Apart from the catalogue, which every page loads first.

import type { ErrorCode } from './errors';

/** LiveKit's DisconnectReason; null is a normal end. */
export function fromDisconnect(reason: number | undefined): ErrorCode | null {
  switch (reason) {
    case 1: // CLIENT_INITIATED
      return null;
    case 2: // DUPLICATE_IDENTITY
      return 52;
    case 3: // SERVER_SHUTDOWN
    case 8: // MIGRATION
      return 54;
    case 4: // PARTICIPANT_REMOVED
      return 50;
    case 5: // ROOM_DELETED
    case 10: // ROOM_CLOSED
      return 51;
    case 15: // MEDIA_FAILURE
      return 33;
    default:
      return 61;
  }
}

/** What is known when a call does not come about. */
export interface Circumstances {
  online: boolean;
  /** The server had let this page in: what is missing is the way for media. */
  signaled: boolean;
}

/** A disconnect before the call began. */
export function fromStart(reason: number | undefined, c: Circumstances): ErrorCode {
  const code = fromDisconnect(reason) ?? 61;
  return code === 61 && c.signaled ? noMedia(c) : code;
}

function noMedia({ online, signaled }: Circumstances): ErrorCode {
  if (!online) return 30;
  return signaled ? 33 : 34;
}

/** LiveKit's ConnectionErrorReason, by name; `context` is a DisconnectReason for LeaveRequest. */
export function fromConnect(reason: string | undefined, context: unknown, c: Circumstances): ErrorCode {
  const { online } = c;
  switch (reason) {
    case 'LeaveRequest':
      // Instead of a welcome this server sends it when the room is full, and the library may lose the reason.
      if (context === undefined || context === 7) return 40;
      return fromDisconnect(typeof context === 'number' ? context : undefined) ?? 61;
    case 'InternalError':
    case 'Timeout':
      return noMedia(c);
    case 'WebSocket':
      return online ? 31 : 30;
    case 'ServerUnreachable':
    case 'ServiceNotFound':
      return online ? 34 : 30;
    case 'NotAllowed':
    case 'Cancelled':
      return 61;
    default:
      return 99;
  }
}

export interface MediaContext {
  /** Permission state where the browser tells, else 'unknown'. */
  permission: 'granted' | 'denied' | 'prompt' | 'unknown';
  /** The embedding page does not hand camera and microphone on. */
  blockedByPolicy: boolean;
  /** Milliseconds until the rejection: nobody answers a prompt faster than about 200 ms. */
  after: number;
}

/** getUserMedia's rejection as a catalogue entry. */
export function fromMedia(error: unknown, c: MediaContext): 10 | 11 | 12 | 13 | 14 | 15 {
  const { name, message } = error instanceof Error || error instanceof DOMException ? error : { name: '', message: '' };
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      if (c.blockedByPolicy) return 13;
      if (c.permission === 'granted' || /system/i.test(message)) return 12;
      if (c.permission === 'denied' || c.after < 200) return 10;
      return c.permission === 'prompt' || /dismissed/i.test(message) ? 11 : 10;
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 15;
    default:
      return 14;
  }
}
