// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Runs in every page before its own scripts: remembers peer connections, so
// that a test can read their statistics, and notes what a page must not do.
(() => {
  const vr = { pcs: [], violations: [], audio: new Map() };
  Object.defineProperty(window, '__vr', { value: vr });

  // What happened to the connections, for the report of a failed test.
  vr.history = [];
  const note = (what, sdp) => vr.history.push(`${Math.round(performance.now())} ms: ${what}${sdp ? `\n${sdp}` : ''}`);

  const relays = (o) => (o?.iceServers ?? []).flatMap((s) => s.urls).join(' ') || 'none';

  const Native = window.RTCPeerConnection;
  if (Native) {
    window.RTCPeerConnection = class extends Native {
      constructor(...args) {
        super(...args);
        vr.pcs.push(this);
        note(`new connection, relays ${relays(args[0])}`);
        this.addEventListener('icecandidate', (e) => note(`own candidate ${e.candidate?.candidate ?? 'end'}`));
        this.addEventListener('icecandidateerror', (e) => note(`gathering ${e.url}: ${e.errorCode} ${e.errorText}`));
        this.addEventListener('iceconnectionstatechange', () => note(`ice ${this.iceConnectionState}`));
        this.addEventListener('connectionstatechange', () => note(`connection ${this.connectionState}`));
      }

      setConfiguration(to) {
        note(`setConfiguration, relays ${relays(to)}`);
        super.setConfiguration(to);
      }
    };
    for (const name of ['setLocalDescription', 'setRemoteDescription']) {
      const native = Native.prototype[name];
      Native.prototype[name] = function (...args) {
        note(`${name} ${args[0]?.type ?? ''} while ${this.signalingState}`, args[0]?.sdp);
        return native.apply(this, args).catch((error) => {
          note(`${name} failed: ${error}`);
          throw error;
        });
      };
    }
  }
  // Comparable between browsers on one machine, in milliseconds.
  const wall = () => performance.timeOrigin + performance.now();

  const NativeSocket = window.WebSocket;
  vr.sockets = [];
  window.WebSocket = class extends NativeSocket {
    constructor(...args) {
      super(...args);
      const note = { path: new URL(this.url).pathname, made: performance.now(), opened: 0, closed: 0 };
      vr.sockets.push(note);
      this.addEventListener('open', () => {
        note.opened = performance.now();
      });
      this.addEventListener('close', () => {
        note.closed = performance.now();
      });
      if (note.path.endsWith('/knock')) {
        this.addEventListener('message', (e) => {
          if (JSON.parse(e.data).type === 'admitted') vr.admitted = wall();
        });
      }
    }
  };
  document.addEventListener('securitypolicyviolation', (e) => {
    vr.violations.push(`${e.effectiveDirective}: ${e.blockedURI}`);
  });

  /** Statistics of all open connections as plain objects. */
  vr.stats = async () => {
    const all = [];
    for (const pc of vr.pcs) {
      if (pc.connectionState === 'closed') continue;
      for (const s of (await pc.getStats()).values()) all.push({ ...s });
    }
    return all;
  };

  /** When the signaling's socket was made and when the first frame of somebody else was decoded. */
  vr.firstFrame = async () => {
    for (;;) {
      for (const s of await vr.stats()) {
        if (s.type === 'inbound-rtp' && s.kind === 'video' && s.framesDecoded > 0) {
          const frame = performance.now();
          return { connected: vr.sockets.find((n) => n.path.includes('/rtc')).made, frame, at: wall() };
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };

  /** Watches the streams for ms: the longest time without a new frame, and without a new packet of sound. */
  vr.gaps = async (ms) => {
    const end = wall() + ms;
    const fields = { video: 'framesDecoded', audio: 'packetsReceived' };
    const seen = { video: { sum: -1, at: wall(), gap: 0 }, audio: { sum: -1, at: wall(), gap: 0 } };
    while (wall() < end) {
      const all = await vr.stats();
      for (const [kind, s] of Object.entries(seen)) {
        const streams = all.filter((x) => x.type === 'inbound-rtp' && x.kind === kind);
        const sum = streams.reduce((n, x) => n + (x[fields[kind]] ?? 0), 0);
        s.gap = Math.max(s.gap, wall() - s.at);
        if (sum !== s.sum) Object.assign(s, { sum, at: wall() });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { video: Math.round(seen.video.gap), audio: Math.round(seen.audio.gap) };
  };

  /** What the <video> matching selector shows: average colour of a 32×18 copy, and a checksum of it. */
  vr.look = (selector) => {
    const video = document.querySelector(selector);
    if (!(video instanceof HTMLVideoElement) || video.readyState < 2 || !video.videoWidth) return null;
    const canvas = new OffscreenCanvas(32, 18);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, 32, 18);
    const { data } = context.getImageData(0, 0, 32, 18);
    let [r, g, b, sum] = [0, 0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      r += data[i];
      g += data[i + 1];
      b += data[i + 2];
      sum = (sum * 31 + data[i] * 7 + data[i + 1] * 3 + data[i + 2]) >>> 0;
    }
    const n = data.length / 4;
    return { r: r / n, g: g / n, b: b / n, sum, width: video.videoWidth, height: video.videoHeight };
  };

  /** What scripts can keep on this machine. */
  vr.kept = async () => ({
    cookies: document.cookie,
    local: Object.keys(localStorage),
    session: Object.entries(sessionStorage).map(([k, v]) => `${k}=${v}`),
    databases: indexedDB.databases ? (await indexedDB.databases()).map((d) => d.name) : [],
    caches: 'caches' in window ? await caches.keys() : [],
    workers: navigator.serviceWorker ? (await navigator.serviceWorker.getRegistrations()).length : 0,
  });
})();
