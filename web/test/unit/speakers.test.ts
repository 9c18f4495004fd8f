// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listen, listenEvery, loudness, Speakers, type Voice } from '../../src/core/call/speakers';

const voice = 0.1;
const noise = 0.002;

/** Looks once for each level of Anna, while Ben is quiet, and tells when she was held to speak. */
function run(...levels: (number | undefined)[]) {
  const s = new Speakers();
  const told: number[] = [];
  const spoke = levels.map((level, i) => {
    const heard = new Map([['ben', noise]]);
    if (level !== undefined) heard.set('anna', level);
    if (s.look(heard)) told.push(i);
    expect(s.speaks('ben')).toBe(false);
    return s.speaks('anna') ? 1 : 0;
  });
  return { spoke, told };
}

describe('who speaks', () => {
  it('takes half a second of speech, and is over after five quiet looks', () => {
    const { spoke, told } = run(voice, voice, voice, noise, noise, noise, noise, noise, noise);
    expect(spoke).toEqual([0, 1, 1, 1, 1, 1, 1, 0, 0]);
    expect(told).toEqual([1, 7]);
  });

  it('is not a single sound', () => {
    expect(run(voice, noise, voice, noise, voice, noise).spoke).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('goes on over pauses between words', () => {
    const { spoke, told } = run(voice, voice, noise, noise, noise, noise, voice, noise, noise, noise, noise, noise);
    expect(spoke).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
    expect(told).toEqual([1, 11]);
  });

  it('ends for somebody who has gone, who then begins anew', () => {
    const gone = [undefined, undefined, undefined, undefined, undefined];
    expect(run(voice, voice, ...gone, voice, voice).spoke).toEqual([0, 1, 1, 1, 1, 1, 0, 0, 1]);
  });

  it('knows nobody before', () => expect(new Speakers().speaks('anna')).toBe(false));
});

describe('loudness', () => {
  const stats = [
    { type: 'codec' },
    { type: 'inbound-rtp', kind: 'video', audioLevel: 1 },
    { type: 'inbound-rtp', kind: 'audio', audioLevel: 0.25 },
    { type: 'media-source', kind: 'audio', audioLevel: 0.5 },
  ];
  it('is that of the right kind', () => {
    expect(loudness(stats, 'inbound-rtp')).toBe(0.25);
    expect(loudness(stats, 'media-source')).toBe(0.5);
    expect(loudness(stats.slice(0, 2), 'inbound-rtp')).toBeUndefined();
    expect(loudness([{ type: 'inbound-rtp', kind: 'audio' }], 'inbound-rtp')).toBeUndefined();
  });
});

describe('listening', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('looks four times a second, bears failures, and ends', async () => {
    const stats = vi.fn(async () => [{ type: 'inbound-rtp', kind: 'audio', audioLevel: voice }]);
    const voices: Voice[] = [
      { identity: 'gone', type: 'inbound-rtp', stats: () => Promise.reject(new Error('gone')) },
      { identity: 'anna', type: 'inbound-rtp', stats },
      { identity: 'me', type: 'media-source', stats: async () => undefined },
    ];
    const s = new Speakers();
    const tell = vi.fn();
    const stop = listen(s, () => voices, tell);
    await vi.advanceTimersByTimeAsync(1000);
    expect(stats).toHaveBeenCalledTimes(1000 / listenEvery);
    expect(tell).toHaveBeenCalledTimes(1);
    expect(['anna', 'gone', 'me'].map((who) => s.speaks(who))).toEqual([true, false, false]);
    stop();
    await vi.advanceTimersByTimeAsync(1000);
    expect(stats).toHaveBeenCalledTimes(4);
  });
});
