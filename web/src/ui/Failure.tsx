// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../core/flow/errors';
import type { Page } from '../core/page';
import { t } from '../i18n';
import { CallPractice, CodeLine, type ErrorProps, ErrorScreen } from './ErrorScreen';
import { Icon } from './Icon';
import { stopIcon } from './icons-media';
import { Heading } from './Shell';

type StopCode = 56 | 57;

function stops(code: ErrorCode): code is StopCode {
  return code === 56 || code === 57;
}

/** How a call ended that nobody hung up. Where its encryption was wrong nothing invites to try again. */
export function Failure({ host, ...p }: ErrorProps & { host?: boolean }) {
  return stops(p.code) ? <Stop page={p.page} code={p.code} host={host ?? false} /> : <ErrorScreen {...p} />;
}

function Stop({ page, code, host }: { page: Page; code: StopCode; host: boolean }) {
  const steps = host
    ? (['stop.host.1', 'stop.host.2', 'stop.host.3'] as const)
    : (['stop.1', 'stop.2', 'stop.3'] as const);
  return (
    <section class="card error stop" data-testid="error" data-code={code}>
      <div class="stop-head">
        <Icon of={stopIcon} size={36} />
        <Heading practice={page.practice}>{t(`e${code}`)}</Heading>
      </div>
      <p class="lead">{t(`e${code}.t`)}</p>
      <h2>{t('stop.now')}</h2>
      <ol class="steps">
        {steps.map((key) => (
          <li key={key}>{t(key)}</li>
        ))}
      </ol>
      {page.phone && !host && (
        <div class="actions">
          <CallPractice page={page} />
        </div>
      )}
      <CodeLine code={code} />
    </section>
  );
}
