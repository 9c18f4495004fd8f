// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { clock } from '../core/call/layout';
import type { Want } from '../core/flow/machine';
import type { Page } from '../core/page';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { videoIcon } from '../ui/icons';
import { cameraIcon, checkIcon, micIcon } from '../ui/icons-media';
import { Heading } from '../ui/Shell';

interface Base {
  page: Page;
}

export function Primer({ page, ask }: Base & { ask(want: Want): void }) {
  return (
    <section class="card" data-testid="primer">
      <div class="badge calm">
        <Icon of={cameraIcon} size={28} />
        <Icon of={micIcon} size={28} />
      </div>
      <Heading practice={page.practice}>{t('primer.title')}</Heading>
      <p class="lead">{t('primer.text')}</p>
      <div class="actions">
        <button type="button" class="button primary" data-testid="allow-both" onClick={() => ask('both')}>
          {t('primer.both')}
        </button>
        <button type="button" class="button" data-testid="allow-audio" onClick={() => ask('audio')}>
          {t('primer.audio')}
        </button>
        <button type="button" class="link" data-testid="watch-only" onClick={() => ask('none')}>
          {t('primer.watch')}
        </button>
      </div>
    </section>
  );
}

export function Asking({ page }: Base) {
  return (
    <section class="card" data-testid="asking">
      <div class="badge calm breathing">
        <Icon of={cameraIcon} size={28} />
        <Icon of={micIcon} size={28} />
      </div>
      <Heading practice={page.practice}>{t('asking.title')}</Heading>
      <p class="lead">{t('asking.text')}</p>
    </section>
  );
}

export function Connecting({ page }: Base) {
  return (
    <section class="card" data-testid="connecting">
      <div class="badge calm breathing">
        <Icon of={videoIcon} size={28} />
      </div>
      <Heading practice={page.practice}>{t('connecting.title')}</Heading>
      <p class="lead">{t('connecting.text')}</p>
    </section>
  );
}

export function Ended({ page, seconds, again }: Base & { seconds: number; again: (() => void) | null }) {
  return (
    <section class="card" data-testid="ended">
      <div class="badge calm">
        <Icon of={checkIcon} size={28} />
      </div>
      <Heading practice={page.practice}>{t('ended.title')}</Heading>
      <p class="lead">{t('ended.duration', { time: clock(seconds) })}</p>
      <p>
        {t('ended.off')} {t('ended.close')}
      </p>
      {again && (
        <div class="actions">
          <button type="button" class="button" data-testid="rejoin" onClick={again}>
            {t('ended.again')}
          </button>
        </div>
      )}
    </section>
  );
}
