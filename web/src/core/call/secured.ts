// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A call that is encrypted from end to end: the agreement on keys, the worker that has them, and the library's room, brought
// together. Frames of whom nothing is known, or that are not what they say, are dropped in the worker; nothing here could
// let them through.

import {
  type BaseE2EEManager,
  ParticipantEvent,
  type Room,
  RoomEvent,
  Track,
  type TrackPublication,
} from 'livekit-client';
import type { Dial } from '../api/socket';
import { Agreement } from '../e2ee/agreement';
import { Guard, guardedConnection, type Workshop } from '../e2ee/frames/guard';
import type { Order, Passage } from '../e2ee/frames/service';
import { transformOf } from '../e2ee/frames/support';
import workerURL from '../e2ee/frames/worker?worker&url';
import type { Bytes, StopReason } from '../e2ee/keys/types';
import type { PageKey } from '../e2ee/pagekey';
import type { ErrorCode } from '../flow/errors';
import type { Encryption } from './types';

/** What a page brings to a call that is encrypted. */
export interface SecureOptions {
  key: PageKey;
  /** The secret of the link, where it has one. */
  link?: Bytes;
  /** Of hosts: whether the page of this key is let in without asking. */
  welcome?: (key: string) => boolean;
}

/** What people say, as it travels between pages. */
export type Said =
  | { t: 'name'; name: string }
  | { t: 'chat'; id: string; text: string }
  | { t: 'manners'; data: unknown };

export interface SecuredEvents {
  changed(): void;
  heard(identity: string, said: Said): void;
  /** Everybody should be told again who we are. */
  renewed(): void;
  failed(code: ErrorCode): void;
}

/** What frames of a track say of themselves. */
const contents: Partial<Record<Track.Source, number>> = {
  [Track.Source.Microphone]: 1,
  [Track.Source.Camera]: 2,
  [Track.Source.ScreenShare]: 3,
  [Track.Source.ScreenShareAudio]: 4,
};

/** Milliseconds after which somebody with keys must have been seen. */
const unseenAfter = 20_000;

/** The part of the library's interface for encryption of one's own that its room asks for. */
class Manager implements BaseE2EEManager {
  isEnabled = true;
  isDataChannelEncryptionEnabled = false;
  setup(): void {}
  setupEngine(): void {}
  setParticipantCryptorEnabled(): void {}
  setSifTrailer(): void {}
  on(): this {
    return this;
  }
  encryptData(): Promise<never> {
    return Promise.reject(new Error('data goes another way'));
  }
  handleEncryptedData(): Promise<never> {
    return Promise.reject(new Error('data comes another way'));
  }
}

/** Why a call ends when its agreement on keys does. `lacking`: what is missing here is the secret of the link, for all one knows. */
function codeOf(reason: StopReason, lacking: boolean): ErrorCode {
  if (reason === 'removed') return 50;
  if (reason === 'link') return lacking ? 44 : 58;
  return reason === 'blocked' || reason === 'limit' || reason === 'internal' ? 55 : 56;
}

export class Secured {
  readonly #worker: Worker;
  readonly #guard: Guard;
  readonly #native = globalThis.RTCPeerConnection;
  readonly #agreement: Agreement;
  readonly #events: SecuredEvents;
  readonly #linked: boolean;
  /** Keys have been agreed on with somebody. */
  #agreed = false;
  readonly #names = new Map<string, string>();
  /** Since when somebody has had keys without being in the room. */
  readonly #unseen = new Map<string, number>();
  #room: Room | undefined;
  #me: string;
  #over = false;

