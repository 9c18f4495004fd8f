// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { WaitingFrame } from '../api/types';
import type { ErrorCode } from './errors';

/** What the door says beside "wait". */
export type DoorNews = Pick<WaitingFrame, 'locked' | 'back' | 'messages' | 'offer' | 'moved'>;

export type Want = 'both' | 'audio' | 'none';

/** Every state has one screen, one heading, one announcement. */
export type State =
  | { at: 'primer' }
  | { at: 'asking'; want: Want }
  | { at: 'blocked'; code: ErrorCode; want: Want }
  | { at: 'check'; note: ErrorCode | null }
  | { at: 'knocking'; interrupted: boolean }
  | { at: 'waiting'; hostPresent: boolean; interrupted: boolean; since: number; news?: DoorNews | undefined }
  | { at: 'connecting' }
  | { at: 'call' }
  | { at: 'ended'; code: ErrorCode | null; seconds: number; mayReturn: boolean }
  | { at: 'fatal'; code: ErrorCode };

export type Event =
  | { on: 'ask'; want: Want }
  /** Capture is decided: `note` names a device that did not come along. */
  | { on: 'ready'; note: ErrorCode | null }
  | { on: 'refused'; code: ErrorCode }
  | { on: 'join' }
  | { on: 'waiting'; hostPresent: boolean; now: number; news?: DoorNews }
  | { on: 'interrupted' }
  | { on: 'withdraw' }
  | { on: 'admitted' }
  /** The host put this page back: it asks for its place at the door. */
  | { on: 'back' }
  | { on: 'connected' }
  | { on: 'left'; seconds: number; mayReturn: boolean }
  | { on: 'lost'; code: ErrorCode; seconds: number }
  | { on: 'fail'; code: ErrorCode };

type Step = (s: never, e: never) => State;

/** Coming back keeps name and devices and goes straight to the door, or into the call while the token is good. */
const again: { [E in Event['on']]?: Step } = {
  ask,
  join: () => ({ at: 'knocking', interrupted: false }),
  admitted: () => ({ at: 'connecting' }),
};

/** The whole flow after the link is known to be good: a pair that does not stand here changes nothing. */
const table: { [A in State['at']]?: { [E in Event['on']]?: Step } } = {
  primer: { ask },
  blocked: { ask },
  asking: {
    ready: (_: State, e: Extract<Event, { on: 'ready' }>) => ({ at: 'check', note: e.note }),
    refused: (s: Extract<State, { at: 'asking' }>, e: Extract<Event, { on: 'refused' }>) => ({
      at: 'blocked',
      code: e.code,
      want: s.want,
    }),
  },
  check: { join: () => ({ at: 'knocking', interrupted: false }), ask },
  knocking: {
    waiting,
    admitted: () => ({ at: 'connecting' }),
    interrupted: () => ({ at: 'knocking', interrupted: true }),
    withdraw: () => ({ at: 'check', note: null }),
    lost,
  },
  waiting: {
    waiting,
    admitted: () => ({ at: 'connecting' }),
    interrupted: (s: Extract<State, { at: 'waiting' }>) => ({ ...s, interrupted: true }),
    withdraw: () => ({ at: 'check', note: null }),
  },
  connecting: { connected: () => ({ at: 'call' }), back, lost },
  call: {
    back,
    left: (_: State, e: Extract<Event, { on: 'left' }>) => ({
      at: 'ended',
      code: null,
      seconds: e.seconds,
      mayReturn: e.mayReturn,
    }),
    lost,
  },
  ended: { ...again },
  fatal: { ...again },
};

export function step(s: State, e: Event): State {
  if (e.on === 'fail') return { at: 'fatal', code: e.code };
  const next = table[s.at]?.[e.on] as ((s: State, e: Event) => State) | undefined;
  return next ? next(s, e) : s;
}

function ask(_: State, e: Extract<Event, { on: 'ask' }>): State {
  return { at: 'asking', want: e.want };
}

function waiting(s: State, e: Extract<Event, { on: 'waiting' }>): State {
  const since = s.at === 'waiting' ? s.since : e.now;
  return { at: 'waiting', hostPresent: e.hostPresent, interrupted: false, since, news: e.news };
}

function back(): State {
  return { at: 'knocking', interrupted: false };
}

function lost(_: State, e: Extract<Event, { on: 'lost' }>): State {
  return { at: 'ended', code: e.code, seconds: e.seconds, mayReturn: false };
}
