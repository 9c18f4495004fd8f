// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks';
import { named } from '../call/named';
import { WaitingList } from '../call/WaitingList';
import type { HostRoom } from '../core/api/types';
import type { Desk } from '../core/flow/desk';
import { unlockTones } from '../core/media/tone';
import { t } from '../i18n';
import { EndDialog } from './EndDialog';
import { LinkField } from './LinkField';

interface Props {
  desk: Desk;
  attempt(p: Promise<unknown>): Promise<void>;
}

/** The rooms that the host keeps, in the order of the configuration. */
export function StandingRooms({ desk, attempt }: Props) {
  const rooms = desk.channel.state.value.rooms.filter((r) => r.standing);
  if (rooms.length === 0) return null;
  return (
    <section class="day" data-testid="standing-rooms" aria-label={t('stand.title')}>
      <h2>{t('stand.title')}</h2>
      <ul class="appointments">
        {rooms.map((r) => (
          <Row key={r.id} desk={desk} room={r} attempt={attempt} />
        ))}
      </ul>
    </section>
  );
}

function Row({ desk, room, attempt }: Props & { room: HostRoom }) {
  const [ending, setEnding] = useState(false);
  const { office } = desk.channel.state.value;
  const { id = '', name = '', kind = '' } = room.standing ?? {};
  const open = room.opened_at !== undefined;
  const inside = room.participants.map((p) => named(p.name));
  const busy = room.waiting.length > 0 || inside.length > 0;
  return (
    <li class="card appointment" data-testid="standing-room" data-id={id} data-open={open}>
      <div class="standing-main">
        <p class="person-name">
          {name}
          <small>
            {[office?.kinds.find((k) => k.id === kind)?.name, t(open ? 'stand.isOpen' : 'stand.isClosed')]
              .filter(Boolean)
              .join(' · ')}
          </small>
        </p>
        <div class="pair">
          <button
            type="button"
            class={busy ? 'button primary small' : 'button small'}
            data-testid="standing-enter"
            aria-label={t('stand.enter.who', { name })}
            onClick={() => void desk.enter(room.id)}
          >
            {t('desk.enter')}
          </button>
          <button
            type="button"
            class="button small"
            data-testid={open ? 'standing-close' : 'standing-open'}
            aria-label={t(open ? 'stand.close.who' : 'stand.open.who', { name })}
            onClick={() => {
              if (open) setEnding(true);
              else void attempt(desk.channel.do({ do: 'open_room', standing: id }));
            }}
          >
            {t(open ? 'desk.end' : 'stand.open')}
          </button>
        </div>
      </div>
      {room.waiting.length > 0 && (
        <WaitingList
          waiting={room.waiting}
          door={desk.door(room.id)}
          attempt={(p) => {
            unlockTones();
            void attempt(p);
          }}
        />
      )}
      {inside.length > 0 && (
        <p class="state good" data-testid="room-inside">
          {t('desk.inCall', { names: inside.join(', ') })}
        </p>
      )}
      <details>
        <summary>{t('stand.link')}</summary>
        <LinkField link={desk.link(room.link)} label={t('stand.link.t')} />
      </details>
      {ending && (
        <EndDialog
          text={t('stand.end.t')}
          onClose={() => setEnding(false)}
          end={() => void attempt(desk.channel.do({ do: 'end', room: room.id }))}
        />
      )}
    </li>
  );
}
