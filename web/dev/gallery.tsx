// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The call with made-up people, for looking at it: ?scene=pair|alone|grid3|grid5|grid12|screen&host=1&chat=1&paused=1&many=1&saver=500&line=weak
// &e2ee=waiting|securing|on|verified|fresh|asking|linked; events "anew" and "gone" at the window bring another code and take everybody away; ?screen=22|44|47|55|56|57|58

import '../src/ui/style.css';
import { signal } from '@preact/signals';
import { render } from 'preact';
import { Call, type HostTools } from '../src/call/Call';
import '../src/call/entry';
import type { WaitingPerson } from '../src/core/api/types';
import { describe, type Report } from '../src/core/call/connection';
import { most } from '../src/core/call/paused';
import type { CallSession, CallSnapshot, Encryption, Member, Notice, Picture } from '../src/core/call/types';
import type { SafetyCode } from '../src/core/e2ee/keys/types';
import type { ErrorCode } from '../src/core/flow/errors';
import { addMessages, setLanguage } from '../src/i18n';
import { checkDe } from '../src/i18n/check-de';
import { Failure } from '../src/ui/Failure';
import { Shell } from '../src/ui/Shell';

addMessages('de', checkDe);

const q = new URLSearchParams(location.search);
const names = [
  'Anna Klein',
  'Boris Groß',
  'Chiara de Luca',
  'Dr. Eva Muster',
  'Emre Yıldız',
  'Frieda Ö.',
  'Gül',
  'Hans-Peter Freiherr von Langenname-Doppelt',
  'Ida',
  'Jan',
  'Kim',
];

function painted(i: number, w: number, h: number): Picture {
  const canvas = document.createElement('canvas');
  canvas.width = w;
  canvas.height = h;
  const c = canvas.getContext('2d');
  const paint = () => {
    if (!c) return;
    const bg = c.createLinearGradient(0, 0, w, h);
    bg.addColorStop(0, `hsl(${i * 47 + 20} 22% 62%)`);
    bg.addColorStop(1, `hsl(${i * 47 + 60} 25% 34%)`);
    c.fillStyle = bg;
    c.fillRect(0, 0, w, h);
    c.fillStyle = `hsl(${i * 31 + 200} 30% 30%)`;
    c.beginPath();
    c.ellipse(w / 2, h * 1.02, h * 0.42, h * 0.36, 0, 0, 7);
    c.fill();
    c.fillStyle = 'hsl(24 42% 72%)';
    c.beginPath();
    c.ellipse(w / 2, h * 0.45, h * 0.17, h * 0.22, 0, 0, 7);
    c.fill();
  };
  setInterval(paint, 100);
  paint();
  const stream = canvas.captureStream(10);
  return {
    id: `p${i}`,
    attach: (el) => {
      el.srcObject = stream;
    },
    detach: (el) => {
      el.srcObject = null;
    },
  };
}

function member(i: number, over: Partial<Member> = {}): Member {
  return {
    identity: `id${i}`,
    name: names[i] ?? `Person ${i}`,
    local: false,
    speaking: false,
    microphone: 'on',
    camera: painted(i, 640, 480),
    screen: null,
    cameraPaused: i >= most,
    waits: i >= most,
    screenPaused: false,
    weak: false,
    alone: q.has('alone') ? i % 2 === 1 : null,
    company: false,
    securing: false,
    ...over,
  };
}

const scene = q.get('scene') ?? 'pair';
const many = Number(/\d+/.exec(scene)?.[0] ?? 2);
const remotes: Member[] =
  scene === 'alone'
    ? []
    : scene.startsWith('grid')
      ? Array.from({ length: many - 1 }, (_, i) =>
          member(i, i === 1 ? { camera: null, microphone: 'muted' } : i === 0 ? { speaking: true } : {}),
        )
      : scene === 'screen'
        ? [member(0, { screen: painted(9, 1280, 720), speaking: true }), member(1)]
        : [
            member(3, {
              company: q.has('company'),
              speaking: q.has('speaking'),
              microphone: q.has('muted') ? 'muted' : 'on',
            }),
          ];

