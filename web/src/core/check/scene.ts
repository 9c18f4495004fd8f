// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Advice on light and place in the picture, from a small copy of it that never leaves the page.

export type Advice = 'black' | 'dark' | 'bright' | 'backlit' | 'far' | 'close' | 'low' | 'good';

/** What is measured of one small picture; shares are of 1. */
export interface Scene {
  /** Mean brightness, and that of the middle and of the rim. */
  mean: number;
  middle: number;
  rim: number;
  /** How much the brightness differs over the picture (standard deviation). */
  contrast: number;
  /** Share of skin in the picture, and the height of its middle (0 is the top). Without any, `skinAt` is null. */
  skin: number;
  skinAt: number | null;
}

/** Skin of every shade has much the same colour: what differs is its brightness, which this leaves out. */
function isSkin(r: number, g: number, b: number): boolean {
  const cb = 128 - 0.168736 * r - 0.331264 * g + 0.5 * b;
  const cr = 128 + 0.5 * r - 0.418688 * g - 0.081312 * b;
  return cb >= 77 && cb <= 127 && cr >= 136 && cr <= 173;
}

/** `pixels`: RGBA, row by row. */
export function measure(pixels: Uint8ClampedArray, width: number, height: number): Scene {
  const sum = { all: 0, squares: 0, middle: 0, rim: 0, inner: 0, skin: 0, skinY: 0 };
  const n = width * height;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = (y * width + x) * 4;
      const [r, g, b] = [pixels[i] ?? 0, pixels[i + 1] ?? 0, pixels[i + 2] ?? 0];
      const light = (0.299 * r + 0.587 * g + 0.114 * b) / 255;
      sum.all += light;
      sum.squares += light * light;
      const inside = x > width * 0.3 && x < width * 0.7 && y > height * 0.2 && y < height * 0.85;
      if (inside) {
        sum.middle += light;
        sum.inner++;
      } else sum.rim += light;
      if (isSkin(r, g, b)) {
        sum.skin++;
        sum.skinY += (y + 0.5) / height;
      }
    }
  }
  const mean = sum.all / n;
  return {
    mean,
    middle: sum.middle / Math.max(1, sum.inner),
    rim: sum.rim / Math.max(1, n - sum.inner),
    contrast: Math.sqrt(Math.max(0, sum.squares / n - mean * mean)),
    skin: sum.skin / n,
    skinAt: sum.skin > 0 ? sum.skinY / sum.skin : null,
  };
}

/** The one thing to say first. Where nothing can be told for sure, nothing is found fault with. */
export function advise(s: Scene): Advice {
  if (s.mean < 0.02 && s.contrast < 0.02) return 'black';
  if (s.rim - s.middle > 0.22 && s.middle < 0.4) return 'backlit';
  if (s.mean < 0.16) return 'dark';
  if (s.mean > 0.88) return 'bright';
  if (s.skinAt === null || s.skin > 0.6) return 'good';
  if (s.skin < 0.012) return 'far';
  if (s.skin > 0.42) return 'close';
  return s.skin > 0.03 && s.skinAt > 0.72 ? 'low' : 'good';
}

const size = { width: 64, height: 48 };

/** Looks at a playing picture; null while there is none. */
export function look(el: HTMLVideoElement): Advice | null {
  if (!el.videoWidth) return null;
  const canvas = document.createElement('canvas');
  canvas.width = size.width;
  canvas.height = size.height;
  const c = canvas.getContext('2d', { willReadFrequently: true });
  if (!c) return null;
  c.drawImage(el, 0, 0, size.width, size.height);
  return advise(measure(c.getImageData(0, 0, size.width, size.height).data, size.width, size.height));
}
