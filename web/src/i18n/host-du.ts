// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Part } from './index';

export const hostDu: Part = {
  'desk.title': 'Deine Videogespräche',
  'desk.none.t': 'Öffne einen Raum. Du bekommst einen Link, den du weitergibst.',
  'desk.ready': (p: { name: string }) => `${p.name} ist im Raum und wartet auf dich.`,
  'desk.refused.t': 'Öffne deinen privaten Praxis-Link, oder melde dich an dieser Webseite an.',
  'key.done.t':
    'Gib nur noch diesen Link weiter, und ganz: Wer ihn hat, hat den Schlüssel. Das Gespräch geht nur von diesem Gerät und Browser aus.',
  'key.notKept':
    'Dieser Browser behält den Schlüssel nicht. Der Link bleibt, wie er ist. Erlaube der Seite, Daten zu speichern, oder nimm ein anderes Fenster als ein privates.',
  'walk.room': 'Wen du hereinlässt, für den öffnet sich ein eigener Raum. Die anderen warten weiter.',

  'form.nomail': 'Dieser Server verschickt keine E-Mails. Gib den Link selbst weiter.',
  'form.label.t': 'Siehst nur du.',
  'form.check': 'Bitte prüfe die Angaben.',
  'form.mailed': 'Die Einladung ist unterwegs. Hier ist der Link, falls du ihn selbst weitergibst.',
  'form.pass': 'Gib diesen Link weiter. Er ist nur für diese Person.',
};
