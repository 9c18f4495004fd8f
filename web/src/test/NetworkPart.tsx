// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks';
import { bits } from '../core/call/connection';
import type { NetworkResult, Stage, Way } from '../core/check/network';
import { networkGrade, type PartState } from '../core/check/verdict';
import { type Page, socketURL } from '../core/page';
import { number, t } from '../i18n';
import { PartCard } from './PartCard';

interface Props {
  page: Page;
  state: PartState;
  note(r: NetworkResult | 'failed'): void;
}

/** Runs by itself: the person is busy with picture and sound meanwhile. */
export function NetworkPart({ page, state, note }: Props) {
  const [stage, setStage] = useState<Stage | 'done' | 'failed'>('connecting');
  const [result, setResult] = useState<NetworkResult | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let gone = false;
    const run = async () => {
      const { probeNetwork } = await import('../call/entry');
      const socket = (path: string) => socketURL(path, location);
      return probeNetwork({ base: page.base, socket, stage: (s) => gone || setStage(s) });
    };
    setResult(null);
    run().then(
      (r) => {
        if (gone) return;
        setResult(r);
        setStage('done');
        note(r);
      },
      () => {
        if (gone) return;
        setStage('failed');
        note('failed');
      },
    );
    return () => {
      gone = true;
    };
  }, [page, round]);
  const over = stage === 'done' || stage === 'failed';
  return (
    <PartCard part="network" state={state}>
      <p class="part-text" role="status" data-testid="network-text" data-stage={stage}>
        {result ? t(`test.net.${networkGrade(result)}`) : t(`test.net.${stage === 'done' ? 'measuring' : stage}`)}
      </p>
      {result && <Facts result={result} />}
      {over ? (
        <button type="button" class="button small" data-testid="network-again" onClick={() => setRound(round + 1)}>
          {t('test.net.again')}
        </button>
      ) : (
        <progress aria-label={t('test.net.running')} />
      )}
    </PartCard>
  );
}

export const routes = { udp: 'line.udp', tcp: 'line.tcp', relay: 'line.relay', '': 'line.none' } as const;

function Facts({ result }: { result: NetworkResult }) {
  const way = result.best ?? result.fallback;
  const rows: [string, string][] = [
    [t('test.net.direct'), t(result.best?.route === 'udp' ? 'test.net.works' : 'test.net.not')],
    [t('test.net.tls'), t(result.fallback ? 'test.net.works' : 'test.net.not')],
  ];
  if (way) {
    rows.push(
      [t('line.route'), t(routes[way.route])],
      [t('line.up'), rate(way.up, way.lossUp)],
      [t('line.down'), rate(way.down, way.lossDown)],
      [t('line.rtt'), t('line.ms', { n: number(way.rtt) })],
    );
  }
  return (
    <dl class="facts two" data-testid="network-facts" data-route={way?.route} data-tls={result.fallback !== null}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function rate(value: Way['up'], loss: number): string {
  if (value === null) return '–';
  const { value: n, unit } = bits(value);
  return `${number(n)} ${unit}, ${t('line.loss', { n: number(Math.round(loss * 1000) / 10) })}`;
}
