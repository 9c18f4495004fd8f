// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The packet filter between server and browsers, in the lab only.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ns = process.env.E2E_FILTER_NS;

const nft = async (rules) => {
  if (!ns) throw new Error('there is no filter outside the lab: run make lab');
  const child = run('ip', ['netns', 'exec', ns, 'nft', '-f', '-']);
  child.child.stdin?.end(rules);
  await child;
};

/** Lets everything through again. */
export const open = () => nft('table inet lab\ndelete table inet lab\n');

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

/** Limits what the server sends to browsers, in kbit/s; 0 takes the limit away. */
export async function rate(kbit) {
  const tc = (...args) => run('ip', ['netns', 'exec', ns ?? '', 'tc', 'qdisc', ...args]);
  await tc('del', 'dev', 'vr0', 'root').catch(() => {});
  if (kbit) await tc('add', 'dev', 'vr0', 'root', 'tbf', 'rate', `${kbit}kbit`, 'burst', '8kb', 'latency', '150ms');
}
