// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect } from 'preact/hooks';
import type { CallSession } from '../core/call/types';
import { t } from '../i18n';
import { announce } from '../ui/live';

/** Those who are in the room already and with whom this page has not begun to encrypt: it did not let them in itself. */
export function Asking({ session }: { session: CallSession }) {
  const asking = session.snapshot.value.encryption?.asking ?? [];
  const text = asking.map(({ name }) => textOf(name)).join(' ');
  useEffect(() => {
    if (text) announce(text);
  }, [text]);
  return (
    <>
      {asking.map(({ pid, name }) => (
        <div class="banner" key={pid} data-testid="asking">
          <span>{textOf(name)}</span>
          <button type="button" class="button small primary" data-testid="let-in" onClick={() => session.letIn(pid)}>
            {t('e2ee.asking.do')}
          </button>
        </div>
      ))}
    </>
  );
}

/** Those who have keys and are not to be seen: a place that is cut off, or somebody who does not show. */
export function Unseen({ session }: { session: CallSession }) {
  const unseen = session.snapshot.value.encryption?.unseen ?? [];
  const names = unseen.map((name) => name || t('e2ee.somebody')).join(', ');
  const text = names ? t('e2ee.unseen', { name: names }) : '';
  useEffect(() => {
    if (text) announce(text);
  }, [text]);
  if (!text) return null;
  return (
    <p class="banner warn" data-testid="unseen">
      {text}
    </p>
  );
}

const textOf = (name: string): string => t('e2ee.asking', { name: name || t('e2ee.somebody') });
