// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { rate } from '../lib/filter.mjs';
import { member } from '../lib/member.mjs';
import { play } from '../lib/scene.mjs';

const second = 1000;

play('a narrow line gets the lower layers of VP9', { site: member.site, timeout: 180 * second }, async (s) => {
  const from = await member.join(s, await s.chromium('red'), 'publisher');
  const to = await member.join(s, await s.chromium('green'), 'subscriber');
  await from.publish({ videoCodec: 'vp9', scalabilityMode: 'L3T3_KEY' });
  await to.shows(member.height);
  await rate(200);
  try {
    await to.shows(member.height / 4);
    assert.equal((await from.sends())[0].height, member.height, 'the publisher has all the room');
  } finally {
    await rate(0);
  }
  await to.shows(member.height);
});
