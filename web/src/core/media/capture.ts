// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type ReadonlySignal, signal } from '@preact/signals-core';
import type { ErrorCode } from '../flow/errors';
import { fromMedia } from '../flow/failures';

export type Kind = 'camera' | 'microphone';
export type MediaCode = ReturnType<typeof fromMedia>;

export interface Device {
  id: string;
  label: string;
}

export interface Devices {
  camera: readonly Device[];
  microphone: readonly Device[];
  speaker: readonly Device[];
}

export interface CaptureState {
  camera: MediaStreamTrack | null;
  microphone: MediaStreamTrack | null;
  devices: Devices;
  hidden: readonly Kind[];
  /** Chosen speaker, empty for the system's. */
  speaker: string;
}

/** What a call takes over: live tracks that nobody else stops from then on. */
export interface Handover {
  camera: MediaStreamTrack | null;
  microphone: MediaStreamTrack | null;
  speaker: string;
}

export const cameraConstraints: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
  facingMode: 'user',
};

export const microphoneConstraints: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

type Media = Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices'>;

const none: Devices = { camera: [], microphone: [], speaker: [] };
export const kinds: readonly Kind[] = ['microphone', 'camera'];

/** Camera and microphone before a call. Owns its tracks until handOver(). */
export class Capture {
  readonly #state = signal<CaptureState>({ camera: null, microphone: null, devices: none, hidden: [], speaker: '' });
  readonly #media: Media | undefined;
  readonly #onEnded: (kind: Kind) => void;
  readonly #deviceId: Record<Kind, string> = { camera: '', microphone: '' };
  /** When capture was last asked for: a rejection right after it was no decision of a person. */
  #asked = 0;

  /** `ended`: a device went away under a running capture. */
  constructor(ended: (kind: Kind) => void, media: Media | undefined = navigator.mediaDevices) {
    this.#media = media;
    this.#onEnded = ended;
  }

  get state(): ReadonlySignal<CaptureState> {
    return this.#state;
  }

  /**
   * Asks once for what is wanted. When one of both devices cannot be used, the other one is kept: the answer is then
   * that device's code. Throws MediaRefused when nothing could be opened although something was wanted.
   */
  async open(wanted: readonly Kind[]): Promise<MediaCode | null> {
    this.stop();
    if (wanted.length === 0) return null;
    try {
      await this.#get(wanted);
      return null;
    } catch (both) {
      const code = await this.#explain(both, wanted);
      // 10 to 13 are decisions about both; 14 and 15 may concern one device only.
      if (wanted.length === 1 || code < 14) throw new MediaRefused(code);
      const opened = await this.#each(wanted);
      if (opened === 0) throw new MediaRefused(code);
      return code;
    }
  }

  /** Switches one device on; resolves to its code when that fails. */
  async on(kind: Kind): Promise<MediaCode | null> {
    try {
      await this.#get([kind]);
      return null;
    } catch (e) {
      return this.#explain(e, [kind]);
    }
  }

  off(kind: Kind): void {
    const track = this.#state.peek()[kind];
    if (!track) return;
    track.onended = null;
    track.stop();
    this.#patch({ [kind]: null });
  }

  /** Another camera or microphone; resolves to a code when it cannot be opened (the old one is closed then). */
  async use(kind: Kind, deviceId: string): Promise<MediaCode | null> {
    this.#deviceId[kind] = deviceId;
    this.off(kind);
    return this.on(kind);
  }

  useSpeaker(deviceId: string): void {
    this.#patch({ speaker: deviceId });
  }

