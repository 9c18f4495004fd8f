// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What the server says of this page's own media path, made ready to be shown.

export type Halt = 'line' | 'limit' | 'faces' | 'hidden' | 'muted';
export type Source = 'camera' | 'microphone' | 'screen' | 'screen_audio';
export type Route = 'udp' | 'tcp' | 'relay' | '';

interface Way {
  loss: number;
  jitter_ms: number;
}

interface Track {
  sid: string;
  bytes: number;
  loss: number;
}

/** The server's answer. Losses are shares, rates bit/s. */
export interface Report {
  route: Route;
  rtt_ms: number;
  up: Way;
  down: Way;
  capacity: number;
  limit: number;
  sent: readonly Track[];
  received: readonly (Track & {
    identity: string;
    source?: Source;
    layer?: number;
    width?: number;
    height?: number;
    halted?: Halt;
  })[];
}

export interface Look {
  report: Report;
  /** Milliseconds of a steady clock. */
  at: number;
}

export interface Stream {
  sid: string;
  source: Source | undefined;
  /** bit/s; null before there were two looks at it. */
  rate: number | null;
  loss: number;
  /** Lines of the picture that is being sent; 0 where unknown, or for sound. */
  lines: number;
  halted: Halt | undefined;
}

export type Grade = 'good' | 'fair' | 'weak';

export interface Connection {
  grade: Grade;
  route: Route;
  rtt: number;
  up: Way & { rate: number | null };
  down: Way & { rate: number | null };
  /** What the way down is estimated to carry, in bit/s; 0 where it is not known. */
  capacity: number;
  /** What comes from each person, by identity. */
  from: ReadonlyMap<string, readonly Stream[]>;
}

/** Bounds of the grades, as the server judges everybody's connection. */
const bounds: Readonly<Record<'fair' | 'weak', readonly [loss: number, rtt: number, jitter: number]>> = {
  fair: [0.02, 300, 40],
  weak: [0.08, 600, 100],
};

function gradeOf({ up, down, rtt_ms: rtt }: Report): Grade {
  const [loss, jitter] = [Math.max(up.loss, down.loss), Math.max(up.jitter_ms, down.jitter_ms)];
  const beyond = ([l, r, j]: readonly [number, number, number]) => loss > l || rtt > r || jitter > j;
  if (beyond(bounds.weak)) return 'weak';
  return beyond(bounds.fair) ? 'fair' : 'good';
}

/** The rate of a track between two looks. Its count begins anew when the track does. */
function rateOf(now: Track, before: readonly Track[] | undefined, seconds: number): number | null {
  const was = before?.find((t) => t.sid === now.sid);
  if (!was || was.bytes > now.bytes || seconds <= 0) return null;
  return ((now.bytes - was.bytes) * 8) / seconds;
}

/** Adds up what is known; null where nothing is. */
function sum(rates: readonly (number | null)[]): number | null {
  const known = rates.filter((r) => r !== null);
  return known.length || rates.length === 0 ? known.reduce((a, b) => a + b, 0) : null;
}

export function describe(now: Look, before: Look | undefined): Connection {
  const { report } = now;
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  const from = new Map<string, Stream[]>();
  for (const t of report.received) {
    const stream: Stream = {
      sid: t.sid,
      source: t.source,
      rate: rateOf(t, before?.report.received, seconds),
      loss: t.loss,
      lines: t.layer === undefined ? 0 : Math.min(t.height ?? 0, t.width ?? 0),
      halted: t.halted,
    };
    from.set(t.identity, [...(from.get(t.identity) ?? []), stream]);
  }
  return {
    grade: gradeOf(report),
    route: report.route,
    rtt: report.rtt_ms,
    up: { ...report.up, rate: sum(report.sent.map((t) => rateOf(t, before?.report.sent, seconds))) },
    down: { ...report.down, rate: sum([...from.values()].flat().map((s) => s.rate)) },
    capacity: report.capacity,
    from,
  };
}

/** Asks the server. Rejects when there is no answer within some seconds. */
export async function ask(site: string, token: string): Promise<Report> {
  const url = `${site.replace(/^ws/, 'http').replace(/\/$/, '')}/rtc/v1/connection`;
  const res = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
    cache: 'no-store',
    signal: AbortSignal.timeout(5000),
  });
  if (!res.ok) throw new Error(`asking for the connection: ${res.status}`);
  return (await res.json()) as Report;
}

/** The first two looks come soon after each other, so that there are rates. */
const soon = 1000;
const period = 2000;

/** Looks again and again until the returned function is called. tell gets null when there is no answer. */
export function watch(look: () => Promise<Report>, tell: (c: Connection | null) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let before: Look | undefined;
  let over = false;
  const run = async () => {
    const first = before === undefined;
    try {
      const now = { report: await look(), at: performance.now() };
      if (!over) tell(describe(now, before));
      before = now;
    } catch {
      if (!over) tell(null);
    }
    if (!over) timer = setTimeout(run, first && before ? soon : period);
  };
  void run();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

/** A rate in two digits, for people. */
export function bits(rate: number): { value: number; unit: 'kbit/s' | 'Mbit/s' } {
  const kbits = rate / 1000;
  if (kbits < 995) return { value: kbits < 100 ? Math.round(kbits) : Math.round(kbits / 10) * 10, unit: 'kbit/s' };
  return { value: Math.round(kbits / 100) / 10, unit: 'Mbit/s' };
}
