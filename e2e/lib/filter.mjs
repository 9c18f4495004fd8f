// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The packet filter between server and browsers, in the lab only.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sleep } from './wait.mjs';

const run = promisify(execFile);
const ns = process.env.E2E_FILTER_NS;

const nft = async (rules, at = ['ip', 'netns', 'exec', ns ?? '']) => {
  if (!ns) throw new Error('there is no filter outside the lab: run make lab');
  const [command, ...args] = [...at, 'nft', '-f', '-'];
  const child = run(command, args);
  child.child.stdin?.end(rules);
  await child;
};

/** Lets everything through again. */
export const open = async () => {
  const nothing = 'table inet lab\ndelete table inet lab\n';
  await Promise.all([nft(nothing), nft(nothing, [])]);
};

/** Drops this share of the datagrams, in percent, in both directions. */
export const lose = (percent) => rule(`meta l4proto udp numgen random mod 100 < ${percent} drop`);

/** Drops every datagram. */
export const blockUDP = () => rule('meta l4proto udp drop');

/** Drops everything, as a pulled cable does. */
export const unplug = () => rule('drop');

async function rule(text) {
  await open();
  await nft(`table inet lab {
	chain in { type filter hook input priority 0; policy accept; iifname "vr0" ${text}; }
	chain out { type filter hook output priority 0; policy accept; oifname "vr0" ${text}; }
}
`);
}

/**
 * Lets only these ports of the server through, from the browsers' side, and answers nothing else. Both ends drop what
 * comes in, as a firewall in between does: nobody is told that a packet was not sent.
 * @param {{udp?: number[], tcp?: number[]}} ports
 */
export async function only({ udp = [], tcp = [] }) {
  await open();
  const chain = (side) => {
    const pass = Object.entries({ udp, tcp }).filter(([, list]) => list.length > 0);
    const lines = pass.map(([proto, list]) => `    iifname "vr0" ${proto} ${side} { ${list.join(', ')} } accept`);
    return `table inet lab {
  chain in {
    type filter hook input priority 0; policy accept;
${lines.join('\n')}
    iifname "vr0" drop
  }
}
`;
  };
  await Promise.all([nft(chain('dport')), nft(chain('sport'), [])]);
}

/** Gives the server and the browsers their only address, both in one /24. */
export async function renumber(server, browsers) {
  const ends = { [server]: ['-n', ns ?? ''], [browsers]: [] };
  for (const [address, at] of Object.entries(ends)) {
    await run('ip', [...at, '-4', 'addr', 'flush', 'dev', 'vr0']);
    await run('ip', [...at, 'addr', 'add', `${address}/24`, 'dev', 'vr0']);
  }
}

/** Gives the browsers another address in the server's network, some milliseconds after it took the old one away. */
export async function readdress(from, to, without = 0) {
  await run('ip', ['-4', 'addr', 'del', `${from}/24`, 'dev', 'vr0']);
  await sleep(without);
  await run('ip', ['addr', 'add', `${to}/24`, 'dev', 'vr0']);
}

/**
 * Has the browsers' datagrams leave from other ports, as a NAT does that has lost its table: the old ports lead nowhere.
 * @param {Record<string, number>} ports from the browser's to the one outside
 */
export async function translate(ports) {
  const out = Object.entries(ports).map(([inside, outside]) => `${inside} : ${outside}`);
  const back = Object.entries(ports).map(([inside, outside]) => `${outside} : ${inside}`);
  const own = Object.keys(ports).join(', ');
  await nft(
    `table inet lab {
  chain out {
    type filter hook postrouting priority 0; policy accept;
    oifname "vr0" udp sport { ${own} } udp sport set udp sport map { ${out.join(', ')} }
  }
  chain in {
    type filter hook prerouting priority -500; policy accept;
    iifname "vr0" udp dport { ${own} } drop
    iifname "vr0" udp dport set udp dport map { ${back.join(', ')} }
  }
}
`,
    [],
  );
}

/** Limits what the server sends to browsers, in kbit/s; 0 takes the limit away. */
export async function rate(kbit) {
  const tc = (...args) => run('ip', ['netns', 'exec', ns ?? '', 'tc', 'qdisc', ...args]);
  await tc('del', 'dev', 'vr0', 'root').catch(() => {});
  if (kbit) await tc('add', 'dev', 'vr0', 'root', 'tbf', 'rate', `${kbit}kbit`, 'burst', '8kb', 'latency', '150ms');
}
