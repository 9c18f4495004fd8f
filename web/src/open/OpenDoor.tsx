// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Hours } from '../core/api/types';
import { Arrive } from '../core/flow/arrive';
import type { Page } from '../core/page';
import { t } from '../i18n';
import { Room } from '../room/Room';
import { ErrorScreen } from '../ui/ErrorScreen';
import { Shell } from '../ui/Shell';
import { Closed, Opened } from './screens';

/** The public address of a host: open or closed, and from there on as with a link. */
export function OpenDoor({ page }: { page: Page }) {
  const arrive = useMemo(() => new Arrive(page, ''), [page]);
  const [going, setGoing] = useState(false);
  const s = arrive.state.value;
  const again = useCallback(() => arrive.retry(), [arrive]);
  useEffect(() => void arrive.start(), [arrive]);
  const hours = s.at === 'welcome' ? s.info.hours : undefined;
  useTurn(hours, again);

  if (going) return <Room page={page} cap="" link={null} />;
  return (
    <Shell page={page}>
      {s.at === 'failed' && <ErrorScreen key={s.code} page={page} code={s.code} actions={{ retry: again }} />}
      {s.at === 'welcome' &&
        hours &&
        (hours.open ? (
          <Opened key="open" page={page} host={s.info.host.name} hours={hours} next={() => setGoing(true)} />
        ) : (
          <Closed key="closed" page={page} host={s.info.host.name} hours={hours} />
        ))}
      {s.at === 'checking' && (
        <p class="boot" role="status" data-testid="boot">
          {t('boot')}
        </p>
      )}
    </Shell>
  );
}

/** The longest that a timer may run. */
const longest = 60 * 60_000;

/** Asks again when the hours begin or end, and now and then before that. */
function useTurn(hours: Hours | undefined, again: () => void): void {
  useEffect(() => {
    if (!hours) return;
    const rest = hours.changes ? Date.parse(hours.changes) - Date.now() : longest;
    // Clocks differ a little: asked again until the server's says so as well.
    const timer = setTimeout(again, Math.min(longest, Math.max(2000, rest + 1000)));
    return () => clearTimeout(timer);
  }, [hours, again]);
}
