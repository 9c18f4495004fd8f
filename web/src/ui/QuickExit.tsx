// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect } from 'preact/hooks';
import { escapeTwice, quickExit } from '../core/flow/exit';
import { t } from '../i18n';
import { Icon } from './Icon';
import { exitIcon } from './icons-media';

/** Away from this page with one tap, or with Escape pressed twice. */
export function QuickExit() {
  useEffect(() => {
    const twice = escapeTwice();
    const pressed = (e: KeyboardEvent) => {
      if (twice(e)) quickExit();
    };
    // Before anybody else: a dialog that closes with Escape must not swallow it.
    window.addEventListener('keydown', pressed, true);
    return () => window.removeEventListener('keydown', pressed, true);
  }, []);
  return (
    <button
      type="button"
      class="quick-exit"
      data-testid="quick-exit"
      title={t('exit.hint')}
      onClick={() => quickExit()}
    >
      <Icon of={exitIcon} size={18} />
      {t('exit.do')}
      <span class="vh">({t('exit.hint')})</span>
    </button>
  );
}
