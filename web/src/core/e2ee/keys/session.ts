// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The state machine of vr-e2ee-1. Rosters, messages and time come in; messages, keys and the safety code go out. Whatever
// is not as it must be stops it: there is no way back to a call without encryption. It is
// longer than others because its transitions are to be read together.

import { OwnKey, senderKeyOf } from './own';
import { PairChannel } from './pair';
import {
  codeOf,
  encapsulate,
  type Identity,
  identityOf,
  linkMark,
  pairInfo,
  pidOf,
  sha256,
  signatureHolds,
} from './primitives';
import { checkRoster, knockBytes, knockHash, type Member, type Members, rosterHash, Stop, signedBytes } from './roster';
import { commitmentOf, Round } from './round';
import { SenderKeys } from './senders';
import type { Bytes, GroupKeys, KeyEvents, Pid, SafetyCode, SenderKey, StopReason } from './types';
import {
  type Ack,
  type Admit,
  type Commit,
  compare,
  decode,
  decodeRoster,
  type Entry,
  encode,
  hex,
  type Key,
  type Knock,
  type Message,
  type Pair,
  type Reveal,
  type Role,
  type Roster,
  WireError,
} from './wire';

/** Milliseconds. */
export const times = { waiting: 5_000, blocked: 10_000, mute: 3_000, rotation: 600_000 } as const;
/** Messages that may wait for others to come first. */
export const maxWaiting = 512;

export interface SessionOptions {
  /** The secret of the link, 16 octets; all members have the same. */
  link: Bytes;
  /** The pid of the host as the link names it. Without one we are that host, and the call is ours. */
  host?: Bytes;
  events: KeyEvents;
  /** Milliseconds that only grow. */
  now(): number;
  random(octets: number): Bytes;
}

/** An identity and its knock, before it is known whose call it will be. */
export interface Newcomer {
  me: Identity;
  knock: Bytes;
}

type Outcome = 'done' | 'wait';
const noSignature = new Uint8Array(64);
const nothing = new Uint8Array(32);

export class Session implements GroupKeys {
  #turn: Promise<void> = Promise.resolve();
  #stopped: StopReason | undefined;

  #members: Members = new Map();
  readonly #gone = new Set<Pid>();
  #epoch = 0;
  #roster: Bytes = nothing;
  #rosterOctets = '';
  #round: Round | undefined;
  #nonce: Bytes | undefined;
  #code: SafetyCode | undefined;

  readonly #pairs = new Map<Pid, PairChannel>();
  readonly #waiting = new Map<string, Message>();
  readonly #keys: SenderKeys;
  readonly #own: OwnKey;
  #began = 0;
  #rotated = 0;
  #told = false;

  private constructor(
    private readonly options: SessionOptions,
    private readonly me: Identity,
    readonly knock: Bytes,
    private call: Bytes | undefined,
  ) {
    this.#keys = new SenderKeys(options.events);
    this.#own = new OwnKey(options.events);
  }

  /** Makes an identity for one call. */
  static async newcomer(random: SessionOptions['random']): Promise<Newcomer> {
    const me = await identityOf(random(32), random(32));
    const knock: Knock = { type: 'knock', id: me.id, kem: me.kem, sig: noSignature };
    knock.sig = await me.sign(knockBytes(knock));
    return { me, knock: encode(knock) };
  }

  /** Begins with an identity, which must not have been used before. */
  static async create(options: SessionOptions, newcomer?: Newcomer): Promise<Session> {
    const { me, knock } = newcomer ?? (await Session.newcomer(options.random));
    const call = options.host ? undefined : options.random(32);
    return new Session(options, me, knock, call);
  }

  get pid(): Pid {
    return hex(this.me.pid);
  }

