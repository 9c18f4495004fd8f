// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it, vi } from 'vitest';
import { Capture, hiddenKinds, kinds, MediaRefused, sortDevices } from '../../src/core/media/capture';
import { level, rms } from '../../src/core/media/meter';

class Track {
  onended: (() => void) | null = null;
  readyState = 'live';
  constructor(readonly kind: string) {}
  stop() {
    this.readyState = 'ended';
  }
}

const stream = (...tracks: Track[]) => ({ getTracks: () => tracks }) as unknown as MediaStream;
const failure = (name: string) => new DOMException('', name);

function setup(getUserMedia: (c: MediaStreamConstraints) => Promise<MediaStream>) {
  vi.stubGlobal('document', {});
  vi.stubGlobal('window', {});
  const ended: string[] = [];
  const media = { getUserMedia: vi.fn(getUserMedia), enumerateDevices: async () => [] };
  return { capture: new Capture((k) => ended.push(k), media), media, ended };
}

const willing = async (c: MediaStreamConstraints) =>
  stream(...[c.video && new Track('video'), c.audio && new Track('audio')].filter((x) => x instanceof Track));

describe('Capture', () => {
  it('asks once for both and hands over live tracks', async () => {
    const { capture, media } = setup(willing);
    expect(await capture.open(kinds)).toBeNull();
    expect(media.getUserMedia).toHaveBeenCalledTimes(1);
    const { camera, microphone } = capture.handOver();
    expect([camera?.readyState, microphone?.readyState]).toEqual(['live', 'live']);
    capture.stop();
    expect([camera?.readyState, microphone?.readyState]).toEqual(['live', 'live']);
  });

  it('keeps the microphone when there is no camera', async () => {
    const { capture } = setup(async (c) => {
      if (c.video) throw failure('NotFoundError');
      return willing(c);
    });
    expect(await capture.open(kinds)).toBe(15);
    expect(capture.state.value.camera).toBeNull();
    expect(capture.state.value.microphone).not.toBeNull();
  });

  it('refuses when nothing can be opened', async () => {
    const { capture } = setup(async () => {
      throw failure('NotReadableError');
    });
    await expect(capture.open(kinds)).rejects.toMatchObject({ code: 14 });
    await expect(capture.open(['microphone'])).rejects.toBeInstanceOf(MediaRefused);
  });

  it('does not ask again behind the back of a refusal', async () => {
    const { capture, media } = setup(async () => {
      throw failure('NotAllowedError');
    });
    await expect(capture.open(kinds)).rejects.toMatchObject({ code: 10 });
    expect(media.getUserMedia).toHaveBeenCalledTimes(1);
  });

  it('asks for nothing when nothing is wanted', async () => {
    const { capture, media } = setup(willing);
    expect(await capture.open([])).toBeNull();
    expect(media.getUserMedia).not.toHaveBeenCalled();
  });

  it('forgets a device that is gone', async () => {
    const { capture, media } = setup(async (c) => {
      const video = c.video as MediaTrackConstraints;
      if (video.deviceId) throw failure('OverconstrainedError');
      return willing(c);
    });
    expect(await capture.use('camera', 'gone')).toBeNull();
    expect(media.getUserMedia).toHaveBeenCalledTimes(2);
    expect(capture.state.value.camera).not.toBeNull();
  });

  it('tells when a device goes away', async () => {
    const { capture, ended } = setup(willing);
    await capture.open(kinds);
    (capture.state.value.camera as unknown as Track).onended?.();
    expect(ended).toEqual(['camera']);
    expect(capture.state.value.camera).toBeNull();
  });
});

describe('devices and level', () => {
  it('lists only devices that can be chosen', () => {
    const d = sortDevices([
      { kind: 'videoinput', deviceId: 'v', label: 'Cam' },
      { kind: 'audioinput', deviceId: '', label: '' },
      { kind: 'audiooutput', deviceId: 's', label: '' },
    ]);
    expect(d).toEqual({ camera: [{ id: 'v', label: 'Cam' }], microphone: [], speaker: [{ id: 's', label: '' }] });
  });

  it('knows which devices nobody has allowed yet', () => {
    const hidden = { kind: 'audioinput', label: '' } as const;
    const named = { kind: 'videoinput', label: 'Cam' } as const;
    expect(hiddenKinds([])).toEqual([]);
    expect(hiddenKinds([hidden, named])).toEqual(['microphone']);
    expect(hiddenKinds([{ ...hidden, label: 'Mic' }, hidden, { ...named, label: '' }])).toEqual(['camera']);
  });

  it('measures', () => {
    expect(rms([])).toBe(0);
    expect(rms([0.5, -0.5])).toBeCloseTo(0.5);
    expect(level(0)).toBe(0);
    expect(level(0.001)).toBeCloseTo(0);
    expect(level(1)).toBe(1);
    expect(level(0.05)).toBeGreaterThan(0.6);
  });
});
