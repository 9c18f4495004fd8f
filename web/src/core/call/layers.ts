// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The sizes in which a camera is sent, all at once, so that everybody gets the one that their line carries.

import { VideoPreset, VideoPresets } from 'livekit-client';

/**
 * For a line that carries 100 kbit/s down: speech with its headers takes about 60 of them. Chromium encodes three
 * temporal layers, so that the picture goes on there at a half or a quarter of the frames; where everything fits it
 * takes 80 with its headers.
 */
export const small = new VideoPreset(320, 180, 70_000, 15);

/** For a line of 500 kbit/s: sound, this picture, and a third to spare, which the server wants to see before it rises. */
export const middle = new VideoPreset(640, 360, 320_000, 20);

/** With the two others and sound it stays below 2 Mbit/s up, the line of a practice. */
export const large = new VideoPreset(
  VideoPresets.h720.resolution.width,
  VideoPresets.h720.resolution.height,
  1_500_000,
  30,
);

/** For a camera that has no more than some 480 lines: its largest picture is everybody's middle one. */
export const modest = { maxBitrate: 340_000, maxFramerate: 25 };

/** What the camera is asked for. */
export const cameraSize = VideoPresets.h720.resolution;

/** The part of the library's publish options that concerns a camera's layers, lowest first. */
export const cameraLayers = {
  simulcast: true,
  videoEncoding: large.encoding,
  videoSimulcastLayers: [small, middle],
};

/** The same for a camera that is on already. Below this many pixels a row the library sends two layers, not three. */
export function layersOf(camera: Pick<MediaStreamTrack, 'getSettings'>): typeof cameraLayers {
  const { width = large.width, height = large.height } = camera.getSettings();
  return Math.max(width, height) >= 960 ? cameraLayers : { ...cameraLayers, videoEncoding: modest };
}

/**
 * A shared screen keeps its size for everybody, since text of half the size cannot be read: for narrow lines there are
 * fewer pictures a second, and sharpness comes later after a change. 1 Mbit/s down carries the first of them beside
 * sound and a small camera.
 */
export const screenLayers = {
  screenShareEncoding: { maxBitrate: 2_000_000, maxFramerate: 15 },
  // Larger than any screen: the library never makes a picture larger, and so keeps the size.
  screenShareSimulcastLayers: [new VideoPreset(15_360, 8_640, 600_000, 8)],
};
