// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { apiCodes } from '../../src/core/api/types';
import { canShareScreen, obstacle, platform } from '../../src/core/flow/capability';
import { fromApi, recovery } from '../../src/core/flow/errors';
import { fromConnect, fromDisconnect, fromMedia, fromStart, type MediaContext } from '../../src/core/flow/failures';

const media = (name: string, c: Partial<MediaContext> = {}, message = '') =>
  fromMedia(new DOMException(message, name), { permission: 'unknown', blockedByPolicy: false, after: 1000, ...c });

describe('errors', () => {
  it('gives every server code a catalogue entry', () => {
    for (const code of apiCodes) expect(recovery[fromApi(code, true)], code).toBeDefined();
    expect(fromApi('link_expired', true)).toBe(41);
    expect(fromApi('bad_link', true)).toBe(43);
    expect(fromApi('room_full', true)).toBe(40);
    expect(fromApi('network', true)).toBe(34);
    expect(fromApi('network', false)).toBe(30);
    expect(fromApi('websocket', true)).toBe(31);
  });

  it('reads the reasons of a disconnect', () => {
    const want: [number | undefined, number | null][] = [
      [1, null],
      [2, 52],
      [3, 54],
      [4, 50],
      [5, 51],
      [6, 61],
      [7, 61],
      [8, 54],
      [9, 61],
      [10, 51],
      [15, 33],
      [undefined, 61],
      [999, 61],
    ];
    for (const [reason, code] of want) expect(fromDisconnect(reason), String(reason)).toBe(code);
  });

  it('reads the reasons of a failed connect', () => {
    const met = { online: true, signaled: false };
    const offline = { ...met, online: false };
    const signaled = { ...met, signaled: true };
    expect(fromConnect('LeaveRequest', 2, met)).toBe(52);
    expect(fromConnect('LeaveRequest', 1, met)).toBe(61);
    expect(fromConnect('LeaveRequest', 7, met)).toBe(40);
    expect(fromConnect('LeaveRequest', undefined, met)).toBe(40);
    for (const reason of ['InternalError', 'Timeout']) {
      expect(fromConnect(reason, undefined, signaled)).toBe(33);
      expect(fromConnect(reason, undefined, met)).toBe(34);
      expect(fromConnect(reason, undefined, { ...signaled, online: false })).toBe(30);
    }
    expect(fromConnect('WebSocket', undefined, met)).toBe(31);
    expect(fromConnect('WebSocket', undefined, offline)).toBe(30);
    expect(fromConnect('ServerUnreachable', undefined, met)).toBe(34);
    expect(fromConnect('NotAllowed', undefined, met)).toBe(61);
    expect(fromConnect(undefined, undefined, met)).toBe(99);
  });

  it('blames the way of media when the server had let us in', () => {
    expect(fromStart(undefined, { online: true, signaled: true })).toBe(33);
    expect(fromStart(undefined, { online: false, signaled: true })).toBe(30);
    expect(fromStart(undefined, { online: true, signaled: false })).toBe(61);
    expect(fromStart(4, { online: true, signaled: true })).toBe(50);
    expect(fromStart(1, { online: true, signaled: true })).toBe(33);
  });

  it('tells who refused the camera', () => {
    expect(media('NotAllowedError', { permission: 'denied' })).toBe(10);
    expect(media('NotAllowedError', { after: 40 })).toBe(10);
    expect(media('NotAllowedError', { permission: 'prompt' })).toBe(11);
    expect(media('NotAllowedError', {}, 'Permission dismissed')).toBe(11);
    expect(media('NotAllowedError', { permission: 'granted' })).toBe(12);
    expect(media('NotAllowedError', {}, 'Permission denied by system')).toBe(12);
    expect(media('NotAllowedError', { blockedByPolicy: true, permission: 'denied' })).toBe(13);
    expect(media('NotReadableError')).toBe(14);
    expect(media('AbortError')).toBe(14);
    expect(media('NotFoundError')).toBe(15);
    expect(media('OverconstrainedError')).toBe(15);
    expect(fromMedia('a string', { permission: 'unknown', blockedByPolicy: false, after: 0 })).toBe(14);
  });
});

describe('capability', () => {
  const good = {
    isSecureContext: true,
    RTCPeerConnection: {},
    WebSocket: {},
    HTMLDialogElement: {},
    navigator: { userAgent: 'Mozilla/5.0 Chrome/156', mediaDevices: {} },
  };
  it('lets good browsers through and names what is missing', () => {
    expect(obstacle(good)).toBeNull();
    expect(obstacle({ ...good, isSecureContext: false })).toBe(20);
    expect(obstacle({ ...good, RTCPeerConnection: undefined })).toBe(21);
    expect(obstacle({ ...good, navigator: { userAgent: 'x' } })).toBe(20);
    const inside = { userAgent: 'Mozilla/5.0 (iPhone) [FBAN/FBIOS]', mediaDevices: {} };
    expect(obstacle({ ...good, navigator: inside })).toBe(21);
  });

  it('knows the platform of the steps', () => {
    expect(platform('Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Safari/604', 5)).toBe('ios');
    expect(platform('Mozilla/5.0 (Macintosh) Version/19 Safari/605', 5)).toBe('ios');
    expect(platform('Mozilla/5.0 (Macintosh) Version/19 Safari/605', 0)).toBe('safari');
    expect(platform('Mozilla/5.0 (Linux; Android 16) Chrome/156 Mobile Safari/537', 5)).toBe('android');
    expect(platform('Mozilla/5.0 (X11; Linux) Gecko Firefox/153', 0)).toBe('firefox');
    expect(platform('Mozilla/5.0 (Windows) Chrome/156 Safari/537', 0)).toBe('chromium');
  });

  it('hides screen sharing where there is none', () => {
    expect(canShareScreen({ mediaDevices: { getDisplayMedia: () => {} } })).toBe(true);
    expect(canShareScreen({ mediaDevices: {} })).toBe(false);
    expect(canShareScreen({})).toBe(false);
  });
});
