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
  'walk.room': 'Für jede Person, die du hereinlässt, öffnet sich ein eigener Raum. Die anderen warten weiter.',

  'form.nomail': 'Dieser Server verschickt keine E-Mails. Gib den Link selbst weiter.',
  'form.label.t': 'Siehst nur du.',
  'form.check': 'Bitte prüfe die Angaben.',
  'form.mailed': (p: { n: number }) =>
    p.n === 1
      ? 'Die Einladung ist unterwegs. Hier ist der Link, falls du ihn selbst weitergibst.'
      : 'Die Einladungen sind unterwegs. Hier sind die Links, falls du sie selbst weitergibst.',
  'form.pass': (p: { n: number }) =>
    p.n === 1
      ? 'Gib diesen Link weiter. Er ist nur für diese Person.'
      : 'Gib diese Links weiter. Jeder gilt nur für eine Person und einen Termin.',
};
