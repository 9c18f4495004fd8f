// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { accessible } from '../lib/axe.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { HostPage } from '../lib/ui.mjs';

const phone = { viewport: { width: 390, height: 844 } };

const keeper = (generation = 1) => `host beratung {
			name "Beratung am Markt"
			room team "Teamsitzung" {
				kind supervision
				link_generation ${generation}
			}
			room gruppe "Gruppe am Montag"
		}`;

play(
  'a standing room: the same link before and after a talk and a restart, until it is renewed',
  { site: { videoroom: keeper() }, timeout: 240_000 },
  async (s) => {
    const seat = await s.chromium('red');
    const desk = await HostPage.open(seat, await s.caddy.hostLink(s.origin, 'beratung'));
    const row = desk.page.locator('[data-testid="standing-room"][data-id="team"]');
    await row.getByText('Supervision · geschlossen').waitFor();
    assert.equal(await desk.page.getByTestId('standing-room').count(), 2);
    await row.getByText('Link zeigen').click();
    const link = await row.getByTestId('visitor-link').inputValue();
    await accessible(desk.page, 'the desk with standing rooms');

    // Whoever comes before the host waits.
    const visitor = await s.visit(await s.chromium('green', phone), link);
    await visitor.knock(people.green.name);
    await row.getByTestId('waiting-person').waitFor();
    await row.getByTestId('standing-enter').click();
    for (const device of ['camera', 'microphone'])
      await desk.page.locator(`[data-testid="toggle-${device}"][data-on="true"]`).waitFor();
    await desk.page.getByTestId('join').click();
    await desk.call.joined();
    await desk.admit(people.green.name);
    await visitor.call.joined();
    await Promise.all([desk.call.count(1), visitor.call.count(1)]);
    const broken = await visitor.page.locator('.call-button .label').evaluateAll((all) => {
      const lines = (el) => el.offsetHeight / Number.parseFloat(getComputedStyle(el).fontSize);
      return all.filter((el) => lines(el) > 1.6).map((el) => el.textContent);
    });
    assert.deepEqual(broken, [], 'labels of the bar stay on one line');
    await desk.call.leave();
    await row.getByTestId('room-inside').waitFor();
    await row.getByTestId('standing-close').click();
    await accessible(desk.page, 'closing a standing room');
    await desk.page.getByTestId('confirm-end').click();
    await visitor.sees('ended');
    await row.getByText('geschlossen').waitFor();

    // The next talk, a moment later: the door again, and behind it the room.
    const next = await s.visit(s.seats[1], link);
    await next.knock(people.green.name);
    await row.getByTestId('waiting-person').waitFor();
    await row.getByTestId('standing-open').click();
    await row.getByTestId('admit').click();
    await next.call.joined();
    await row.getByTestId('standing-close').click();
    await desk.page.getByTestId('confirm-end').click();
    await next.sees('ended');

    await s.caddy.stop();
    await s.caddy.launch({ videoroom: keeper() });
    const again = await s.visit(s.seats[1], link);
    await again.page.getByTestId('arrival').waitFor();
    await again.knock('Boris Groß');
    await row.getByTestId('waiting-person').waitFor();
    await row.getByTestId('standing-open').click();
    await again.page.locator('[data-testid="waiting"][data-host-present="true"]').waitFor();

    // Another generation: the old link leads nowhere, the desk shows the new one.
    await s.caddy.reload({ videoroom: keeper(2) });
    const late = await s.visit(s.seats[1], link);
    await late.sees('badLink');
    const renewed = await HostPage.open(seat, await s.caddy.hostLink(s.origin, 'beratung'));
    const renewedRow = renewed.page.locator('[data-testid="standing-room"][data-id="team"]');
    await renewedRow.getByText('Link zeigen').click();
    assert.notEqual(await renewedRow.getByTestId('visitor-link').inputValue(), link);
  },
);
