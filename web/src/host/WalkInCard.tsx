// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { WaitingList } from '../call/WaitingList';
import type { WalkIn } from '../core/api/types';
import type { Desk } from '../core/flow/desk';
import { nearness } from '../core/flow/hours';
import { unlockTones } from '../core/media/tone';
import { day, t, time } from '../i18n';
import { LinkField } from './LinkField';

interface Props {
  desk: Desk;
  walkIn: WalkIn;
  attempt(p: Promise<unknown>): Promise<void>;
}

/** The open consultation: whether it is open, who waits, and the address to make known. */
export function WalkInCard({ desk, walkIn, attempt }: Props) {
  const lobby = desk.channel.state.value.rooms.find((r) => r.lobby);
  return (
    <article class="card room" data-testid="walk-in" data-open={walkIn.open}>
      <div class="room-top">
        <h2>{t('walk.title')}</h2>
        <span class="chip" data-testid="walk-in-state">
          {state(walkIn)}
        </span>
      </div>
      {lobby ? (
        <WaitingList
          waiting={lobby.waiting}
          door={desk.door(lobby.id)}
          attempt={(p) => {
            unlockTones();
            void attempt(p);
          }}
        />
      ) : (
        walkIn.open && <p class="quiet">{t('walk.nobody')}</p>
      )}
      <LinkField link={desk.link(walkIn.address)} label={t('walk.address')} copy={t('walk.copy')} />
      {lobby && <p class="quiet">{t('walk.room')}</p>}
    </article>
  );
}

function state({ open, changes, timezone }: WalkIn): string {
  if (!changes) return t(open ? 'walk.open' : 'walk.closed');
  const zone = { timeZone: timezone };
  const clock = time(changes, zone);
  const near = nearness(changes, timezone, Date.now());
  if (open) return near === 'today' ? t('walk.until', { time: clock }) : t('walk.open');
  return t('walk.next', { day: near === 'later' ? day(changes, zone) : t(`walk.${near}`), time: clock });
}
