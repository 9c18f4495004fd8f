// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import type { Look, Report } from '../../src/core/call/connection';
import { judge, type Way } from '../../src/core/check/network';
import { networkGrade, overall } from '../../src/core/check/verdict';

const way: Way = { route: 'udp', rtt: 30, up: 2_400_000, down: 2_400_000, lossUp: 0, lossDown: 0 };
const grade = (best: Partial<Way> | null, fallback: Way | null = way) =>
  networkGrade({ best: best && { ...way, ...best }, fallback });

describe('the network in one word', () => {
  it('is good by the direct way, a detour by any other', () => {
    expect(grade({})).toBe('good');
    expect(grade({ route: 'tcp' })).toBe('detour');
    expect(grade({ route: 'relay' })).toBe('detour');
    expect(grade(null, { ...way, route: 'relay' })).toBe('detour');
  });

  it('is narrow or weak by rate, loss and delay', () => {
    expect(grade({ up: 300_000 })).toBe('narrow');
    expect(grade({ lossDown: 0.08 })).toBe('narrow');
    expect(grade({ rtt: 600 })).toBe('narrow');
    expect(grade({ down: 30_000 })).toBe('weak');
    expect(grade({ up: null })).toBe('weak');
  });

  it('is blocked when nothing gets through', () => {
    expect(grade(null, null)).toBe('blocked');
  });
});

describe('two ends of a test', () => {
  const report = (sent: number, received: number, over: Partial<Report> = {}): Report => ({
    route: 'udp',
    rtt_ms: 20,
    up: { loss: 0.01, jitter_ms: 1 },
    down: { loss: 0.02, jitter_ms: 1 },
    capacity: 0,
    limit: 0,
    sent: sent ? [{ sid: 'a', bytes: sent, loss: 0 }] : [],
    received: received ? [{ sid: 'a', identity: 'x', bytes: received, loss: 0 }] : [],
    ...over,
  });
  const at = (r: Report, at: number): Look => ({ report: r, at });

  it('are one way: up of the sender, down of the receiver, the worse route', () => {
    const before: [Look, Look] = [at(report(1000, 0), 0), at(report(0, 1000), 0)];
    const now: [Look, Look] = [
      at(report(251_000, 0), 1000),
      at(report(0, 126_000, { route: 'tcp', rtt_ms: 41.7 }), 1000),
    ];
    expect(judge(before, now)).toEqual({
      route: 'tcp',
      rtt: 42,
      up: 2_000_000,
      down: 1_000_000,
      lossUp: 0.01,
      lossDown: 0.02,
    });
  });
});

describe('the whole test', () => {
  const parts = { camera: 'good', microphone: 'good', speaker: 'good', network: 'good' } as const;
  it('is ready when everything was tried and is well', () => {
    expect(overall(parts)).toBe('ready');
    expect(overall({ ...parts, speaker: 'open' })).toBe('open');
    expect(overall({ ...parts, camera: 'hint' })).toBe('hints');
    expect(overall({ ...parts, speaker: 'open', network: 'bad' })).toBe('trouble');
  });
});