if (q.has('paused')) {
  for (const m of remotes) {
    m.cameraPaused = m.camera !== null;
    m.screenPaused = m.screen !== null;
  }
}

// As many as the server sends at once run, the others wait.
if (q.has('many')) {
  for (const m of remotes.filter((m) => m.camera).slice(12)) m.cameraPaused = true;
}

if (q.get('e2ee') === 'securing') {
  for (const m of remotes.slice(-1)) m.securing = true;
}

const codes: readonly [SafetyCode, SafetyCode] = [
  { epoch: 2, words: [1270, 843, 24, 1999], digits: '048213957716620984127756310845592017733904126688513902471165' },
  { epoch: 3, words: [400, 12, 1733, 961], digits: '771204985531067248891305577420613398850126743915520886614307' },
];

function encryption(kind: string | null): Encryption | null {
  const others = remotes.length > 0;
  const on = {
    state: 'on',
    code: others ? codes[0] : null,
    linked: false,
    verified: false,
    fresh: [],
    unseen: [],
    doors: 0,
    asking: q.get('e2ee') === 'asking' ? [{ pid: '0'.repeat(32), host: false, name: 'Anna Klein' }] : [],
  } as const;
  switch (kind) {
    case null:
      return null;
    case 'waiting':
    case 'securing':
      return { ...on, state: kind, code: null };
    case 'verified':
      return { ...on, verified: true };
    case 'linked':
      return { ...on, linked: true };
    case 'fresh':
      return { ...on, fresh: [remotes.at(-1)?.name ?? 'Anna'] };
    default:
      return on;
  }
}

const snapshot = signal<CallSnapshot>({
  phase: q.has('cut') ? 'reconnecting' : 'live',
  startedAt: Date.now() - 252_000,
  local: member(0, {
    local: true,
    name: 'Anna Klein',
    identity: 'me',
    microphone: q.has('off') ? 'muted' : 'on',
    ...(q.has('off') ? { camera: null } : {}),
  }),
  remotes,
  cameraOn: !q.has('off'),
  sharing: q.has('sharing'),
  audioBlocked: q.has('blocked'),
  chat: q.has('chat')
    ? [
        { id: '1', from: 'Dr. Eva Muster', text: 'Guten Tag! Hören Sie mich gut?', at: Date.now() },
        { id: '2', from: '', text: 'Ja, sehr gut. Ich habe die Unterlagen hier neben mir liegen.', at: Date.now() },
        { id: '3', from: 'Dr. Eva Muster', text: 'Wunderbar, dann fangen wir an.', at: Date.now() },
      ]
    : [],
  saver: Number(q.get('saver') ?? 0),
  encryption: encryption(q.get('e2ee')),
  active: { camera: '', microphone: '', speaker: '' },
});

/** ?line=good|weak|none */
function report(): Report {
  const seconds = performance.now() / 1000;
  const weak = q.get('line') === 'weak';
  const bytes = (rate: number) => Math.round((seconds * rate) / 8);
  return {
    route: weak ? 'relay' : 'udp',
    rtt_ms: weak ? 412 : 23.4,
    up: { loss: weak ? 0.093 : 0.002, jitter_ms: 5 },
    down: { loss: weak ? 0.031 : 0, jitter_ms: 8 },
    capacity: weak ? 310_000 : 4_300_000,
    limit: 0,
    sent: [{ sid: 'own', bytes: bytes(weak ? 140_000 : 1_870_000), loss: 0 }],
    received: remotes.flatMap((m, i) => [
      { sid: `a${i}`, identity: m.identity, source: 'microphone' as const, bytes: bytes(38_000), loss: 0 },
      ...(m.camera
        ? [
            weak && i % 2
              ? {
                  sid: `v${i}`,
                  identity: m.identity,
                  source: 'camera' as const,
                  bytes: 0,
                  loss: 0,
                  halted: 'line' as const,
                }
              : {
                  sid: `v${i}`,
                  identity: m.identity,
                  source: 'camera' as const,
                  bytes: bytes(weak ? 74_000 : 331_000),
                  loss: weak ? 0.02 : 0,
                  layer: 1,
                  width: weak ? 320 : 640,
                  height: weak ? 180 : 360,
                },
          ]
        : []),
    ]),
  };
}

