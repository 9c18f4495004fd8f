// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ReadonlySignal } from '@preact/signals-core';
import type { SafetyCode } from '../e2ee/keys/types';
import type { ErrorCode } from '../flow/errors';
import type { Connection } from './connection';

// What a call looks like from outside. The views know this file only; the media library stands behind session.ts.

export type MicState = 'on' | 'muted' | 'none';
export type DeviceKind = 'camera' | 'microphone' | 'speaker';

/** A picture that can be shown in a video element. The id changes when the track does. */
export interface Picture {
  readonly id: string;
  attach(el: HTMLVideoElement): void;
  detach(el: HTMLVideoElement): void;
}

export interface Member {
  identity: string;
  name: string;
  local: boolean;
  speaking: boolean;
  microphone: MicState;
  camera: Picture | null;
  screen: Picture | null;
  /** The picture does not come at the moment, because of the own path, or because it waits; it comes back by itself. */
  cameraPaused: boolean;
  /** The picture has its turn when the person speaks: more cameras are on than are shown at once. */
  waits: boolean;
  screenPaused: boolean;
  weak: boolean;
  /** What the person says of the place they are in: alone there or not, null when nothing was said. */
  alone: boolean | null;
  /** Somebody has come in there; sound and picture are off for that. */
  company: boolean;
  /** Keys with this person are not agreed on yet: nothing of theirs can be shown, nothing of ours reaches them. */
  securing: boolean;
}

/** End-to-end encryption of the call, as people see it. */
export interface Encryption {
  /**
   * `waiting`: nobody is there who can begin it, the host has not come yet; `securing`: keys are being agreed on;
   * `on`: everybody in the call has everybody's keys. Nothing is ever sent unencrypted.
   */
  state: 'waiting' | 'securing' | 'on';
  /** What to compare; null while there is nobody else, or nothing is agreed on yet. */
  code: SafetyCode | null;
  /** What is agreed on needs the secret in the link: whoever has no part in that was never in between. */
  linked: boolean;
  /** Everybody who is here has been compared with, here on this page. */
  verified: boolean;
  /** Those who came since the last comparison; empty where none was made. */
  fresh: readonly string[];
  /** Those who have had keys for a while without being seen in the room, by name; empty for who has not said one. */
  unseen: readonly string[];
  /** Pages beside this host's that names were sealed for at the door: another window or device, or somebody who reads along. */
  doors: number;
  /** Those who are let in once this host says so; the name is their page's or, of hosts, the server's word. Empty for everybody else. */
  asking: readonly { pid: string; name: string; host: boolean }[];
}

export interface ChatLine {
  id: string;
  /** Empty for one's own lines. */
  from: string;
  text: string;
  at: number;
}

export interface CallSnapshot {
  phase: 'live' | 'reconnecting';
  /** Epoch milliseconds. */
  startedAt: number;
  local: Member;
  /** In order of arrival, so that nothing jumps. */
  remotes: readonly Member[];
  cameraOn: boolean;
  sharing: boolean;
  /** The browser plays no sound until somebody clicks. */
  audioBlocked: boolean;
  chat: readonly ChatLine[];
  /** The most that this page asks to receive, in kbit/s; 0 is no bound. */
  saver: number;
  active: Readonly<Record<DeviceKind, string>>;
  /** Null in a room without end-to-end encryption. */
  encryption: Encryption | null;
}

export type Notice =
  | { kind: 'joined' | 'gone'; name: string }
  | { kind: 'mutedByHost' }
  /** Somebody came in at the place of one of the others, or has left it again. */
  | { kind: 'company'; name: string; on: boolean }
  | { kind: 'deviceSwitched'; device: DeviceKind }
  | { kind: 'failed'; code: ErrorCode }
  | { kind: 'message'; from: string };

export interface CallSession {
  readonly snapshot: ReadonlySignal<CallSnapshot>;
  /** Returns the function that ends the subscription. */
  onNotice(fn: (n: Notice) => void): () => void;
  setMicrophone(on: boolean): Promise<void>;
  setCamera(on: boolean): Promise<void>;
  setShare(on: boolean): Promise<void>;
  use(kind: DeviceKind, id: string): Promise<void>;
  /** Bounds what is received, in kbit/s; 0 takes the bound away. Pictures shrink or pause for it, sound does not. */
  setSaver(kbits: number): Promise<void>;
  /** Tells what the server knows of this page's media path, null when it does not answer, until the returned function is called. */
  watchConnection(tell: (c: Connection | null) => void): () => void;
  say(text: string): Promise<void>;
  /** Tells the others whether one is alone in one's place. */
  declareAlone(alone: boolean): void;
  /** Somebody comes in: tells the others, and switches sound and picture off; afterwards on again what was on. */
  setCompany(on: boolean): Promise<void>;
  /** The people compared the words: they are equal, or they are not, which ends the call at once. */
  compared(equal: boolean): void;
  /** This host's word for somebody who asks. */
  letIn(pid: string): void;
  /** Ends capture and connection at once, without a word. */
  stopNow(): void;
  startAudio(): Promise<void>;
  leave(): Promise<void>;
}

/** How a call ended: null is a hang-up of one's own. */
export interface CallEnd {
  code: ErrorCode | null;
  seconds: number;
  /** Newest media token, as long as it may still be used to come back. */
  token: string;
  /** Epoch milliseconds of that token. */
  tokenAt: number;
  /** What was switched on at the end: coming back never switches on more. */
  on: { camera: boolean; microphone: boolean };
}
