// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// How good picture and sound are for the one who sees and hears them: shown
// frames, and the samples of decoded sound. Nothing here asks the server.

import { readFile } from 'node:fs/promises';
import { code, film, loop, mark } from './film.mjs';

/** @typedef {import('playwright-core').Page} Page */

/**
 * @typedef {object} Tape what a page saw and heard, times in ms of the machine's clock
 * @property {{t: number, shown: number, height: number}[]} frames the presented frames: how many more, and how high
 * @property {{t: number, total: number, concealed: number, silent: number, events: number, packets: number}[]} sound
 * growth of the counters of the received sound, in samples
 * @property {{t: number, phase: string, weak: boolean}[]} screen what the page told about the call
 * @property {[number, number][]} numbers time, and number in the picture
 * @property {number[]} marks times of the mark in the sound
 */

/**
 * Notes from now on what a page sees and hears of the other person.
 * @param {Page} page
 */
export const watch = (page) => page.evaluate(record);

function record() {
  const tape = { frames: [], sound: [], screen: [], numbers: [], marks: [] };
  window.__quality = tape;
  const wall = () => performance.timeOrigin + performance.now();

  const hooked = new WeakSet();
  const hook = () => {
    const videos = document.querySelectorAll('[data-testid="tile"] video');
    for (const video of videos) if (!hooked.has(video)) follow(video);
  };
  const follow = (video) => {
    hooked.add(video);
    let last = -1;
    const frame = (_, data) => {
      // A page that is busy misses calls, not frames: they are counted.
      const shown = last < 0 || data.presentedFrames < last ? 1 : data.presentedFrames - last;
      last = data.presentedFrames;
      const t = performance.timeOrigin + data.presentationTime;
      if (shown > 0) tape.frames.push({ t, shown, height: Math.min(data.width, data.height) });
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  };

  const receivers = () =>
    window.__vr.pcs
      .filter((pc) => pc.connectionState !== 'closed')
      .flatMap((pc) => pc.getReceivers())
      .filter((r) => r.track.kind === 'audio');
  const before = new Map();
  const fields = {
    total: 'totalSamplesReceived',
    concealed: 'concealedSamples',
    silent: 'silentConcealedSamples',
    events: 'concealmentEvents',
    packets: 'packetsReceived',
  };
  const listen = async () => {
    const growth = { t: wall(), total: 0, concealed: 0, silent: 0, events: 0, packets: 0 };
    for (const receiver of receivers()) {
      for (const s of (await receiver.getStats()).values()) {
        if (s.type !== 'inbound-rtp' || !s.packetsReceived) continue;
        const old = before.get(receiver.track);
        before.set(receiver.track, s);
        if (old) for (const [to, from] of Object.entries(fields)) growth[to] += (s[from] ?? 0) - (old[from] ?? 0);
      }
    }
    tape.sound.push(growth);
  };
  const look = () => {
    const phase = document.querySelector('[data-testid="call"]')?.dataset.phase ?? 'none';
    const weak = document.querySelector('[data-testid="banner-weak"], [data-testid="tile-paused"]');
    tape.screen.push({ t: wall(), phase, weak: weak !== null });
  };

  (async () => {
    for (let n = 0; ; n++) {
      await listen().catch(() => {});
      if (n % 5 === 0) hook();
      if (n % 10 === 0) look();
      await new Promise((resolve) => setTimeout(resolve, 50)); // browsers refresh statistics no faster
    }
  })();
}

/** Takes what was noted so far. @param {Page} page @returns {Promise<Tape>} */
export const tape = (page) => page.evaluate(() => window.__quality);

const within = (list, from, to) => list.filter((x) => x.t >= from && x.t < to);
const round = (x, digits = 0) => Math.round(x * 10 ** digits) / 10 ** digits;

/**
 * The picture between two times: frames a second, how high most of them were, and the longest time without a new one.
 * @param {Tape} tape @param {number} from @param {number} to
 */
export function picture(tape, from, to) {
  const frames = within(tape.frames, from, to);
  const heights = {};
  let [last, longest, over, shown] = [from, 0, 0, 0];
  const gap = (ms) => {
    longest = Math.max(longest, ms);
    if (ms > 500) over++;
  };
  for (const f of frames) {
    gap((f.t - last) / f.shown);
    last = f.t;
    shown += f.shown;
    heights[f.height] = (heights[f.height] ?? 0) + f.shown;
  }
  gap(to - last);
  const height = Number(Object.entries(heights).sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0);
  return { fps: round((shown * 1000) / (to - from), 1), height, heights, longest: round(longest), freezes: over };
}

/**
 * The sound between two times, in percent of all samples: concealed ones (silent among them, which a pause at the
 * sender's would be too), and those concealed for longer than 60 ms in a row. Runs are put together from counts every
 * 50 ms: a run goes on until the count of runs grows.
 * @param {Tape} tape @param {number} from @param {number} to
 */
export function sound(tape, from, to) {
  const all = within(tape.sound, from, to);
  const sum = (field) => all.reduce((n, s) => n + s[field], 0);
  const total = sum('total');
  const percent = (n) => (total ? round((100 * n) / total, 2) : 100);
  const runs = [];
  let run = 0;
  for (const s of all) {
    if (s.events === 0) {
      run += s.concealed;
      continue;
    }
    runs.push(run);
    for (let i = 1; i < s.events; i++) runs.push(s.concealed / s.events);
    run = s.concealed / s.events;
  }
  runs.push(run);
  const rate = 48_000;
  // A late look is no gap when it finds packets.
  let [longest, quiet, last] = [0, 0, from];
  for (const s of all) {
    quiet = s.packets > 0 ? 0 : quiet + s.t - last;
    longest = Math.max(longest, quiet);
    last = s.t;
  }
  return {
    heard: round((100 * total) / rate / ((to - from) / 1000), 1), // of the samples there should be
    concealed: percent(sum('concealed')),
    silent: percent(sum('silent')),
    long: percent(runs.filter((n) => n > 0.06 * rate).reduce((a, b) => a + b, 0)),
    longest: round((Math.max(...runs) * 1000) / rate),
    noPacket: round(longest),
  };
}

/** What the page said: whether it told of a weak line, and for which share of the time it was cut off, in percent. */
export function told(tape, from, to) {
  const all = within(tape.screen, from, to);
  const share = (is) => round((100 * all.filter(is).length) / Math.max(1, all.length));
  return { weak: share((s) => s.weak), cut: share((s) => s.phase !== 'live') };
}

/**
 * How the sender encodes: its layers, and what it says limits them. Only to explain a result.
 * @param {Page} page
 */
export async function encoded(page) {
  const all = await page.evaluate(() => window.__vr.stats());
  const layers = all
    .filter((s) => s.type === 'outbound-rtp' && s.kind === 'video')
    .sort((a, b) => (a.frameHeight ?? 0) - (b.frameHeight ?? 0));
  const pair = all.find((s) => s.type === 'candidate-pair' && s.availableOutgoingBitrate > 0);
  return {
    layers: layers.map((s) => `${s.frameHeight ?? 0}p${Math.round(s.framesPerSecond ?? 0)}`).join(' '),
    limited: [...new Set(layers.map((s) => s.qualityLimitationReason ?? '?'))].join(' '),
    kbit: pair ? Math.round(pair.availableOutgoingBitrate / 1000) : 0,
  };
}

/** Which codecs a page's streams of a direction have. @param {Page} page @param {'inbound-rtp' | 'outbound-rtp'} type */
export async function codecs(page, type) {
  const all = await page.evaluate(() => window.__vr.stats());
  const of = all.filter((s) => s.type === type && (s.packetsSent ?? s.packetsReceived) > 0);
  return [...new Set(of.map((s) => all.find((c) => c.id === s.codecId)?.mimeType ?? '?'))].sort().join(' ');
}

/**
 * Notes the numbers in a picture and the marks in a sound: of the speaker's own ('mine') or of what arrived
 * ('theirs'), on the tape of watch.
 * @param {Page} page @param {'mine' | 'theirs'} whose
 */
export const clock = (page, whose) => page.evaluate(readClock, { whose, code, hertz: mark.hertz });

async function readClock({ whose, code, hertz }) {
  const tape = window.__quality;
  const video = document.querySelector(`[data-testid="${whose === 'mine' ? 'tile-local' : 'tile'}"] video`);
  const bits = code.bits + 1;
  const canvas = new OffscreenCanvas(bits * 8, 8);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const frame = (_, data) => {
    const [w, left] = [video.videoWidth, code.left * video.videoWidth];
    context.drawImage(video, left, code.top * w, bits * code.side * w, code.side * w, 0, 0, bits * 8, 8);
    const { data: rgba } = context.getImageData(0, 3, bits * 8, 2);
    let [n, odd] = [0, 1];
    for (let bit = 0; bit < bits; bit++) {
      const one = rgba[(bit * 8 + 3) * 4 + 1] > 128 ? 1 : 0;
      if (bit < code.bits) n |= one << bit;
      odd ^= one;
    }
    if (odd === 0) tape.numbers.push([performance.timeOrigin + data.presentationTime, n]);
    video.requestVideoFrameCallback(frame);
  };
  video.requestVideoFrameCallback(frame);

  const ends = window.__vr.pcs
    .filter((pc) => pc.connectionState !== 'closed')
    .flatMap((pc) => (whose === 'mine' ? pc.getSenders() : pc.getReceivers()))
    .filter((e) => e.track?.kind === 'audio' && e.track.readyState === 'live' && !e.track.muted);
  const audio = new AudioContext({ sampleRate: 48_000 });
  window.__qualityAudio = audio;
  await audio.resume();
  const source = audio.createMediaStreamSource(new MediaStream([ends[0].track]));
  // Deprecated, but a worklet would need a file of the site.
  const tap = audio.createScriptProcessor(512, 1, 1);
  const step = 128;
  const turn = (2 * Math.PI * hertz) / 48_000;
  let [peak, lastMark] = [0, 0];
  const offsets = [];
  tap.onaudioprocess = (e) => {
    const samples = e.inputBuffer.getChannelData(0);
    // The earliest call of the last second tells how the clocks relate, others were held up. For longer than that the
    // clocks do not agree: that of the sound stands still when there is none to play.
    offsets.push(performance.timeOrigin + performance.now() - e.playbackTime * 1000);
    if (offsets.length > 100) offsets.shift();
    const offset = Math.min(...offsets);
    for (let at = 0; at < samples.length; at += step) {
      let [re, im] = [0, 0];
      for (let i = 0; i < step; i++) {
        re += samples[at + i] * Math.cos(turn * i);
        im += samples[at + i] * Math.sin(turn * i);
      }
      const power = (re * re + im * im) / (step * step);
      peak = Math.max(peak * 0.9998, power);
      const t = e.playbackTime * 1000 + offset + (at * 1000) / 48_000;
      if (power < 1e-5 || power < peak * 0.25) continue;
      if (t - lastMark > 500) tape.marks.push(t);
      lastMark = t;
    }
  };
  source.connect(tap);
  tap.connect(audio.destination);
}

/**
 * How much later than at the speaker's picture and sound appear at the listener's, in ms, and by how much the sound is
 * behind the picture. All times of a page have one clock, and clocks of different pages do not matter for the offset.
 * @param {Tape} speaker @param {Tape} listener
 */
export function offset(speaker, listener) {
  const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
  const wrap = (d) => ((d % loop) + loop) % loop;
  const circular = (values) => {
    // The middle of times on a loop: around any of them.
    const base = values[0];
    return wrap(base + median(values.map((v) => wrap(v - base + loop / 2) - loop / 2)));
  };
  if ([speaker.numbers, listener.numbers, speaker.marks, listener.marks].some((list) => list.length < 5)) return null;
  const number = ([t, n]) => wrap(t - (n * loop) / film.frames);
  const video = wrap(circular(listener.numbers.map(number)) - circular(speaker.numbers.map(number)));
  const audio = wrap(circular(listener.marks.slice(1).map(wrap)) - circular(speaker.marks.slice(1).map(wrap)));
  const apart = wrap(audio - video + loop / 2) - loop / 2;
  return { video: round(video), audio: round(audio), offset: round(apart) };
}

/**
 * By how much the listener's browser itself believes the sound to be behind the picture, in ms; null where it does not
 * tell. Only to explain a result.
 * @param {Page} page
 */
export async function believed(page) {
  const all = await page.evaluate(() => window.__vr.stats());
  const at = (kind) => all.find((s) => s.type === 'inbound-rtp' && s.kind === kind)?.estimatedPlayoutTimestamp;
  const [sound, picture] = [at('audio'), at('video')];
  return sound && picture ? round(picture - sound) : null;
}

/** How figures spread, by the nearest rank. @param {number[]} figures */
export function spread(figures) {
  const sorted = figures.toSorted((a, b) => a - b);
  const rank = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return { p50: rank(0.5), p95: rank(0.95), max: sorted.at(-1) };
}

/** The machine's load: jobs that want a processor, and the idle share since the last call. */
export async function load() {
  const average = Number((await readFile('/proc/loadavg', 'utf8')).split(' ')[0]);
  const ticks = (await readFile('/proc/stat', 'utf8')).split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
  const total = ticks.slice(0, 8).reduce((a, b) => a + b, 0);
  const idle = total > load.total ? round((100 * (ticks[3] - load.idle)) / (total - load.total)) : 0;
  load.total = total;
  load.idle = ticks[3];
  return { average, idle };
}
load.total = 0;
load.idle = 0;
