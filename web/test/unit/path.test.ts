// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { deadForGood, lookEvery, PathWatch, received, retries } from '../../src/core/call/path';

/** Looks at what comes in per look, and tells after which looks the way was found dead. */
function found(gains: number[], every = lookEvery): number[] {
  const watch = new PathWatch();
  const dead: number[] = [];
  let octets = 1_000;
  gains.forEach((gain, i) => {
    octets += gain;
    if (watch.look(octets, i * every)) dead.push(i);
  });
  return dead;
}

const flow = Array(10).fill(4_000);
const silence = (looks: number) => Array(looks).fill(0);

describe('PathWatch', () => {
  it('tells a dead way within two seconds, once', () => {
    expect(found([...flow, ...silence(20)])).toEqual([13]);
    expect(4 * lookEvery).toBeLessThan(2_000);
  });

  it('tells each death', () => {
    expect(found([...flow, ...silence(5), ...flow, ...silence(5)])).toEqual([13, 28]);
  });

  it('is quicker where the browser has doubts', () => {
    const watch = new PathWatch();
    const dead: number[] = [];
    for (let i = 0; i < 12; i++) if (watch.look(Math.min(i, 6), i * lookEvery, i > 6)) dead.push(i);
    expect(dead).toEqual([8]);
  });

  it('takes short gaps for what they are', () => {
    expect(found([...flow, 0, 0, ...flow, 0, 0, ...flow])).toEqual([]);
  });

  it('judges nothing where nothing flows', () => {
    expect(found(silence(30))).toEqual([]);
    // Reports once a second, one of them lost.
    expect(found([...Array(6).fill([80, 0, 0]).flat(), ...silence(6), 80, 0, 0])).toEqual([]);
  });

  it('does not take the sleep of the machine for a death', () => {
    const watch = new PathWatch();
    for (let i = 0; i < 5; i++) watch.look(i, i * lookEvery);
    expect(watch.look(4, 3_600_000)).toBe(false);
    expect(watch.look(9, 3_600_400)).toBe(false);
  });

  it('begins with a connection that is there already', () => {
    expect(found([0, 0, 0, 0, 0, 0])).toEqual([]);
  });
});

describe('received', () => {
  it('finds what each browser counts', () => {
    const chromium = [
      { type: 'transport', bytesReceived: 700 },
      { type: 'candidate-pair', bytesReceived: 700 },
    ];
    const firefox = [
      { type: 'candidate-pair', bytesReceived: 300 },
      { type: 'candidate-pair', bytesReceived: 400 },
      { type: 'inbound-rtp', bytesReceived: 9_000 },
    ];
    expect(received(chromium)).toBe(700);
    expect(received(firefox)).toBe(700);
    expect(received([])).toBe(0);
  });
});

describe('retries', () => {
  it('begin at once, go on steadily, and end', () => {
    const wait = (retryCount: number, elapsedMs: number) => retries.nextRetryDelayInMs({ retryCount, elapsedMs });
    const first = wait(0, 0);
    expect(first).not.toBeNull();
    expect(first).toBeLessThanOrEqual(100);
    for (const [count, elapsed] of [
      [3, 5_000],
      [9, 40_000],
      [100, 179_999],
    ] as const) {
      expect(wait(count, elapsed)).toBeGreaterThanOrEqual(500);
      expect(wait(count, elapsed)).toBeLessThanOrEqual(1_500);
    }
    expect(wait(3, 180_000)).toBeNull();
  });
});

describe('deadForGood', () => {
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
  const chromium =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

  it('gives up what Firefox lost, and nothing else', () => {
    expect(deadForGood('failed', firefox)).toBe(true);
    expect(deadForGood('disconnected', firefox)).toBe(false);
    expect(deadForGood('failed', chromium)).toBe(false);
    expect(deadForGood(undefined, firefox)).toBe(false);
  });
});
