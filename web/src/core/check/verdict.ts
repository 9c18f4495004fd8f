// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { NetworkResult } from './network';

/** What is good enough, in bit/s, share and milliseconds. */
const enough = { picture: 500_000, sound: 60_000, loss: 0.05, rtt: 400 };

export type NetworkGrade = 'good' | 'narrow' | 'weak' | 'detour' | 'blocked';

/** One plain word for the network. */
export function networkGrade(r: NetworkResult): NetworkGrade {
  const way = r.best ?? r.fallback;
  if (!way) return 'blocked';
  const rate = Math.min(way.up ?? 0, way.down ?? 0);
  if (rate < enough.sound) return 'weak';
  if (rate < enough.picture || way.lossUp > enough.loss || way.lossDown > enough.loss || way.rtt > enough.rtt) {
    return 'narrow';
  }
  return way.route === 'udp' ? 'good' : 'detour';
}

export type Part = 'camera' | 'microphone' | 'speaker' | 'network';
export type PartState = 'open' | 'good' | 'hint' | 'bad';

/** All is well when nothing is bad and everything was tried. */
export function overall(parts: Readonly<Record<Part, PartState>>): 'open' | 'ready' | 'hints' | 'trouble' {
  const all = Object.values(parts);
  if (all.includes('bad')) return 'trouble';
  if (all.includes('open')) return 'open';
  return all.includes('hint') ? 'hints' : 'ready';
}
