// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What a key agreement owes to the rest of the program, so that another one (MLS) can take this one's place.

export type Bytes = Uint8Array<ArrayBuffer>;

/** A participant's pseudonym: the first 16 octets of SHA-256 of the identity key, in hexadecimal digits. */
export type Pid = string;

/**
 * Why a session stopped. None is repaired: the call is left, and joined anew with a new identity.
 *  - version, malformed: a message is not of this protocol
 *  - signature, commitment, decrypt: a message was made or changed by somebody else
 *  - link: a member has another secret of the link, or none where there is one here, or the other way round
 *  - ghost: somebody stands in the roster whom no host admitted
 *  - roster: the rosters that members were shown differ, or do not follow each other
 *  - returned: somebody who had left the roster is in it again
 *  - conflict: a member said two different things where only one is allowed
 *  - blocked: messages have not come for ten seconds
 *  - limit: more messages wait than can be kept
 *  - removed: we are no longer in the roster
 *  - closed: we ended it
 *  - internal: a fault of this program or of the browser
 */
export type StopReason =
  | 'version'
  | 'malformed'
  | 'signature'
  | 'commitment'
  | 'decrypt'
  | 'link'
  | 'ghost'
  | 'roster'
  | 'returned'
  | 'conflict'
  | 'blocked'
  | 'limit'
  | 'removed'
  | 'closed'
  | 'internal';

/** A participant's secret for its media, as frames name it by index. */
export interface SenderKey {
  epoch: number;
  generation: number;
  /** The generation modulo 256. */
  index: number;
  /** 256 bits; the frame cipher's key is derived from it. */
  secret: Bytes;
  /** 256 bits for everything else of the member that is content: words written, names, consent. */
  content: Bytes;
}

/** What people compare: four numbers below 2048, one for each word, and 60 digits for those who want more. */
export interface SafetyCode {
  epoch: number;
  words: [number, number, number, number];
  digits: string;
}

/** What the session does to its surroundings. Each is called by the session alone, one after the other. */
export interface KeyEvents {
  /** A message for one member, or for all. */
  send(message: Bytes, to: Pid | undefined): void;
  /** Frames of pid may carry this key from now on. For our own pid: it will be used, but not yet. */
  install(pid: Pid, key: SenderKey): void;
  /** Our frames are encrypted with this key from now on; undefined: nothing may be sent. */
  use(key: SenderKey | undefined): void;
  /** The key of this index is gone. */
  forget(pid: Pid, index: number): void;
  /** Everybody's part of a new safety code is there. */
  code(code: SafetyCode): void;
  /** These members have let us wait for five seconds. */
  waiting(pids: Pid[]): void;
  stopped(reason: StopReason): void;
}

/** A key agreement among the members of a call. Every method does nothing once it has stopped. */
export interface GroupKeys {
  /** A roster as the server passes it on. */
  onRoster(roster: Bytes): Promise<void>;
  /** A message of another member as the server passes it on. */
  onMessage(message: Bytes): Promise<void>;
  /** To be called at least twice a second. */
  tick(): Promise<void>;
  /** The newest key of a member in the epoch; of ourselves the one in use. */
  senderKey(epoch: number, pid: Pid): SenderKey | undefined;
  safetyCode(): SafetyCode | undefined;
  /** Ends it and forgets every key. */
  close(): Promise<void>;
}
