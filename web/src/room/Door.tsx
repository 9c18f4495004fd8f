// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { Arrive } from '../core/flow/arrive';
import { t } from '../i18n';
import { ErrorScreen } from '../ui/ErrorScreen';
import { Shell } from '../ui/Shell';
import { Arrival } from './Arrival';
import type { RoomProps } from './Room';

/** Checks the link and greets. What comes after the greeting is fetched while the visitor reads it. */
export function Door({ page, cap, link }: RoomProps) {
  const arrive = useMemo(() => new Arrive(page, cap, link), [page, cap, link]);
  const [late, setLate] = useState<typeof import('./entry') | null>(null);
  const [going, setGoing] = useState(false);
  const s = arrive.state.value;
  const again = useCallback(() => arrive.retry(), [arrive]);
  useEffect(() => void arrive.start(), [arrive]);
  // Its texts come with the rest.
  const unable = s.at === 'failed' && (s.code === 22 || s.code === 44);
  const more = s.at === 'welcome' || unable;
  useEffect(() => {
    if (!more || late) return;
    const get = () => {
      import('./entry').then(setLate, () => {
        timer = setTimeout(get, 3000);
      });
    };
    let timer = setTimeout(get);
    return () => clearTimeout(timer);
  }, [more, late]);

  if (going && late) return <late.Room page={page} cap={cap} link={link} />;
  const outside = s.at === 'welcome' && (s.info.appointment?.state ?? 'open') !== 'open';
  if (outside && late) return <late.Appointment page={page} info={s.info as never} again={again} />;
  return (
    <Shell page={page}>
      {s.at === 'failed' && (!unable || late) && (
        <ErrorScreen key={s.code} page={page} code={s.code} actions={{ retry: again }} />
      )}
      {s.at === 'welcome' && !going && !outside && (
        <Arrival page={page} host={s.info.host.name} open={s.info.open} next={() => setGoing(true)} />
      )}
      {(s.at === 'checking' || ((going || outside || unable) && !late)) && (
        <p class="boot" role="status" data-testid="boot">
          {t('boot')}
        </p>
      )}
    </Shell>
  );
}
