// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import {
  cameraLayers,
  cameraSize,
  large,
  layersOf,
  middle,
  modest,
  screenLayers,
  small,
} from '../../src/core/call/layers';

/** Headers of a packet beside its payload, in octets: IPv4, UDP, RTP with its extensions, and the tag of the cipher. */
const headers = 28 + 12 + 16 + 16;
const packet = 1100;
/** What the server wants to see beyond a picture before it gives it (its allocator's margin). */
const margin = 1.15;

/** What a picture takes of a line: at least one packet for each frame. */
function wire({ encoding: { maxBitrate, maxFramerate = 30 } }: typeof small): number {
  const packets = Math.max(maxFramerate, maxBitrate / 8 / packet);
  return maxBitrate + packets * headers * 8;
}

/** Opus at 32 kbit/s in 50 packets a second. */
const sound = 32_000 + 50 * headers * 8;
/** What is left for pictures beside sound, less the server's 1/32 for reports and repairs. */
const left = (line: number) => ((line - sound) * 31) / 32;

describe('the layers of a camera', () => {
  it('leave sound and the base of the smallest picture on a line of 100 kbit/s', () => {
    const [share, frames] = [0.4, 1 / 4]; // VP8's lowest of three temporal layers
    const base = small.encoding.maxBitrate * share + (small.encoding.maxFramerate ?? 0) * frames * headers * 8;
    expect(base * 1.05).toBeLessThan(left(100_000));
    expect(wire(small)).toBeLessThan(85_000);
  });

  it('give the middle picture on a line of 500 kbit/s', () => {
    expect(wire(middle) * margin).toBeLessThan(left(500_000));
  });

  it('give the whole picture of a modest camera there, too', () => {
    expect(wire({ encoding: modest } as typeof small) * margin).toBeLessThan(left(500_000));
    const camera = (width?: number, height?: number) => ({
      getSettings: () => ({ width, height }) as MediaTrackSettings,
    });
    expect(layersOf(camera(640, 480)).videoEncoding).toBe(modest);
    expect(layersOf(camera(480, 640)).videoEncoding).toBe(modest);
    expect(layersOf(camera(1280, 720))).toBe(cameraLayers);
    expect(layersOf(camera(720, 1280))).toBe(cameraLayers);
    expect(layersOf(camera())).toBe(cameraLayers);
  });

  it('fit a line of 2 Mbit/s up, all at once, with sound', () => {
    expect(wire(small) + wire(middle) + wire(large) + sound).toBeLessThan(2_100_000);
    expect(large.encoding.maxBitrate + middle.encoding.maxBitrate + small.encoding.maxBitrate).toBeLessThan(1_900_000);
  });

  it('grow in even steps from 180 to 720 lines', () => {
    expect([small, middle, large].map((p) => p.height)).toEqual([180, 360, 720]);
    expect(cameraLayers.videoSimulcastLayers).toEqual([small, middle]);
    expect(cameraLayers.videoEncoding).toBe(large.encoding);
    expect([large.width, large.height]).toEqual([cameraSize.width, cameraSize.height]);
    const rates = [small, middle, large].map((p) => p.encoding.maxBitrate);
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
  });

  it('never shrinks a screen, whatever its size', () => {
    for (const layer of screenLayers.screenShareSimulcastLayers) {
      expect(Math.min(layer.width, layer.height)).toBeGreaterThan(4320);
      expect(layer.encoding.maxBitrate).toBeLessThan(screenLayers.screenShareEncoding.maxBitrate / 2);
    }
  });
});