  constructor(o: {
    secure: SecureOptions;
    url: string;
    identity: string;
    token(): string;
    events: SecuredEvents;
    dial?: Dial;
  }) {
    const way = transformOf(globalThis as never);
    if (!way) throw new Error('this browser gives no frames to a worker');
    this.#events = o.events;
    this.#me = o.identity;
    this.#linked = o.secure.link !== undefined;
    this.#worker = makeWorker();
    // What it reports needs no answer: a frame that it drops is not sent or shown, and a passage that ended passes nothing.
    this.#worker.onerror = () => this.#fail(55);
    const post = (order: Order, transfer: Transferable[] = []) => this.#worker.postMessage(order, transfer);
    const workshop: Workshop = {
      way,
      post,
      transform: (passage: Passage) => new RTCRtpScriptTransform(this.#worker, passage),
    };
    this.#guard = new Guard(workshop);
    globalThis.RTCPeerConnection = guardedConnection(this.#native, this.#guard, way);
    this.#agreement = new Agreement({
      url: o.url,
      identity: o.identity,
      token: o.token,
      key: o.secure.key,
      ...(o.secure.link && { link: o.secure.link }),
      ...(o.secure.welcome && { welcome: o.secure.welcome }),
      post,
      ...(o.dial && { dial: o.dial }),
      events: {
        changed: () => this.#changed(),
        heard: (identity, plain) => this.#heard(identity, plain),
        renewed: () => o.events.renewed(),
        stopped: (reason) => this.#fail(codeOf(reason, !this.#linked && !this.#agreed)),
        refused: (code) => this.#fail(code === 'room_closed' ? 51 : code === 'not_allowed' ? 50 : 55),
      },
    });
  }

  /** For the room's options. */
  readonly manager = new Manager();

