// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Other software with keys of its own, in a room that allows it: livekit-client's encryption passes through untouched.

import assert from 'node:assert/strict';
import { hue } from '../lib/call.mjs';
import { member } from '../lib/member.mjs';
import { play } from '../lib/scene.mjs';
import { sleep } from '../lib/wait.mjs';

play('pictures and data encrypted by livekit-client itself', { site: member.site, timeout: 150_000 }, async (s) => {
  const from = await member.join(s, await s.chromium('red'), 'publisher', 'ein Satz für alle');
  const to = await member.join(s, await s.chromium('green'), 'subscriber', 'ein Satz für alle');
  await from.publish({ videoCodec: 'vp8' });
  await to.shows(member.height);
  assert.equal(
    await to.page.evaluate(() =>
      [...window.room.remoteParticipants.values()].every((p) =>
        [...p.trackPublications.values()].every((t) => t.isEncrypted),
      ),
    ),
    true,
  );
  const heard = to.page.evaluate(
    () =>
      new Promise((resolve) => {
        window.room.on('dataReceived', (data) => resolve(new TextDecoder().decode(data)));
      }),
  );
  await from.page.evaluate(() =>
    window.room.localParticipant.publishData(new TextEncoder().encode('geheim'), { reliable: true }),
  );
  assert.equal(await heard, 'geheim');

  // With another key, and with none, nothing is to be seen.
  for (const passphrase of ['ein anderer Satz', undefined]) {
    const stranger = await member.join(s, await s.chromium('blue'), `stranger ${passphrase}`, passphrase);
    await sleep(4_000);
    // What a decoder makes of octets that it cannot read is not the canvas.
    const seen = await stranger.sees().catch(() => undefined);
    const colour = seen?.looks ? hue(seen.looks) : Number.NaN;
    assert.ok(!(colour > 90 && colour < 160), JSON.stringify(seen));
    await stranger.page.close();
  }
});
