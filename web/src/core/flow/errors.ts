// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ApiCode } from '../api/types';

/** Numbers shown as "VR-12"; a helpline asks for them. */
export type ErrorCode =
  | 10
  | 11
  | 12
  | 13
  | 14
  | 15
  | 20
  | 21
  | 22
  | 30
  | 31
  | 33
  | 34
  | 40
  | 41
  | 42
  | 43
  | 45
  | 46
  | 50
  | 51
  | 52
  | 54
  | 55
  | 56
  | 57
  | 60
  | 61
  | 62
  | 70
  | 72
  | 73
  | 99;

/** What a person can do about it, in the order of the buttons. */
export type Recovery = 'retry' | 'audio' | 'watch' | 'https' | 'copy' | 'rejoin' | 'reload';

/** Screens only; 60, 62, 70, 72 and 73 are banners and toasts inside the call. */
export const recovery: Readonly<Record<ErrorCode, readonly Recovery[]>> = {
  10: ['retry', 'audio', 'watch'],
  11: ['retry', 'audio', 'watch'],
  12: ['retry', 'audio', 'watch'],
  13: ['retry', 'watch'],
  14: ['retry', 'audio', 'watch'],
  15: ['retry', 'audio', 'watch'],
  20: ['https'],
  21: ['copy'],
  22: ['copy'],
  30: ['retry'],
  31: ['retry'],
  33: ['rejoin'],
  34: ['retry'],
  40: ['retry'],
  41: [],
  42: ['retry'],
  43: [],
  45: [],
  46: [],
  50: [],
  51: [],
  52: ['rejoin'],
  54: ['rejoin'],
  // Keys could not be agreed on; somebody interfered with it; the people found different words.
  55: ['rejoin'],
  56: [],
  57: [],
  60: [],
  61: ['rejoin'],
  62: [],
  70: [],
  72: [],
  73: [],
  99: ['reload'],
};

/** Comes back by itself: the screen says so and nothing needs to be pressed. */
export const automatic: ReadonlySet<ErrorCode> = new Set<ErrorCode>([30, 34, 54]);

const byApi: Readonly<Record<ApiCode, ErrorCode>> = {
  bad_link: 43,
  link_expired: 41,
  room_full: 40,
  room_closed: 51,
  too_many: 34,
  unavailable: 34,
  network: 34,
  websocket: 31,
  bad_request: 99,
  not_host: 99,
  too_large: 99,
  foreign_origin: 99,
  not_allowed: 45,
  not_found: 43,
  method: 99,
  unsupported: 99,
  internal: 99,
  too_early: 42,
  cancelled: 46,
  conflict: 99,
  invalid: 99,
};

/** `online` separates "your network is gone" from "our server does not answer". */
export function fromApi(code: ApiCode, online: boolean): ErrorCode {
  return code === 'network' && !online ? 30 : byApi[code];
}

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
