// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useId, useState } from 'preact/hooks';
import type { HostRoom } from '../core/api/types';
import type { Desk } from '../core/flow/desk';
import { t } from '../i18n';
import { announce } from '../ui/live';

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
  if (!keyed && !(desk.page.e2ee && room.keyable && empty)) return null;
  const put = async () => {
    setBusy(true);
    await attempt(desk.keyLink(room.id).then(() => announce(t('key.done'))));
    setBusy(false);
  };
  return (
    <div class="key-choice" data-testid="key-choice" data-keyed={keyed}>
      <label class="tick">
        <input
          type="checkbox"
          data-testid="key-link"
          aria-describedby={hint}
          checked={keyed || busy}
          disabled={keyed || busy}
          onChange={() => void put()}
        />
        {t('key.put')}
      </label>
      <p id={hint} class="hint">
        {t(keyed ? 'key.done' : 'key.put.t')}
      </p>
    </div>
  );
}