  get stopped(): StopReason | undefined {
    return this.#stopped;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Those in the newest roster, this page among them. */
  get members(): Pid[] {
    return [...this.#members.keys()];
  }

  /** Those whose key of this epoch is here, and who have ours or were sent it in time. */
  get agreed(): Pid[] {
    const missing = new Set(this.#missing());
    return this.#epoch === 0 || !this.#code ? [] : this.#others().filter((pid) => !missing.has(pid));
  }

  /** Stands for the newest roster; who makes the next one needs it. */
  get rosterHash(): Bytes {
    return this.#roster.slice();
  }

  /**
   * A host's word that somebody may come in, from that one's knock. The first host admits itself too. Throws Stop for a
   * knock that is none, and where we are no host.
   */
  async admit(knock: Bytes, role: Role): Promise<Bytes> {
    const k = decode(knock);
    const host = !this.options.host || this.#members.get(this.pid)?.role === 1;
    if (!this.call || !host) throw new Stop('ghost');
    if (k.type !== 'knock') throw new Stop('malformed');
    if (!(await signatureHolds(k.id, k.sig, knockBytes(k)))) throw new Stop('signature');
    const pid = (await sha256(k.id)).slice(0, 16);
    const signer = this.me.id;
    const admit: Admit = {
      type: 'admit',
      call: this.call,
      pid,
      role,
      knock: await knockHash(k),
      signer,
      sig: noSignature,
    };
    admit.sig = await this.me.sign(signedBytes(this.call, admit));
    return encode(admit);
  }

  onRoster(roster: Bytes): Promise<void> {
    return this.#run(async () => {
      const decoded = decodeRoster(roster);
      if (decoded.epoch < this.#epoch || hex(roster) === this.#rosterOctets) return;
      await this.#enter(decoded);
      this.#rosterOctets = hex(roster);
      await this.#proceed();
    });
  }

  onMessage(message: Bytes): Promise<void> {
    return this.#run(async () => {
      const decoded = decode(message);
      if ((await this.#handle(decoded)) === 'wait') this.#keep(message, decoded);
      else await this.#proceed();
    });
  }

  tick(): Promise<void> {
    return this.#run(async () => {
      const now = this.options.now();
      this.#own.settle(now);
      this.#keys.expire(now, this.#own.using);
      if (this.#epoch === 0) return;
      const missing = this.#missing();
      if (missing.length === 0) {
        if (now - this.#rotated >= times.rotation) await this.#rotate();
      } else if (now - this.#began >= times.blocked) throw new Stop('blocked');
      else if (now - this.#began >= times.waiting && !this.#told) {
        this.#told = true;
        this.options.events.waiting(missing);
      }
    });
  }

  senderKey(epoch: number, pid: Pid): SenderKey | undefined {
    const key = pid === this.pid ? this.#own.using : this.#keys.newest(pid);
    return key?.epoch === epoch ? key : undefined;
  }

  safetyCode(): SafetyCode | undefined {
    return this.#code;
  }

  close(): Promise<void> {
    return this.#run(async () => this.#stop('closed'));
  }

  #run(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (this.#stopped) return;
      try {
        await work();
      } catch (e) {
        this.#stop(e instanceof Stop || e instanceof WireError ? e.reason : 'internal');
      }
    });
    return this.#turn;
  }

  #stop(reason: StopReason): void {
    this.#stopped = reason;
    this.#own.stop();
    this.#keys.clear();
    for (const pair of this.#pairs.values()) pair.wipe();
    this.#pairs.clear();
    this.#waiting.clear();
    this.#nonce?.fill(0);
    this.#code = undefined;
    this.options.events.stopped(reason);
  }

