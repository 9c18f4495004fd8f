// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The way to the server, tried with real media through the real engine: a made-up picture goes there and comes back.
// No camera and no microphone is part of it.

import { LocalVideoTrack, Room, Track } from 'livekit-client';
import { request } from '../api/client';
import { ask, describe, type Look, type Route } from '../call/connection';
import '../call/livekit';

/** How long media flows, in milliseconds. */
const flows = 7000;
const briefly = 2500;
const target = 2_500_000;
const size = { width: 960, height: 540 };

export interface Way {
  route: Route;
  /** Milliseconds. */
  rtt: number;
  /** bit/s that went, null when nothing was counted. */
  up: number | null;
  down: number | null;
  /** Share of what was lost. */
  lossUp: number;
  lossDown: number;
}

export interface NetworkResult {
  /** By the best way there is; null when no media gets through. */
  best: Way | null;
  /** By the way inside TLS on the site's own port, which every firewall that lets web pages through lets through. */
  fallback: Way | null;
}

export type Stage = 'connecting' | 'measuring' | 'fallback';

interface TestRoom {
  tokens: [string, string];
  url: string;
}

interface Options {
  base: string;
  /** WebSocket address of the site for the path that the server names. */
  socket(path: string): string;
  stage(s: Stage): void;
}

/** Rejects with ApiError when the server gives out no test room. */
export async function probeNetwork(o: Options): Promise<NetworkResult> {
  o.stage('connecting');
  const best = await tryWay(o, 'all', flows, () => o.stage('measuring'));
  if (best?.route === 'relay') return { best, fallback: best };
  o.stage('fallback');
  return { best, fallback: await tryWay(o, 'relay', briefly, () => {}) };
}

async function tryWay(o: Options, policy: RTCIceTransportPolicy, ms: number, up: () => void): Promise<Way | null> {
  const test = await request<TestRoom>(`${o.base}/api/v1/test`, {});
  const url = o.socket(test.url);
  const [sender, receiver] = [newRoom(), newRoom()];
  const picture = noise();
  try {
    const how = { rtcConfig: { iceTransportPolicy: policy }, maxRetries: 0, peerConnectionTimeout: 12_000 };
    await Promise.all([sender.connect(url, test.tokens[0], how), receiver.connect(url, test.tokens[1], how)]);
    const track = new LocalVideoTrack(picture.track, undefined, false);
    await sender.localParticipant.publishTrack(track, {
      source: Track.Source.Camera,
      simulcast: false,
      videoCodec: 'vp8',
      videoEncoding: { maxBitrate: target, maxFramerate: 30 },
    });
    up();
    await arrives(url, test.tokens[1]);
    // The first half finds the rate, the second one counts.
    await sleep(ms / 2);
    const middle = await looks(url, test.tokens);
    await sleep(ms / 2);
    return judge(middle, await looks(url, test.tokens));
  } catch {
    return null;
  } finally {
    picture.stop();
    await Promise.allSettled([sender.disconnect(true), receiver.disconnect(true)]);
  }
}

/** Waits until the picture comes back, or for some seconds: then nothing is what was measured. */
async function arrives(url: string, token: string): Promise<void> {
  for (let i = 0; i < 6; i++) {
    await sleep(1000);
    const { received } = await ask(url, token);
    if (received.some((t) => t.bytes > 0)) return;
  }
}

type Looks = [Look, Look];

async function looks(url: string, tokens: readonly [string, string]): Promise<Looks> {
  const one = async (token: string) => ({ report: await ask(url, token), at: performance.now() });
  return Promise.all([one(tokens[0]), one(tokens[1])]);
}

/** What the server says of both ends, as one way. */
export function judge(before: Looks, now: Looks): Way {
  const sent = describe(now[0], before[0]);
  const received = describe(now[1], before[1]);
  return {
    route: worse(sent.route, received.route),
    rtt: Math.round(Math.max(sent.rtt, received.rtt)),
    up: sent.up.rate,
    down: received.from.size > 0 ? received.down.rate : null,
    lossUp: sent.up.loss,
    lossDown: received.down.loss,
  };
}

const ease: readonly Route[] = ['udp', 'tcp', 'relay', ''];

function worse(a: Route, b: Route): Route {
  return ease.indexOf(a) > ease.indexOf(b) ? a : b;
}

function newRoom(): Room {
  // Nothing is shown, and the whole rate shall come: no adapting to a picture's size.
  return new Room({ adaptiveStream: false, dynacast: false, disconnectOnPageLeave: true });
}

/** A picture that is hard to compress, so that the encoder needs the rate it is given. */
function noise(): { track: MediaStreamTrack; stop(): void } {
  const canvas = document.createElement('canvas');
  canvas.width = size.width;
  canvas.height = size.height;
  const c = canvas.getContext('2d');
  const tile = c?.createImageData(240, 135);
  const paint = () => {
    if (!c || !tile) return;
    for (let i = 0; i < tile.data.length; i += 4) {
      const v = Math.random() * 255;
      tile.data.set([v, v, v, 255], i);
    }
    for (let n = 0; n < 4; n++) c.putImageData(tile, (n % 4) * 240, ((n * 7) % 4) * 135);
  };
  paint();
  const timer = setInterval(paint, 50);
  const [track] = canvas.captureStream(20).getVideoTracks();
  if (!track) throw new Error('no made-up picture');
  return {
    track,
    stop: () => {
      clearInterval(timer);
      track.stop();
    },
  };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
