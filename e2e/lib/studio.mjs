// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Camera and microphone for a browser that takes neither from a file: a canvas
// with the film's numbers on a picture that moves, and the film's sound.

import { code, film, loop, sound } from './film.mjs';

/** The picture: small, since the browser paints and encodes it on the same two processors. */
export const stage = { width: 640, height: 360 };

/**
 * Gives all pages of a browser, from now on, a camera and a microphone that are drawn and played in the page.
 * @param {import('playwright-core').BrowserContext} context
 */
export const studio = (context) =>
  context.addInitScript(perform, { film: { ...film, ...stage }, code, loop, wav: sound().toString('base64') });

function perform({ film, code, loop, wav }) {
  if (!navigator.mediaDevices) return;
  const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  let set;

  const paint = () => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [film.width, film.height];
    const c = canvas.getContext('2d', { alpha: false });
    const side = code.side * film.width;
    const draw = () => {
      const n = Math.floor(((performance.now() % loop) * film.frames) / loop);
      const turn = (2 * Math.PI * n) / film.frames;
      const shade = c.createLinearGradient(0, 0, film.width, film.height);
      shade.addColorStop(0, '#335');
      shade.addColorStop(1, '#688');
      c.fillStyle = shade;
      c.fillRect(0, 0, film.width, film.height);
      for (let i = 0; i < 20; i++) {
        c.fillStyle = `hsl(${i * 18} 50% 55%)`;
        c.beginPath();
        c.arc(320 + 250 * Math.sin(turn + i), 190 + 125 * Math.cos(turn + i * 2), 15, 0, 7);
        c.fill();
      }
      let odd = 1;
      for (let bit = 0; bit <= code.bits; bit++) {
        const one = bit < code.bits ? (n >> bit) & 1 : odd;
        odd ^= one;
        c.fillStyle = one ? '#eee' : '#111';
        c.fillRect(code.left * film.width + bit * side, code.top * film.width, side, side);
      }
    };
    draw();
    setInterval(draw, 1000 / film.fps);
    return canvas;
  };

  const sing = async () => {
    const audio = new AudioContext({ sampleRate: 48_000 });
    const bytes = Uint8Array.from(atob(wav), (x) => x.charCodeAt(0));
    const source = audio.createBufferSource();
    source.buffer = await audio.decodeAudioData(bytes.buffer);
    source.loop = true;
    const out = audio.createMediaStreamDestination();
    source.connect(out);
    source.start();
    await audio.resume();
    return { audio, out };
  };

  const camera = (settings) => {
    const [track] = set.canvas.captureStream(film.fps).getVideoTracks();
    const told = { ...settings, width: film.width, height: film.height, frameRate: film.fps };
    track.getSettings = () => told;
    track.applyConstraints = async () => {};
    return track;
  };

  navigator.mediaDevices.getUserMedia = async (wanted) => {
    // What the page may ask for stays the browser's to decide.
    const real = await native(wanted);
    set ??= { canvas: paint(), sound: await sing() };
    const stream = new MediaStream();
    for (const track of real.getTracks()) {
      const video = track.kind === 'video';
      stream.addTrack(video ? camera(track.getSettings()) : set.sound.out.stream.getAudioTracks()[0].clone());
      track.stop();
    }
    return stream;
  };
}
