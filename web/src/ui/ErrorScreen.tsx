// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks';
import { platform } from '../core/flow/capability';
import { automatic, type ErrorCode, type Recovery, recovery } from '../core/flow/errors';
import { type Page, telHref } from '../core/page';
import { type Key, maybe, t } from '../i18n';
import { Icon } from './Icon';
import { alertIcon, phoneIcon, videoIcon } from './icons';
import { Heading } from './Shell';

export interface ErrorProps {
  page: Page;
  code: ErrorCode;
  actions: Partial<Record<Recovery, () => void>>;
}

/** One catalogue entry: what happened, what to do, the code for the helpline. */
export function ErrorScreen({ page, code, actions }: ErrorProps) {
  const steps = code === 10 ? maybe(`e10.${platform(navigator.userAgent, navigator.maxTouchPoints)}`) : undefined;
  // How most calls end is no fault.
  const calm = code === 51;
  return (
    <section class="card error" data-testid="error" data-code={code}>
      <div class={calm ? 'badge calm' : 'badge'}>
        <Icon of={calm ? videoIcon : alertIcon} size={28} />
      </div>
      <Heading practice={page.practice}>{maybe(`e${code}`) ?? t('e99')}</Heading>
      <p class="lead">{maybe(`e${code}.t`) ?? t('e99.t')}</p>
      {steps && (
        <div class="note">
          <strong>{t('err.steps')}</strong>
          <p>{steps}</p>
        </div>
      )}
      {automatic.has(code) && <p class="quiet">{t('err.auto')}</p>}
      <div class="actions">
        {recovery[code].map((r, i) => (
          <Action key={r} kind={r} code={code} primary={i === 0} run={actions[r]} />
        ))}
        <CallPractice page={page} />
      </div>
      {!calm && <CodeLine code={code} />}
    </section>
  );
}

/** The way out that always works. */
export function CallPractice({ page }: { page: Page }) {
  if (!page.phone) return null;
  return (
    <a class="button" href={telHref(page.phone)} data-testid="act-call">
      <Icon of={phoneIcon} size={20} />
      {t('help.call', { phone: page.phone })}
    </a>
  );
}

/** What a helpline asks for. */
export function CodeLine({ code }: { code: ErrorCode }) {
  return (
    <p class="code" data-testid="error-code">
      {t('err.code', { code })}
    </p>
  );
}

const own: Partial<Record<Recovery, () => void>> = {
  reload: () => location.reload(),
  https: () => location.assign(location.href.replace(/^http:/, 'https:')),
  copy: () => void navigator.clipboard?.writeText(location.href),
};

function Action(p: { kind: Recovery; code: ErrorCode; primary: boolean; run: (() => void) | undefined }) {
  const [copied, setCopied] = useState(false);
  const run = p.run ?? own[p.kind];
  if (!run) return null;
  const special = p.kind === 'rejoin' ? maybe(`e${p.code}.rejoin`) : undefined;
  const label = copied ? t('act.copied') : (special ?? t(`act.${p.kind}` as Key & `act.${Recovery}`));
  const click = () => {
    run();
    if (p.kind === 'copy') setCopied(true);
  };
  return (
    <button type="button" class={p.primary ? 'button primary' : 'button'} data-testid={`act-${p.kind}`} onClick={click}>
      {label}
    </button>
  );
}