const listeners = new Set<(n: Notice) => void>();
const patch = async (p: Partial<CallSnapshot>) => {
  snapshot.value = { ...snapshot.value, ...p };
};
const session: CallSession = {
  snapshot,
  onNotice: (fn) => {
    listeners.add(fn);
    return () => listeners.delete(fn);
  },
  setMicrophone: (on) => patch({ local: { ...snapshot.value.local, microphone: on ? 'on' : 'muted' } }),
  setCamera: (on) => patch({ cameraOn: on }),
  setShare: (on) => patch({ sharing: on }),
  use: async () => {},
  watchConnection: (tell) => {
    const look = () => ({ report: report(), at: performance.now() });
    const first = look();
    tell(describe(first, undefined));
    const timer = setInterval(() => tell(describe(look(), first)), 1000);
    return () => clearInterval(timer);
  },
  setSaver: (saver) => patch({ saver }),
  say: (text) =>
    patch({ chat: [...snapshot.value.chat, { id: String(Math.random()), from: '', text, at: Date.now() }] }),
  declareAlone: (alone) => void patch({ local: { ...snapshot.value.local, alone } }),
  setCompany: (company) => patch({ local: { ...snapshot.value.local, company } }),
  stopNow: () => {},
  startAudio: () => patch({ audioBlocked: false }),
  compared: (equal) => {
    const e = snapshot.value.encryption;
    if (!equal) return fail(57);
    if (e) void patch({ encryption: { ...e, verified: true, fresh: [] } });
  },
  letIn: () => {},
  leave: async () => location.reload(),
};

const waiting = signal<WaitingPerson[]>([
  { id: 'k1', name: 'Boris Groß', since: new Date(Date.now() - 130_000).toISOString() },
  { id: 'k2', name: 'Chiara de Luca', since: new Date().toISOString() },
]);
const ok = async () => {};
const host: HostTools | null = q.has('host')
  ? {
      waiting,
      elsewhere: signal(1),
      locked: signal(false),
      door: signal({
        colleagues: [{ id: 'zweit', name: 'Dr. Paul Zweit', present: true }],
        admit: ok,
        decline: ok,
        message: ok,
        hand: ok,
      }),
      plannedEnd: q.has('ending') ? Date.now() + 290_000 : null,
      lock: ok,
      back: ok,
      mute: ok,
      remove: ok,
      end: ok,
    }
  : null;

const page = {
  kind: 'room',
  base: '/video',
  language: 'de',
  address: 'sie',
  practice: 'Praxis Dr. Muster',
  phone: '+49 69 123456',
  logo: '',
  color: '',
  exit: q.has('exit'),
  e2ee: q.has('e2ee'),
  room: '',
  host: '',
} as const;

const app = document.getElementById('app');

function fail(code: ErrorCode): void {
  if (!app) return;
  const actions = { rejoin: () => location.reload() };
  render(
    <Shell page={page}>
      <Failure page={page} code={code} actions={actions} host={q.has('host')} />
    </Shell>,
    app,
  );
}

await setLanguage(q.get('l') === 'en' ? 'en' : 'de', q.has('du') ? 'du' : 'sie');
window.addEventListener('gone', () => {
  const e = snapshot.value.encryption;
  void patch({ remotes: [], encryption: e && { ...e, code: null } });
});
window.addEventListener('anew', () => {
  const e = snapshot.value.encryption;
  if (e) void patch({ encryption: { ...e, code: codes[1], verified: false } });
});
if (q.has('screen')) fail(Number(q.get('screen')) as ErrorCode);
else if (app) render(<Call page={page} session={session} host={host} />, app);
setTimeout(() => {
  const kind = q.get('notice') as Notice['kind'] | null;
  if (kind)
    for (const fn of listeners)
      fn({ kind, name: 'Boris Groß', from: 'Boris', device: 'microphone', code: 14 } as Notice);
}, 300);
