// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The people of a test: each has a colour, a tone and files with both, which
// Chromium takes for camera and microphone.

import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { picture, sound } from './film.mjs';

const out = fileURLToPath(new URL('../out/media', import.meta.url));
const width = 640;
const height = 360;
const fps = 20;
const frames = 40; // two seconds, looped by the browser
const rate = 48_000;

/**
 * @typedef {{name: string, yuv: [number, number, number], hue: [number, number], tone: number, film?: boolean}} Person
 * hue is the range, in degrees, in which the picture's average colour falls.
 */

/** @type {Record<string, Person>} */
export const people = {
  red: { name: 'Rosa Rotbuche', yuv: [81, 90, 240], hue: [-30, 30], tone: 300 },
  green: { name: 'Gustav Grünspan', yuv: [145, 54, 34], hue: [90, 150], tone: 420 },
  blue: { name: 'Berta Blaustein', yuv: [41, 240, 110], hue: [210, 270], tone: 560 },
  // Has a real picture in 720p, and a voice, to measure their quality by.
  speaker: { name: 'Sven Scharf', yuv: [0, 0, 0], hue: [-30, 330], tone: 180, film: true },
};

/** Paths of a person's camera and microphone files, made when missing. */
export async function filesOf(key) {
  const person = people[key];
  if (!person) throw new Error(`nobody is called ${key}`);
  await mkdir(out, { recursive: true });
  const video = path.join(out, `${key}.y4m`);
  const audio = path.join(out, `${key}.wav`);
  if (!existsSync(video)) await put(video, person.film ? picture() : y4m(person.yuv));
  if (!existsSync(audio)) await put(audio, person.film ? sound() : wav(person.tone));
  return { video, audio };
}

// A file appears whole or not at all.
async function put(file, bytes) {
  const part = `${file}.${process.pid}`;
  await writeFile(part, bytes);
  await rename(part, file);
}

/** A plain colour with a white square that walks through it, so that no two frames are equal. */
export function y4m([y, u, v]) {
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F${fps}:1 Ip A1:1 C420jpeg\n`);
  const mark = Buffer.from('FRAME\n');
  const luma = width * height;
  const parts = [head];
  for (let n = 0; n < frames; n++) {
    const frame = Buffer.alloc(luma * 1.5);
    frame.fill(y, 0, luma);
    frame.fill(u, luma, luma * 1.25);
    frame.fill(v, luma * 1.25);
    const size = 48;
    const left = 8 + ((n * 14) % (width - size - 16));
    const top = 8 + ((n * 7) % (height - size - 16));
    for (let row = top; row < top + size; row++) frame.fill(235, row * width + left, row * width + left + size);
    for (let row = top >> 1; row < (top + size) >> 1; row++) {
      const at = row * (width >> 1) + (left >> 1);
      frame.fill(128, luma + at, luma + at + (size >> 1));
      frame.fill(128, luma * 1.25 + at, luma * 1.25 + at + (size >> 1));
    }
    parts.push(mark, frame);
  }
  return Buffer.concat(parts);
}

/** Two seconds of syllables: bursts with overtones, which no noise suppression takes for a hum. */
export function wav(tone) {
  const samples = rate * 2;
  const pcm = Buffer.alloc(44 + samples * 2);
  pcm.write('RIFF', 0);
  pcm.writeUInt32LE(36 + samples * 2, 4);
  pcm.write('WAVEfmt ', 8);
  pcm.writeUInt32LE(16, 16);
  pcm.writeUInt16LE(1, 20);
  pcm.writeUInt16LE(1, 22);
  pcm.writeUInt32LE(rate, 24);
  pcm.writeUInt32LE(rate * 2, 28);
  pcm.writeUInt16LE(2, 32);
  pcm.writeUInt16LE(16, 34);
  pcm.write('data', 36);
  pcm.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) {
    const t = i / rate;
    const syllable = (t * 4) % 1; // four a second
    const gate = syllable < 0.6 ? Math.sin((Math.PI * syllable) / 0.6) : 0;
    const glide = tone * (1 + 0.08 * Math.sin(2 * Math.PI * 1.5 * t));
    let s = 0;
    for (let k = 1; k <= 6; k++) s += Math.sin(2 * Math.PI * glide * k * t) / k;
    pcm.writeInt16LE(Math.round(9000 * gate * s * 0.6), 44 + i * 2);
  }
  return pcm;
}
