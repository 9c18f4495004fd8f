// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useId } from 'preact/hooks';
import { megabytes, rate, saverDefault, savers } from '../core/call/saver';
import type { CallSession } from '../core/call/types';
import { t } from '../i18n';

/** The bound on what is received: off, or one of a few rates. */
export function Saver({ session }: { session: CallSession }) {
  const { saver } = session.snapshot.value;
  const [hint, most, volume] = [useId(), useId(), useId()];
  return (
    <div class="saver">
      <label class="tick">
        <input
          type="checkbox"
          data-testid="saver"
          aria-describedby={hint}
          checked={saver > 0}
          onChange={(e) => void session.setSaver(e.currentTarget.checked ? saverDefault : 0)}
        />
        {t('call.saver')}
      </label>
      <p id={hint} class="hint">
        {t('call.saver.t')}
      </p>
      {saver > 0 && (
        <div class="field">
          <label for={most}>{t('call.saver.most')}</label>
          <select
            id={most}
            data-testid="saver-rate"
            aria-describedby={volume}
            value={String(saver)}
            onChange={(e) => void session.setSaver(Number(e.currentTarget.value))}
          >
            {savers.map((kbits) => (
              <option key={kbits} value={String(kbits)}>
                {rate(kbits)}
              </option>
            ))}
          </select>
          <p id={volume} class="hint">
            {t('call.saver.volume', { mb: megabytes(saver) })}
          </p>
        </div>
      )}
    </div>
  );
}
