// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// End-to-end encryption in the call.

export const lockDe = {
  'lock.waiting': 'Die Verschlüsselung beginnt, sobald die Praxis da ist',
  'lock.waiting.host': 'Die Verschlüsselung beginnt, sobald jemand da ist',
  'lock.waiting.short': 'wartet',
  'lock.waiting.t':
    'Ton, Bild und Nachrichten werden nur für die Menschen im Gespräch verschlüsselt. Bis dahin wird nichts gesendet.',
  'lock.securing': 'Verbindung wird gesichert\u00a0…',
  'lock.securing.short': 'wird gesichert\u00a0…',
  'lock.securing.t': 'Die Geräte vereinbaren gerade ihre Schlüssel.',
  'lock.slow': 'Das Sichern dauert ungewöhnlich lange.',
  'lock.until': (p: { names: string }) => `Bis dahin wird ${p.names ? `an ${p.names} ` : ''}nichts gesendet.`,
  'lock.alone': 'Ende-zu-Ende-verschlüsselt',
  'lock.alone.short': 'Ende-zu-Ende',
  'lock.alone.t':
    'Nur die Menschen im Gespräch können mithören und mitsehen. Der Server der Praxis leitet weiter, was er selbst nicht entschlüsseln kann.',
  'lock.open': 'Ende-zu-Ende-verschlüsselt · noch nicht verglichen',
  'lock.open.short': 'nicht verglichen',
  'lock.open.t':
    'Nur die Menschen im Gespräch können mithören und mitsehen, auch der Server der Praxis kann es nicht. Vergleichen Sie vier Wörter: Sind sie gleich, ist niemand dazwischen.',
  'lock.again': 'Ende-zu-Ende-verschlüsselt · bitte noch einmal vergleichen',
  'lock.again.short': 'neu vergleichen',
  'lock.again.t':
    'Seit dem letzten Vergleich ist jemand dazugekommen, und die Wörter sind neu. Vergleichen Sie noch einmal: Sind sie gleich, ist niemand dazwischen.',
  'lock.verified': 'Ende-zu-Ende-verschlüsselt · verglichen',
  'lock.verified.short': 'verglichen',
  'lock.verified.t':
    'Nur die Menschen im Gespräch können mithören und mitsehen, auch der Server der Praxis kann es nicht. Sie haben die Wörter verglichen: Niemand ist dazwischen.',
  'lock.linked': 'Ende-zu-Ende-verschlüsselt · durch den Link bestätigt',
  'lock.linked.short': 'durch Link bestätigt',
  'lock.linked.t':
    'Alle im Gespräch haben denselben Schlüssel aus dem Link. Er geht nie an den Server der Praxis, und ohne ihn kann niemand dazwischen sein: Mithören und mitsehen können nur Menschen, die diesen Link haben. Wörter zu vergleichen ist möglich, aber nicht nötig.',
  'lock.doors': (p: { n: number }) =>
    `Namen an der Tür wurden außer für diese Seite noch für ${p.n === 1 ? 'eine weitere' : `${p.n} weitere`} verschlüsselt. Haben Sie kein zweites Fenster oder Gerät offen, liest sie dort jemand mit.`,
  'lock.compare': 'Wörter vergleichen',
  'lock.words': 'Wörter ansehen',
  'lock.fresh': (p: { names: string }) => `Neu dabei: ${p.names}. Bitte noch einmal vergleichen.`,

  'words.two': 'Lesen Sie einander die vier Wörter laut vor. Sind sie auf beiden Seiten gleich, hört niemand mit.',
  'words.many': 'Lesen Sie die vier Wörter laut vor. Lesen alle dieselben Wörter, hört niemand mit.',
  'words.language': 'Alle brauchen dieselbe Sprache:',
  'words.digits': 'Lieber 60 Ziffern vergleichen',
  'words.digits.t': 'Für alle, die es ganz genau wissen möchten. In jeder Sprache sind es dieselben.',
  'words.done': 'Diese Wörter sind schon verglichen.',
  'words.equal': 'Stimmt überein',
  'words.different': 'Stimmt nicht überein',
  'words.later': 'Später',
  'words.sure': 'Sind die Wörter wirklich verschieden?',
  'words.sure.t':
    'Haben alle dieselbe Sprache eingestellt? Wenn die Wörter trotzdem verschieden sind, könnte jemand mithören. Dann endet das Gespräch sofort.',
  'words.sure.no': 'Noch einmal vergleichen',
  'words.sure.yes': 'Ja, Gespräch beenden',
  'words.wait': 'Die Wörter werden gerade neu gebildet. Das dauert nur einen Moment.',
  'words.changed': 'Jemand ist dazugekommen oder gegangen. Deshalb gibt es neue Wörter. Bitte von vorn beginnen.',
  'words.changed.do': 'Neue Wörter zeigen',
};
