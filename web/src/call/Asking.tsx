// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect } from 'preact/hooks';
import type { CallSession } from '../core/call/types';
import { t } from '../i18n';
import { announce } from '../ui/live';
import { named } from './named';

/** Those who are in the room already and with whom this page has not begun to encrypt: it did not let them in itself. */
export function Asking({ session }: { session: CallSession }) {
  const asking = session.snapshot.value.encryption?.asking ?? [];
  const text = asking.map(textOf).join(' ');
  useEffect(() => {
    if (text) announce(text);
  }, [text]);
  return (
    <>
      {asking.map((one) => (
        <section class="banner question" key={one.pid} aria-label={textOf(one)} data-testid="asking">
          <p>{textOf(one)}</p>
          <button
            type="button"
            class="button small primary"
            data-testid="let-in"
            onClick={() => session.letIn(one.pid)}
          >
            {t('e2ee.asking.do')}
          </button>
        </section>
      ))}
    </>
  );
}

/** Those who have keys and are not to be seen: a place that is cut off, or somebody who does not show. */
export function Unseen({ session }: { session: CallSession }) {
  const unseen = session.snapshot.value.encryption?.unseen ?? [];
  const names = unseen.map(named).join(', ');
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

const textOf = ({ name, host }: { name: string; host: boolean }): string =>
  t(host ? 'e2ee.asking.host' : 'e2ee.asking', { name: named(name) });
