// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Part } from './index';

export const openDu: Part = {
  'open.lead': 'Du brauchst keinen Termin und keinen Link. Du wartest kurz und wirst hereingelassen, sobald Zeit ist.',
  'open.own': (p: { day: string; time: string }) => `Nach deiner Uhr: ${p.day}, ${p.time}\u00a0Uhr.`,
  'open.stay': 'Du kannst diese Seite offen lassen. Wenn die Sprechstunde beginnt, geht es hier von selbst weiter.',
  'open.planb': 'Am Telefon erreichst du uns unter',
};
