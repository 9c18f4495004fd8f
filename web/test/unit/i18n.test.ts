// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { recovery } from '../../src/core/flow/errors';
import { addMessages, day, type Message, maybe, setLanguage, t, time } from '../../src/i18n';
import { callDe } from '../../src/i18n/call-de';
import { callDu } from '../../src/i18n/call-du';
import { callEn } from '../../src/i18n/call-en';
import { checkDe } from '../../src/i18n/check-de';
import { de } from '../../src/i18n/de';
import { du } from '../../src/i18n/de-du';
import { en } from '../../src/i18n/en';
import { hostDe } from '../../src/i18n/host-de';
import { hostDu } from '../../src/i18n/host-du';
import { hostEn } from '../../src/i18n/host-en';
import { landingDe } from '../../src/i18n/landing-de';
import { lockDe } from '../../src/i18n/lock-de';
import { lockDu } from '../../src/i18n/lock-du';
import { lockEn } from '../../src/i18n/lock-en';
import { openDe } from '../../src/i18n/open-de';
import { openDu } from '../../src/i18n/open-du';
import { openEn } from '../../src/i18n/open-en';
import { testDe } from '../../src/i18n/test-de';
import { testDu } from '../../src/i18n/test-du';
import { testEn } from '../../src/i18n/test-en';

const german: Record<string, Message> = {
  ...{ ...de, ...checkDe, ...callDe, ...lockDe },
  ...{ ...hostDe, ...testDe, ...landingDe, ...openDe },
};
const informal: Record<string, Message> = { ...du, ...callDu, ...lockDu, ...hostDu, ...testDu, ...openDu };
const english: Record<string, Message> = { ...en, ...callEn, ...lockEn, ...hostEn, ...testEn, ...openEn };

const sample = {
  name: 'Anna',
  phone: '123',
  n: 2,
  kind: 'X',
  time: '10:00',
  code: 5,
  state: 'S',
  practice: '',
  title: 'T',
  names: 'A',
  rate: '1 Mbit/s',
  mb: 450,
  text: 'T',
  host: 'h',
  port: '443',
  day: 'D',
  zone: 'Z',
  days: 1,
  hours: 2,
  minutes: 3,
  since: '14:05',
  from: '08:00',
  to: '12:00',
};
const said = (m: Message) => (typeof m === 'function' ? m(sample as never) : m);

const informalWords = /(?<!\p{L})(du|dein\p{L}*|dich|dir|euch|euer\p{L}*)(?!\p{L})/iu;
const formalWords = /(?<!\p{L})(Ihnen|Ihr(e|en|em|er|es)?|Sie)(?!\p{L})/u;
/** "Sie" that means the practice or a thing, not the reader. */
const thirdPerson = new Set(['landing.ask', 'e15.t']);

describe('texts', () => {
  it('exist in every language', () => {
    expect(Object.keys(english).sort()).toEqual(Object.keys(german).sort());
    for (const [key, m] of Object.entries({ ...german, ...english })) expect(said(m).trim(), key).not.toBe('');
  });

  it('take the same parameters in every language', () => {
    for (const key of Object.keys(german)) expect(typeof english[key], key).toBe(typeof german[key]);
    for (const key of Object.keys(informal)) expect(typeof informal[key], key).toBe(typeof german[key]);
  });

  it('never say du to somebody who is addressed with Sie', () => {
    for (const [key, m] of Object.entries(german)) expect(said(m), key).not.toMatch(informalWords);
  });

  it('never say Sie to somebody who is addressed with du', () => {
    for (const [key, m] of Object.entries({ ...german, ...informal })) {
      if (!thirdPerson.has(key)) expect(said(m), key).not.toMatch(formalWords);
    }
  });

  it('override only what exists, and only where it differs', () => {
    for (const [key, m] of Object.entries(informal)) {
      expect(german, key).toHaveProperty([key]);
      expect(said(m), key).not.toBe(said(german[key] ?? ''));
    }
  });

  it('call things by their names', () => {
    const words = Object.values(german).map(said).join('\n');
    expect(words).not.toMatch(/Meeting|Join|Session|Account|joinen|muten/);
    for (const [key, m] of Object.entries(german)) expect(said(m), key).not.toMatch(/"|'(?!s)/);
  });

  it('never begin a line with an ellipsis or with "Uhr"', () => {
    for (const [key, m] of Object.entries({ ...german, ...informal })) expect(said(m), key).not.toMatch(/ …|\d Uhr/);
  });

  it('have a title and a text for every screen of the catalogue', async () => {
    const inCall = [60, 62, 70, 72, 73];
    for (const code of Object.keys(recovery).map(Number)) {
      expect(german, String(code)).toHaveProperty([`e${code}`]);
      if (!inCall.includes(code)) expect(german, String(code)).toHaveProperty([`e${code}.t`]);
    }
  });

  it('follow the chosen language and form of address', async () => {
    addMessages('de', checkDe);
    addMessages('du', callDu);
    await setLanguage('de', 'sie').catch(() => {});
    expect(t('check.name')).toBe('Ihr Name');
    await setLanguage('de', 'du').catch(() => {});
    expect(t('check.name')).toBe('Dein Name');
    expect(t('act.retry')).toBe('Erneut versuchen');
    await setLanguage('en', 'du').catch(() => {});
    expect(t('check.name')).toBe('Your name');
    expect(t('err.code', { code: 12 })).toBe('Error VR-12');
    expect(maybe('e10.nowhere')).toBeUndefined();
  });

  it('write days and times alike in both languages, and never break between day and month', async () => {
    const zone = { timeZone: 'Europe/Berlin' };
    for (const [language, date] of [
      ['de', 'Mittwoch, 2.\u00a0Dezember'],
      ['en', 'Wednesday 2\u00a0December'],
    ] as const) {
      await setLanguage(language, 'sie').catch(() => {});
      expect(day('2026-12-02T14:05:00Z', zone)).toBe(date);
      expect(time('2026-12-02T14:05:00Z', zone)).toBe('15:05');
      expect(time('2026-12-02T23:05:00Z', zone)).toBe('00:05');
    }
  });
});
