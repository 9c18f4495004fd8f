// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// How loud tracks are by Web Audio, for browsers whose statistics do not tell it.

/** A power of two; at 48 kHz some 170 ms of the 250 between two looks. */
const samples = 8192;

interface Tap {
  source: AudioNode;
  analyser: AnalyserNode;
}

/** One owner: whoever listens. The tracks themselves are not touched, and nothing is played. */
export class TrackLevels {
  #context: AudioContext | undefined;
  readonly #taps = new Map<MediaStreamTrack, Tap>();
  readonly #buffer = new Float32Array(samples);

  /** The highest amplitude of the last moments, of 1; undefined where it cannot be told, and in the first of them. */
  of(track: MediaStreamTrack): number | undefined {
    if (typeof AudioContext === 'undefined' || track.readyState === 'ended') return undefined;
    const tap = this.#taps.get(track);
    if (!tap) this.#listen(track);
    if (!tap || this.#context?.state !== 'running') return undefined;
    tap.analyser.getFloatTimeDomainData(this.#buffer);
    return this.#buffer.reduce((peak, s) => Math.max(peak, Math.abs(s)), 0);
  }

  #listen(track: MediaStreamTrack): void {
    for (const [old, { source }] of this.#taps) {
      if (old.readyState !== 'ended') continue;
      source.disconnect();
      this.#taps.delete(old);
    }
    this.#context ??= new AudioContext();
    // Never awaited: without an audio output Firefox does not settle it.
    void this.#context.resume().catch(() => {});
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = samples;
    const source = this.#context.createMediaStreamSource(new MediaStream([track]));
    source.connect(analyser);
    this.#taps.set(track, { source, analyser });
  }

  close(): void {
    this.#taps.clear();
    void this.#context?.close().catch(() => {});
    this.#context = undefined;
  }
}
