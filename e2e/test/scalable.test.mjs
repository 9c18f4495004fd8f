// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { member } from '../lib/member.mjs';
import { play } from '../lib/scene.mjs';

const second = 1000;

for (const browser of ['chromium', 'firefox']) {
  const title = `VP9 with its layers within one encoding, watched with ${browser}`;
  play(title, { site: member.site, timeout: 150 * second }, async (s) => {
    const from = await member.join(s, await s.chromium('red'), 'publisher');
    const to = await member.join(s, await s[browser]('green'), 'subscriber');
    await from.publish({ videoCodec: 'vp9', scalabilityMode: 'L3T3_KEY' });

    const all = await to.shows(member.height);
    assert.equal(all.mime, 'video/VP9');
    const sent = await from.sends();
    assert.deepEqual([sent.length, sent[0].mode, sent[0].rid], [1, 'L3T3_KEY', undefined]);

    // Each spatial layer has half the height of the next.
    await to.quality('LOW');
    const low = await to.shows(member.height / 4);
    await to.quality('MEDIUM');
    await to.shows(member.height / 2);
    await to.quality('HIGH');
    const high = await to.shows(member.height);
    assert.equal((await from.sends())[0].height, member.height, 'the publisher encodes all layers all the time');
    assert.ok(high.frames > low.frames, 'the picture moves');
  });
}