  /** Binds the room's tracks to their owners' keys, as long as the room lives. */
  async attach(room: Room): Promise<void> {
    this.#room = room;
    await room.setE2EEEnabled(true);
    room.localParticipant.on(ParticipantEvent.LocalSenderCreated, (sender: RTCRtpSender, track: Track) => {
      const content = contents[track.source];
      const participant = this.#agreement.pid;
      this.#guard.assign(sender, content && participant ? { participant, content } : undefined);
    });
    room.on(RoomEvent.TrackSubscribed, (track, publication, participant) => {
      // Somebody says that this one is not encrypted: what comes would be dropped anyway, and is not even asked for.
      if (!publication.isEncrypted) publication.setSubscribed(false);
      this.#bind(track.receiver, publication, participant.identity);
    });
    room.on(RoomEvent.TrackUnsubscribed, (track) => {
      if (track.receiver) this.#guard.assign(track.receiver, undefined);
    });
    for (const e of [RoomEvent.Reconnecting, RoomEvent.SignalReconnecting, RoomEvent.Reconnected] as const) {
      room.on(e, () => this.#agreement.hurry());
    }
  }

  /** What people see of it. */
  get view(): Encryption {
    const a = this.#agreement;
    const { everCompared, people } = a.fresh;
    const { agreed } = a;
    const here = [...(this.#room?.remoteParticipants.keys() ?? [])];
    // Whoever is in the room without keys counts as well: what is not encrypted for them does not reach them.
    const all = a.others.every((p) => agreed.has(p.pid)) && here.every((identity) => a.pidOf(identity) !== undefined);
    return {
      state: a.waiting ? 'waiting' : all ? 'on' : 'securing',
      code: a.code,
      linked: this.#linked,
      verified: a.others.length > 0 && people.length === 0,
      fresh: everCompared ? people.map((p) => this.name(p.identity)).filter((n) => n !== '') : [],
      unseen: this.#ghosts(),
      asking: a.asking.map(({ pid, identity, host }) => ({ pid, host, name: this.#told(identity) })),
    };
  }

  /** Whether keys with a participant are missing. */
  securing(identity: string): boolean {
    const pid = this.#agreement.pidOf(identity);
    return pid === undefined || !this.#agreement.agreed.has(pid);
  }

  /** The name that somebody said under encryption; empty until then. The server's word for it counts nothing. */
  name(identity: string): string {
    return this.#names.get(identity) ?? '';
  }

  /** Keys come before pictures, and a line that is cut lets its owner vanish for a moment: only what lasts is told. */
  #ghosts(): string[] {
    const now = Date.now();
    const here = new Set(this.#room?.remoteParticipants.keys());
    const absent = this.#agreement.others.filter((p) => !here.has(p.identity));
    const pids = new Set(absent.map((p) => p.pid));
    for (const pid of this.#unseen.keys()) if (!pids.has(pid)) this.#unseen.delete(pid);
    for (const pid of pids) if (!this.#unseen.has(pid)) this.#unseen.set(pid, now);
    return absent
      .filter((p) => now - (this.#unseen.get(p.pid) ?? now) >= unseenAfter)
      .map((p) => this.name(p.identity));
  }

  #told(identity: string): string {
    return this.#room?.getParticipantByIdentity(identity)?.name ?? '';
  }

  /** To everybody, or to one participant; false where it is too long to be sent. */
  say(said: Said, identity?: string): boolean {
    return this.#agreement.say(new TextEncoder().encode(JSON.stringify(said)), identity);
  }

  confirm(): void {
    const { code } = this.#agreement;
    if (code) this.#agreement.confirm(code);
  }

  letIn(pid: string): void {
    this.#agreement.letIn(pid);
  }

  /** Ends it all: keys, worker, and the guard before new connections. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#agreement.close();
    this.#worker.terminate();
    globalThis.RTCPeerConnection = this.#native;
  }

  #fail(code: ErrorCode): void {
    if (this.#over) return;
    this.close();
    this.#events.failed(code);
  }

  #changed(): void {
    if (this.#over) return;
    this.#agreed ||= this.#agreement.agreed.size > 0;
    const room = this.#room;
    if (room) {
      for (const p of room.remoteParticipants.values()) {
        for (const pub of p.trackPublications.values()) this.#bind(pub.track?.receiver, pub, p.identity);
      }
      const participant = this.#agreement.pid;
      for (const pub of room.localParticipant.trackPublications.values()) {
        const content = contents[pub.source];
        const sender = pub.track?.sender;
        if (sender && content) this.#guard.assign(sender, participant ? { participant, content } : undefined);
      }
    }
    this.#events.changed();
  }

  #bind(receiver: RTCRtpReceiver | undefined, pub: TrackPublication, identity: string): void {
    if (!receiver) return;
    const participant = this.#agreement.pidOf(identity);
    const content = contents[pub.source];
    const known = participant && content && pub.isEncrypted && identity !== this.#me;
    this.#guard.assign(receiver, known ? { participant, content } : undefined);
  }

  #heard(identity: string, plain: Uint8Array): void {
    const said = decode(plain);
    if (!said) return;
    if (said.t === 'name') this.#names.set(identity, said.name);
    this.#events.heard(identity, said);
    this.#events.changed();
  }
}

declare const RTCRtpScriptTransform: new (worker: Worker, options: unknown) => unknown;

interface Policy {
  createScriptURL(of: string): unknown;
}

/** The page's policy for scripts allows this one address; it can be made once. */
let policy: Policy | undefined;

function makeWorker(): Worker {
  const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } };
  policy ??= trustedTypes?.createPolicy('videoroom', { createScriptURL: () => workerURL });
  return new Worker((policy?.createScriptURL('') ?? workerURL) as string, { type: 'module' });
}

const longestName = 64;

function decode(plain: Uint8Array): Said | null {
  try {
    const said: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain));
    if (typeof said !== 'object' || said === null) return null;
    const { t, name, id, text, data } = said as Record<string, unknown>;
    if (t === 'name' && typeof name === 'string') return { t, name: [...name].slice(0, longestName).join('') };
    if (t === 'chat' && typeof id === 'string' && typeof text === 'string') return { t, id: id.slice(0, 64), text };
    return t === 'manners' ? { t, data } : null;
  } catch {
    return null;
  }
}
