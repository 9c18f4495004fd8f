// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A call from joining to its end, on the library's room. It is longer than others because that one object is the only
// thing between the library and the pages: what can be told without it stands in the files beside it.

import { type ReadonlySignal, signal } from '@preact/signals-core';
import {
  ConnectionError,
  ConnectionErrorReason,
  ConnectionQuality,
  type DisconnectReason,
  LocalAudioTrack,
  LocalVideoTrack,
  type Participant,
  type RemoteTrack,
  Room,
  RoomEvent,
  Track,
  type TrackPublication,
} from 'livekit-client';
import type { Admission } from '../api/types';
import type { ErrorCode } from '../flow/errors';
import { fromConnect, fromDisconnect, fromMedia, fromStart } from '../flow/failures';
import type { Handover } from '../media/capture';
import { append, longest, outgoing, topic } from './chat';
import { ask, type Connection, watch } from './connection';
import { Faces } from './faces';
import { cameraLayers, cameraSize, layersOf, screenLayers } from './layers';
import { cutOff, isPaused, mediaKind, micState, nameOf, plain, sendsCamera, sourceOf } from './livekit';
import { MannersBook, mannersTopic } from './manners';
import { attemptTimeout, deadForGood, lookEvery, PathWatch, received, resumeTimeout, retries } from './path';
import { pauseReason } from './paused';
import type { Said, Secured, SecureOptions } from './secured';
import { SlimWatch, usual } from './slim';
import { listen, Speakers, type Voice } from './speakers';
import type { CallEnd, CallSession, CallSnapshot, DeviceKind, Member, Notice, Picture } from './types';

const poorAfter = 10_000;
export interface ConnectOptions {
  admission: Admission;
  /** WebSocket address of the site. */
  url: string;
  name: string;
  media: Handover;
  /** Where calls are encrypted from end to end. Without it nothing here can encrypt, and nothing is asked to. */
  secure?: SecureOptions;
  /** Once, when the call is over for whatever reason. */
  ended(end: CallEnd): void;
}

/** What the library keeps to itself. */
interface Inner {
  engine?: {
    /** How long a resumed connection may take before a new one is made, in milliseconds. */
    peerConnectionTimeout: number;
    client?: { options?: { websocketTimeout: number } };
    /** The next attempt makes a new connection. */
    fullReconnectOnNext: boolean;
    pcManager?: {
      publisher?: {
        getStats?(): Promise<Map<string, Record<string, unknown>>> | undefined;
        getICEConnectionState?(): RTCIceConnectionState;
        getConnectionState?(): RTCPeerConnectionState;
      };
    };
  };
}

export class ConnectFailed extends Error {
  readonly code: ErrorCode;

  /** `signaled`: the server had let this page in, and only media was missing. */
  constructor(cause: unknown, signaled: boolean) {
    super('connecting to the room', { cause });
    this.name = 'ConnectFailed';
    const circumstances = { online: navigator.onLine, signaled };
    if (cause instanceof Ended) {
      this.code = cause.code ?? fromStart(cause.reason, circumstances);
      return;
    }
    const c = cause instanceof ConnectionError ? cause : undefined;
    // Not reasonName: the library changes the reason of an error after it has been made, and leaves the name.
    this.code = fromConnect(c && ConnectionErrorReason[c.reason], c?.context, circumstances);
  }
}

/** The call was over before it had begun. */
class Ended extends Error {
  constructor(
    readonly reason: DisconnectReason | undefined,
    /** Where this page ended it itself. */
    readonly code?: ErrorCode,
  ) {
    super('ended before it began');
  }
}

/** Joins the room and publishes the tracks that were handed over. Rejects with ConnectFailed; the tracks are stopped then. */
export async function connect(o: ConnectOptions): Promise<CallSession> {
  const session = new LiveCall(o);
  try {
    await session.open();
  } catch (e) {
    session.discard();
    o.media.camera?.stop();
    o.media.microphone?.stop();
    throw new ConnectFailed(e, session.signaled);
  }
  return session;
}

