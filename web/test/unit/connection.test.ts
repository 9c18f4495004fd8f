// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask, bits, type Connection, describe as explain, type Report, watch } from '../../src/core/call/connection';

const report = (over: Partial<Report> = {}): Report => ({
  route: 'udp',
  rtt_ms: 20,
  up: { loss: 0, jitter_ms: 3 },
  down: { loss: 0, jitter_ms: 3 },
  capacity: 0,
  limit: 0,
  sent: [],
  received: [],
  ...over,
});
const at = (ms: number, over: Partial<Report>) => ({ report: report(over), at: ms });
const camera = (sid: string, bytes: number) => ({ sid, identity: 'anna', source: 'camera' as const, bytes, loss: 0 });

describe('the connection', () => {
  it('has rates from the second look on', () => {
    const first = at(1000, { sent: [{ sid: 'm', bytes: 1000, loss: 0 }], received: [camera('v', 5000)] });
    const second = at(3000, { sent: [{ sid: 'm', bytes: 9000, loss: 0 }], received: [camera('v', 30_000)] });
    expect(explain(first, undefined).down.rate).toBeNull();
    const c = explain(second, first);
    expect(c.up.rate).toBe(32_000);
    expect(c.down.rate).toBe(100_000);
    expect(c.from.get('anna')?.[0]?.rate).toBe(100_000);
  });

  it('knows no rate of a track that began in between', () => {
    const first = at(0, { received: [camera('old', 900), camera('again', 900)] });
    const c = explain(at(1000, { received: [camera('new', 50), camera('again', 10)] }), first);
    expect(c.from.get('anna')?.map((s) => s.rate)).toEqual([null, null]);
    expect(c.down.rate).toBeNull();
  });

  it('sends nothing where nothing is sent', () => {
    expect(explain(at(1000, {}), at(0, {})).up.rate).toBe(0);
  });

  it('tells the lines of a picture upright as well, and none of one that is halted', () => {
    const received = [
      { ...camera('a', 0), layer: 2, width: 720, height: 1280 },
      { ...camera('b', 0), width: 640, height: 360, halted: 'line' as const },
    ];
    const streams = explain(at(0, { received }), undefined).from.get('anna');
    expect(streams?.map((s) => [s.lines, s.halted])).toEqual([
      [720, undefined],
      [0, 'line'],
    ]);
  });

  it.each([
    ['good', {}],
    ['good', { down: { loss: 0.02, jitter_ms: 40 }, rtt_ms: 300 }],
    ['fair', { up: { loss: 0.03, jitter_ms: 0 } }],
    ['fair', { down: { loss: 0, jitter_ms: 60 } }],
    ['fair', { rtt_ms: 400 }],
    ['weak', { down: { loss: 0.1, jitter_ms: 0 } }],
    ['weak', { up: { loss: 0, jitter_ms: 120 } }],
    ['weak', { rtt_ms: 700 }],
  ] as const)('is %s with %j', (grade, over) => {
    expect(explain(at(0, over), undefined).grade).toBe(grade);
  });

  it('is told in two digits', () => {
    expect([0, 1400, 74_300, 331_200, 999_900, 1_870_000, 12_340_000].map(bits)).toEqual([
      { value: 0, unit: 'kbit/s' },
      { value: 1, unit: 'kbit/s' },
      { value: 74, unit: 'kbit/s' },
      { value: 330, unit: 'kbit/s' },
      { value: 1, unit: 'Mbit/s' },
      { value: 1.9, unit: 'Mbit/s' },
      { value: 12.3, unit: 'Mbit/s' },
    ]);
  });
});

describe('asking for it', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('sends the token in the body, never in the address', async () => {
    const fetched = vi.fn(async (_url: string, _init: RequestInit) => new Response(JSON.stringify(report())));
    vi.stubGlobal('fetch', fetched);
    expect(await ask('wss://practice.example/video', 'secret')).toEqual(report());
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(url).toBe('https://practice.example/video/rtc/v1/connection');
    expect(init).toMatchObject({ method: 'POST', body: '{"token":"secret"}' });
  });

  it('fails where the server refuses', async () => {
    vi.stubGlobal('fetch', async () => new Response('no', { status: 409 }));
    await expect(ask('wss://practice.example', 't')).rejects.toThrow('409');
  });
});

describe('watching it', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('looks soon for rates, then every two seconds, and not after the end', async () => {
    const told: (Connection | null)[] = [];
    let looks = 0;
    const end = watch(
      async () => report({ received: [camera('v', 1000 * looks++)] }),
      (c) => told.push(c),
    );
    await vi.advanceTimersByTimeAsync(0);
    expect(told.length).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(told[1]?.down.rate).toBe(8000);
    await vi.advanceTimersByTimeAsync(4000);
    expect(told.length).toBe(4);
    end();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told.length).toBe(4);
    expect(looks).toBe(4);
  });

  it('goes on after a failure', async () => {
    const told: (Connection | null)[] = [];
    let fails = true;
    const end = watch(
      async () => {
        if (fails) throw new Error('cut');
        return report();
      },
      (c) => told.push(c),
    );
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual([null]);
    fails = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect(told[1]?.grade).toBe('good');
    end();
  });
});
