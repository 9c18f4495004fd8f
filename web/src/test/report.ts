// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { networkGrade } from '../core/check/verdict';
import type { Page } from '../core/page';
import { t } from '../i18n';
import type { Findings } from './Bench';
import { rate } from './NetworkPart';

/** What an IT department needs, as plain text. It holds no name and nothing secret. */
export function report(page: Page, f: Findings): string {
  const net = f.network === 'failed' ? null : f.network;
  const way = net?.best ?? net?.fallback;
  const lines = [
    t('test.rep.title'),
    new Date().toISOString(),
    '',
    `${t('test.rep.site')}: ${location.origin}${page.base}/`,
    `${t('test.rep.browser')}: ${navigator.userAgent}`,
    '',
    `${t('test.camera')}: ${f.camera ?? '–'}`,
    `${t('test.microphone')}: ${f.microphone}`,
    `${t('test.speaker')}: ${f.speaker ?? '–'}`,
    '',
    `${t('test.network')}: ${net ? networkGrade(net) : (f.network ?? '–')}`,
    `UDP: ${net ? word(net.best?.route === 'udp') : '–'}`,
    `TURN/TLS: ${net ? word(net.fallback !== null) : '–'}`,
  ];
  if (way) {
    lines.push(
      `${t('line.route')}: ${way.route}`,
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
