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
import { fromBase64url } from '../e2ee/base64url';
import { cleanName } from '../e2ee/cleaned';
import { Guard, guardedConnection, type Workshop } from '../e2ee/frames/guard';
import type { Order, Passage } from '../e2ee/frames/service';
import { transformOf } from '../e2ee/frames/support';
import workerURL from '../e2ee/frames/worker?worker&url';
import type { StopReason } from '../e2ee/keys/types';
import type { PageKey } from '../e2ee/pagekey';
import type { ErrorCode } from '../flow/errors';
import { otherDoors } from './safety';
import type { Sound } from './slim';
import type { Encryption } from './types';

/** What a page brings to a call that is encrypted. */
export interface SecureOptions {
  key: PageKey;
  /** Of hosts: whether the page of this key is let in without asking. */
  welcome?: (key: string) => boolean;
  /** Of hosts: the names from the door, until people say theirs here. */
  door?: {
    /** By the key of a page. */
    of(key: string): string;
    /** By the identity in the room, as the server tells which page that is. */
    inside(identity: string): string;
    watch(changed: () => void): () => void;
  };
  /** Of everybody else: has the host told who this is, who is in the room and has no keys yet. */
  introduce?: (identity: string, token: string) => void;
  /** The pages for which this one sealed its name last, as the server told them. */
  doors?: () => readonly string[];
}

/** What people say, as it travels between pages. */
export type Said =
  | { t: 'name'; name: string }
  /** For which pages of the host one's name was sealed. */
  | { t: 'doors'; keys: readonly string[] }
  | { t: 'chat'; id: string; text: string }
  /** Whether the way down of who says it is narrow. */
  | { t: 'line'; narrow: boolean }
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

/** Why a call ends when its agreement on keys does. */
function codeOf(reason: StopReason): ErrorCode {
  if (reason === 'removed') return 50;
  return reason === 'blocked' || reason === 'limit' || reason === 'internal' ? 55 : 56;
}

export class Secured {
  readonly #worker: Worker;
  readonly #guard: Guard;
  readonly #native = globalThis.RTCPeerConnection;
  readonly #agreement: Agreement;
  readonly #events: SecuredEvents;
  readonly #names = new Map<string, string>();
  /** For which pages people sealed their names, as they say themselves. */
  readonly #doors = new Map<string, readonly string[]>();
  /** This page's own key, of hosts; nobody seals for others. */
  readonly #own: string;
  /** Since when somebody has had keys without being in the room. */
  readonly #unseen = new Map<string, number>();
  readonly #door: SecureOptions['door'];
  readonly #unwatch: (() => void) | undefined;
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
    this.#door = o.secure.door;
    this.#own = o.secure.welcome ? o.secure.key.id : '';
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
      ...(o.secure.welcome && { welcome: o.secure.welcome }),
      post,
      ...(o.dial && { dial: o.dial }),
      events: {
        changed: () => this.#changed(),
        met: () => o.secure.introduce?.(o.identity, o.token()),
        heard: (identity, plain) => this.#heard(identity, plain),
        renewed: () => {
          o.events.renewed();
          const keys = o.secure.doors?.() ?? [];
          if (keys.length > 0) this.say({ t: 'doors', keys });
        },
        stopped: (reason) => this.#fail(codeOf(reason)),
        refused: (code) => this.#fail(code === 'room_closed' ? 51 : code === 'not_allowed' ? 50 : 55),
      },
    });
    this.#unwatch = o.secure.door?.watch(() => o.events.changed());
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
      verified: a.others.length > 0 && people.length === 0,
      fresh: everCompared ? people.map((p) => this.name(p.identity)).filter((n) => n !== '') : [],
      unseen: this.#ghosts(),
      doors: this.#own
        ? otherDoors(
            this.#own,
            a.others.map((p) => this.#doors.get(p.identity) ?? []),
          )
        : 0,
      asking: a.asking.map((c) => ({ pid: c.pid, host: c.host, name: this.#askingName(c) })),
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

  /** Hosts are known by name; whoever else asks has sealed one for this page. */
  #askingName({ host, identity, key }: { host: boolean; identity: string; key: string }): string {
    return (host ? '' : this.#door?.of(key)) || this.told(identity);
  }

  /** Who that is by the door's word or the server's, as long as nothing can be seen or heard of them. */
  told(identity: string): string {
    return this.#door?.inside(identity) || (this.#room?.getParticipantByIdentity(identity)?.name ?? '');
  }

  /** To everybody, or to one participant; false where it is too long to be sent. */
  say(said: Said, identity?: string): boolean {
    return this.#agreement.say(new TextEncoder().encode(JSON.stringify(said)), identity);
  }

  /** Sends the microphone's sound like this from now on. */
  async send({ maxBitrate, length }: Sound): Promise<void> {
    const sender = this.#room?.localParticipant.getTrackPublication(Track.Source.Microphone)?.track?.sender;
    if (!sender) throw new Error('no sound is sent');
    this.#guard.soundLength = length;
    const p = sender.getParameters();
    const [encoding] = p.encodings;
    if (encoding) {
      encoding.maxBitrate = maxBitrate;
      await sender.setParameters(p);
    }
    // The length of packets is the other side's wish, and such wishes are read only where both sides describe themselves.
    await (this.#room as unknown as { engine?: { negotiate?(): Promise<void> } }).engine?.negotiate?.();
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
    this.#unwatch?.();
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
    if (said.t === 'doors') this.#doors.set(identity, said.keys);
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

function decode(plain: Uint8Array): Said | null {
  try {
    const said: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain));
    if (typeof said !== 'object' || said === null) return null;
    const { t, name, id, text, data, narrow, keys } = said as Record<string, unknown>;
    if (t === 'name') {
      const clean = cleanName(name);
      return clean === undefined ? null : { t, name: clean };
    }
    if (t === 'doors' && Array.isArray(keys)) return { t, keys: keys.filter((k) => fromBase64url(k)?.length === 32) };
    if (t === 'chat' && typeof id === 'string' && typeof text === 'string') return { t, id: id.slice(0, 64), text };
    if (t === 'line' && typeof narrow === 'boolean') return { t, narrow };
    return t === 'manners' ? { t, data } : null;
  } catch {
    return null;
  }
}