class LiveCall implements CallSession {
  readonly #o: ConnectOptions;
  /** Made anew before anything uses it where the call is encrypted. */
  #room: Room;
  #secured: Secured | undefined;
  /** Those who have come and not said their name under encryption yet. */
  readonly #nameless = new Set<string>();
  readonly #snapshot = signal<CallSnapshot>(undefined as never);
  readonly #listeners = new Set<(n: Notice) => void>();
  readonly #pictures = new WeakMap<Track, Picture>();
  readonly #poorSince = new Map<string, number>();
  /** Mute changes that this page asked for; any other is the host's. */
  #ownMute = 0;
  #ownDevice = 0;
  #token: string;
  #tokenAt = Date.now();
  #over = false;
  signaled = false;
  /** Ends open(); undefined from the moment on that media flows. */
  #abort: ((why: Ended) => void) | undefined;
  #queued = false;
  readonly #manners = new MannersBook({
    send: (data, to) => {
      if (this.#o.secure) {
        this.#secured?.say({ t: 'manners', data: JSON.parse(new TextDecoder().decode(data)) }, to);
        return;
      }
      const o = { reliable: true, topic: mannersTopic, ...(to && { destinationIdentities: [to] }) };
      void this.#room.localParticipant.publishData(data, o).catch(() => {});
    },
    changed: () => this.#refresh(),
  });
  /** Where the server hears nobody, the page itself does. */
  readonly #speakers = new Speakers();
  readonly #faces = new Faces();
  #deaf: (() => void) | undefined;
  readonly #slim = new SlimWatch({
    seen: () => {
      const s = this.#snapshot.peek();
      const paused = s.remotes.some((m) => (m.cameraPaused && !m.waits) || m.screenPaused);
      return {
        paused: paused && pauseReason(s) === 'line',
        saver: s.saver,
        here: s.remotes.map((m) => m.identity),
      };
    },
    ask: async () => {
      const { capacity, received } = await ask(this.#o.url, this.#token);
      return { carries: capacity, halts: received.some((r) => r.halted === 'line') };
    },
    tell: (narrow) => void this.#secured?.say({ t: 'line', narrow }),
    apply: async (sound) => {
      await this.#secured?.send(sound);
    },
  });
  /** What was on before somebody came in. */
  #before: { microphone: boolean; camera: boolean } | undefined;
  #qualityTimer: ReturnType<typeof setInterval> | undefined;
  #pathTimer: ReturnType<typeof setInterval> | undefined;
  #state: Pick<CallSnapshot, 'phase' | 'startedAt' | 'chat' | 'saver'> = {
    phase: 'live',
    startedAt: Date.now(),
    chat: [],
    saver: 0,
  };

  constructor(o: ConnectOptions) {
    this.#o = o;
    this.#token = o.admission.token;
    this.#room = this.#newRoom();
    this.#listen();
    this.#snapshot.value = this.#take();
  }

  #newRoom(): Room {
    const o = this.#o;
    return new Room({
      adaptiveStream: true,
      dynacast: true,
      disconnectOnPageLeave: true,
      stopLocalTrackOnUnpublish: true,
      reconnectPolicy: retries,
      audioCaptureDefaults: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      videoCaptureDefaults: { resolution: cameraSize, facingMode: 'user' },
      publishDefaults: {
        videoCodec: 'vp8',
        ...cameraLayers,
        ...screenLayers,
        backupCodec: false,
        audioPreset: { maxBitrate: usual.maxBitrate },
        stopMicTrackOnMute: false,
        // How long packets are, and whether there are any, must not tell when somebody speaks.
        ...(this.#secured && { dtx: false }),
      },
      ...(o.media.speaker && { audioOutput: { deviceId: o.media.speaker } }),
      ...(this.#secured && { e2ee: { e2eeManager: this.#secured.manager } }),
    });
  }

  /** Gives back what a call that did not come about has taken. */
  discard(): void {
    this.#over = true;
    this.#deaf?.();
    this.#secured?.close();
  }

  /** Puts encryption before everything else; rejects where this browser cannot. */
  async #secure(secure: SecureOptions): Promise<void> {
    const { Secured } = await import('./secured');
    const secured = new Secured({
      secure,
      url: this.#o.url,
      identity: this.#o.admission.identity,
      token: () => this.#token,
      events: {
        changed: () => this.#refresh(),
        heard: (identity, said) => this.#saidTo(identity, said),
        renewed: () => {
          secured.say({ t: 'name', name: this.#o.name });
          this.#manners.arrive();
          this.#slim.arrive();
        },
        failed: (code) => this.#stop(code),
      },
    });
    this.#secured = secured;
    this.#room = this.#newRoom();
    this.#listen();
    await secured.attach(this.#room);
  }

  get snapshot(): ReadonlySignal<CallSnapshot> {
    return this.#snapshot;
  }

  async open(): Promise<void> {
    const ended = new Promise<never>((_, reject) => {
      // What connect() itself rejects with says more, and comes right after.
      this.#abort = (why) => void setTimeout(() => reject(why));
    });
    // Nobody may be listening yet.
    ended.catch(() => {});
    if (this.#o.secure) await this.#secure(this.#o.secure);
    const connected = this.#room.connect(this.#o.url, this.#o.admission.token, {
      maxRetries: 2,
      peerConnectionTimeout: 30_000,
      websocketTimeout: 15_000,
      subscriberAllowPause: true,
    });
    await Promise.race([connected, ended]);
    if (this.#over) throw new Ended(undefined);
    this.#abort = undefined;
    this.#state.startedAt = Date.now();
    this.#watchToken();
    this.#watchPath();
    this.#qualityTimer = setInterval(() => this.#refresh(), 5000);
    if (this.#secured)
      this.#deaf = listen(
        this.#speakers,
        () => this.#voices(),
        () => {
          this.#faces.heard(this.#speakers.atLength());
          this.#refresh();
        },
      );
    await this.#publish();
    this.#manners.arrive();
    this.#refresh();
  }

  onNotice(fn: (n: Notice) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  async setMicrophone(on: boolean): Promise<void> {
    await this.#own(() => this.#room.localParticipant.setMicrophoneEnabled(on));
  }

  async setCamera(on: boolean): Promise<void> {
    await this.#own(() => this.#room.localParticipant.setCameraEnabled(on));
  }

  async setShare(on: boolean): Promise<void> {
    try {
      await this.#room.localParticipant.setScreenShareEnabled(on, {
        audio: true,
        selfBrowserSurface: 'exclude',
        surfaceSwitching: 'include',
        contentHint: 'detail',
      });
    } catch (e) {
      // Closing the picker is a decision, not a failure.
      const refused = e instanceof DOMException && e.name === 'NotAllowedError';
      if (!refused || /system/i.test(e.message)) this.#notify({ kind: 'failed', code: refused ? 73 : 99 });
    }
    this.#refresh();
  }

  async use(kind: DeviceKind, id: string): Promise<void> {
    this.#ownDevice++;
    try {
      await this.#room.switchActiveDevice(mediaKind[kind], id);
    } catch (e) {
      this.#failed(e);
    } finally {
      // The library reports the change in a later task.
      setTimeout(() => this.#ownDevice--, 1500);
      this.#refresh();
    }
  }

  async setSaver(kbits: number): Promise<void> {
    this.#state.saver = kbits;
    this.#refresh();
    // Cut off at the moment: it is told again when the connection is back.
    await this.#tellSaver().catch(() => {});
  }

  /** Under this name the library tells the server, and nobody else, what a page wants to receive at most. */
  #tellSaver(): Promise<void> {
    return this.#room.simulateScenario('subscriber-bandwidth', this.#state.saver * 1000);
  }

  watchConnection(tell: (c: Connection | null) => void): () => void {
    return watch(() => ask(this.#o.url, this.#token), tell);
  }

  async say(text: string): Promise<void> {
    const line = outgoing(text);
    if (!line) return;
    if (this.#o.secure) {
      const id = crypto.randomUUID();
      if (!this.#secured?.say({ t: 'chat', id, text: line })) throw new Error('nobody to say it to');
      this.#line({ id, from: '', text: line, at: Date.now() });
      return;
    }
    const sent = await this.#room.localParticipant.sendText(line, { topic });
    this.#line({ id: sent.id, from: '', text: line, at: Date.now() });
  }

  declareAlone(alone: boolean): void {
    this.#manners.say({ alone });
  }

  async setCompany(on: boolean): Promise<void> {
    const me = this.#room.localParticipant;
    if (on === this.#manners.own.company) return;
    if (!on) {
      const { microphone, camera } = this.#before ?? { microphone: false, camera: false };
      this.#before = undefined;
      this.#manners.say({ company: false });
      if (microphone) await this.setMicrophone(true);
      if (camera) await this.setCamera(true);
      return;
    }
    this.#before = { microphone: me.isMicrophoneEnabled, camera: me.isCameraEnabled };
    // First what is seen and heard, in this very moment; the proper muting follows.
    cutOff(me);
    this.#manners.say({ company: true });
    await Promise.all([
      this.setMicrophone(false),
      this.setCamera(false),
      me.isScreenShareEnabled && this.setShare(false),
    ]);
  }

  compared(equal: boolean): void {
    if (equal) this.#secured?.confirm();
    else this.#stop(57);
  }

  letIn(pid: string): void {
    this.#secured?.letIn(pid);
  }

  stopNow(): void {
    for (const pub of this.#room.localParticipant.trackPublications.values()) pub.track?.stop();
    void this.#room.disconnect(true);
  }

  async startAudio(): Promise<void> {
    await this.#room.startAudio().catch(() => {});
    this.#refresh();
  }

  async leave(): Promise<void> {
    await this.#room.disconnect(true);
    this.#end(null);
  }

  async #publish(): Promise<void> {
    const { camera, microphone } = this.#o.media;
    const me = this.#room.localParticipant;
    const jobs: Promise<unknown>[] = [];
    // Managed by the library from here on (last argument): muting the camera switches its light off.
    if (microphone?.readyState === 'live') {
      const track = new LocalAudioTrack(microphone, undefined, false);
      jobs.push(me.publishTrack(track, { source: Track.Source.Microphone }));
    }
    if (camera?.readyState === 'live') {
      const track = new LocalVideoTrack(camera, undefined, false);
      jobs.push(me.publishTrack(track, { source: Track.Source.Camera, ...layersOf(camera) }));
    }
    for (const r of await Promise.allSettled(jobs)) {
      if (r.status === 'rejected') this.#notify({ kind: 'failed', code: 33 });
    }
  }

  #listen(): void {
    const refresh = () => this.#refresh();
    const r = this.#room;
    r.on(RoomEvent.TrackSubscribed, (track) => this.#subscribed(track));
    r.on(RoomEvent.TrackUnsubscribed, (track) => this.#unsubscribed(track));
    r.on(RoomEvent.ParticipantConnected, (p) => {
      if (this.#secured && !this.#secured.name(p.identity)) this.#nameless.add(p.identity);
      else this.#notify({ kind: 'joined', name: this.#name(p) });
    });
    r.on(RoomEvent.ParticipantDisconnected, (p) => {
      this.#poorSince.delete(p.identity);
      this.#faces.gone(p.identity);
      this.#manners.gone(p.identity);
      if (!this.#nameless.delete(p.identity)) this.#notify({ kind: 'gone', name: this.#name(p) });
    });
    r.on(RoomEvent.TrackMuted, (pub, p) => this.#muted(pub, p));
    r.on(RoomEvent.ActiveDeviceChanged, (kind) => this.#deviceChanged(kind));
    r.on(RoomEvent.ConnectionQualityChanged, (quality, p) => this.#quality(quality, p));
    r.on(RoomEvent.MediaDevicesError, (e) => this.#failed(e));
    r.on(RoomEvent.SignalConnected, () => {
      this.signaled = true;
    });
    r.on(RoomEvent.Reconnecting, () => this.#phase('reconnecting'));
    r.on(RoomEvent.SignalReconnecting, () => this.#phase('reconnecting'));
    r.on(RoomEvent.Reconnected, () => {
      this.#phase('live');
      this.#slim.renew();
      this.#manners.arrive();
      // After a restart of the server nobody there knows of it.
      if (this.#state.saver > 0) void this.#tellSaver().catch(() => {});
    });
    r.on(RoomEvent.Disconnected, (reason) => this.#end(reason));
    for (const e of plain) r.on(e, refresh);
    // What comes on these ways is not encrypted for this page.
    if (this.#o.secure) return;
    r.on(RoomEvent.DataReceived, (data, p, _kind, name) => {
      if (name === mannersTopic && p) this.#hearManners(p.identity, data);
    });
    r.registerTextStreamHandler(topic, (reader, { identity }) => {
      void this.#heard(reader, identity).catch(() => {});
    });
  }

  #hearManners(identity: string, data: Uint8Array): void {
    const heard = this.#manners.hear(identity, data);
    const p = this.#room.getParticipantByIdentity(identity);
    if (heard && p && heard.now.company !== heard.before.company) {
      this.#notify({ kind: 'company', name: this.#name(p), on: heard.now.company });
    }
  }

  #saidTo(identity: string, said: Said): void {
    if (identity === this.#o.admission.identity) return;
    if (said.t === 'manners') this.#hearManners(identity, new TextEncoder().encode(JSON.stringify(said.data)));
    else if (said.t === 'chat') {
      const text = outgoing(said.text);
      if (text) this.#chatLine(said.id, this.#secured?.name(identity) ?? '', text);
    } else if (said.t === 'line') this.#slim.hear(identity, said.narrow);
    else if (said.t === 'name' && this.#nameless.delete(identity)) this.#notify({ kind: 'joined', name: said.name });
    else this.#refresh();
  }

  #chatLine(id: string, from: string, text: string): void {
    this.#line({ id, from, text, at: Date.now() });
    this.#notify({ kind: 'message', from });
  }

  #name(p: Participant): string {
    if (!this.#secured) return nameOf(p);
    // As long as there are no keys, and so nothing to see or hear, the name from the door tells whom one waits for.
    return this.#secured.name(p.identity) || (this.#secured.securing(p.identity) ? this.#secured.told(p.identity) : '');
  }

  async #heard(
    reader: { info: { id: string; size?: number }; readAll(): Promise<string> },
    identity: string,
  ): Promise<void> {
    if ((reader.info.size ?? 0) > longest * 4) return;
    const text = outgoing(await reader.readAll());
    const p = this.#room.getParticipantByIdentity(identity);
    if (!text || !p || p.isLocal) return;
    this.#chatLine(reader.info.id, nameOf(p), text);
  }

  #line(line: CallSnapshot['chat'][number]): void {
    this.#state.chat = append(this.#state.chat, line);
    this.#refresh();
  }

  #subscribed(track: RemoteTrack): void {
    if (track.kind === Track.Kind.Audio) {
      const el = track.attach();
      el.dataset['testid'] = 'remote-audio';
      document.body.append(el);
    }
    this.#refresh();
  }

  #unsubscribed(track: RemoteTrack): void {
    if (track.kind === Track.Kind.Audio) for (const el of track.detach()) el.remove();
    this.#refresh();
  }

  #muted(pub: TrackPublication, p: Participant): void {
    if (p.isLocal && this.#ownMute === 0 && pub.source === Track.Source.Microphone)
      this.#notify({ kind: 'mutedByHost' });
    this.#refresh();
  }

  #deviceChanged(kind: MediaDeviceKind): void {
    this.#refresh();
    if (this.#ownDevice > 0 || this.#ownMute > 0) return;
    const device = (Object.keys(mediaKind) as DeviceKind[]).find((k) => mediaKind[k] === kind);
    if (device && this.#room.localParticipant.getTrackPublication(sourceOf(device))) {
      this.#notify({ kind: 'deviceSwitched', device });
    }
  }

  #quality(quality: ConnectionQuality, p: Participant): void {
    const bad = quality === ConnectionQuality.Poor || quality === ConnectionQuality.Lost;
    if (!bad) this.#poorSince.delete(p.identity);
    else if (!this.#poorSince.has(p.identity)) this.#poorSince.set(p.identity, Date.now());
    this.#refresh();
  }

  #phase(phase: CallSnapshot['phase']): void {
    this.#state.phase = phase;
    this.#refresh();
  }

  async #own(change: () => Promise<unknown>): Promise<void> {
    this.#ownMute++;
    try {
      await change();
    } catch (e) {
      this.#failed(e);
    } finally {
      this.#ownMute--;
      this.#refresh();
    }
  }

  #lastFailure: unknown;

  /** The library reports one failure as event and as rejection. */
  #failed(e: unknown): void {
    if (e === this.#lastFailure) return;
    this.#lastFailure = e;
    const code = fromMedia(e, { permission: 'unknown', blockedByPolicy: false, after: 1000 });
    this.#notify({ kind: 'failed', code });
  }

  /** The server renews the token in the call; the newest one brings a lost page back without knocking again. */
  #watchToken(): void {
    const engine = (this.#room as { engine?: { on?(e: string, fn: (t: string) => void): unknown } }).engine;
    engine?.on?.('tokenRefreshed', (token) => {
      this.#token = token;
      this.#tokenAt = Date.now();
    });
  }

  /** Media that has lost its way takes another one as soon as the signaling connection is made anew. */
  #watchPath(): void {
    const watch = new PathWatch();
    const { engine } = this.#room as unknown as Inner;
    // Patience was for the first connection. What does not come back soon does not come back: a new one is quicker.
    if (engine) engine.peerConnectionTimeout = resumeTimeout;
    if (engine?.client?.options) engine.client.options.websocketTimeout = attemptTimeout;
    let given: unknown;
    const look = async () => {
      const { engine } = this.#room as unknown as Inner;
      const transport = engine?.pcManager?.publisher;
      if (engine && transport !== given && deadForGood(transport?.getConnectionState?.())) {
        given = transport;
        engine.fullReconnectOnNext = true;
      }
      const report = await transport?.getStats?.();
      if (this.#secured && this.#state.phase === 'live') this.#slim.look(performance.now());
      const doubt = transport?.getICEConnectionState?.() === 'disconnected';
      if (!report || !watch.look(received(report.values()), performance.now(), doubt)) return;
      if (this.#over || this.#state.phase !== 'live' || !navigator.onLine) return;
      // Under this name the library offers to treat the connection as cut.
      await this.#room.simulateScenario('signal-reconnect');
    };
    this.#pathTimer = setInterval(() => void look().catch(() => {}), lookEvery);
  }

  /** Ends the call for a reason of this page's own, and at once what is sent. */
  #stop(code: ErrorCode): void {
    if (this.#over) return;
    this.stopNow();
    this.#finish(code);
  }

  #end(reason: DisconnectReason | null | undefined): void {
    this.#finish(reason === null ? null : fromDisconnect(reason), new Ended(reason ?? undefined));
  }

  #finish(code: ErrorCode | null, early = new Ended(undefined, code ?? undefined)): void {
    if (this.#over) return;
    this.#over = true;
    this.#secured?.close();
    clearInterval(this.#qualityTimer);
    clearInterval(this.#pathTimer);
    this.#deaf?.();
    for (const el of document.querySelectorAll('audio[data-testid=remote-audio]')) el.remove();
    if (this.#abort) return this.#abort(early);
    const seconds = Math.round((Date.now() - this.#state.startedAt) / 1000);
    const { cameraOn, local } = this.#snapshot.peek();
    this.#o.ended({
      code,
      seconds,
      token: this.#token,
      tokenAt: this.#tokenAt,
      on: { camera: cameraOn, microphone: local.microphone === 'on' },
    });
  }

  #notify(n: Notice): void {
    this.#refresh();
    for (const fn of this.#listeners) fn(n);
  }

  /** Many events arrive together; one picture per microtask is enough. */
  #refresh(): void {
    if (this.#queued || this.#over) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      this.#snapshot.value = this.#take();
    });
  }

  #take(): CallSnapshot {
    const me = this.#room.localParticipant;
    const device = (k: DeviceKind) => this.#room.getActiveDevice(mediaKind[k]) ?? '';
    const others = [...this.#room.remoteParticipants.values()];
    const shown = this.#secured && this.#faces.chosen(others.filter(sendsCamera).map((p) => p.identity));
    const waits = (p: Participant) => (shown ? sendsCamera(p) && !shown.has(p.identity) : false);
    return {
      ...this.#state,
      local: { ...this.#member(me, true, false), name: this.#o.name },
      remotes: others.map((p) => this.#member(p, false, waits(p))),
      cameraOn: me.isCameraEnabled,
      sharing: me.isScreenShareEnabled,
      audioBlocked: !this.#room.canPlaybackAudio,
      encryption: this.#secured?.view ?? null,
      active: { camera: device('camera'), microphone: device('microphone'), speaker: device('speaker') },
    };
  }

  #member(p: Participant, local: boolean, waits: boolean): Member {
    const since = this.#poorSince.get(p.identity);
    const camera = p.getTrackPublication(Track.Source.Camera);
    const screen = p.getTrackPublication(Track.Source.ScreenShare);
    return {
      identity: p.identity || this.#o.admission.identity,
      name: this.#name(p),
      local,
      speaking: this.#secured ? this.#speakers.speaks(p.identity) : p.isSpeaking,
      microphone: micState(p.getTrackPublication(Track.Source.Microphone)),
      camera: this.#picture(camera),
      screen: this.#picture(screen),
      cameraPaused: waits || (!local && isPaused(camera)),
      waits,
      screenPaused: !local && isPaused(screen),
      weak: since !== undefined && Date.now() - since >= poorAfter,
      securing: !local && (this.#secured?.securing(p.identity) ?? false),
      ...(local ? this.#manners.own : this.#manners.of(p.identity)),
    };
  }

  #voices(): Voice[] {
    const { localParticipant: me, remoteParticipants } = this.#room;
    const own = me.getTrackPublication(Track.Source.Microphone);
    const voices: Voice[] = [];
    const add = (identity: string, type: Voice['type'], end: RTCRtpSender | RTCRtpReceiver | undefined) => {
      if (end) voices.push({ identity, type, stats: async () => (await end.getStats()).values(), track: end.track });
    };
    if (own && !own.isMuted) add(me.identity, 'media-source', own.track?.sender);
    for (const p of remoteParticipants.values()) {
      const pub = p.getTrackPublication(Track.Source.Microphone);
      if (pub && !pub.isMuted) add(p.identity, 'inbound-rtp', pub.track?.receiver);
    }
    return voices;
  }

  #picture(pub: TrackPublication | undefined): Picture | null {
    const track = pub?.track;
    if (!track || pub.isMuted) return null;
    let picture = this.#pictures.get(track);
    if (!picture) {
      picture = { id: pub.trackSid, attach: (el) => void track.attach(el), detach: (el) => void track.detach(el) };
      this.#pictures.set(track, picture);
    }
    return picture;
  }
}
