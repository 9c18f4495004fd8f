// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Part } from './index';

export const testDu: Part = {
  'test.lead': 'In einer Minute weißt du, ob Kamera, Mikrofon, Lautsprecher und Netz bereit sind.',
  'test.prompt': 'Gleich fragt dein Browser',
  'test.prompt.t': 'Das Fenster erscheint meist oben, nahe der Adresse. Bitte wähle „Erlauben“.',
  'test.consent.t':
    'Bild und Ton bleiben auf deinem Gerät, nichts wird gespeichert. Für das Netz werden Testdaten zum Server der Praxis und zurück gesendet.',
  'test.consent.missing': 'Bitte setze zuerst den Haken.',
  'test.asking': 'Warten auf deine Erlaubnis\u00a0…',
  'test.local': 'Nur du siehst und hörst das. Es verlässt dein Gerät nicht.',
  'test.refused': 'Alles andere kannst du trotzdem testen.',
  'test.light.dark': 'Es ist recht dunkel. Ein Licht vor dir hilft.',
  'test.light.backlit': 'Hinter dir ist es heller als vorn. Setz dich mit dem Gesicht zum Fenster.',
  'test.light.far': 'Rück vielleicht etwas näher: Kopf und Schultern füllen den Umriss.',
  'test.light.close': 'Rück vielleicht etwas weg: Kopf und Schultern passen in den Umriss.',
  'test.light.low': 'Du bist weit unten im Bild. Neige die Kamera etwas.',
  'test.record.left': (p: { n: number }) => `Sprich jetzt: noch ${p.n} s`,
  'test.record.plays': 'Deine Aufnahme',
  'test.heard': 'Hast du den Ton gehört?',
  'test.speaker.t': 'Spiel einen Ton ab. Mit Kopfhörern klingt ein Gespräch am besten.',
  'test.net.failed': 'Der Netztest ist gerade nicht möglich. Versuche es in einer Minute noch einmal.',
  'test.net.good': 'Dein Netz ist gut.',
  'test.net.detour': 'Dein Netz lässt nur einen Umweg zu. Für ein Gespräch reicht er.',
  'test.net.narrow': 'Deine Verbindung ist schmal. Der Ton wird gut sein, das Bild kleiner.',
  'test.net.weak': 'Deine Verbindung ist zu schwach. Nimm ein anderes WLAN oder ein Kabel.',
  'test.net.blocked': 'Dein Netz lässt keine Videogespräche zu. Nimm ein anderes WLAN oder mobile Daten.',
  'test.result.open.t': 'Sprich etwas, spiel den Ton ab, und warte auf das Netz.',
  'test.result.ready.t': 'So kannst du am Gespräch teilnehmen.',
  'test.result.hints.t': 'Du kannst teilnehmen. Die Hinweise oben machen es noch besser.',
  'test.result.trouble.t': 'Oben steht, was zu tun ist. Die Praxis hilft dir gern am Telefon.',
  'test.report.t': 'Er enthält keinen Namen. Du entscheidest, wem du ihn gibst.',
};
