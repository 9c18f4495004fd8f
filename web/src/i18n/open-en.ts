// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Like } from './index';
import type { openDe } from './open-de';

export const openEn: Like<typeof openDe> = {
  'open.title': 'Open consultation',
  'open.now': 'Open now.',
  'open.until': (p) => `Open now, today until ${p.time}.`,
  'open.lead': 'You need no appointment and no link. You wait a little and are let in as soon as there is time.',
  'open.closed': 'The consultation is closed',
  'open.next.today': 'Open again: today',
  'open.next.tomorrow': 'Open again: tomorrow',
  'open.next.later': 'Open again:',
  'open.next.time': (p) => `from ${p.time}`,
  'open.own': (p) => `By your clock: ${p.day}, ${p.time}.`,
  'open.stay': 'You can keep this page open. It notices by itself when the consultation begins.',
  'open.hours': 'Opening hours',
  'open.days': (p) => `${p.from} to ${p.to}`,
  'open.times': (p) => `${p.from}–${p.to}`,
  'open.test': 'Test your equipment now',
  'open.planb': 'By phone you reach us on',
};