  /** Others who have not given us all that the epoch needs. */
  #missing(): Pid[] {
    const silent = new Set(this.#round?.missing);
    for (const pid of this.#others()) {
      if (this.#keys.newest(pid)?.epoch !== this.#epoch || this.#own.coming?.unsent.has(pid)) silent.add(pid);
    }
    silent.delete(this.pid);
    return [...silent];
  }

  #others(): Pid[] {
    return [...this.#members.keys()].filter((pid) => pid !== this.pid);
  }

  /** Checks a new roster and begins its epoch. */
  async #enter(roster: Roster): Promise<void> {
    const mine = roster.entries.find((e) => compare(e.admit.pid, this.me.pid) === 0);
    if (!mine) throw new Stop(this.#epoch > 0 ? 'removed' : 'roster');
    if (compare(encode(mine.knock), this.knock) !== 0) throw new Stop('roster');
    const first = this.#epoch === 0;
    const follows = first || (roster.epoch === this.#epoch + 1 && compare(roster.previous, this.#roster) === 0);
    const begins = roster.epoch !== 1 || compare(roster.previous, nothing) === 0;
    if (!follows || !begins || roster.epoch === 0) throw new Stop('roster');
    this.call ??= mine.admit.call;
    const members = await checkRoster(roster, this.call, this.options.host ?? this.me.pid, this.#members);
    for (const pid of members.keys()) if (this.#gone.has(pid)) throw new Stop('returned');
    await this.#begin(roster, members, this.call);
  }

  async #begin(roster: Roster, members: Members, call: Bytes): Promise<void> {
    const now = this.options.now();
    const left = [...this.#members.keys()].filter((pid) => !members.has(pid));
    for (const pid of left) {
      this.#gone.add(pid);
      this.#pairs.get(pid)?.wipe();
      this.#pairs.delete(pid);
      this.#keys.remove(pid);
    }
    if (left.length > 0) this.#own.muteAt(now + times.mute);
    this.#own.abandon();
    this.#members = members;
    this.#epoch = roster.epoch;
    this.#roster = await rosterHash(call, roster.epoch, members, roster.previous);
    this.#round = new Round(members, this.#roster);
    this.#began = now;
    this.#told = false;
    this.#code = undefined;
    this.#nonce = this.options.random(32);
    await this.#commit(this.#round, this.#nonce, call);
    for (const member of members.values()) await this.#pairWith(member, call);
  }

  async #commit(round: Round, nonce: Bytes, call: Bytes): Promise<void> {
    const commitment = await commitmentOf(this.#roster, this.me.pid, nonce);
    round.commit(this.pid, commitment);
    const head = { from: this.me.pid, epoch: this.#epoch, roster: this.#roster };
    const link = await linkMark(this.options.link, this.#roster, this.me.pid);
    const commit: Commit = { type: 'commit', ...head, commitment, link, sig: noSignature };
    commit.sig = await this.me.sign(signedBytes(call, commit));
    this.options.events.send(encode(commit), undefined);
  }

  /** Of two members the one whose pid comes first sets the channel up, once. */
  async #pairWith(member: Member, call: Bytes): Promise<void> {
    const pid = hex(member.pid);
    if (this.#pairs.has(pid) || compare(this.me.pid, member.pid) >= 0) return;
    const info = await pairInfo(call, this.me.id, member.id, this.options.link);
    const made = await encapsulate(member.kem, info, this.options.random(64));
    if (!made) throw new Stop('malformed');
    const pair: Pair = { type: 'pair', from: this.me.pid, to: member.pid, enc: made.enc, sig: noSignature };
    pair.sig = await this.me.sign(signedBytes(call, pair, member.kem));
    this.#pairs.set(pid, await PairChannel.of(call, made.enc, made.secret, this.me.pid, member.pid));
    this.options.events.send(encode(pair), pid);
  }

  #keep(octets: Bytes, message: Message): void {
    const key = hex(octets);
    if (!this.#waiting.has(key) && this.#waiting.size >= maxWaiting) throw new Stop('limit');
    this.#waiting.set(key, message);
  }

  /** Does all that has become possible. */
  async #proceed(): Promise<void> {
    for (let again = true; again; ) {
      await this.#advance();
      again = false;
      for (const [key, message] of [...this.#waiting]) {
        if ((await this.#handle(message)) === 'wait') continue;
        this.#waiting.delete(key);
        again = true;
      }
    }
    await this.#giveOut();
    this.#own.settle(this.options.now());
  }

  async #advance(): Promise<void> {
    const { call } = this;
    const round = this.#round;
    if (!round || !call) return;
    if (round.committed && this.#nonce) {
      const nonce = this.#nonce;
      this.#nonce = undefined;
      await round.reveal(this.pid, nonce);
      const reveal: Reveal = { type: 'reveal', from: this.me.pid, epoch: this.#epoch, nonce, sig: noSignature };
      reveal.sig = await this.me.sign(signedBytes(call, reveal));
      this.options.events.send(encode(reveal), undefined);
    }
    if (round.transcript && !this.#code) {
      this.#code = await codeOf(this.#epoch, round.transcript, this.options.link);
      this.options.events.code(this.#code);
      await this.#rotate();
    }
  }

  async #rotate(): Promise<void> {
    const { call } = this;
    if (!call) return;
    this.#rotated = this.options.now();
    const key = await this.#own.make(this.options.random(32), call, this.#epoch, this.#others());
    this.#keys.install(this.pid, key, this.#rotated);
    await this.#giveOut();
    this.#own.settle(this.#rotated);
  }

  /** Sends our coming key to all with whom there is a channel. */
  async #giveOut(): Promise<void> {
    const coming = this.#own.coming;
    const transcript = this.#round?.transcript;
    if (!coming || !transcript) return;
    for (const pid of [...coming.unsent]) {
      const pair = this.#pairs.get(pid);
      const to = this.#members.get(pid)?.pid;
      if (!pair || !to) continue;
      const { epoch, generation } = coming.key;
      const key = await pair.wrap({ type: 'key', from: this.me.pid, to, epoch, generation }, coming.sender, transcript);
      this.options.events.send(encode(key), pid);
      this.#own.sent(pid, this.options.now());
    }
  }

  async #handle(message: Message): Promise<Outcome> {
    if (message.type === 'knock' || message.type === 'admit') throw new Stop('malformed');
    const from = hex(message.from);
    const elsewhere = 'to' in message && compare(message.to, this.me.pid) !== 0;
    if (elsewhere || from === this.pid || this.#gone.has(from)) return 'done';
    if ('epoch' in message && this.#epoch > 0 && message.epoch < this.#epoch) return 'done';
    const early = this.#epoch === 0 || ('epoch' in message && message.epoch > this.#epoch);
    const member = this.#members.get(from);
    if (early || (!member && message.type === 'pair')) return 'wait';
    const { call } = this;
    const round = this.#round;
    if (!member || !round || !call) return 'done';
    if (message.type === 'commit') return this.#onCommit(message, member, round, call);
    if (message.type === 'reveal') return this.#onReveal(message, member, round, call);
    if (message.type === 'pair') return this.#onPair(message, member, call);
    const pair = this.#pairs.get(from);
    if (!round.transcript || !pair) return 'wait';
    if (message.type === 'key') return this.#onKey(message, from, pair, round.transcript);
    return this.#onAck(message, from, pair, round.transcript);
  }

  async #onCommit(message: Commit, member: Member, round: Round, call: Bytes): Promise<Outcome> {
    if (!(await signatureHolds(member.id, message.sig, signedBytes(call, message)))) throw new Stop('signature');
    if (compare(message.roster, round.roster) !== 0) throw new Stop('roster');
    // Before anything that follows from the secret is made.
    const mark = await linkMark(this.options.link, round.roster, member.pid);
    if (compare(message.link, mark) !== 0) throw new Stop('link');
    round.commit(hex(member.pid), message.commitment);
    return 'done';
  }

  async #onReveal(message: Reveal, member: Member, round: Round, call: Bytes): Promise<Outcome> {
    if (!round.committed) return 'wait';
    if (!(await signatureHolds(member.id, message.sig, signedBytes(call, message)))) throw new Stop('signature');
    await round.reveal(hex(member.pid), message.nonce);
    return 'done';
  }

  async #onPair(message: Pair, member: Member, call: Bytes): Promise<Outcome> {
    const signed = signedBytes(call, message, this.me.kem);
    if (!(await signatureHolds(member.id, message.sig, signed))) throw new Stop('signature');
    const pid = hex(member.pid);
    const before = this.#pairs.get(pid);
    if (before && compare(before.enc, message.enc) === 0) return 'done';
    if (before || compare(member.pid, this.me.pid) >= 0) throw new Stop('conflict');
    const info = await pairInfo(call, member.id, this.me.id, this.options.link);
    const secret = await this.me.decapsulate(message.enc, info);
    if (!secret) throw new Stop('decrypt');
    this.#pairs.set(pid, await PairChannel.of(call, message.enc, secret, this.me.pid, member.pid));
    return 'done';
  }

  async #onKey(message: Key, from: Pid, pair: PairChannel, transcript: Bytes): Promise<Outcome> {
    const sender = await pair.unwrap(message, transcript);
    if (!sender || !this.call) return 'done';
    const { epoch, generation } = message;
    if (generation <= (this.#keys.newest(from)?.generation ?? 0)) throw new Stop('conflict');
    const key = await senderKeyOf(sender, this.call, epoch, generation);
    sender.fill(0);
    this.#keys.install(from, key, this.options.now());
    const head = { from: this.me.pid, to: message.from, epoch, generation };
    const ack = await pair.acknowledge({ type: 'ack', ...head }, transcript);
    this.options.events.send(encode(ack), from);
    return 'done';
  }

  async #onAck(message: Ack, from: Pid, pair: PairChannel, transcript: Bytes): Promise<Outcome> {
    if (!(await pair.acknowledged(message, transcript))) throw new Stop('decrypt');
    this.#own.heard(from, message.generation);
    return 'done';
  }
}

/** The entry of a member in a roster, from its knock and the host's word. */
export function entryOf(knock: Bytes, admit: Bytes): Entry {
  const [k, a] = [decode(knock), decode(admit)];
  if (k.type !== 'knock' || a.type !== 'admit') throw new WireError('malformed');
  return { knock: k, admit: a };
}

/** The pid of the host who let itself in: the first one, as this roster tells it. */
export async function firstHost(roster: Bytes): Promise<Bytes | undefined> {
  for (const { admit } of decodeRoster(roster).entries) {
    if (admit.role === 1 && compare(await pidOf(admit.signer), admit.pid) === 0) return admit.pid;
  }
  return undefined;
}
