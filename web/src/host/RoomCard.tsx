// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks';
import { named } from '../call/named';
import { WaitingList } from '../call/WaitingList';
import type { HostRoom } from '../core/api/types';
import type { Desk } from '../core/flow/desk';
import { unlockTones } from '../core/media/tone';
import { t, time } from '../i18n';
import { Icon } from '../ui/Icon';
import { lockIcon } from '../ui/icons-media';
import { EndDialog } from './EndDialog';
import { LinkField } from './LinkField';

interface CardProps {
  desk: Desk;
  room: HostRoom;
  attempt(p: Promise<unknown>): Promise<void>;
}

export function RoomCard({ desk, room, attempt }: CardProps) {
  const [ending, setEnding] = useState(false);
  const inside = room.participants.map((p) => named(p.name));
  const visitors = room.participants.filter((p) => !p.host);
  return (
    <article class="card room" data-testid="room" data-room={room.id}>
      <div class="room-top">
        <h2>{t('desk.room', { time: time(room.opened_at ?? Date.now()) })}</h2>
        {room.locked && (
          <span class="chip" data-testid="room-locked">
            <Icon of={lockIcon} size={16} />
            {t('door.locked')}
          </span>
        )}
      </div>
      <LinkField link={desk.link(room.link)} />
      {room.waiting.length > 0 ? (
        <WaitingList
          waiting={room.waiting}
          door={desk.door(room.id)}
          attempt={(p) => {
            unlockTones();
            void attempt(p);
          }}
        />
      ) : (
        inside.length === 0 && <p class="quiet">{t('desk.nobody')}</p>
      )}
      {visitors.length === 1 && visitors[0] ? (
        <p class="state good" data-testid="room-inside">
          {t('desk.ready', { name: named(visitors[0].name) })}
        </p>
      ) : (
        inside.length > 0 && (
          <p class="state good" data-testid="room-inside">
            {t('desk.inCall', { names: inside.join(', ') })}
          </p>
        )
      )}
      <div class="actions row">
        <button
          type="button"
          class={visitors.length > 0 || room.waiting.length === 0 ? 'button primary' : 'button'}
          data-testid="enter"
          onClick={() => void desk.enter(room.id)}
        >
          {t('desk.enter')}
        </button>
        <button type="button" class="button" data-testid="end-room" onClick={() => setEnding(true)}>
          {t('desk.end')}
        </button>
      </div>
      {ending && (
        <EndDialog
          text={t('desk.end.t')}
          onClose={() => setEnding(false)}
          end={() => void attempt(desk.channel.do({ do: 'end', room: room.id }))}
        />
      )}
    </article>
  );
}
