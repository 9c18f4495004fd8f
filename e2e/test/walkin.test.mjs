// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { accessible } from '../lib/axe.mjs';
import { seesAndHears } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { HostPage } from '../lib/ui.mjs';

const phone = { viewport: { width: 390, height: 844 } };

/** Lines of a second host who may be visited without a link. */
const host = (open) => `host beratung {
			name "Beratung am Markt"
			${open}
		}`;

/** The day of the practice's calendar, some days from now, as the configuration writes it. */
function dayIn(days) {
  const at = new Date(Date.now() + days * 86_400_000);
  return new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', weekday: 'short' })
    .format(at)
    .slice(0, 2)
    .toLowerCase();
}

play(
  'without a link: from the public address to a talk of two, while others wait on',
  {
    site: {
      videoroom: `waiting_room off
		checklist "Karte bereitlegen" "Telefon stumm"
		in_person_url /kontakt
		${host('open always')}`,
    },
    timeout: 240_000,
  },
  async (s) => {
    const desk = await HostPage.open(await s.chromium('red'), await s.caddy.hostLink(s.origin, 'beratung'));
    const card = desk.page.getByTestId('walk-in');
    await card.getByText('Niemand wartet').waitFor();
    await accessible(desk.page, 'the desk with an open consultation');
    const address = await card.getByTestId('visitor-link').inputValue();
    assert.equal(address, `${s.origin}/video/beratung`);

    const seat = await s.chromium('green', phone);
    const visitor = await s.visit(seat, `${address}/`);
    await visitor.page.locator('[data-testid="open-door"][data-open="true"]').waitFor();
    assert.equal(visitor.page.url(), address, 'a slash at the end is no other address');
    await visitor.page.getByText('Beratung am Markt').waitFor();
    await accessible(visitor.page, 'an open door');
    await visitor.knock(people.green.name);
    await visitor.page.getByTestId('waiting').waitFor();
    await visitor.page.getByTestId('prepare').locator('summary').click();
    await visitor.page.getByTestId('prepare').getByText('Karte bereitlegen').waitFor();
    await visitor.page.locator('[data-testid="in-person"] a[href="/kontakt"]').waitFor();
    await accessible(visitor.page, 'waiting with the list of what to prepare');
    const other = await s.visit(seat, address);
    await other.knock('Boris Groß');

    const row = card.getByTestId('waiting-person').filter({ hasText: people.green.name });
    await row.getByText('ohne Link').waitFor();
    await card.getByTestId('waiting-person').filter({ hasText: 'Boris Groß' }).waitFor();
    await accessible(desk.page, 'the desk with visitors without a link');
    await row.getByTestId('admit').click();
    await visitor.call.joined();
    await desk.enter();
    await Promise.all([seesAndHears(desk.page), seesAndHears(visitor.page)]);
    await visitor.call.count(1);
    await other.page.getByTestId('waiting').waitFor();

    // A reload leads back to this room's door, and not through it.
    assert.match(visitor.page.url(), /\/video\/r\/[a-z2-7]{26}#s=/);
    await visitor.page.reload();
    await visitor.knock(people.green.name);
    await desk.admit(people.green.name);
    await visitor.call.joined();
    await desk.call.leave();
    await desk.decline('Boris Groß');
    await other.sees('declined');
  },
);

play(
  'without a link: closed hours say when they begin again',
  { site: { videoroom: host(`open ${dayIn(1)} 08:00-12:00 14:00-17:00`) } },
  async (s) => {
    const visitor = await s.visit(await s.chromium('green', phone), `${s.origin}/video/beratung`);
    const door = visitor.page.locator('[data-testid="open-door"][data-open="false"]');
    await door.waitFor();
    await door.getByTestId('open-next').getByText('morgen').waitFor();
    await door.getByTestId('open-next').getByText('ab 08:00 Uhr').waitFor();
    assert.match(await door.getByTestId('open-hours').textContent(), /08:00–12:0014:00–17:00/);
    await door.getByTestId('plan-b').getByText('69').waitFor();
    await accessible(visitor.page, 'a closed door');
    const [test] = await Promise.all([
      visitor.page.context().waitForEvent('page'),
      door.getByTestId('open-test').click(),
    ]);
    await test.getByTestId('test-intro').waitFor();
    await visitor.page.getByTestId('language').selectOption('en');
    await visitor.page.getByText('The consultation is closed').waitFor();

    // Opened by a reload of the configuration; the page needs one as well.
    await s.caddy.reload({ videoroom: host('open always') });
    await visitor.page.reload();
    await visitor.page.locator('[data-testid="open-door"][data-open="true"]').waitFor();

    // Whoever has no open hours has no address.
    for (const id of ['muster', 'niemand']) assert.equal((await s.caddy.get(`/video/${id}`)).status, 404, id);
  },
);
