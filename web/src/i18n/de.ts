// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// German, Sie: the source of truth. Every other language has exactly these keys. This part is loaded with the page.

export const de = {
  'lang.label': 'Sprache',
  'help.call': (p: { phone: string }) => `Praxis anrufen: ${p.phone}`,
  skip: 'Zum Inhalt springen',
  'landing.title': 'Videogespräche',

  boot: 'Einen Moment\u00a0…',

  'arrival.title': 'Ihr Videogespräch',
  'arrival.with': (p: { name: string }) => `mit ${p.name}`,
  'arrival.open': 'Der Raum ist geöffnet.',
  'arrival.closed': 'Die Praxis hat den Raum noch nicht geöffnet. Sie können Kamera und Ton schon jetzt testen.',
  'arrival.go': 'Weiter zum Geräte-Test',
  'arrival.free': 'Sie brauchen kein Konto und keine App.',

  'privacy.link': 'So schützen wir Ihr Gespräch',
  'privacy.q': 'Was passiert mit meinen Daten?',
  'privacy.1': 'Bild und Ton laufen nur über den Server der Praxis. Andere Anbieter sind nicht beteiligt.',
  'privacy.2': 'Die Verbindung ist verschlüsselt. Der Server zeichnet nichts auf.',
  'privacy.3': 'Diese Seite setzt keine Cookies und speichert nichts auf Ihrem Gerät.',

  'act.retry': 'Erneut versuchen',
  'act.https': 'Sicher öffnen',
  'act.copy': 'Link kopieren',
  'act.copied': 'Link ist kopiert',
  'act.reload': 'Seite neu laden',
  'err.code': (p: { code: number }) => `Fehler VR-${p.code}`,
  'err.auto': 'Wir versuchen es von selbst weiter.',

  e20: 'Diese Seite wurde unsicher geöffnet',
  'e20.t': 'Videogespräche gibt es nur über eine sichere Adresse, die mit https beginnt.',
  e21: 'Dieser Browser kann keine Videogespräche',
  'e21.t': 'Öffnen Sie den Link in Safari, Chrome, Edge oder Firefox.',
  e30: 'Sie sind nicht mit dem Internet verbunden',
  'e30.t': 'Prüfen Sie WLAN oder mobile Daten.',
  e34: 'Der Dienst ist gerade nicht erreichbar',
  'e34.t': 'Das liegt nicht an Ihnen.',
  e41: 'Dieser Link ist abgelaufen',
  'e41.t': 'Bitten Sie die Praxis um einen neuen Link.',
  e43: 'Dieser Link gilt nicht',
  'e43.t':
    'Kopieren Sie ihn bitte ganz, bis zum letzten Zeichen. Hilft das nicht, bitten Sie die Praxis um einen neuen.',
  e99: 'Das hat leider nicht geklappt',
  'e99.t': 'Laden Sie die Seite neu, oder rufen Sie die Praxis an.',

  'title.state': (p: { state: string; practice: string }) => (p.practice ? `${p.state} – ${p.practice}` : p.state),
};
