// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A camera and a microphone whose quality can be measured: a picture rich
// enough to need its bit rate, each frame with its number in it, and a voice
// that never pauses, with a mark once in every loop.

export const film = { width: 1280, height: 720, fps: 25, frames: 50 };
/** Length of the loop of picture and sound, in ms. */
export const loop = (film.frames / film.fps) * 1000;
/** The mark in the sound: Hz, and ms. The voice has nothing there. */
export const mark = { hertz: 3000, length: 60 };
/** The number: bits from left to right, lowest first, then odd parity. Sides are shares of the picture's width. */
export const code = { bits: 6, left: 1 / 40, top: 1 / 40, side: 1 / 40 };

const rate = 48_000;

// The same picture each time.
function chance(seed) {
  let s = seed;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}

/** A square of smooth cloud with fine grain, 0…1, that repeats at its edges. */
function texture(side, seed) {
  const random = chance(seed);
  const out = new Float32Array(side * side);
  for (const [cells, weight] of [
    [8, 0.4],
    [32, 0.3],
    [128, 0.3],
  ]) {
    const grid = Float32Array.from({ length: cells * cells }, random);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const [gx, gy] = [(x * cells) / side, (y * cells) / side];
        const [x0, y0] = [Math.floor(gx), Math.floor(gy)];
        const [fx, fy] = [gx - x0, gy - y0];
        const at = (i, j) => grid[((y0 + j) % cells) * cells + ((x0 + i) % cells)];
        const top = at(0, 0) * (1 - fx) + at(1, 0) * fx;
        const bottom = at(0, 1) * (1 - fx) + at(1, 1) * fx;
        out[y * side + x] += weight * (top * (1 - fy) + bottom * fy);
      }
    }
  }
  return out;
}

/** The camera: a textured head that moves before a textured wall, with the noise of a sensor. */
export function picture() {
  const { width, height, fps, frames } = film;
  const side = 512;
  const wall = texture(side, 1);
  const skin = texture(side, 2);
  const random = chance(3);
  const noise = Int8Array.from({ length: 1 << 16 }, () => Math.round((random() + random() + random() - 1.5) * 4));
  const luma = width * height;
  const parts = [Buffer.from(`YUV4MPEG2 W${width} H${height} F${fps}:1 Ip A1:1 C420jpeg\n`)];
  const head = Buffer.from('FRAME\n');
  for (let n = 0; n < frames; n++) {
    const frame = Buffer.alloc(luma * 1.5, 128);
    const turn = (2 * Math.PI * n) / frames;
    const cx = width / 2 + 60 * Math.sin(turn) + 20 * Math.sin(3 * turn);
    const cy = height * 0.48 + 24 * Math.sin(2 * turn);
    const shift = Math.floor(random() * noise.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [dx, dy] = [(x - cx) / 190, (y - cy) / 260];
        const inside = dx * dx + dy * dy < 1;
        const [sx, sy] = inside ? [x - cx + 2048, y - cy + 2048] : [x, y];
        const t = (inside ? skin : wall)[(sy & (side - 1)) * side + (sx & (side - 1))];
        const v = inside ? 100 + 130 * t : 30 + 110 * t;
        frame[y * width + x] = v + noise[(y * width + x + shift) & 0xffff];
      }
    }
    for (let y = 0; y < height >> 1; y++) {
      for (let x = 0; x < width >> 1; x++) {
        const [dx, dy] = [(2 * x - cx) / 190, (2 * y - cy) / 260];
        if (dx * dx + dy * dy >= 1) continue;
        frame[luma + y * (width >> 1) + x] = 110;
        frame[luma * 1.25 + y * (width >> 1) + x] = 150;
      }
    }
    number(frame, n);
    parts.push(head, frame);
  }
  return Buffer.concat(parts);
}

function number(frame, n) {
  const { width } = film;
  const [left, top, side] = [code.left, code.top, code.side].map((share) => Math.round(share * width));
  let odd = 1;
  for (let bit = 0; bit <= code.bits; bit++) {
    const one = bit < code.bits ? (n >> bit) & 1 : odd;
    odd ^= one;
    for (let row = top; row < top + side; row++) {
      frame.fill(one ? 235 : 16, row * width + left + bit * side, row * width + left + (bit + 1) * side);
    }
  }
}

/** The microphone: overtones that glide and swell without a pause, and the mark in the middle of the loop. */
export function sound() {
  const samples = (rate * loop) / 1000;
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
  let phase = 0;
  for (let i = 0; i < samples; i++) {
    const t = i / rate;
    phase += (2 * Math.PI * 180 * (1 + 0.15 * Math.sin(2 * Math.PI * 1.5 * t))) / rate;
    const swell = 0.55 + 0.45 * Math.sin(2 * Math.PI * 4 * t);
    let s = 0;
    for (let k = 1; k <= 6; k++) s += Math.sin(phase * k) / k;
    const inMark = t * 1000 - loop / 2;
    const beep = inMark >= 0 && inMark < mark.length ? 9000 * Math.sin(2 * Math.PI * mark.hertz * t) : 0;
    pcm.writeInt16LE(Math.round(6000 * swell * s + beep), 44 + i * 2);
  }
  return pcm;
}
