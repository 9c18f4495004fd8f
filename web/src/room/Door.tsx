// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ComponentType } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Arrive } from '../core/flow/arrive';
import { t } from '../i18n';
import { ErrorScreen } from '../ui/ErrorScreen';
import { Shell } from '../ui/Shell';
import { Arrival } from './Arrival';
import type { RoomProps } from './Room';

/** Checks the link and greets. What comes after the greeting is fetched while the visitor reads it. */
export function Door({ page, cap }: RoomProps) {
  const arrive = useMemo(() => new Arrive(page, cap), [page, cap]);
  const [Room, setRoom] = useState<ComponentType<RoomProps> | null>(null);
  const [going, setGoing] = useState(false);
  const s = arrive.state.value;
  useEffect(() => void arrive.start(), [arrive]);
  const welcome = s.at === 'welcome';
  useEffect(() => {
    if (!welcome || Room) return;
    const get = () => {
      import('./entry').then(
        (m) => setRoom(() => m.Room),
        () => {
          timer = setTimeout(get, 3000);
        },
      );
    };
    let timer = setTimeout(get);
    return () => clearTimeout(timer);
  }, [welcome, Room]);

  if (going && Room) return <Room page={page} cap={cap} />;
  return (
    <Shell page={page}>
      {s.at === 'failed' && (
        <ErrorScreen key={s.code} page={page} code={s.code} actions={{ retry: () => arrive.retry() }} />
      )}
      {s.at === 'welcome' && !going && (
        <Arrival page={page} host={s.info.host.name} open={s.info.open} next={() => setGoing(true)} />
      )}
      {(s.at === 'checking' || (going && !Room)) && (
        <p class="boot" role="status" data-testid="boot">
          {t('boot')}
        </p>
      )}
    </Shell>
  );
}
