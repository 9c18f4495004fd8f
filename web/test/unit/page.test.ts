// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { readFragment, readPage, socketURL, telHref, withLanguage } from '../../src/core/page';

const room = 'abcdefghijklmnopqrstuvwx27';

describe('page', () => {
  it('reads the attributes and the path', () => {
    const data = { page: 'room', base: '/video', language: 'en', address: 'du', practice: 'P', phone: '1' };
    expect(readPage(data, `/video/r/${room}`)).toEqual({
      ...data,
      logo: '',
      color: '',
      exit: false,
      e2ee: false,
      host: '',
      kind: 'room',
      page: undefined,
      room,
    });
    expect(readPage({ page: 'room', base: '' }, `/r/${room}`)).toMatchObject({ room, language: 'de', address: 'sie' });
  });

  it('is end-to-end encrypted where the server demands it, and for no other word', () => {
    for (const [e2ee, want] of [
      ['required', true],
      ['off', false],
      ['', false],
    ] as const) {
      expect(readPage({ page: 'room', e2ee }, '/').e2ee, e2ee).toBe(want);
    }
  });

  it('takes no broken room id', () => {
    for (const path of ['/r/short', `/r/${room}/x`, `/r/${room.toUpperCase()}`, `/other/r/${room}`]) {
      expect(readPage({ page: 'room', base: '' }, path).room).toBe('');
    }
  });

  it('keeps everything else in the fragment', () => {
    expect(readFragment('#s=A-b_9&l=en')).toEqual({ cap: 'A-b_9', key: '', language: 'en', link: null });
    expect(readFragment('#k=x&l=fr')).toEqual({ cap: '', key: 'x', language: '', link: null });
    expect(readFragment('')).toEqual({ cap: '', key: '', language: '', link: null });
    expect(readFragment('#s=A&e=B-_')).toMatchObject({ cap: 'A', link: 'B-_' });
    // One that was cut off is not the same as none.
    expect(readFragment('#s=A&e=')).toMatchObject({ link: '' });
    expect(withLanguage('#s=A&e=B-_', 'en')).toBe('#s=A&e=B-_&l=en');
    expect(withLanguage('#s=A-b_9', 'en')).toBe('#s=A-b_9&l=en');
    expect(withLanguage('#s=A&l=en', 'de')).toBe('#s=A&l=de');
  });

  it('makes addresses', () => {
    expect(telHref('+49 (69) 12-34+5')).toBe('tel:+4969' + '12345');
    expect(socketURL('/video/rtc', { protocol: 'https:', host: 'a:8443' })).toBe('wss://a:8443/video/rtc');
    expect(socketURL('/rtc', { protocol: 'http:', host: 'localhost' })).toBe('ws://localhost/rtc');
  });
});

describe('looks', () => {
  it('takes a mark and a colour', () => {
    expect(readPage({ page: 'room', logo: '/mark.svg', color: '#0F6B5F' }, '/')).toMatchObject({
      logo: '/mark.svg',
      color: '#0F6B5F',
    });
  });
});
