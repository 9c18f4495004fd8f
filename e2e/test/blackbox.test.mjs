// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Everything that the server has before and during a call, searched for what it must not have: keys, names, and what people
// write.

import assert from 'node:assert/strict';
import { seesAndHears } from '../lib/call.mjs';
import { play } from '../lib/scene.mjs';
import { until } from '../lib/wait.mjs';

const marker = 'Dieser Satz gehört nur den beiden: Quittenbaum 4711.';
const note = 'Noch ein Augenblick an der Tür: Mispelstrauch 0815.';
const name = 'Änne Mirabellenhain';

/** Writes down every secret that the page's own code handles, as it is handed to the browser or to the worker. */
const witness = () => {
  window.secrets = new Set();
  const hex = (b) => {
    const octets = b instanceof ArrayBuffer ? new Uint8Array(b) : new Uint8Array(b.buffer, b.byteOffset, b.byteLength);
    return Array.from(octets, (o) => o.toString(16).padStart(2, '0')).join('');
  };
  const { subtle } = crypto;
  for (const name of ['importKey', 'deriveBits']) {
    const native = subtle[name].bind(subtle);
    Object.defineProperty(subtle, name, {
      value: async (...args) => {
        // Public keys are imported as well, for verification alone.
        if (name === 'importKey' && args[0] === 'raw' && !args[4].includes('verify')) window.secrets.add(hex(args[1]));
        const out = await native(...args);
        if (name === 'deriveBits') window.secrets.add(hex(out));
        return out;
      },
    });
  }
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (order, transfer) {
    if (order?.do === 'key') window.secrets.add(hex(order.secret));
    return post.call(this, order, transfer);
  };
};

/** A text as it may stand in memory. */
const spellings = (what, text) => ({
  [what]: Buffer.from(text),
  [`${what} in UTF-16`]: Buffer.from(text, 'utf16le'),
  [`${what} in base64`]: Buffer.from(Buffer.from(text).toString('base64url').slice(0, -2)),
});

play(
  'the server has neither keys nor names nor words',
  { site: { videoroom: 'e2ee required' }, timeout: 180_000 },
  async (s) => {
    const [red, green] = [await s.chromium('red'), await s.chromium('green')];
    for (const seat of [red, green]) await seat.context.addInitScript(witness);
    const { host, link } = await s.host(red);
    const visitor = await s.visit(green, link);
    await visitor.knock(name);
    await host.waiting(name).waitFor();
    await host.message(name, note);
    await visitor.page.getByTestId('waiting-message').getByText(note).waitFor();
    const atTheDoor = { ...spellings('name', name), ...spellings('message at the door', note) };
    // The search finds what is there: the name of the host, which the site publishes.
    const control = { control: Buffer.from('Dr. Muster') };
    const early = await until('memory is read', () => s.caddy.inMemory({ ...atTheDoor, ...control }));
    assert.deepEqual(early, ['control']);
    await host.enter();
    await host.admit(name);
    await visitor.call.joined();
    await Promise.all([host, visitor].map(({ page }) => seesAndHears(page, { timeout: 60_000 })));
    await visitor.call.say(marker);
    await host.call.hasMessage(marker, name);
    const secrets = new Set();
    for (const { page } of [host, visitor])
      for (const x of await page.evaluate(() => [...window.secrets])) secrets.add(x);
    // Two identities, a pair channel with its chain, two keys and what is derived of them.
    assert.ok(secrets.size >= 12, `${secrets.size} secrets were seen`);
    const wanted = { ...spellings('marker', marker), ...atTheDoor };
    for (const x of secrets) {
      // HPKE starts from octets of zero.
      if (x.length < 32 || /^(..)\1*$/.test(x)) continue;
      wanted[`octets ${x.slice(0, 8)}`] = Buffer.from(x, 'hex');
      wanted[`digits ${x.slice(0, 8)}`] = Buffer.from(x);
      wanted[`base64url ${x.slice(0, 8)}`] = Buffer.from(Buffer.from(x, 'hex').toString('base64url'));
    }
    const found = await until('memory is read', () => s.caddy.inMemory({ ...wanted, ...control }));
    assert.deepEqual(found, ['control']);
    for (const [what, octets] of Object.entries(wanted)) assert.ok(!s.caddy.log.includes(octets.toString()), what);
  },
);
