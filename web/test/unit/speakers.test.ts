// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TrackLevels } from '../../src/core/call/analyser';
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

  it('is at length from the fifth loud look on, as long as the speech goes on', () => {
    const s = new Speakers();
    const said = (level: number) => [s.look(new Map([['anna', level]])), s.atLength().length];
    expect([voice, voice, noise, voice, voice].map(said)).toEqual([
      [false, 0],
      [true, 0],
      [false, 0],
      [false, 0],
      [false, 0],
    ]);
    expect([voice, voice, noise, noise, noise, noise, noise].map(said)).toEqual([
      [true, 1], // told once
      [false, 1],
      [false, 1],
      [false, 1],
      [false, 1],
      [false, 1],
      [true, 0],
    ]);
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
    expect(loudness([{ type: 'inbound-rtp', kind: 'audio' }], 'inbound-rtp')).toBeNull();
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

  it('measures where the statistics do not tell, and nowhere else', async () => {
    const [own, theirs, other] = [{}, {}, {}] as MediaStreamTrack[];
    const voices: Voice[] = [
      // Safari before 17.4, and Firefox of its own microphone.
      {
        identity: 'me',
        type: 'media-source',
        stats: async () => [{ type: 'media-source', kind: 'audio' }],
        track: own,
      },
      {
        identity: 'anna',
        type: 'inbound-rtp',
        stats: async () => [{ type: 'inbound-rtp', kind: 'audio' }],
        track: theirs,
      },
      // Nothing came so far, or it is told.
      { identity: 'early', type: 'inbound-rtp', stats: async () => [{ type: 'codec' }], track: other },
      {
        identity: 'told',
        type: 'inbound-rtp',
        stats: async () => [{ type: 'inbound-rtp', kind: 'audio', audioLevel: noise }],
        track: other,
      },
      { identity: 'trackless', type: 'media-source', stats: async () => [{ type: 'media-source', kind: 'audio' }] },
    ];
    const measured = {
      of: vi.fn((t: MediaStreamTrack) => (t === theirs ? voice : t === own ? noise : 1)),
      close: vi.fn(),
    };
    const s = new Speakers();
    const stop = listen(
      s,
      () => voices,
      () => {},
      measured,
    );
    await vi.advanceTimersByTimeAsync(1000);
    expect(voices.map((v) => [v.identity, s.speaks(v.identity)])).toEqual([
      ['me', false],
      ['anna', true],
      ['early', false],
      ['told', false],
      ['trackless', false],
    ]);
    expect(new Set(measured.of.mock.calls.map(([t]) => t))).toEqual(new Set([own, theirs]));
    stop();
    expect(measured.close).toHaveBeenCalledTimes(1);
  });
});

describe('measuring', () => {
  afterEach(() => void vi.unstubAllGlobals());

  /** Web Audio in which each track has the sound that it brings along. */
  function audio(state = 'running') {
    const log: string[] = [];
    class MediaStream {
      constructor(readonly tracks: { name: string; samples: number[] }[]) {}
    }
    class AudioContext {
      state = state;
      resume = async () => void log.push('resume');
      close = async () => void log.push('close');
      constructor() {
        log.push('context');
      }
      createAnalyser() {
        const analyser = {
          fftSize: 2048,
          samples: [] as number[],
          getFloatTimeDomainData: (to: Float32Array) => {
            expect(to.length).toBe(analyser.fftSize);
            to.fill(0);
            to.set(analyser.samples);
          },
        };
        return analyser;
      }
      createMediaStreamSource({ tracks: [track] }: MediaStream) {
        return {
          connect: (to: { samples: number[] }) => {
            to.samples = track?.samples ?? [];
          },
          disconnect: () => void log.push(`without ${track?.name}`),
        };
      }
    }
    vi.stubGlobal('MediaStream', MediaStream);
    vi.stubGlobal('AudioContext', AudioContext);
    return log;
  }
  const track = (name: string, ...samples: number[]) =>
    ({ name, samples, readyState: 'live' }) as unknown as MediaStreamTrack & { readyState: string };

  it('tells the peak of each track, from the second look on', () => {
    const log = audio();
    const levels = new TrackLevels();
    const [anna, ben] = [track('anna', 0.25, -0.5), track('ben', 0.125)];
    expect([levels.of(anna), levels.of(ben)]).toEqual([undefined, undefined]);
    expect([levels.of(anna), levels.of(ben)]).toEqual([0.5, 0.125]);
    expect(log).toEqual(['context', 'resume', 'resume']);
    anna.readyState = 'ended';
    expect(levels.of(anna)).toBeUndefined();
    levels.of(track('carl', 1));
    expect(log.filter((l) => l.startsWith('without'))).toEqual(['without anna']);
    levels.close();
    expect(log.at(-1)).toBe('close');
  });

  it('tells nothing where nothing runs, or there is no Web Audio', () => {
    audio('suspended');
    const levels = new TrackLevels();
    const anna = track('anna', 0.5);
    expect([levels.of(anna), levels.of(anna)]).toEqual([undefined, undefined]);
    vi.stubGlobal('AudioContext', undefined);
    expect(new TrackLevels().of(anna)).toBeUndefined();
  });
});
