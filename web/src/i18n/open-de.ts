// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The page of a host whom one may visit without a link.

export const openDe = {
  'open.title': 'Offene Sprechstunde',
  'open.now': 'Jetzt geöffnet.',
  'open.until': (p: { time: string }) => `Jetzt geöffnet, heute bis ${p.time}\u00a0Uhr.`,
  'open.lead':
    'Sie brauchen keinen Termin und keinen Link. Sie warten kurz und werden hereingelassen, sobald Zeit ist.',
  'open.closed': 'Die Sprechstunde ist geschlossen',
  'open.next.today': 'Wieder geöffnet: heute',
  'open.next.tomorrow': 'Wieder geöffnet: morgen',
  'open.next.later': 'Wieder geöffnet:',
  'open.next.time': (p: { time: string }) => `ab ${p.time}\u00a0Uhr`,
  'open.own': (p: { day: string; time: string }) => `Nach Ihrer Uhr: ${p.day}, ${p.time}\u00a0Uhr.`,
  'open.stay': 'Sie können diese Seite offen lassen. Wenn die Sprechstunde beginnt, geht es hier von selbst weiter.',
  'open.hours': 'Öffnungszeiten (Uhr)',
  'open.days': (p: { from: string; to: string }) => `${p.from} bis ${p.to}`,
  'open.times': (p: { from: string; to: string }) => `${p.from}–${p.to}`,
  'open.test': 'Geräte schon jetzt testen',
  'open.planb': 'Am Telefon erreichen Sie uns unter',
};
