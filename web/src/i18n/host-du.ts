// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Part } from './index';

export const hostDu: Part = {
  'desk.title': 'Deine Videogespräche',
  'desk.none.t': 'Öffne einen Raum. Du bekommst einen Link, den du weitergibst.',
  'desk.ready': (p: { name: string }) => `${p.name} ist im Raum und wartet auf dich.`,
  'desk.refused.t': 'Öffne deinen privaten Praxis-Link, oder melde dich an dieser Webseite an.',
};
