// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { HostRoom } from '../core/api/types';
import type { Desk } from '../core/flow/desk';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { lockCheckIcon } from '../ui/icons-media';

interface Props {
  desk: Desk;
  room: HostRoom;
  attempt(p: Promise<unknown>): Promise<void>;
}

/** Whether a link carries a key. Offered before anybody has come; there is no way back, for links are out by then. */
export function KeyChoice({ desk, room, attempt }: Props) {
  const [busy, setBusy] = useState(false);
  const hint = useId();
  const keyed = typeof desk.secret(room.id) === 'string';
  const empty = room.waiting.length === 0 && room.participants.length === 0;
  const put = async () => {
    setBusy(true);
    await attempt(desk.keyLink(room.id));
    setBusy(false);
  };
  if (keyed) return <Keyed fresh={busy} />;
  if (!(desk.page.e2ee && room.keyable && empty)) return null;
  return (
    <div class="key-choice" data-testid="key-choice" data-keyed="false">
      <label class="tick">
        <input
          type="checkbox"
          data-testid="key-link"
          aria-describedby={hint}
          checked={busy}
          onChange={() => busy || void put()}
        />
        {t('key.put')}
      </label>
      <p id={hint} class="hint">
        {t('key.put.t')}
      </p>
    </div>
  );
}

/** `fresh`: it takes the place of what had the focus. */
function Keyed({ fresh }: { fresh: boolean }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (fresh) ref.current?.focus();
  }, []);
  return (
    <div ref={ref} class="state good key-set" tabIndex={-1} data-testid="key-choice" data-keyed="true">
      <Icon of={lockCheckIcon} size={20} />
      <div>
        <strong>{t('key.done')}</strong>
        <p>{t('key.done.t')}</p>
      </div>
    </div>
  );
}
