// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { bits, type Connection as Facts, type Halt, type Stream } from '../core/call/connection';
import type { CallSession, Member } from '../core/call/types';
import { type Key, number, t } from '../i18n';
import { Panel } from './Panel';

const halts = {
  line: 'line.halt.line',
  limit: 'line.halt.limit',
  faces: 'line.halt.faces',
  hidden: 'line.halt.hidden',
  muted: 'call.nocam',
} as const satisfies Record<Halt, Key>;

const routes = { udp: 'line.udp', tcp: 'line.tcp', relay: 'line.relay', '': 'line.none' } as const;

/** What one's own line does, and what comes over it from each person. */
export function Connection({ session, onClose }: { session: CallSession; onClose(): void }) {
  const [facts, setFacts] = useState<Facts | null | undefined>(undefined);
  useEffect(() => session.watchConnection(setFacts), [session]);
  const { remotes } = session.snapshot.value;
  return (
    <Panel title={t('line.title')} testid="connection-panel" onClose={onClose}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      <section class="connection" tabIndex={0} aria-label={t('line.title')} data-route={facts?.route}>
        {facts === undefined && <p class="hint">{t('line.wait')}</p>}
        {facts === null && <p data-testid="connection-none">{t('line.none.t')}</p>}
        {facts && <Own facts={facts} />}
        {facts && remotes.length > 0 && <h3>{t('line.others')}</h3>}
        {facts && (
          <ul class="streams">
            {remotes.map((m) => (
              <Person key={m.identity} member={m} streams={facts.from.get(m.identity) ?? []} />
            ))}
          </ul>
        )}
      </section>
    </Panel>
  );
}

function Own({ facts }: { facts: Facts }) {
  const { up, down, capacity, rtt } = facts;
  return (
    <>
      <p class="verdict" data-grade={facts.grade} data-testid="connection-grade">
        {t(`line.${facts.grade}`)}
      </p>
      <dl class="facts">
        <Fact name={t('line.route')}>{t(routes[facts.route])}</Fact>
        {rtt > 0 && <Fact name={t('line.rtt')}>{t('line.ms', { n: number(Math.round(rtt)) })}</Fact>}
        <Fact name={t('line.up')}>
          <Flow rate={up.rate} loss={up.loss} />
        </Fact>
        <Fact name={t('line.down')}>
          <Flow rate={down.rate} loss={down.loss} />
        </Fact>
        {capacity > 0 && <Fact name={t('line.capacity')}>{t('line.about', { rate: rate(capacity) })}</Fact>}
      </dl>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Flow(p: { rate: number | null; loss: number }) {
  return <>{[p.rate === null ? '–' : rate(p.rate), lost(p.loss)].join(' · ')}</>;
}

function Person({ member, streams }: { member: Member; streams: readonly Stream[] }) {
  return (
    <li data-testid="connection-person" data-identity={member.identity}>
      <span class="person-name">{member.name}</span>
      <small>
        {streams.length === 0 && <span>{t('line.nothing')}</span>}
        {streams.map((s) => (
          <span key={s.sid}>{said(s)}</span>
        ))}
      </small>
    </li>
  );
}

const kinds = {
  camera: 'line.picture',
  microphone: 'line.sound',
  screen: 'line.screen',
  screen_audio: 'line.screenSound',
} as const;

function said(s: Stream): string {
  const name = t(kinds[s.source ?? 'camera']);
  if (s.halted) return `${name}: ${t(halts[s.halted])}`;
  const size = s.lines ? t('line.lines', { n: s.lines }) : '';
  const parts = [size, s.rate === null ? '' : rate(s.rate), s.loss >= 0.005 ? lost(s.loss) : ''];
  return `${name}: ${parts.filter(Boolean).join(' · ') || '–'}`;
}

function rate(v: number): string {
  const { value, unit } = bits(v);
  return `${number(value)} ${unit}`;
}

function lost(share: number): string {
  return t('line.loss', { n: number(Math.round(share * 1000) / 10) });
}