  async refresh(): Promise<void> {
    const all = (await this.#media?.enumerateDevices().catch(() => [])) ?? [];
    this.#patch({ devices: sortDevices(all), hidden: hiddenKinds(all) });
  }

  handOver(): Handover {
    const { camera, microphone, speaker } = this.#state.peek();
    for (const track of [camera, microphone]) if (track) track.onended = null;
    this.#patch({ camera: null, microphone: null });
    return { camera, microphone, speaker };
  }

  stop(): void {
    for (const kind of kinds) this.off(kind);
  }

  async #get(wanted: readonly Kind[]): Promise<void> {
    if (!this.#media) throw new DOMException('no media devices', 'NotFoundError');
    let stream: MediaStream;
    this.#asked = performance.now();
    try {
      stream = await this.#media.getUserMedia(this.#constraints(wanted, true));
    } catch (e) {
      const chosen = wanted.some((k) => this.#deviceId[k]);
      if (!chosen || !(e instanceof Error || e instanceof DOMException) || e.name !== 'OverconstrainedError') throw e;
      for (const k of wanted) this.#deviceId[k] = '';
      stream = await this.#media.getUserMedia(this.#constraints(wanted, false));
    }
    this.#keep(stream);
    await this.refresh();
  }

  #constraints(wanted: readonly Kind[], exact: boolean): MediaStreamConstraints {
    const device = (k: Kind) => (exact && this.#deviceId[k] ? { deviceId: { exact: this.#deviceId[k] } } : {});
    return {
      audio: wanted.includes('microphone') && { ...microphoneConstraints, ...device('microphone') },
      video: wanted.includes('camera') && { ...cameraConstraints, ...device('camera') },
    };
  }

  #keep(stream: MediaStream): void {
    for (const track of stream.getTracks()) {
      const kind: Kind = track.kind === 'video' ? 'camera' : 'microphone';
      this.off(kind);
      track.onended = () => {
        this.off(kind);
        void this.refresh();
        this.#onEnded(kind);
      };
      this.#patch({ [kind]: track });
    }
  }

  async #each(wanted: readonly Kind[]): Promise<number> {
    let opened = 0;
    for (const kind of wanted) if ((await this.on(kind)) === null) opened++;
    return opened;
  }

  async #explain(error: unknown, wanted: readonly Kind[]): Promise<MediaCode> {
    const after = performance.now() - this.#asked;
    return fromMedia(error, { permission: await permission(wanted), blockedByPolicy: blockedByPolicy(), after });
  }

  #patch(p: Partial<CaptureState>): void {
    this.#state.value = { ...this.#state.peek(), ...p };
  }
}

export class MediaRefused extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(`capture refused (${code})`);
    this.name = 'MediaRefused';
    this.code = code;
  }
}

/** Devices without an id are hidden ones before permission: they cannot be chosen. */
export function sortDevices(all: readonly Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>[]): Devices {
  const of = (kind: MediaDeviceKind) =>
    all.filter((d) => d.kind === kind && d.deviceId).map((d) => ({ id: d.deviceId, label: d.label }));
  return { camera: of('videoinput'), microphone: of('audioinput'), speaker: of('audiooutput') };
}

/** Kinds of which there are devices that the browser does not name: nobody has allowed any yet. */
export function hiddenKinds(all: readonly Pick<MediaDeviceInfo, 'kind' | 'label'>[]): readonly Kind[] {
  return kinds.filter((k) => {
    const some = all.filter((d) => d.kind === (k === 'camera' ? 'videoinput' : 'audioinput'));
    return some.length > 0 && some.every((d) => !d.label);
  });
}

export function canChooseSpeaker(): boolean {
  return 'setSinkId' in HTMLMediaElement.prototype;
}

async function permission(wanted: readonly Kind[]): Promise<'granted' | 'denied' | 'prompt' | 'unknown'> {
  try {
    const states = await Promise.all(
      wanted.map(async (name) => (await navigator.permissions.query({ name: name as PermissionName })).state),
    );
    if (states.includes('denied')) return 'denied';
    return states.includes('prompt') ? 'prompt' : 'granted';
  } catch {
    return 'unknown';
  }
}

function blockedByPolicy(): boolean {
  const policy = (document as { featurePolicy?: { allowsFeature(f: string): boolean } }).featurePolicy;
  return window.top !== window && policy?.allowsFeature('camera') === false;
}
