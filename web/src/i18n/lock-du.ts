// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Part } from './index';

export const lockDu: Part = {
  'lock.open.t':
    'Nur die Menschen im Gespräch können mithören und mitsehen, auch der Server der Praxis kann es nicht. Vergleiche vier Wörter: Sind sie gleich, ist niemand dazwischen.',
  'lock.again.t':
    'Seit dem letzten Vergleich ist jemand dazugekommen, und die Wörter sind neu. Vergleiche noch einmal: Sind sie gleich, ist niemand dazwischen.',
  'lock.verified.t':
    'Nur die Menschen im Gespräch können mithören und mitsehen, auch der Server der Praxis kann es nicht. Du hast die Wörter verglichen: Niemand ist dazwischen.',
  'lock.doors': (p: { n: number }) =>
    `Namen an der Tür wurden außer für diese Seite noch für ${p.n === 1 ? 'eine weitere' : `${p.n} weitere`} verschlüsselt. Hast du kein zweites Fenster oder Gerät offen, liest sie dort jemand mit.`,
  'words.two': 'Lest einander die vier Wörter laut vor. Sind sie auf beiden Seiten gleich, hört niemand mit.',
  'words.many': 'Lest die vier Wörter laut vor. Lesen alle dieselben Wörter, hört niemand mit.',
};
