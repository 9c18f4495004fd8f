// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The bare address.

export const landingDe = {
  'landing.lead': 'Hier treffen Sie Ihre Praxis zum Gespräch mit Bild und Ton. Sie brauchen kein Konto und keine App.',
  'landing.how': 'So geht es',
  'landing.1': 'Öffnen Sie den Link, den Sie von der Praxis bekommen haben.',
  'landing.2': 'Erlauben Sie Kamera und Mikrofon, und nennen Sie Ihren Namen.',
  'landing.3': 'Warten Sie kurz. Die Praxis lässt Sie herein.',
  'landing.nolink': 'Sie haben keinen Link?',
  'landing.ask': 'Rufen Sie die Praxis an. Sie schickt Ihnen einen neuen.',
  'landing.host': 'Zugang für die Praxis',
  'landing.test': 'Geräte testen',
};
