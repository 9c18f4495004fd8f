// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Short, soft tones made on the spot; no sound file, nothing to load.

export type Tone = 'arrival' | 'admitted' | 'test' | 'message';

const notes: Readonly<Record<Tone, readonly number[]>> = {
  arrival: [659.3, 880],
  admitted: [523.3, 659.3, 784],
  test: [440, 554.4, 659.3, 880],
  message: [784],
};

const length = 0.22;
let context: AudioContext | undefined;

/** Call from a click once, so that later tones may sound without one. */
export function unlockTones(): void {
  if (typeof AudioContext === 'undefined') return;
  context ??= new AudioContext();
  void context.resume().catch(() => {});
}

/** `speaker`: a chosen output, where the browser can direct sound; empty for the system's. */
export function play(tone: Tone, speaker = ''): void {
  unlockTones();
  const c = context;
  if (!c) return;
  const sink = c as { setSinkId?(id: string): Promise<void> };
  void sink.setSinkId?.(speaker).catch(() => {});
  notes[tone].forEach((frequency, i) => {
    const at = c.currentTime + 0.03 + i * length;
    const oscillator = new OscillatorNode(c, { type: 'sine', frequency });
    const gain = new GainNode(c, { gain: 0 });
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.16, at + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.001, at + length * 1.8);
    oscillator.connect(gain).connect(c.destination);
    oscillator.start(at);
    oscillator.stop(at + length * 2);
  });
}
