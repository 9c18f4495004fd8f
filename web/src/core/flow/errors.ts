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
  | 44
  | 45
  | 46
  | 47
  | 48
  | 50
  | 51
  | 52
  | 54
  | 55
  | 56
  | 57
  | 58
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
  44: [],
  45: [],
  46: [],
  47: [],
  // The link is for a call that is encrypted from end to end, and the site no longer encrypts.
  48: [],
  50: [],
  51: [],
  52: ['rejoin'],
  54: ['rejoin'],
  // Keys could not be agreed on; somebody interfered with it; the people found different words; links with other keys.
  55: ['rejoin'],
  56: [],
  57: [],
  58: ['rejoin'],
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
  no_encryption: 22,
};

/** `online` separates "your network is gone" from "our server does not answer". */
export function fromApi(code: ApiCode, online: boolean): ErrorCode {
  return code === 'network' && !online ? 30 : byApi[code];
}
