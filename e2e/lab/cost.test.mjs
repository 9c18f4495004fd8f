// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What end-to-end encryption costs a browser: the processor time of two Chromiums in a call, with and without it, by turns.
// Reports; a busy machine cannot fail it.

import { flow, seesAndHears } from '../lib/call.mjs';
import { play } from '../lib/scene.mjs';
import { sleep } from '../lib/wait.mjs';

const rounds = Number(process.env.E2E_ROUNDS ?? 2);
const seconds = 15;

/** Processor seconds that a browser's processes have used. */
async function used(seat) {
  const session = await seat.browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.reduce((sum, p) => sum + p.cpuTime, 0);
}

const shares = { off: [], required: [] };
for (let round = 0; round < rounds; round++) {
  for (const e2ee of ['off', 'required']) {
    play(
      `cost of a call, e2ee ${e2ee}, round ${round + 1}`,
      { site: { videoroom: `e2ee ${e2ee}` }, timeout: 180_000 },
      async (s, t) => {
        const seats = [await s.chromium('red'), await s.chromium('green')];
        const { host, visitor } = await s.pair(...seats);
        await Promise.all([host, visitor].map(({ page }) => seesAndHears(page, { timeout: 60_000 })));
        await sleep(8_000);
        const before = await Promise.all(seats.map(used));
        await sleep(seconds * 1_000);
        const after = await Promise.all(seats.map(used));
        const each = after.map((a, i) => (a - (before[i] ?? 0)) / seconds);
        shares[e2ee].push(...each);
        const { frames } = await flow(host.page, 2_000);
        const mean = (all) => ((100 * all.reduce((a, b) => a + b, 0)) / all.length).toFixed(1);
        t.diagnostic(`${mean(each)} % of a processor for each browser; ${frames / 2} frames a second`);
        if (shares.required.length && e2ee === 'required') {
          t.diagnostic(`so far: off ${mean(shares.off)} %, required ${mean(shares.required)} %`);
        }
      },
    );
  }
}
