// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { networkGrade, type Part, type PartState } from '../core/check/verdict';
import type { Page } from '../core/page';
import { t } from '../i18n';
import type { Findings } from './Bench';
import { rate, routes } from './NetworkPart';

/** What an IT department needs, as plain text in the page's language. It holds no name and nothing secret. */
export function report(page: Page, f: Findings, parts: Record<Part, PartState>): string {
  const net = f.network === 'failed' ? null : f.network;
  const way = net?.best ?? net?.fallback;
  const lines = [
    t('test.rep.title'),
    new Date().toISOString(),
    '',
    `${t('test.rep.site')}: ${location.origin}${page.base}/`,
    `${t('test.rep.browser')}: ${navigator.userAgent}`,
    '',
    `${t('test.camera')}: ${state(parts.camera)}${advice(f)}`,
    `${t('test.microphone')}: ${state(parts.microphone)}`,
    `${t('test.speaker')}: ${state(parts.speaker)}`,
    '',
    `${t('test.network')}: ${f.network === 'failed' ? t('test.net.failed') : net ? t(`test.net.${networkGrade(net)}`) : '–'}`,
    `UDP: ${net ? word(net.best?.route === 'udp') : '–'}`,
    `TURN/TLS: ${net ? word(net.fallback !== null) : '–'}`,
  ];
  if (way) {
    lines.push(
      `${t('line.route')}: ${t(routes[way.route])}`,
      `${t('line.up')}: ${rate(way.up, way.lossUp)}`,
      `${t('line.down')}: ${rate(way.down, way.lossDown)}`,
      `${t('line.rtt')}: ${way.rtt} ms`,
    );
  }
  lines.push('', t('test.rep.needs', { host: location.hostname, port: location.port || '443' }));
  return lines.join('\n');
}

function word(works: boolean): string {
  return t(works ? 'test.net.works' : 'test.net.not');
}

function state(s: PartState): string {
  return s === 'open' ? '–' : t(`test.state.${s}`);
}

function advice({ camera }: Findings): string {
  return camera === null || camera === 'none' || camera === 'good' ? '' : `. ${t(`test.light.${camera}`)}`;
}
