// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// People who join with livekit-client itself and a token of other software, for
// what our own page does not offer. Their camera is a canvas.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { hue } from './call.mjs';
import { sign } from './tokens.mjs';
import { until } from './wait.mjs';

const library = fileURLToPath(
  new URL('../../web/node_modules/livekit-client/dist/livekit-client.umd.js', import.meta.url),
);
const cipher = fileURLToPath(
  new URL('../../web/node_modules/livekit-client/dist/livekit-client.e2ee.worker.js', import.meta.url),
);
const key = { id: 'member', secret: 'a secret of forty characters, for tests.' };
/** The canvas: high enough for three spatial layers, small enough for a busy machine. */
const size = { width: 1024, height: 576, fps: 15 };

function token(identity) {
  const now = Math.floor(Date.now() / 1000);
  const video = { room: 'members', roomJoin: true, canPublish: true, canSubscribe: true };
  return sign({ iss: key.id, sub: identity, nbf: now - 60, exp: now + 600, video }, { key: key.secret });
}

class Member {
  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.page = page;
  }

  /** Publishes the canvas as a camera. */
  async publish(options) {
    await this.page.evaluate(
      async ({ options, size }) => {
        const canvas = Object.assign(document.createElement('canvas'), { width: size.width, height: size.height });
        const pen = canvas.getContext('2d');
        // Green noise that jumps about, so that all layers need their bits.
        const noise = new OffscreenCanvas(2 * size.width, 2 * size.height);
        const dots = noise.getContext('2d');
        for (let x = 0; x < noise.width; x += 32) {
          for (let y = 0; y < noise.height; y += 32) {
            dots.fillStyle = `rgb(0 ${150 + 60 * Math.random()} 40)`;
            dots.fillRect(x, y, 32, 32);
          }
        }
        const draw = () => pen.drawImage(noise, -size.width * Math.random(), -size.height * Math.random());
        draw();
        setInterval(draw, 1000 / size.fps);
        const [track] = canvas.captureStream(size.fps).getVideoTracks();
        await window.room.localParticipant.publishTrack(track, {
          source: LivekitClient.Track.Source.Camera,
          backupCodec: false,
          degradationPreference: 'maintain-resolution',
          videoEncoding: { maxBitrate: 800_000, maxFramerate: size.fps },
          ...options,
        });
      },
      { options, size },
    );
  }

  /** The encodings of the camera. */
  sends() {
    return this.page.evaluate(async () =>
      (await window.__vr.stats())
        .filter((r) => r.type === 'outbound-rtp' && r.kind === 'video' && r.framesSent > 0)
        .map((r) => ({ mode: r.scalabilityMode, rid: r.rid, height: r.frameHeight })),
    );
  }

  /** The picture received: its codec and size, how many were decoded, what it shows. */
  async sees() {
    const seen = await this.page.evaluate(async () => {
      const all = await window.__vr.stats();
      const video = all.find((r) => r.type === 'inbound-rtp' && r.kind === 'video' && r.framesDecoded > 0);
      return (
        video && {
          mime: all.find((r) => r.id === video.codecId)?.mimeType,
          height: video.frameHeight,
          frames: video.framesDecoded,
          looks: window.__vr.look('video'),
        }
      );
    });
    if (!seen) throw new Error('no picture');
    return seen;
  }

  /** Waits until pictures of this height come, in the colour of the canvas, and go on coming. */
  async shows(height) {
    let first;
    return until(
      `pictures ${height} high`,
      async () => {
        const { looks, ...seen } = await this.sees();
        const colour = looks && hue(looks);
        if (seen.height !== height || !(colour > 90 && colour < 160)) {
          first = undefined;
          throw new Error(JSON.stringify({ ...seen, looks }));
        }
        first ??= seen.frames;
        return seen.frames >= first + size.fps && { ...seen, colour };
      },
      { timeout: 30_000 },
    );
  }

  /** Asks for one quality of the picture. */
  async quality(name) {
    await this.page.evaluate((name) => {
      for (const p of window.room.remoteParticipants.values()) {
        for (const t of p.videoTrackPublications.values()) t.setVideoQuality(LivekitClient.VideoQuality[name]);
      }
    }, name);
  }
}

export const member = {
  height: size.height,
  /** What the site must allow. */
  site: { videoroom: `e2ee off\n\t\tapi_key ${key.id} "${key.secret}"\n\t\twaiting_room off` },

  /**
   * Joins as somebody, who sits before a browser already. With a passphrase the library encrypts by itself.
   * @param {import('./scene.mjs').Scene} scene
   */
  async join(scene, seat, identity, passphrase) {
    const page = await seat.page();
    await page.goto(`${scene.origin}/`);
    await page.addScriptTag({ content: await readFile(library, 'utf8') });
    const script = passphrase && (await readFile(cipher, 'utf8'));
    await page.evaluate(
      async ({ url, token, passphrase, script }) => {
        let encryption = {};
        if (passphrase) {
          const keyProvider = new LivekitClient.ExternalE2EEKeyProvider();
          await keyProvider.setKey(passphrase);
          const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })));
          encryption = { encryption: { keyProvider, worker } };
        }
        window.room = new LivekitClient.Room({ dynacast: true, ...encryption });
        if (passphrase) await window.room.setE2EEEnabled(true);
        window.room.on('trackSubscribed', (track) => {
          document.body.append(track.attach());
        });
        await window.room.connect(url, token);
      },
      { url: `${scene.origin.replace('https', 'wss')}${scene.caddy.base}`, token: token(identity), passphrase, script },
    );
    return new Member(page);
  },
};
