// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { ConnectionError, DisconnectReason, type Room, RoomEvent, Track, type TrackPublication } from 'livekit-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isPaused, plain } from '../../src/core/call/livekit';
import { type ConnectFailed, connect } from '../../src/core/call/session';
import type { CallEnd } from '../../src/core/call/types';

/** How the library's connect() goes in a test. */
const connecting = vi.hoisted(() => vi.fn<(room: Room, ...args: unknown[]) => Promise<void>>());

vi.mock('livekit-client', async (original) => {
  const real = await original<typeof import('livekit-client')>();
  class TestRoom extends real.Room {
    override connect = (...args: unknown[]) => connecting(this, ...args);
  }
  return { ...real, Room: TestRoom };
});

const { StreamState } = Track;

function pub(streamState: Track.StreamState, isMuted = false): TrackPublication {
  return { isMuted, track: { streamState } } as TrackPublication;
}

describe('paused pictures', () => {
  it('are those that the server holds back', () => {
    expect(isPaused(pub(StreamState.Paused))).toBe(true);
    expect(isPaused(pub(StreamState.Active))).toBe(false);
    expect(isPaused(pub(StreamState.Unknown))).toBe(false);
    expect(isPaused(undefined)).toBe(false);
    expect(isPaused({ isMuted: false } as TrackPublication)).toBe(false);
  });

  it('are no news where the camera is off', () => {
    expect(isPaused(pub(StreamState.Paused, true))).toBe(false);
  });

  it('are looked at when a state changes', () => {
    expect(plain).toContain(RoomEvent.TrackStreamStateChanged);
  });
});

describe('a call that does not come about', () => {
  const ended: CallEnd[] = [];
  const start = () =>
    connect({
      admission: { token: 't', url: '', identity: 'me' },
      url: 'wss://practice.example',
      name: 'Anna',
      media: { camera: null, microphone: null, speaker: '' },
      ended: (end) => ended.push(end),
    }).then(
      () => 'connected',
      (e) => (e as ConnectFailed).code,
    );
  beforeEach(() => {
    ended.length = 0;
    vi.stubGlobal('navigator', { onLine: true, userAgent: '' });
    vi.stubGlobal('document', { querySelectorAll: () => [] });
  });
  afterEach(() => {
    connecting.mockReset();
    vi.unstubAllGlobals();
  });

  it('asks the server to pause pictures and to tell', async () => {
    connecting.mockRejectedValueOnce(ConnectionError.internal('x'));
    await start();
    expect(connecting.mock.calls[0]?.[3]).toMatchObject({ subscriberAllowPause: true });
  });

  it('names the media path when that alone is missing', async () => {
    connecting.mockImplementationOnce(async (room) => {
      room.emit(RoomEvent.SignalConnected);
      // In this order the library tells of it.
      room.emit(RoomEvent.Disconnected, DisconnectReason.UNKNOWN_REASON);
      throw ConnectionError.internal('could not establish pc connection');
    });
    expect(await start()).toBe(33);
    expect(ended).toEqual([]);
  });

  it('ends at once when the room does', async () => {
    connecting.mockImplementationOnce((room) => {
      room.emit(RoomEvent.SignalConnected);
      room.emit(RoomEvent.Disconnected, DisconnectReason.PARTICIPANT_REMOVED);
      return new Promise(() => {});
    });
    expect(await start()).toBe(50);
    expect(ended).toEqual([]);
  });

  it('reads the reason that the library changed, not the name it left', async () => {
    connecting.mockImplementationOnce(async () => {
      const e = ConnectionError.serverUnreachable('could not establish signal connection');
      (e as { reason: unknown }).reason = ConnectionError.leaveRequest('x', 7).reason;
      throw e;
    });
    expect(await start()).toBe(40);
  });
});

describe('saving data', () => {
  const simulated: unknown[][] = [];
  let room: Room;
  const start = async () => {
    connecting.mockImplementationOnce(async (r) => {
      room = r;
      r.simulateScenario = async (...args: unknown[]) => void simulated.push(args);
    });
    return connect({
      admission: { token: 't', url: '', identity: 'me' },
      url: 'wss://practice.example',
      name: 'Anna',
      media: { camera: null, microphone: null, speaker: '' },
      ended: () => {},
    });
  };
  beforeEach(() => {
    simulated.length = 0;
    vi.stubGlobal('navigator', { onLine: true, userAgent: '' });
    vi.stubGlobal('document', { querySelectorAll: () => [] });
    vi.useFakeTimers();
  });
  afterEach(() => {
    room.emit(RoomEvent.Disconnected, DisconnectReason.CLIENT_INITIATED);
    connecting.mockReset();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is told to the server in bit/s, and again after a reconnect', async () => {
    const session = await start();
    await session.setSaver(500);
    expect(simulated).toEqual([['subscriber-bandwidth', 500_000]]);
    expect(session.snapshot.value.saver).toBe(500);
    room.emit(RoomEvent.Reconnected);
    await session.setSaver(0);
    room.emit(RoomEvent.Reconnected);
    expect(simulated.map((s) => s[1])).toEqual([500_000, 500_000, 0]);
    expect(session.snapshot.value.saver).toBe(0);
  });

  it('stays chosen where it cannot be told at the moment', async () => {
    const session = await start();
    room.simulateScenario = () => Promise.reject(new Error('closed'));
    await session.setSaver(250);
    expect(session.snapshot.value.saver).toBe(250);
  });
});
