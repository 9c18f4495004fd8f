// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from './errors';

interface Scope {
  isSecureContext?: boolean;
  RTCPeerConnection?: unknown;
  WebSocket?: unknown;
  HTMLDialogElement?: unknown;
  navigator: { userAgent: string; mediaDevices?: unknown };
}

/** Browsers inside other apps, known to offer no camera or to lose it. */
const inApp = /\b(FBAN|FBAV|FB_IAB|Instagram|GSA|Line|MicroMessenger|Snapchat|TikTok|musical_ly)\b/i;

/** What makes a call impossible here before anything is asked; null when nothing does. */
export function obstacle(s: Scope): ErrorCode | null {
  if (s.isSecureContext === false) return 20;
  if (!s.RTCPeerConnection || !s.WebSocket || !s.HTMLDialogElement) return 21;
  if (inApp.test(s.navigator.userAgent)) return 21;
  return s.navigator.mediaDevices ? null : 20;
}

/** 22 in browsers that cannot encrypt from end to end, 34 where that could not be found out. Only asked where it is required. */
export async function encryptionObstacle(required: boolean): Promise<ErrorCode | null> {
  if (!required) return null;
  try {
    const { canEncrypt } = await import('../e2ee/able');
    return (await canEncrypt()) ? null : 22;
  } catch {
    return 34;
  }
}

export type Platform = 'ios' | 'android' | 'firefox' | 'safari' | 'chromium';

/** Which steps lead to the permission switch. */
export function platform(ua: string, touchPoints: number): Platform {
  if (/iPhone|iPad|iPod/.test(ua) || (/Macintosh/.test(ua) && touchPoints > 1)) return 'ios';
  if (/Android/.test(ua)) return 'android';
  if (/Firefox\//.test(ua)) return 'firefox';
  if (/Safari\//.test(ua) && !/Chrome\/|Chromium\//.test(ua)) return 'safari';
  return 'chromium';
}

export function canShareScreen(nav: { mediaDevices?: { getDisplayMedia?: unknown } }): boolean {
  return typeof nav.mediaDevices?.getDisplayMedia === 'function';
}
