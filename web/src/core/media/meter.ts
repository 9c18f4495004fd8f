// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type ReadonlySignal, signal } from '@preact/signals-core';

/** Below this the microphone counts as silent (root mean square of full scale, about -54 dB). */
const silence = 0.002;
const every = 80;
const quietAfter = 4000;

export type Heard = 'unknown' | 'yes' | 'no';

export function rms(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] ?? 0) ** 2;
  return samples.length ? Math.sqrt(sum / samples.length) : 0;
}

/** Loudness for the eye: 0 at -60 dB, 1 at -12 dB. */
export function level(value: number): number {
  if (value <= 0) return 0;
  return Math.min(1, Math.max(0, (20 * Math.log10(value) + 60) / 48));
}

/** Measures one microphone track until stopped; the track itself is not touched. */
export class Meter {
  readonly #level = signal(0);
  readonly #heard = signal<Heard>('unknown');
  #context: AudioContext | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  get level(): ReadonlySignal<number> {
    return this.#level;
  }

  get heard(): ReadonlySignal<Heard> {
    return this.#heard;
  }

  start(track: MediaStreamTrack): void {
    this.stop();
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    // Never awaited: without an audio output Firefox does not settle it.
    void context.resume().catch(() => {});
    const samples = new Float32Array(analyser.fftSize);
    let lastLoud = performance.now();
    this.#context = context;
    this.#timer = setInterval(() => {
      if (context.state !== 'running') return;
      analyser.getFloatTimeDomainData(samples);
      const value = rms(samples);
      const now = performance.now();
      if (value > silence) lastLoud = now;
      this.#level.value = Math.round(level(value) * 50) / 50;
      if (value > silence) this.#heard.value = 'yes';
      else if (now - lastLoud > quietAfter) this.#heard.value = 'no';
    }, every);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    void this.#context?.close().catch(() => {});
    this.#context = undefined;
    this.#level.value = 0;
    this.#heard.value = 'unknown';
  }
}
