// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { t } from '../i18n';
import { Dialog } from '../ui/Dialog';

interface Props {
  /** What closing the room means. */
  text: string;
  onClose(): void;
  end(): void;
}

/** Asks before a room is closed. */
export function EndDialog({ text, onClose, end }: Props) {
  return (
    <Dialog title={t('desk.end.q')} testid="end-dialog" onClose={onClose}>
      <p>{text}</p>
      <div class="actions">
        <button type="button" class="button" data-testid="cancel" onClick={onClose}>
          {t('host.cancel')}
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="confirm-end"
          onClick={() => {
            onClose();
            end();
          }}
        >
          {t('desk.end')}
        </button>
      </div>
    </Dialog>
  );
}
