// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useRef, useState } from 'preact/hooks';
import { refused } from '../call/refused';
import { WaitingList } from '../call/WaitingList';
import type { HostRoom } from '../core/api/types';
import type { Desk } from '../core/flow/desk';
import { unlockTones } from '../core/media/tone';
import { t, time } from '../i18n';
import { Dialog } from '../ui/Dialog';
import { Icon } from '../ui/Icon';
import { videoIcon } from '../ui/icons';
import { checkIcon, copyIcon, lockIcon } from '../ui/icons-media';
import { announce } from '../ui/live';
import { Heading } from '../ui/Shell';

export function Overview({ desk }: { desk: Desk }) {
  const { link, host, rooms } = desk.channel.state.value;
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState('');
  if (link === 'refused') return <Refused desk={desk} />;

  const attempt = async (p: Promise<unknown>) => {
    setFailed('');
    try {
      await p;
    } catch (e) {
      setFailed(refused(e));
    }
  };
  const open = async () => {
    unlockTones();
    setBusy(true);
    await attempt(desk.channel.do({ do: 'open_room' }));
    setBusy(false);
  };
  return (
    <section class="desk" data-testid="desk" data-link={link}>
      <div class="desk-top">
        <div>
          <Heading practice={desk.page.practice}>{t('desk.title')}</Heading>
          <p class="quiet" data-testid="host-name">
            {host ? t('desk.hello', { name: host.name }) : t('desk.connecting')}
          </p>
        </div>
        <button
          type="button"
          class="button primary"
          data-testid="open-room"
          aria-disabled={busy}
          onClick={() => void open()}
        >
          <Icon of={videoIcon} size={22} />
          {t(busy ? 'desk.opening' : 'desk.open')}
        </button>
      </div>
      {link === 'down' && (
        <p class="note" role="status" data-testid="desk-down">
          {t('desk.down')}
        </p>
      )}
      {failed && (
        <p class="note bad" role="alert" data-testid="host-failed">
          {failed}
        </p>
      )}
      {rooms.length === 0 && (
        <div class="card empty" data-testid="no-rooms">
          <h2>{t('desk.none')}</h2>
          <p>{t('desk.none.t')}</p>
        </div>
      )}
      {rooms.map((r) => (
        <RoomCard key={r.id} desk={desk} room={r} attempt={attempt} />
      ))}
    </section>
  );
}

function Refused({ desk }: { desk: Desk }) {
  return (
    <section class="card error" data-testid="desk-refused">
      <div class="badge">
        <Icon of={lockIcon} size={28} />
      </div>
      <Heading practice={desk.page.practice}>{t('desk.refused')}</Heading>
      <p class="lead">{t('desk.refused.t')}</p>
    </section>
  );
}

interface CardProps {
  desk: Desk;
  room: HostRoom;
  attempt(p: Promise<unknown>): Promise<void>;
}

function RoomCard({ desk, room, attempt }: CardProps) {
  const [ending, setEnding] = useState(false);
  const inside = room.participants.map((p) => p.name);
  const visitors = room.participants.filter((p) => !p.host);
  return (
    <article class="card room" data-testid="room" data-room={room.id}>
      <div class="room-top">
        <h2>{t('desk.room', { time: time(room.opened_at) })}</h2>
        {room.locked && (
          <span class="chip" data-testid="room-locked">
            <Icon of={lockIcon} size={16} />
            {t('door.locked')}
          </span>
        )}
      </div>
      <LinkField link={desk.link(room)} />
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
          {t('desk.ready', { name: visitors[0].name })}
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
        <Dialog title={t('desk.end.q')} testid="end-dialog" onClose={() => setEnding(false)}>
          <p>{t('desk.end.t')}</p>
          <div class="actions">
            <button type="button" class="button" data-testid="cancel" onClick={() => setEnding(false)}>
              {t('host.cancel')}
            </button>
            <button
              type="button"
              class="button danger"
              data-testid="confirm-end"
              onClick={() => {
                setEnding(false);
                void attempt(desk.channel.do({ do: 'end', room: room.id }));
              }}
            >
              {t('desk.end')}
            </button>
          </div>
        </Dialog>
      )}
    </article>
  );
}

function LinkField({ link }: { link: string }) {
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      // Without the clipboard the marked text can be copied by hand.
      field.current?.select();
      return;
    }
    setCopied(true);
    announce(t('desk.copied'));
    setTimeout(() => setCopied(false), 3000);
  };
  return (
    <div class="field">
      <label>
        <span class="label-text">{t('desk.link')}</span>
        <input
          ref={field}
          type="text"
          readOnly
          value={link}
          data-testid="visitor-link"
          onFocus={(e) => e.currentTarget.select()}
        />
      </label>
      <button type="button" class="button small" data-testid="copy-link" onClick={() => void copy()}>
        <Icon of={copied ? checkIcon : copyIcon} size={20} />
        {t(copied ? 'desk.copied' : 'desk.copy')}
      </button>
    </div>
  );
}
