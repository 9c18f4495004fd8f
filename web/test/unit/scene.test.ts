// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { advise, measure } from '../../src/core/check/scene';

type Colour = readonly [number, number, number];
const [w, h] = [64, 48];

/** A picture painted by a function of the place, both from 0 to 1. */
function picture(colour: (x: number, y: number) => Colour): ReturnType<typeof measure> {
  const p = new Uint8ClampedArray(w * h * 4);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) p.set([...colour(x / w, y / h), 255], (y * w + x) * 4);
  }
  return measure(p, w, h);
}

const wall: Colour = [120, 130, 150];
const skins: readonly Colour[] = [
  [232, 190, 172],
  [198, 134, 66],
  [141, 85, 56],
  [92, 56, 40],
];
const head = (cx: number, cy: number, r: number, skin: Colour) => (x: number, y: number) =>
  (x - cx) ** 2 + ((y - cy) * 0.75) ** 2 < r * r ? skin : wall;

describe('advice on the picture', () => {
  it('finds a well placed face good, whatever its shade', () => {
    for (const skin of skins) expect(advise(picture(head(0.5, 0.42, 0.16, skin))), String(skin)).toBe('good');
  });

  it('tells who sits far away, too close, or low in the picture', () => {
    for (const skin of skins) {
      expect(advise(picture(head(0.5, 0.4, 0.045, skin))), String(skin)).toBe('far');
      expect(advise(picture(head(0.5, 0.5, 0.33, skin))), String(skin)).toBe('close');
      expect(advise(picture(head(0.5, 0.9, 0.17, skin))), String(skin)).toBe('low');
    }
  });

  it('tells about the light', () => {
    expect(advise(picture(() => [0, 0, 0]))).toBe('black');
    expect(advise(picture((x) => (x > 0.5 ? [30, 25, 22] : [20, 20, 20])))).toBe('dark');
    expect(advise(picture(() => [250, 250, 250]))).toBe('bright');
    const window = (x: number, y: number): Colour => (x > 0.3 && x < 0.7 && y > 0.2 ? [40, 35, 33] : [220, 225, 235]);
    expect(advise(picture(window))).toBe('backlit');
  });

  it('finds no fault where it sees nobody', () => {
    expect(advise(picture(() => wall))).toBe('good');
  });
});
