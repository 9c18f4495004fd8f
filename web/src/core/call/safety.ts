// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What a call's encryption means to people: one state for the lock, and the steps of comparing the words.

import type { SafetyCode } from '../e2ee/keys/types';
import type { CallSnapshot, Encryption } from './types';

/**
 * `server`: encrypted as far as the server only; `alone`: on, and nobody is there to compare with; `open`: on, never
 * compared; `again`: somebody has come since the words were compared; `verified`: compared with everybody who is here.
 */
export type LockState = 'server' | 'waiting' | 'securing' | 'alone' | 'open' | 'again' | 'verified';

export function lockState(e: Encryption | null): LockState {
  if (!e) return 'server';
  if (e.state !== 'on') return e.state;
  if (!e.code) return 'alone';
  if (e.fresh.length) return 'again';
  return e.verified ? 'verified' : 'open';
}

/** `wait`: there are no words at the moment; `changed`: they are not those that the people have begun to read. */
export type CompareStep = 'wait' | 'changed' | 'words';

/** `seen`: the digits of the code that stands on the screen; empty before the first. */
export function compareStep(seen: string, code: SafetyCode | null): CompareStep {
  if (!code) return 'wait';
  return seen && seen !== code.digits ? 'changed' : 'words';
}

/** True where the code that was read still is the call's: an answer counts for no other. */
export function stillCurrent(seen: string, s: CallSnapshot): boolean {
  return seen !== '' && s.encryption?.code?.digits === seen;
}

/** How many pages beside a host's own could read names at the door, as those say who sealed them. */
export function otherDoors(own: string, told: readonly (readonly string[])[]): number {
  const all = new Set(told.flat());
  all.delete(own);
  return all.size;
}

/** Digits in groups of five. */
export function digitGroups(digits: string): string[] {
  return digits.match(/\d{1,5}/g) ?? [];
}

/** Those whom nothing reaches yet, by name. */
export function unsecured(s: CallSnapshot): string[] {
  return s.remotes.filter((m) => m.securing).map((m) => m.name);
}
