// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** The ports given out: the system may name one again as long as nobody listens there. */
const given = new Set();

/** @returns {Promise<number>} a port that is free for TCP and UDP right now, and another one each time */
export async function freePort() {
  for (let i = 0; i < 50; i++) {
    const port = await tcpPort();
    if (given.has(port) || !(await udpFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error('no port is free for TCP and UDP alike');
}

function tcpPort() {
  return new Promise((resolve, reject) => {
    const s = createServer();
    s.once('error', reject);
    s.listen(0, () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (s.address());
      s.close(() => resolve(port));
    });
  });
}

function udpFree(port) {
  return new Promise((resolve) => {
    const s = createSocket('udp6');
    s.once('error', () => resolve(false));
    s.bind(port, () => s.close(() => resolve(true)));
  });
}
