// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Who speaks, as this page hears it, in calls of which the server is told nothing. The measure is the server's: half a
// second of speech, and it is over after somewhat more than a second without.

import { TrackLevels } from './analyser';

/** Milliseconds between two looks. */
export const listenEvery = 250;

/** The amplitude from which sound counts as speech: statistics tell peaks, which are some 10 dB above the server's -40 dBov. */
const speech = 10 ** (-30 / 20);
const onset = 2;
const end = 5;
/** So many loud looks are more than a word: who speaks for so long is shown where not everybody can be. */
const length = 5;

/** One stream of somebody's sound. */
export interface Voice {
  identity: string;
  type: 'inbound-rtp' | 'media-source';
  stats(): Promise<Iterable<Record<string, unknown>> | undefined>;
  track?: MediaStreamTrack | null;
}

/**
 * The loudness of one stream, of 1; undefined where the statistics do not know it, null where they know it and do not tell
 * how loud it is: Safari before 17.4, and Firefox of its own microphone.
 */
export function loudness(stats: Iterable<Record<string, unknown>>, type: Voice['type']): number | null | undefined {
  for (const s of stats) {
    if (s['type'] !== type || s['kind'] !== 'audio') continue;
    return typeof s['audioLevel'] === 'number' ? s['audioLevel'] : null;
  }
  return undefined;
}

/** One owner: the call. */
export class Speakers {
  readonly #heard = new Map<string, { loud: number; silent: number; speaks: boolean }>();

  /** Takes one look at everybody who can be heard; whoever is not among them is silent. True where something changed. */
  look(levels: ReadonlyMap<string, number>): boolean {
    let changed = false;
    for (const who of new Set([...levels.keys(), ...this.#heard.keys()])) {
      const h = this.#heard.get(who) ?? { loud: 0, silent: 0, speaks: false };
      const before = h.speaks;
      const short = h.loud < length;
      if ((levels.get(who) ?? 0) >= speech) {
        h.loud++;
        h.silent = 0;
        h.speaks ||= h.loud >= onset;
      } else if (++h.silent >= end || !h.speaks) {
        h.loud = 0;
        h.speaks = false;
      }
      if (!levels.has(who) && !h.speaks) this.#heard.delete(who);
      else this.#heard.set(who, h);
      changed ||= before !== h.speaks || (short && h.loud >= length);
    }
    return changed;
  }

  speaks(who: string): boolean {
    return this.#heard.get(who)?.speaks ?? false;
  }

  /** Those who speak now, and not just for a word. */
  atLength(): string[] {
    return [...this.#heard].filter(([, h]) => h.speaks && h.loud >= length).map(([who]) => who);
  }
}

/** Looks again and again until the returned function is called. tell comes after every change. */
export function listen(
  speakers: Speakers,
  voices: () => readonly Voice[],
  tell: () => void,
  measured: Pick<TrackLevels, 'of' | 'close'> = new TrackLevels(),
): () => void {
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = async () => {
    const levels = new Map<string, number>();
    const hear = async ({ identity, type, stats, track }: Voice) => {
      const told = loudness((await stats()) ?? [], type);
      if (over) return;
      const level = told === null && track ? measured.of(track) : (told ?? undefined);
      if (level !== undefined) levels.set(identity, Math.max(level, levels.get(identity) ?? 0));
    };
    // Who is just leaving has no statistics any more.
    await Promise.allSettled(voices().map(hear));
    if (over) return;
    if (speakers.look(levels)) tell();
    timer = setTimeout(look, listenEvery);
  };
  timer = setTimeout(look, listenEvery);
  return () => {
    over = true;
    clearTimeout(timer);
    measured.close();
  };
}
