// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Small translations between LiveKit's terms and ours.

import {
  getLogger,
  type LocalParticipant,
  LoggerNames,
  type Participant,
  RoomEvent,
  Track,
  type TrackPublication,
} from 'livekit-client';
import type { DeviceKind, MicState } from './types';

// Not setLogLevel(): that one writes the level into the browser's storage.
for (const name of Object.values(LoggerNames)) getLogger(name).setDefaultLevel('error');

export const mediaKind: Readonly<Record<DeviceKind, MediaDeviceKind>> = {
  camera: 'videoinput',
  microphone: 'audioinput',
  speaker: 'audiooutput',
};

/** Events after which the picture of the call is simply taken anew. */
export const plain = [
  RoomEvent.TrackUnmuted,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
  RoomEvent.ActiveSpeakersChanged,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.AudioPlaybackStatusChanged,
  RoomEvent.MediaDevicesChanged,
  RoomEvent.TrackStreamStateChanged,
] as const;

export function nameOf(p: Participant): string {
  return p.name || p.identity;
}

export function micState(pub: TrackPublication | undefined): MicState {
  if (!pub) return 'none';
  return pub.isMuted ? 'muted' : 'on';
}

/** The server holds the picture back because this page's path does not carry it. */
export function isPaused(pub: TrackPublication | undefined): boolean {
  return !!pub?.track && !pub.isMuted && pub.track.streamState === Track.StreamState.Paused;
}

/** A picture of the person comes, or would. */
export function sendsCamera(p: Participant): boolean {
  const pub = p.getTrackPublication(Track.Source.Camera);
  return !!pub?.track && !pub.isMuted;
}

export function sourceOf(kind: DeviceKind): Track.Source {
  return kind === 'camera' ? Track.Source.Camera : Track.Source.Microphone;
}

/** Silence and a black picture in this very moment, before any message is exchanged. */
export function cutOff(me: LocalParticipant): void {
  for (const pub of me.trackPublications.values()) {
    if (pub.track) pub.track.mediaStreamTrack.enabled = false;
  }
}
