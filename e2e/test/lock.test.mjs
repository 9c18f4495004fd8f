// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible } from '../lib/axe.mjs';
import { openGallery } from '../lib/gallery.mjs';

/** @type {Awaited<ReturnType<typeof openGallery>>} */
let gallery;
before(async () => {
  gallery = await openGallery();
});
after(() => gallery?.close());

const words = (page) => page.getByTestId('compare-words').locator('li').allTextContents();
const locked = (page, state) => page.locator(`[data-testid=lock][data-state=${state}]`).waitFor();

const announced = (page, text) => page.waitForFunction((t) => window.said.some((s) => s.includes(t)), text);

async function openWords(page) {
  await page.locator('[data-testid=lock] summary').click();
  await page.getByTestId('compare').click();
  await page.getByTestId('compare-words').waitFor();
}

test('the lock says how far the encryption goes', async () => {
  const want = { '': 'server', 'e2ee=waiting&scene=alone': 'waiting', 'e2ee=securing': 'securing', 'e2ee=on': 'open' };
  Object.assign(want, { 'e2ee=on&scene=alone': 'alone', 'e2ee=verified': 'verified', 'e2ee=fresh': 'again' });
  Object.assign(want, { 'e2ee=linked': 'linked' });
  for (const [query, state] of Object.entries(want)) {
    const page = await gallery.show(query);
    await locked(page, state);
    await page.locator('[data-testid=lock] summary').click();
    await page.getByTestId('lock-panel').waitFor();
    const comparable = ['open', 'verified', 'again', 'linked'].includes(state);
    assert.equal(await page.getByTestId('compare').count(), comparable ? 1 : 0, state);
    await accessible(page, `the lock, ${state}`);
    await page.close();
  }
});

test('the open lock and the notes on the stage never cover each other', async () => {
  const page = await gallery.show('e2ee=on');
  const note = page.getByTestId('alone-question');
  await note.waitFor();
  await page.locator('[data-testid=lock] summary').click();
  await page.getByTestId('lock-panel').waitFor();
  assert.equal(await note.isVisible(), false, 'on a phone only one has room');
  for (const width of [800, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const [panel, box] = await Promise.all([page.getByTestId('lock-panel').boundingBox(), note.boundingBox()]);
    assert.ok(panel && box && panel.x + panel.width <= box.x, `${width}: ${JSON.stringify({ panel, box })}`);
  }
  await page.keyboard.press('Escape');
  await note.waitFor();
  await page.close();
});

test('what stands above a call has room beside each other on every window', async () => {
  for (const query of ['', 'e2ee=on', 'e2ee=securing', 'e2ee=linked', 'e2ee=fresh&exit=1', 'e2ee=linked&host=1']) {
    const page = await gallery.show(query);
    await page.getByTestId('call').waitFor();
    for (const width of [320, 360, 390, 768, 844, 1024, 1280]) {
      await page.setViewportSize({ width, height: 640 });
      const faults = await page.evaluate((width) => {
        const all = [...document.querySelectorAll('.call-top > *')].filter((e) => e.checkVisibility());
        const boxes = all.map((e) => e.getBoundingClientRect());
        return all.flatMap((e, i) => {
          const { left, right } = boxes[i];
          const cut = e.tagName === 'BUTTON' && e.scrollWidth > e.clientWidth + 1;
          const under = i > 0 && left < boxes[i - 1].right - 0.5;
          return cut || under || left < 0 || right > width
            ? [`${e.className}: ${Math.round(left)} to ${Math.round(right)}`]
            : [];
        });
      }, width);
      assert.deepEqual(faults, [], `${query}, ${width}`);
    }
    await page.close();
  }
});

test('people compare four words, in the language that both read', async () => {
  const page = await gallery.show('e2ee=on');
  await openWords(page);
  const german = await words(page);
  assert.equal(german.length, 4);
  await page.getByTestId('words-en').check();
  const english = await words(page);
  assert.equal(english.length, 4);
  assert.ok(english.every((w, i) => w !== german[i]));
  assert.equal(await page.getByTestId('compare-words').getAttribute('lang'), 'en');
  await page.locator('[data-testid=compare-digits] summary').click();
  assert.match((await page.getByTestId('compare-digits').locator('li').allTextContents()).join(''), /^\d{60}$/);
  await accessible(page, 'the words');
  await page.getByTestId('compare-equal').click();
  await locked(page, 'verified');
  await announced(page, 'Ende-zu-Ende-verschlüsselt · verglichen');
  // Whoever works with the keyboard goes on where they were.
  await page.locator('[data-testid=lock] summary:focus').waitFor();
  await page.close();
});

test('different words are asked about once, and end the call for good', async () => {
  const page = await gallery.show('e2ee=on');
  await openWords(page);
  await page.getByTestId('compare-different').click();
  await page.getByTestId('compare-end').waitFor();
  await accessible(page, 'the doubt');
  await page.getByTestId('compare-back').click();
  await page.getByTestId('compare-words').waitFor();
  await page.getByTestId('compare-different').click();
  await page.getByTestId('compare-end').click();
  await page.locator('[data-testid=error][data-code="57"]').waitFor();
  for (const id of ['act-retry', 'act-rejoin', 'act-reload']) assert.equal(await page.getByTestId(id).count(), 0, id);
  await accessible(page, 'the red stop');
  await page.close();
});

test('an answer never counts for words that nobody has read', async () => {
  const page = await gallery.show('e2ee=on');
  await openWords(page);
  const old = await words(page);
  await page.getByTestId('compare-different').click();
  await page.evaluate(() => window.dispatchEvent(new Event('anew')));
  await page.getByTestId('compare-new').waitFor();
  for (const id of ['compare-equal', 'compare-end']) assert.equal(await page.getByTestId(id).count(), 0, id);
  await accessible(page, 'words that have changed');
  await page.getByTestId('compare-new').click();
  assert.notDeepEqual(await words(page), old);
  await page.getByTestId('compare-equal').click();
  await locked(page, 'verified');
  await page.close();
});

test('words that are shown again need no second answer, and go with the people', async () => {
  const page = await gallery.show('e2ee=verified');
  await openWords(page);
  assert.equal(await page.getByTestId('compare-equal').count(), 0);
  await page.evaluate(() => window.dispatchEvent(new Event('gone')));
  await page.getByTestId('compare-dialog').waitFor({ state: 'detached' });
  await locked(page, 'alone');
  await page.close();
});

test('who comes after a comparison is named, and nobody before the first', async () => {
  const page = await gallery.show('scene=grid3&e2ee=fresh');
  await page.getByTestId('fresh').getByText('Boris Groß').waitFor();
  await announced(page, 'Neu dabei: Boris Groß.');
  await accessible(page, 'somebody new');
  await page.getByTestId('compare-again').click();
  await page.getByTestId('compare-equal').click();
  await locked(page, 'verified');
  assert.equal(await page.getByTestId('fresh').count(), 0);
  await page.close();
  const first = await gallery.show('scene=grid3&e2ee=on');
  await locked(first, 'open');
  assert.equal(await first.getByTestId('fresh').count(), 0);
  await first.close();
});

test('nothing of a person is shown before the keys are there', async () => {
  const page = await gallery.show('scene=grid3&e2ee=securing');
  const tile = page.locator('[data-testid=tile][data-securing=true]');
  await tile.getByTestId('tile-securing').waitFor();
  assert.equal(await tile.locator('video, .initials').count(), 0);
  assert.equal(await page.locator('[data-testid=tile][data-securing=false]').count(), 1);
  await accessible(page, 'a tile being secured');
  await page.close();
});
